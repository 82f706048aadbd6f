"""Minibatch SGD on finite sums of smooth convex terms, with proofs: Gower et al. (2019)."""

from dataclasses import replace

import sympy as sp

from assumptions.convex import Convex
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.star_variance import StarVariance
from problems import Huber, Quadratic, QuadraticSum
from workbench.methods.sgd import SGD
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, symbols
from workbench.theorem import Theorem

stepsize, minibatch, with_noise, n_terms, k = symbols("stepsize minibatch with_noise n_terms k")
L, L_max, mu, sigma_star = symbols("L L_max mu sigma_star")
gap, dist, dist_next, dist0 = symbols("gap dist dist_next dist0")

ALONE = (n_terms - minibatch) / (minibatch * sp.Max(n_terms - 1, 1))
"""Variance of the mean of ``minibatch`` of n numbers, without replacement, over that of one of them."""
L_BATCH = ALONE * L_max + (1 - ALONE) * L
"""Expected smoothness of a minibatch: L_max for one term, L for all."""
NOISE = ALONE * sigma_star**2
"""E |grad f_S(x_star)|^2."""
ANY_BATCH = (1, sp.Min(2, n_terms))
TERMS = (StronglyConvex, Smooth, ComponentConvex, ComponentSmooth)

SPREAD = (
    "Let S be the minibatch, d_j = grad f_j(x) - grad f_j(x_star), d their mean, a = (n - b) / (b "
    "(n - 1)). The mean of b numbers drawn without replacement has a times their variance: E |d_S|^2 = a "
    "mean|d_j|^2 + (1 - a) |d|^2 <= 2 L_b gap with L_b = a L_max + (1 - a) L, for a convex f_j obeys "
    "|d_j|^2 <= 2 L_max (f_j(x) - f_j(x_star) - <grad f_j(x_star), x - x_star>), and |d|^2 <= 2 L gap "
    "likewise. E |grad f_S(x_star)|^2 = a mean|grad f_j(x_star)|^2 <= a sigma_star^2. "
)


def source(where: str = "") -> Source:
    """The paper; the bounds are proved here."""
    return Source("arXiv:1901.09401", "DERIVED", where, "SGD: General Analysis and Improved Rates")


ROUND = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -3.0)))
"""|x - c_j|^2 with minimiser 0: the terms differ by linear functions."""
AXES = QuadraticSum.coordinates(4)
"""x_j^2 / 2: the minimiser is that of every term."""

AT_STAR = replace(ROUND, start=(0.0, 0.0))
LONE = replace(QuadraticSum.isotropic(2.0, ((0.0, 0.0),)), start=(1.0, 0.0))
"""One term: gradient descent."""
VALLEY = Quadratic((1.0, 1000.0), (0.0, 0.0), seed=None, start=(1.0, 0.0))
"""From its flat axis: one step takes (1 - stepsize mu)^2, in the bounds a factor 1 - stepsize mu."""
SLOPE = Huber(L=1.0, delta=0.075, d=1, start=(1.0,))
"""All steps but the last few see a linear function, of which every inequality of the proof is an equality up
to 2 stepsize L: the limit for delta -> 0 is 1 - 2 stepsize L."""

