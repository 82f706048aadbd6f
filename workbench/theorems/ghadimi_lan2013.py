"""SGD with noise of bounded variance, with proofs: Ghadimi and Lan (2013), Nemirovski et al. (2009)."""

import sympy as sp

from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex
from problems import Noisy, Quadratic, SignNoise
from workbench.methods.sgd import SGD
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, symbols
from workbench.theorem import Theorem

stepsize, minibatch, with_noise, k = symbols("stepsize minibatch with_noise k")
L, mu, sigma = symbols("L mu sigma")
gap, gap_next, gap0, dist, dist_next, dist0, gradnorm = symbols(
    "gap gap_next gap0 dist dist_next dist0 gradnorm"
)

VARIANCE = sigma**2 / minibatch
"""Of the mean of ``minibatch`` independent draws of the noise."""
ROUND = Noisy(Quadratic((2.0, 2.0), center=(0.0, 0.0), seed=None, start=(3.0, -1.0)), SignNoise(0.5))


def source(where: str = "") -> Source:
    """The paper; the bounds are proved here."""
    return Source(
        "arXiv:1309.5549",
        "DERIVED",
        where,
        "Stochastic first- and zeroth-order methods for nonconvex stochastic programming",
    )


STABLE = Source(
    "Nemirovski, Juditsky, Lan and Shapiro (2009)",
    "DERIVED",
    "section 2.1",
    "Robust stochastic approximation approach to stochastic programming",
)

DESCENT_STEP = Theorem(
    id="sgd/noise-descent-step",
    title="One step lowers f by the squared gradient, up to the noise",
    source=source("proof of Theorem 2.1"),
    method=SGD,
    parameters={"stepsize": (1 / L, 1 / (4 * L), sp.Rational(3, 2) / L), "minibatch": (1, 2)},
    assumes=(Smooth, BoundedVariance),
    requires=sp.And(with_noise > 0, stepsize <= 2 / L),
    measured=gap_next + stepsize * (1 - L * stepsize / 2) * gradnorm**2,
    bound=gap + L * stepsize**2 * VARIANCE / 2,
    kind="step",
    proof="f(x_next) <= f(x) - stepsize <grad f(x), g> + L stepsize^2 |g|^2 / 2 with E g = grad f(x) and E "
    "|g|^2 <= |grad f(x)|^2 + sigma^2 / b, for the b draws are independent.",
    mutants=(
        Mutant(
            "without the noise",
            ROUND,
            {"bound": gap},
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "one in a hundred less noise",
            ROUND,
            {"bound": gap + sp.Rational(99, 100) * L * stepsize**2 * VARIANCE / 2},
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "the noise over the square of the number of draws",
            ROUND,
            {
                "parameters": {"stepsize": 1 / L, "minibatch": 2},
                "bound": gap + L * stepsize**2 * VARIANCE / (2 * minibatch),
            },
            state={"x": (0.0, 0.0)},
        ),
    ),
    tight=(Tight(ROUND, 1.0),),
)

NONCONVEX = Theorem(
    id="sgd/nonconvex",
    title="Without convexity the mean squared gradient falls like 1/k, up to the noise",
    source=source("Theorem 2.1"),
    method=SGD,
    parameters={"stepsize": (1 / L, 1 / (4 * L)), "minibatch": (1, 2)},
    assumes=(Smooth, BoundedVariance),
    requires=sp.And(with_noise > 0, stepsize <= 1 / L),
    measured=avg(gradnorm**2),
    bound=2 * gap0 / (stepsize * k) + L * stepsize * VARIANCE,
    kind="mean",
    proof="sgd/noise-descent-step with 1 - L stepsize / 2 >= 1/2; sum over j < k and divide by stepsize k / "
    "2.",
    mutants=(
        Mutant(
            "half of the first term",
            ROUND,
            {
                "parameters": {"stepsize": 1 / L, "minibatch": 1},
                "bound": gap0 / (stepsize * k) + L * stepsize * VARIANCE,
            },
            steps=1,
        ),
        Mutant("no noise", ROUND, {"bound": 2 * gap0 / (stepsize * k)}, steps=40),
    ),
    tight=(Tight(ROUND, 0.9968847352018714, steps=1),),
)

