"""PAGE on convex terms: a step that depends neither on n_terms nor on p.

Ours, in the setting of arXiv:2509.00737; the constants there may differ.
"""

import sympy as sp

from assumptions import PL
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from problems.huber import Huber
from problems.quadratic_sum import QuadraticSum
from workbench.methods.page import PAGE
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, avg, symbols
from workbench.theorem import Theorem
from workbench.theorems.li2021 import FAR_PAIR, LINE, SWEEP

stepsize, p, k = symbols("stepsize p k")
L_max, mu_pl = symbols("L_max mu_pl")
gap, gap0, gradnorm, gradnorm0, gradnorm_next = symbols("gap gap0 gradnorm gradnorm0 gradnorm_next")
est_error, est_norm = symbols("est_error est_norm")

SOURCE = Source("arXiv:2509.00737", "DERIVED", "our theorem in the setting of the paper")

ONE_OF_TEN = QuadraticSum((((1.0,),), *(((0.0,),),) * 9))
TWO_AXES = QuadraticSum.coordinates(2)
UNEQUAL = QuadraticSum((((1.0,),), ((0.5,),)))
FLAT = QuadraticSum((((0.001, 0.0), (0.0, 1.0)),), start=(1.0, 0.0))
"""From its flat axis: gradients are small, the gap decides."""
RAMP = Huber(L=1.0, delta=1.0, d=1, start=(2.8,))
"""Linear for most of the steps: gradients stay as large as at the start, until the gap is used up."""

NINTHS = sp.Rational(2, 9)
STEP = NINTHS / L_max

OF_ESTIMATE = 2 * stepsize / p * est_error**2 + stepsize / (4 * p) * est_norm**2
LYAPUNOV = gap + OF_ESTIMATE
WEIGHT = 1 + stepsize * mu_pl / 2
PL_LYAPUNOV = WEIGHT * gap + OF_ESTIMATE
RATE = sp.Max(1 / WEIGHT, 1 - p / 2)

SUM_BOUND = 4 * gap0 / (stepsize * k) + gradnorm0**2 / (p * k)
PL_BOUND = RATE**k * (gap0 + stepsize / (4 * p) * gradnorm0**2 / WEIGHT)

RARE = {"p": sp.Rational(1, 200), "minibatch": 1, "replacement": False}
SELDOM = {"p": sp.Rational(1, 50), "minibatch": 1, "replacement": False}
ALWAYS = {"p": 1, "minibatch": 1, "replacement": False}

DOWN = {"x": (1.0, 0.0), "g": (0.001, 0.0)}
"""On the flat axis, with the gradient there."""

ALLOWED = sp.Rational(1, 10)
"""The probability with which the claim about single runs may fail."""

FIRST_LINES = (
    "Let e = g - grad f(x), D = f(x) - f(x_next) - <grad f(x_next), x - x_next>, d the difference of grad f "
    "and d_S that of grad f_S between x and x_next, Q = E|d_S|^2 >= |d|^2. As x - x_next = stepsize g and "
    "g - grad f(x_next) = e - d: f(x_next) = f(x) - D - (stepsize/2) (|grad f(x_next)|^2 + |g|^2 - "
    "|e - d|^2), with |e - d|^2 <= 2 |e|^2 + 2 Q. At tails E|e_next|^2 = |e|^2 + Q - |d|^2, and "
    "g_next = g + d_S; at heads e_next = 0 and g_next = grad f(x_next). "
)
"""Of any terms."""

CONVEX_LINES = (
    "Convex L_max-smooth terms: D >= Q / (2 L_max), and <d_S, x_next - x> >= |d_S|^2 / L_max gives at tails "
    "E|g_next|^2 <= |g|^2 - (2 / (L_max stepsize) - 1) Q. Add with weights 2 stepsize / p and "
    "stepsize / (4 p): the weight of Q is at most stepsize - 1 / (2 L_max) + "
    "(1 - p) (stepsize / (4 p)) (8 + 1 - 2 / (L_max stepsize)) <= 0; of |e|^2 it is "
    "(2 stepsize / p) (1 - p / 2), of |g|^2 (stepsize / (4 p)) (1 - 3 p), of |grad f(x_next)|^2 "
    "-stepsize / 4. "
)
CONTRACTS = (
    "Now (stepsize/4) |grad f(x_next)|^2 >= (stepsize mu_pl / 2) gap_next moves to the left; gap, |e|^2 "
    "and |g|^2 then fall by the factors 1 / (1 + stepsize mu_pl / 2), 1 - p / 2 and "
)
SUMMED = "Sum {} over j < k; at the start est_error = 0 and est_norm = gradnorm0."
ITERATED = "Iterate {}; at the start est_error = 0 and est_norm = gradnorm0."