ONE_STEP = Theorem(
    id="sgd/strongly-convex-step",
    title="One step of minibatch SGD contracts the squared distance up to the noise at the minimiser",
    source=source("Theorem 3.1"),
    method=SGD,
    parameters={"stepsize": (1 / (2 * L_BATCH), 1 / (8 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(*TERMS, StarVariance),
    requires=sp.And(with_noise < 1, stepsize <= 1 / (2 * L_BATCH)),
    measured=dist_next**2 + 2 * stepsize * (1 - 2 * stepsize * L_BATCH) * gap,
    bound=(1 - stepsize * mu) * dist**2 + 2 * stepsize**2 * NOISE,
    kind="step",
    proof=SPREAD
    + "E |x_next - x_star|^2 = dist^2 - 2 stepsize <grad f(x), x - x_star> + stepsize^2 E |grad f_S(x)|^2. "
    "Strong convexity: <grad f(x), x - x_star> >= gap + mu dist^2 / 2. E |grad f_S(x)|^2 <= 2 E |d_S|^2 + "
    "2 E |grad f_S(x_star)|^2 <= 4 L_b gap + 2 a sigma_star^2. x_star: the projection of x.",
    mutants=(
        Mutant(
            "no noise at the minimiser",
            ROUND,
            {"bound": (1 - stepsize * mu) * dist**2},
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "two fifths of the noise",
            ROUND,
            {"bound": (1 - stepsize * mu) * dist**2 + sp.Rational(4, 5) * stepsize**2 * NOISE},
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "the noise of all terms, for one of them",
            ROUND,
            {
                "parameters": {"stepsize": 1 / (8 * L_BATCH), "minibatch": 1},
                "bound": (1 - stepsize * mu) * dist**2 + 2 * stepsize**2 * NOISE / n_terms,
            },
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "twice the rate",
            ROUND,
            {"bound": (1 - 2 * stepsize * mu) * dist**2 + 2 * stepsize**2 * NOISE},
            state={"x": (1e3, 0.0)},
        ),
        Mutant(
            "the step of the full gradient for one term",
            AXES,
            {
                "parameters": {"stepsize": 1 / L, "minibatch": 1},
                "requires": with_noise < 1,
                "measured": dist_next**2,
            },
            state={"x": (1.0, 0.0, 0.0, 0.0)},
        ),
    ),
    tight=(
        Tight(VALLEY, 0.9999687617, state={"x": (1.0, 0.0)}),
        Tight(ROUND, 55 / 56, state={"x": (1e6, 0.0)}),
    ),
)

ALL_STEPS = Theorem(
    id="sgd/strongly-convex",
    title="Minibatch SGD with a constant step converges linearly to a ball of noise",
    source=source("Theorem 3.1"),
    method=SGD,
    parameters={"stepsize": (1 / (2 * L_BATCH), 1 / (8 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(*TERMS, StarVariance),
    requires=sp.And(with_noise < 1, stepsize <= 1 / (2 * L_BATCH)),
    when=k >= 1,
    measured=dist**2,
    bound=(1 - stepsize * mu) ** k * dist0**2 + 2 * stepsize * NOISE / mu * (1 - (1 - stepsize * mu) ** k),
    kind="mean",
    proof="Apply sgd/strongly-convex-step k times; the noise adds up to 2 stepsize^2 a sigma_star^2 times "
    "(1 - (1 - stepsize mu)^k) / (stepsize mu).",
    mutants=(
        Mutant(
            "a third of the noise",
            AT_STAR,
            {
                "parameters": {"stepsize": 1 / (8 * L_BATCH), "minibatch": 1},
                "bound": (1 - stepsize * mu) ** k * dist0**2
                + 2 * stepsize * NOISE / (3 * mu) * (1 - (1 - stepsize * mu) ** k),
            },
            steps=2,
        ),
        Mutant(
            "it converges",
            AT_STAR,
            {"bound": (1 - stepsize * mu) ** k * dist0**2},
            steps=2,
        ),
    ),
    tight=(Tight(VALLEY, 0.999875, steps=1), Tight(ROUND, 0.8641618497109823, steps=1)),
)

DECREASING = Theorem(
    id="sgd/decreasing",
    title="With the stepsize 2 / (mu (k + 4 L_b / mu)) the squared distance falls like 1/k",
    source=source("Theorem 3.2, with another schedule"),
    method=SGD,
    parameters={"stepsize": 2 / (mu * k + 4 * L_BATCH), "minibatch": ANY_BATCH},
    assumes=(*TERMS, StarVariance),
    requires=with_noise < 1,
    when=k >= 1,
    measured=dist**2,
    bound=sp.Max(4 * L_BATCH / mu * dist0**2, 8 * NOISE / mu**2) / (k + 4 * L_BATCH / mu),
    kind="mean",
    proof="Let m = k + 4 L_b / mu, so that the stepsize 2 / (mu m) is at most 1 / (2 L_b), and C the "
    "maximum. By sgd/strongly-convex-step, E dist^2 <= C / m gives E dist_next^2 <= (1 - 2 / m) C / m + C / "
    "m^2 = C (m - 1) / m^2 <= C / (m + 1).",
    mutants=(
        Mutant(
            "the noise enters once, not eight times",
            replace(QuadraticSum.isotropic(1.0, ((30.0,), (-30.0,))), start=(1.0,)),
            {"bound": sp.Max(4 * L_BATCH / mu * dist0**2, NOISE / mu**2) / (k + 4 * L_BATCH / mu)},
            steps=6,
        ),
        Mutant(
            "the start does not matter",
            replace(ROUND, start=(100.0, 0.0)),
            {"bound": 8 * NOISE / mu**2 / (k + 4 * L_BATCH / mu)},
            steps=2,
        ),
    ),
    tight=(Tight(VALLEY, 0.9992500000625, steps=1), Tight(ROUND, 0.34375, steps=1)),
)

CONVEX = Theorem(
    id="sgd/convex",
    title="Without strong convexity the mean gap falls like 1/k, up to the noise at the minimiser",
    source=source("the argument of Theorem 3.1 without strong convexity"),
    method=SGD,
    parameters={"stepsize": (1 / (4 * L_BATCH), 1 / (16 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(Convex, Smooth, ComponentConvex, ComponentSmooth, StarVariance),
    requires=sp.And(with_noise < 1, stepsize < 1 / (2 * L_BATCH)),
    measured=avg(gap),
    bound=(dist0**2 / (2 * stepsize * k) + stepsize * NOISE) / (1 - 2 * stepsize * L_BATCH),
    kind="mean",
    proof="sgd/strongly-convex-step with mu = 0: 2 stepsize (1 - 2 stepsize L_b) E gap <= E dist^2 - E "
    "dist_next^2 + 2 stepsize^2 a sigma_star^2. Sum over j < k.",
    mutants=(
        Mutant(
            "no noise",
            AT_STAR,
            {"bound": dist0**2 / (2 * stepsize * k) / (1 - 2 * stepsize * L_BATCH)},
            steps=3,
        ),
        Mutant(
            "a quarter of the first term",
            LONE,
            {
                "parameters": {"stepsize": 1 / (16 * L_BATCH), "minibatch": 1},
                "bound": (dist0**2 / (8 * stepsize * k) + stepsize * NOISE) / (1 - 2 * stepsize * L_BATCH),
            },
            steps=60,
        ),
    ),
    tight=(Tight(SLOPE, 0.8139091179, steps=200), Tight(ROUND, 0.11320754716981081, steps=1)),
)

THEOREMS = (ONE_STEP, ALL_STEPS, DECREASING, CONVEX)
