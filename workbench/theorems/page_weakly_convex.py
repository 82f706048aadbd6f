"""PAGE on weakly convex terms: between the convex case, tau = 0, and the nonconvex one, tau = L_max.

Ours, in the setting of arXiv:2509.00737; the constants there may differ. At tau = 0 the steps are those of
``page_convex``; near tau = L_max those of ``li2021`` are longer.
"""

import sympy as sp

from assumptions import PL
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from problems.quadratic_sum import QuadraticSum
from workbench.methods.page import PAGE
from workbench.parts import Mutant, Tight
from workbench.symbols import after, avg, symbols
from workbench.theorem import Theorem
from workbench.theorems.li2021 import FAR_PAIR, SWEEP
from workbench.theorems.page_convex import (
    ALWAYS,
    CONTRACTS,
    DOWN,
    FIRST_LINES,
    FLAT,
    ITERATED,
    LYAPUNOV,
    NINTHS,
    PL_BOUND,
    PL_LYAPUNOV,
    RAMP,
    RARE,
    RATE,
    SOURCE,
    STEP,
    SUM_BOUND,
    SUMMED,
)

stepsize, p, k = symbols("stepsize p k")
L_max, tau_component = symbols("L_max tau_component")
gap, gradnorm, gradnorm_next = symbols("gap gradnorm gradnorm_next")

WEAK = QuadraticSum((((1.0,),), ((-0.3,),)))
"""Terms x^2 / 2 and -0.3 x^2 / 2: weakly convex with constant 0.3, f = 0.35 x^2 / 2."""

SPAN = L_max - tau_component
BENT = L_max * tau_component / SPAN
WEAK_STEP = 1 / sp.Max(SPAN / NINTHS, 2 * BENT / (3 * p))
WEAK_PL_STEP = 1 / sp.Max(SPAN / NINTHS, 4 * BENT / (5 * p))
"""min(2 / (9 (L - tau)), 3 p (L - tau) / (2 L tau)), and the same with 5 / 4 in place of 3 / 2."""

WEAK_LINES = (
    "With L = L_max, tau = tau_component < L: f_j + tau |.|^2 / 2 is convex and (L + tau)-smooth, so "
    "|d_j|^2 <= (L - tau) <d_j, x_next - x> + L tau |x_next - x|^2 and D >= "
    "(Q - L tau stepsize^2 |g|^2) / (2 (L - tau)). With w = L tau stepsize / (L - tau), at tails "
    "E|g_next|^2 <= (1 + 2 w) |g|^2 - (2 / ((L - tau) stepsize) - 1) Q. Add with weights 2 stepsize / p and "
    "stepsize / (4 p): the weight of Q is not positive, as (L - tau) stepsize <= 2 / 9; of |e|^2 it is "
    "(2 stepsize / p) (1 - p / 2), of |g|^2 (stepsize / (4 p)) (1 - 3 p + 2 w), of |grad f(x_next)|^2 "
    "-stepsize / 4. "
)

WEAKLY_CONVEX_STEP = Theorem(
    id="page/weakly-convex-step",
    title="Weakly convex terms: gap, est_error^2 and est_norm^2 fall by a quarter step of squared gradient",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": WEAK_STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentWeaklyConvex),
    requires=(tau_component < L_max) & (stepsize <= WEAK_STEP),
    measured=after(LYAPUNOV + stepsize / 4 * gradnorm**2),
    bound=LYAPUNOV,
    kind="step",
    proof=FIRST_LINES + WEAK_LINES + "The step gives 2 w <= 3 p.",
    mutants=(
        Mutant(
            "the step of convex terms",
            FAR_PAIR,
            {"parameters": {"stepsize": STEP, **RARE}, "requires": True},
            state={"x": (0.78,), "g": (1.0,)},
        ),
    ),
    tight=(
        Tight(FLAT, 0.9997783175, steps=1, state=DOWN),
        Tight(WEAK, 0.9881382020, steps=1, state={"x": (-1.0,), "g": (-0.083264,)}),
    ),
)

WEAKLY_CONVEX = Theorem(
    id="page/weakly-convex",
    title="Weakly convex terms: the mean of the squared gradients falls like 1/k",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": WEAK_STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentWeaklyConvex),
    requires=(tau_component < L_max) & (stepsize <= WEAK_STEP),
    measured=avg(gradnorm_next**2),
    bound=SUM_BOUND,
    kind="mean",
    proof=SUMMED.format("page/weakly-convex-step"),
    mutants=(
        Mutant(
            "a rate of 1/k^2",
            WEAK,
            {"bound": SUM_BOUND / k, "parameters": {"stepsize": WEAK_STEP, **ALWAYS}},
            steps=12,
        ),
    ),
    tight=(Tight(RAMP, 0.2217700518, steps=12), Tight(WEAK, 0.1209175295, steps=4)),
)

WEAKLY_CONVEX_PL_STEP = Theorem(
    id="page/weakly-convex-pl-step",
    title="Weakly convex terms under PL: gap, est_error^2 and est_norm^2 together contract on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": WEAK_PL_STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentWeaklyConvex, PL),
    requires=(tau_component < L_max) & (stepsize <= WEAK_PL_STEP),
    measured=after(PL_LYAPUNOV),
    bound=RATE * PL_LYAPUNOV,
    kind="step",
    proof=FIRST_LINES
    + WEAK_LINES
    + CONTRACTS
    + "1 - 3 p + 2 w <= 1 - p / 2, as the step gives 2 w <= 5 p / 2.",
    mutants=(
        Mutant(
            "the step of convex terms",
            FAR_PAIR,
            {"parameters": {"stepsize": STEP, **RARE}, "requires": True},
            state={"x": (0.7785,), "g": (1.0,)},
        ),
    ),
    tight=(Tight(WEAK, 0.9960010825, steps=1, state={"x": (-1.0,), "g": (-0.032675,)}),),
)

WEAKLY_CONVEX_PL = Theorem(
    id="page/weakly-convex-pl",
    title="Weakly convex terms under PL: the gap contracts at each step, on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": WEAK_PL_STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentWeaklyConvex, PL),
    requires=(tau_component < L_max) & (stepsize <= WEAK_PL_STEP),
    when=k >= 1,
    measured=gap,
    bound=PL_BOUND,
    kind="mean",
    proof=ITERATED.format("page/weakly-convex-pl-step"),
    mutants=(
        Mutant(
            "ten times the rate",
            WEAK,
            {"parameters": {"stepsize": WEAK_PL_STEP, **ALWAYS}, "bound": RATE ** (9 * k) * PL_BOUND},
            steps=3,
        ),
    ),
    tight=(Tight(FLAT, 0.9995556173, steps=1), Tight(WEAK, 0.7923182442, steps=1)),
)

THEOREMS = (WEAKLY_CONVEX_STEP, WEAKLY_CONVEX, WEAKLY_CONVEX_PL_STEP, WEAKLY_CONVEX_PL)