CONVEX_STEP = Theorem(
    id="page/convex-step",
    title="Convex terms: gap, est_error^2 and est_norm^2 together fall by a quarter step of squared gradient",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentConvex),
    requires=stepsize <= STEP,
    measured=after(LYAPUNOV + stepsize / 4 * gradnorm**2),
    bound=LYAPUNOV,
    kind="step",
    proof=FIRST_LINES + CONVEX_LINES,
    mutants=(
        Mutant(
            "terms need not be convex",
            FAR_PAIR,
            {"assumes": (ComponentSmooth,), "parameters": {"stepsize": STEP, **RARE}},
            state={"x": (0.78,), "g": (1.0,)},
        ),
        Mutant(
            "the step 2.5 / L_max",
            ONE_OF_TEN,
            {"parameters": {"stepsize": sp.Rational(5, 2) / L_max, **SELDOM}, "requires": True},
            state={"x": (1.0,), "g": (0.102,)},
        ),
    ),
    tight=(
        Tight(FLAT, 0.9997783175, steps=1, state=DOWN),
        Tight(LINE, 0.9853410075, steps=1, state={"x": (-1.0,), "g": (0.01451775,)}),
    ),
)

CONVEX = Theorem(
    id="page/convex",
    title="Convex terms: the mean of the squared gradients falls like 1/k with a step free of n_terms and p",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentConvex),
    requires=stepsize <= STEP,
    measured=avg(gradnorm_next**2),
    bound=SUM_BOUND,
    kind="mean",
    proof=SUMMED.format("page/convex-step"),
    mutants=(
        Mutant(
            "a rate of 1/k^2",
            LINE,
            {"bound": SUM_BOUND / k, "parameters": {"stepsize": STEP, **ALWAYS}},
            steps=10,
        ),
    ),
    tight=(Tight(RAMP, 0.2217700518, steps=12), Tight(LINE, 0.1503787846, steps=8)),
)

CONVEX_PL_STEP = Theorem(
    id="page/convex-pl-step",
    title="Convex terms under PL: gap, est_error^2 and est_norm^2 together contract on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentConvex, PL),
    requires=stepsize <= STEP,
    measured=after(PL_LYAPUNOV),
    bound=RATE * PL_LYAPUNOV,
    kind="step",
    proof=FIRST_LINES + CONVEX_LINES + CONTRACTS + "1 - 3 p.",
    mutants=(
        Mutant(
            "the Lyapunov function without est_norm",
            TWO_AXES,
            {
                "parameters": {"stepsize": STEP, **SELDOM},
                "measured": after(WEIGHT * gap + 2 * stepsize / p * est_error**2),
                "bound": RATE * (WEIGHT * gap + 2 * stepsize / p * est_error**2),
            },
            state={"x": (1.0, 0.0), "g": (0.5537, 0.0)},
        ),
    ),
    tight=(
        Tight(LINE, 0.9930320214, steps=1, state={"x": (-1.0,), "g": (0.05956108,)}),
        Tight(UNEQUAL, 0.9931614, steps=1),
    ),
)

CONVEX_PL = Theorem(
    id="page/convex-pl",
    title="Convex terms under PL: the gap falls at a rate free of n_terms while p is not too small",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentConvex, PL),
    requires=stepsize <= STEP,
    when=k >= 1,
    measured=gap,
    bound=PL_BOUND,
    kind="mean",
    proof=ITERATED.format("page/convex-pl-step"),
    mutants=(
        Mutant(
            "forgets that refreshes are rare",
            UNEQUAL,
            {
                "parameters": {"stepsize": STEP, **RARE},
                "bound": WEIGHT**-k * (gap0 + stepsize / (4 * p) * gradnorm0**2 / WEIGHT),
            },
            steps=200,
        ),
    ),
    tight=(Tight(FLAT, 0.9995556173, steps=1),),
)

CONVEX_PL_HP = Theorem(
    id="page/convex-pl-hp",
    title="Convex terms under PL: with probability 0.9 the Lyapunov function stays below ten times its rate",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(ComponentSmooth, ComponentConvex, PL),
    requires=stepsize <= STEP,
    measured=PL_LYAPUNOV,
    bound=RATE**k * (WEIGHT * gap0 + stepsize / (4 * p) * gradnorm0**2) / ALLOWED,
    kind="hp",
    failure=float(ALLOWED),
    proof="By page/convex-pl-step the Lyapunov function over rate^k is a nonnegative supermartingale. Ville: "
    "the probability that it ever reaches its start over 0.1 is at most 0.1.",
    mutants=(
        Mutant(
            "forgets that refreshes are rare",
            UNEQUAL,
            {
                "parameters": {"stepsize": STEP, **RARE},
                "bound": WEIGHT**-k * (WEIGHT * gap0 + stepsize / (4 * p) * gradnorm0**2) / ALLOWED,
            },
            steps=200,
        ),
    ),
)

THEOREMS = (CONVEX_STEP, CONVEX, CONVEX_PL_STEP, CONVEX_PL, CONVEX_PL_HP)
