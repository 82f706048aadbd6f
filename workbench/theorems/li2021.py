"""PAGE without convexity: it is gradient descent at p = 1, its rates with average smoothness and under PL."""

import sympy as sp

from assumptions import PL, Smooth
from assumptions.sums.average_smooth import AverageSmooth
from problems.quadratic_sum import QuadraticSum
from workbench.methods.gradient_descent import GradientDescent
from workbench.methods.page import PAGE
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, avg, symbols
from workbench.theorem import Theorem

stepsize, p, minibatch, n_terms, k = symbols("stepsize p minibatch n_terms k")
L, L_avg, mu_pl = symbols("L L_avg mu_pl")
gap, gap0, gradnorm, est_error = symbols("gap gap0 gradnorm est_error")

SOURCE = Source(
    "arXiv:2008.10898",
    "DERIVED",
    title="PAGE: A Simple and Optimal Probabilistic Gradient Estimator for Nonconvex Optimization",
)

LINE = QuadraticSum((((1.0,),),), start=(3.0,))
FAR_PAIR = QuadraticSum.opposite_pair(50.0, 1.0)
AXES = QuadraticSum.coordinates(3)

SWEEP = {
    "p": (1 / n_terms, sp.Rational(1, 50), 1),
    "minibatch": (1, sp.Min(2, n_terms)),
    "replacement": (False, True),
}
"""Refresh probabilities from rare to always, one term and two, drawn in both ways."""

SPREAD = sp.sqrt((1 - p) / (p * minibatch))
STEP = 1 / (L_avg * (1 + SPREAD))
PL_STEP = sp.Min(1 / (L_avg * (1 + sp.sqrt(2) * SPREAD)), p / (2 * mu_pl))

LYAPUNOV = gap + stepsize / (2 * p) * est_error**2
PL_LYAPUNOV = gap + stepsize / p * est_error**2

ESTIMATE = (
    "With e = g - grad f(x), x_next = x - stepsize g and f L_avg-smooth (Jensen): f(x_next) <= f(x) - "
    "(stepsize/2) |grad f(x)|^2 + (stepsize/2) |e|^2 - (stepsize/2) (1 - L_avg stepsize) |g|^2. At heads "
    "e_next = 0; at tails e_next = e + the deviation of a sampled mean of the terms' differences from its "
    "expectation, independent of e, so E|e_next|^2 <= (1 - p) (|e|^2 + L_avg^2 stepsize^2 |g|^2 / "
    "minibatch); without replacement the variance is smaller by (n - minibatch) / (n - 1). "
)

GRADIENT_DESCENT = Theorem(
    id="page/gradient-descent",
    title="With p = 1 PAGE is gradient descent",
    source=SOURCE,
    method=(PAGE, GradientDescent),
    parameters={"stepsize": 1 / L, "p": 1, "minibatch": 1, "replacement": False},
    assumes=(Smooth,),
    kind="equal",
    proof="Every coin is heads, so g_k = grad f(x_k) for all k.",
    mutants=(
        Mutant(
            "a coin that may fall on tails",
            AXES,
            {
                "parameters": {
                    "stepsize": 1 / (2 * L),
                    "p": sp.Rational(1, 2),
                    "minibatch": 1,
                    "replacement": False,
                }
            },
        ),
    ),
)

NONCONVEX_STEP = Theorem(
    id="page/nonconvex-step",
    title="A step lowers gap + stepsize / (2 p) est_error^2 by half a step of squared gradient, on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(AverageSmooth,),
    requires=stepsize <= STEP,
    measured=after(LYAPUNOV) + stepsize / 2 * gradnorm**2,
    bound=LYAPUNOV,
    kind="step",
    proof=ESTIMATE
    + "Add stepsize / (2 p) of the second line to the first: |e|^2 keeps its weight, and that of |g|^2 "
    "is -(stepsize/2) (1 - a - s^2 a^2) with a = L_avg stepsize, s^2 = (1 - p) / (p minibatch). At "
    "a = 1 / (1 + s) the bracket is s / (1 + s)^2 >= 0, and it falls in a.",
    mutants=(
        Mutant(
            "twice the step",
            FAR_PAIR,
            {
                "parameters": {
                    "stepsize": 2 * STEP,
                    "p": sp.Rational(1, 20),
                    "minibatch": 1,
                    "replacement": False,
                },
                "requires": True,
            },
            state={"x": (-0.01,), "g": (1.0,)},
        ),
    ),
    tight=(Tight(LINE, 1.0, steps=1, state={"x": (1.0,), "g": (0.0,)}),),
)

