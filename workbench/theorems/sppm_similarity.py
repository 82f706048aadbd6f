"""Proximal methods on sums of similar terms, convex or not: SPPM, and SVRP with a snapshot.

Each statement has its proof here. h_j = f_j - f, y the minimiser of f. Of b terms drawn out of n without
replacement, the mean of vectors v_j with sum 0 has mean square mean |v_j|^2 (n - b) / (b (n - 1)).
"""

import sympy as sp

from assumptions import StronglyConvex
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.star_variance import StarVariance
from assumptions.sums.uniform_similarity import UniformSimilarity
from problems import Quadratic, QuadraticSum
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.methods.svrp import SVRP
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, symbols
from workbench.theorem import Theorem

stepsize, minibatch, p, n_terms, k = symbols("stepsize minibatch p n_terms k")
dist, dist_next, dist0, snapshot_dist = symbols("dist dist_next dist0 snapshot_dist")
mu, delta, sigma_star, mu_component, delta_star = symbols("mu delta sigma_star mu_component delta_star")

PAPER = "arXiv:2502.03401"
TITLE = "Revisiting Stochastic Proximal Point Methods: Generalized Smoothness and Similarity"
SIZES = (1, sp.Min(2, n_terms))
PART = (n_terms - minibatch) / (minibatch * sp.Max(n_terms - 1, 1))

PAIR = QuadraticSum.opposite_pair(1.0, 0.2)
"""Curvatures mu + delta and mu - delta, with mu = 1/5 and delta = 1."""
SHIFTED = QuadraticSum((((1.25,),), ((-0.75,),)), ((1.0,), (-1.0,)), start=(1e-3,))
BALANCED_CENTRES = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (-1.0, 0.0)))
CONVEX_PAIR = QuadraticSum((((1.0,),), ((3.0,),)))
VALLEY = Quadratic((1.0, 1000.0), (0.0, 0.0), seed=None, start=(1.0, 0.0))
"""One term, known to be similar by its smoothness alone: steps so short that all factors are near 1."""

grows = 1 + 4 * PART * stepsize**2 * delta**2
shrinks = 1 + 2 * stepsize * mu - 2 * stepsize**2 * delta**2
noise = 4 * PART * stepsize**2 * sigma_star**2
rate = grows / shrinks
SIMILAR_PROOF = (
    "x_next = x - stepsize grad f_S(x_next) with grad f_S(x_next) = grad f(x_next) + e + grad h_S(x), e = "
    "grad h_S(x_next) - grad h_S(x), |e| <= delta |x_next - x|. With w = x_next - y, r = |x_next - x|: "
    "|w|^2 = |x - y|^2 - r^2 - 2 stepsize <grad f_S(x_next), w>, where <grad f(x_next), w> >= mu |w|^2, 2 "
    "stepsize |<e, w>| <= r^2 / 2 + 2 (stepsize delta)^2 |w|^2, and <grad h_S(x), w> = <grad h_S(x), "
    "x_next - x> plus a term of mean 0, 2 stepsize times the first at most r^2 / 2 + 2 stepsize^2 |grad "
    "h_S(x)|^2 in size. The mean of |grad h_S(x)|^2 is (n - b) / (b (n - 1)) mean |grad h_j(x)|^2, at "
    "most 2 delta^2 |x - y|^2 + 2 sigma_star^2 in the last factor. "
)
SHORT = stepsize < mu / (3 * delta**2)
SIMILAR_STEPS = (mu / (60 * delta**2), mu / (6 * delta**2), mu / (4 * delta**2))

SIMILAR_STEP = Theorem(
    id="sppm/similarity-step",
    title="One step on a strongly convex mean of similar terms, none of which need be convex",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=SPPM,
    parameters={"stepsize": SIMILAR_STEPS, "minibatch": SIZES},
    assumes=(StronglyConvex, UniformSimilarity, StarVariance),
    requires=SHORT,
    kind="step",
    measured=dist_next**2,
    bound=(grows * dist**2 + noise) / shrinks,
    proof=SIMILAR_PROOF,
    mutants=(
        Mutant(
            "a contraction at 1.5 mu / delta^2",
            PAIR,
            {
                "requires": True,
                "bound": dist**2,
                "parameters": {"stepsize": sp.Rational(3, 2) * mu / delta**2, "minibatch": 1},
            },
        ),
        Mutant(
            "for every stepsize for which the step is defined",
            PAIR,
            {
                "requires": True,
                "bound": dist**2,
                "parameters": {"stepsize": sp.Rational(99, 100) / (delta - mu), "minibatch": 1},
            },
        ),
        Mutant("without the noise at the minimiser", SHIFTED, {"bound": rate * dist**2}, state={"x": (0.0,)}),
    ),
    tight=(Tight(PAIR, 0.9999773635),),
)