CONTRACTION_STEP = Theorem(
    id="sgd/noise-strongly-convex-step",
    title="One step contracts the squared distance as without noise, and adds that of the noise",
    source=STABLE,
    method=SGD,
    parameters={"stepsize": (1 / L, 2 / (L + mu), sp.Rational(9, 5) / L), "minibatch": (1, 2)},
    assumes=(StronglyConvex, Smooth, BoundedVariance),
    requires=with_noise > 0,
    measured=dist_next**2,
    bound=sp.Max((1 - stepsize * mu) ** 2, (1 - stepsize * L) ** 2) * dist**2 + stepsize**2 * VARIANCE,
    kind="step",
    proof="The noise has mean 0: E |x_next - x_star|^2 = |x - stepsize grad f(x) - x_star|^2 + stepsize^2 E "
    "|n|^2. The first is gd/strongly-convex.",
    mutants=(
        Mutant(
            "the linear term alone, without noise",
            ROUND,
            {"bound": sp.Max((1 - stepsize * mu) ** 2, (1 - stepsize * L) ** 2) * dist**2},
            state={"x": (0.0, 0.0)},
        ),
        Mutant(
            "one in a hundred less noise",
            ROUND,
            {
                "bound": sp.Max((1 - stepsize * mu) ** 2, (1 - stepsize * L) ** 2) * dist**2
                + sp.Rational(99, 100) * stepsize**2 * VARIANCE
            },
            state={"x": (0.0, 0.0)},
        ),
    ),
    tight=(Tight(ROUND, 1.0),),
)

ALL_STEPS = Theorem(
    id="sgd/noise-strongly-convex",
    title="With a constant step the squared distance settles at the noise",
    source=STABLE,
    method=SGD,
    parameters={"stepsize": (1 / L, 1 / (4 * L)), "minibatch": (1, 2)},
    assumes=(StronglyConvex, Smooth, BoundedVariance),
    requires=sp.And(with_noise > 0, stepsize <= 2 / (L + mu)),
    when=k >= 1,
    measured=dist**2,
    bound=(1 - stepsize * mu) ** (2 * k) * dist0**2
    + stepsize * VARIANCE / (mu * (2 - stepsize * mu)) * (1 - (1 - stepsize * mu) ** (2 * k)),
    kind="mean",
    proof="sgd/noise-strongly-convex-step, k times, with (1 - stepsize mu)^2 for the maximum: a geometric "
    "sum.",
    mutants=(
        Mutant(
            "half of the noise",
            ROUND,
            {
                "parameters": {"stepsize": 1 / (4 * L), "minibatch": 1},
                "bound": (1 - stepsize * mu) ** (2 * k) * dist0**2
                + stepsize * VARIANCE / (2 * mu * (2 - stepsize * mu)) * (1 - (1 - stepsize * mu) ** (2 * k)),
            },
            steps=6,
        ),
    ),
    tight=(Tight(ROUND, 1.0, steps=5),),
)

KAPPA = (L + mu) / (2 * mu)
FALLING = 1 / (mu * (k + KAPPA))
FALLING_BOUND = ((KAPPA - 1) ** 2 * dist0**2 + k * VARIANCE / mu**2) / (k + KAPPA - 1) ** 2

DECREASING = Theorem(
    id="sgd/noise-decreasing",
    title="With the stepsize 1 / (mu (k + (L + mu) / (2 mu))) the squared distance falls like 1/k",
    source=STABLE,
    method=SGD,
    parameters={"stepsize": FALLING, "minibatch": (1, 2)},
    assumes=(StronglyConvex, Smooth, BoundedVariance),
    requires=with_noise > 0,
    when=k >= 1,
    measured=dist**2,
    bound=FALLING_BOUND,
    kind="mean",
    proof="Let m = k + (L + mu) / (2 mu); the stepsize 1 / (mu m) is at most 2 / (L + mu), so "
    "sgd/noise-strongly-convex-step reads m^2 E dist_next^2 <= (m - 1)^2 E dist^2 + sigma^2 / (b mu^2). Sum "
    "over j < k. Equality where all eigenvalues agree and the variance is exact.",
    mutants=(
        Mutant(
            "half of the noise",
            ROUND,
            {"bound": ((KAPPA - 1) ** 2 * dist0**2 + k * VARIANCE / (2 * mu**2)) / (k + KAPPA - 1) ** 2},
            steps=4,
        ),
        Mutant(
            "half of the stepsize",
            ROUND,
            {"parameters": {"stepsize": FALLING / 2, "minibatch": 1}},
            steps=4,
        ),
    ),
    tight=(Tight(ROUND, 1.0, steps=5),),
)

ORDER = Theorem(
    id="sgd/noise-order",
    title="With a stepsize of order 1/k the squared distance is of order 1/K",
    source=STABLE,
    method=SGD,
    parameters={"stepsize": FALLING, "minibatch": 1},
    assumes=(StronglyConvex, Smooth, BoundedVariance),
    requires=with_noise > 0,
    when=k >= 1,
    measured=dist**2,
    bound=FALLING_BOUND,
    kind="slope",
    exponent=-1.0,
    proof="sgd/noise-decreasing: K times the bound tends to sigma^2 / (b mu^2); where L = mu it is that for "
    "all K.",
    mutants=(
        Mutant("an order of 1/K^2", ROUND, {"exponent": -2.0}),
        Mutant(
            "a constant stepsize does as well",
            ROUND,
            {"parameters": {"stepsize": 1 / (2 * L), "minibatch": 1}},
        ),
    ),
    tight=(Tight(ROUND, -1.0),),
)

THEOREMS = (DESCENT_STEP, NONCONVEX, CONTRACTION_STEP, ALL_STEPS, DECREASING, ORDER)