NONCONVEX = Theorem(
    id="page/nonconvex",
    title="The mean of the squared gradients falls like 1/k, without convexity",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": STEP, **SWEEP},
    assumes=(AverageSmooth,),
    requires=stepsize <= STEP,
    measured=avg(gradnorm**2),
    bound=2 * gap0 / (stepsize * k),
    kind="mean",
    proof="Sum the inequality of page/nonconvex-step over j < k; est_error = 0 at the start.",
    mutants=(
        Mutant(
            "half the constant",
            LINE,
            {
                "parameters": {"stepsize": 1 / L_avg, "p": 1, "minibatch": 1, "replacement": False},
                "bound": gap0 / (stepsize * k),
            },
            steps=1,
        ),
    ),
    tight=(Tight(LINE, 1.0, steps=1),),
)

PL_ONE_STEP = Theorem(
    id="page/pl-step",
    title="Under the Polyak-Lojasiewicz inequality gap + stepsize / p est_error^2 contracts on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": PL_STEP, **SWEEP},
    assumes=(AverageSmooth, PL),
    requires=stepsize <= PL_STEP,
    measured=after(PL_LYAPUNOV),
    bound=(1 - mu_pl * stepsize) * PL_LYAPUNOV,
    kind="step",
    proof=ESTIMATE
    + "Add stepsize / p of the second line to the first, and |grad f(x)|^2 >= 2 mu_pl gap. The weight of "
    "|e|^2 becomes (stepsize / p) (1 - p / 2) <= (stepsize / p) (1 - mu_pl stepsize) as stepsize <= "
    "p / (2 mu_pl); that of |g|^2 is -(stepsize/2) (1 - a - 2 s^2 a^2) <= 0 for a = L_avg stepsize "
    "<= 1 / (1 + sqrt(2) s).",
    mutants=(
        Mutant(
            "a step beyond p / (2 mu_pl)",
            LINE,
            {
                "parameters": {"stepsize": p / mu_pl, **SWEEP, "p": sp.Rational(1, 50)},
                "requires": True,
            },
            state={"x": (1.0,), "g": (0.0,)},
        ),
    ),
    tight=(Tight(LINE, 1.0, steps=1, state={"x": (1.0,), "g": (0.0,)}),),
)

PL_RATE = Theorem(
    id="page/pl",
    title="Under the Polyak-Lojasiewicz inequality the gap contracts at each step, on average",
    source=SOURCE,
    method=PAGE,
    parameters={"stepsize": PL_STEP, **SWEEP},
    assumes=(AverageSmooth, PL),
    requires=stepsize <= PL_STEP,
    when=k >= 1,
    measured=gap,
    bound=(1 - mu_pl * stepsize) ** k * gap0,
    kind="mean",
    proof="Iterate page/pl-step; est_error = 0 at the start.",
    mutants=(
        Mutant(
            "three times the rate",
            LINE,
            {
                "parameters": {
                    "stepsize": sp.Rational(1, 5) / L_avg,
                    "p": 1,
                    "minibatch": 1,
                    "replacement": False,
                },
                "bound": (1 - 3 * mu_pl * stepsize) ** k * gap0,
            },
            steps=1,
        ),
    ),
    # p = 1/50 gives stepsize 1/100: 0.99^2 over 0.99
    tight=(Tight(LINE, 0.99, steps=1),),
)

THEOREMS = (GRADIENT_DESCENT, NONCONVEX_STEP, NONCONVEX, PL_ONE_STEP, PL_RATE)