SIMILAR = Theorem(
    id="sppm/similarity",
    title="The mean square distance falls geometrically to a neighbourhood on similar terms",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=SPPM,
    parameters={"stepsize": SIMILAR_STEPS, "minibatch": SIZES},
    assumes=(StronglyConvex, UniformSimilarity, StarVariance),
    requires=SHORT,
    kind="mean",
    measured=dist_next**2,
    bound=rate ** (k + 1) * dist0**2 + (1 - rate ** (k + 1)) * noise / (shrinks - grows),
    proof=SIMILAR_PROOF + "Sum the geometric series; the rate is below 1 for 3 stepsize delta^2 < mu.",
    mutants=(
        Mutant("twice the rate", PAIR, {"bound": rate ** (2 * k + 2) * dist0**2}, steps=1),
        Mutant("no neighbourhood", SHIFTED, {"bound": rate ** (k + 1) * dist0**2}, steps=2),
    ),
    tight=(Tight(PAIR, 0.9999773635, steps=1),),
)

V = dist**2 + stepsize * mu_component / p * snapshot_dist**2
svrp_rate = sp.Max(1 / (1 + stepsize * mu_component), 1 - p / 2)
SNAPSHOT_PROOF = (
    "With s = grad h_j(w) - grad h_j(y), y is the proximal point of y + stepsize grad f_j(y), so |x_next "
    "- y|^2 <= |x - y + stepsize s|^2 / (1 + stepsize mu)^2; s has mean 0 and mean square at most "
    "delta_star^2 |w - y|^2. Then E V_next = (1 + stepsize mu) E |x_next - y|^2 + (1 - p) (stepsize mu / "
    "p) |w - y|^2 <= |x - y|^2 / (1 + stepsize mu) + (stepsize mu / p) (1 - p + p stepsize delta_star^2 / "
    "mu) |w - y|^2. "
)
SNAPSHOT_STEPS = tuple(c * mu_component / delta_star**2 for c in (sp.Rational(1, 20), sp.Rational(1, 2)))
REFRESH = (1 / n_terms, sp.Rational(1, 10), 1)
SVRP_SOURCE = Source(
    "Khaled and Jin (2023)",
    "DERIVED",
    "the setting of SVRP",
    "Faster federated optimization under second-order similarity",
)
BALANCED = {"stepsize": mu_component / (2 * delta_star**2), "p": sp.Rational(1, 10)}

SNAPSHOT_STEP = Theorem(
    id="svrp/similarity-step",
    title="One step contracts the squared distances of iterate and snapshot, without any neighbourhood",
    source=SVRP_SOURCE,
    method=SVRP,
    parameters={"stepsize": SNAPSHOT_STEPS, "p": REFRESH},
    assumes=(ComponentStronglyConvex, StarSimilarity),
    requires=stepsize <= mu_component / (2 * delta_star**2),
    kind="step",
    measured=after(V),
    bound=svrp_rate * V,
    proof=SNAPSHOT_PROOF,
    mutants=(
        Mutant(
            "p in place of p / 2",
            CONVEX_PAIR,
            {"bound": sp.Max(1 / (1 + stepsize * mu_component), 1 - p) * V, "parameters": BALANCED},
            state={"x": (0.0,), "snapshot": (1.0,), "full": (2.0,)},
        ),
        Mutant(
            "the rate of the proximal step alone",
            CONVEX_PAIR,
            {"bound": V / (1 + stepsize * mu_component), "parameters": BALANCED},
            state={"x": (0.0,), "snapshot": (1.0,), "full": (2.0,)},
        ),
    ),
    tight=(
        Tight(
            BALANCED_CENTRES,
            1.0,
            state={"x": (1.0, 1.0), "snapshot": (0.0, 0.0), "full": (0.0, 0.0)},
        ),
    ),
)

SNAPSHOT = Theorem(
    id="svrp/similarity",
    title="SVRP converges linearly on a sum of similar strongly convex terms",
    source=SVRP_SOURCE,
    method=SVRP,
    parameters={"stepsize": SNAPSHOT_STEPS, "p": REFRESH},
    assumes=(ComponentStronglyConvex, StarSimilarity),
    requires=stepsize <= mu_component / (2 * delta_star**2),
    kind="mean",
    measured=after(V),
    bound=svrp_rate ** (k + 1) * (1 + stepsize * mu_component / p) * dist0**2,
    proof=SNAPSHOT_PROOF + "Repeat.",
    mutants=(
        Mutant(
            "three times the rate",
            CONVEX_PAIR,
            {
                "bound": svrp_rate ** (3 * k + 3) * (1 + stepsize * mu_component / p) * dist0**2,
                "parameters": BALANCED,
            },
            steps=3,
        ),
    ),
    tight=(
        Tight(VALLEY, 0.9999999500, steps=1),
        Tight(BALANCED_CENTRES, 0.9816666667, steps=1),
        Tight(CONVEX_PAIR, 0.9221991178, steps=1),
    ),
)

THEOREMS = (SIMILAR_STEP, SIMILAR, SNAPSHOT_STEP, SNAPSHOT)
