"""Rows about means of terms, and about noise."""

from assumptions.convex import Convex
from assumptions.implications.implies import Implies
from assumptions.lipschitz import Lipschitz
from assumptions.moments.bounded_moment import BoundedMoment
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.norms import EUCLIDEAN
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.expected_similarity import ExpectedSimilarity
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.star_variance import StarVariance
from assumptions.sums.uniform_similarity import UniformSimilarity
from assumptions.weakly_convex import WeaklyConvex

SUMS = (
    Implies(
        premises=(ComponentConvex,),
        gives=Convex,
        rule=lambda terms: Convex(),  # noqa: ARG005
        proof="the mean of the inequalities of the terms",
        local=True,
    ),
    Implies(
        premises=(ComponentStronglyConvex,),
        gives=ComponentConvex,
        rule=lambda terms: ComponentConvex(),  # noqa: ARG005
        proof="mu/2 |x - y|^2 >= 0",
        local=True,
    ),
    Implies(
        premises=(ComponentStronglyConvex,),
        gives=StronglyConvex,
        rule=lambda terms: StronglyConvex(terms.mu_component, terms.norm),
        proof="the mean of the inequalities of the terms",
        local=True,
    ),
    Implies(
        premises=(ComponentConvex,),
        gives=ComponentWeaklyConvex,
        rule=lambda terms: ComponentWeaklyConvex(0.0),  # noqa: ARG005
        proof="tau = 0 is convexity",
        local=True,
    ),
    Implies(
        premises=(ComponentWeaklyConvex,),
        gives=WeaklyConvex,
        rule=lambda terms: WeaklyConvex(terms.tau_component),
        proof="the mean of the inequalities of the terms",
        local=True,
    ),
    Implies(
        premises=(ComponentSmooth,),
        gives=ComponentWeaklyConvex,
        rule=lambda terms: ComponentWeaklyConvex(terms.L_max) if terms.norm == EUCLIDEAN else None,
        proof="f_j(y) - f_j(x) - <grad f_j(x), y - x> >= -int_0^1 t L_max |y - x|^2 dt",
        local=True,
    ),
    Implies(
        premises=(ComponentSmooth,),
        gives=AverageSmooth,
        rule=lambda terms: AverageSmooth(terms.L_max, terms.norm),
        proof="a mean of squares is at most the largest",
        local=True,
    ),
    Implies(
        premises=(AverageSmooth,),
        gives=Smooth,
        rule=lambda terms: Smooth(terms.L_avg, terms.norm),
        proof="|mean_j v_j|_* <= mean_j |v_j|_* <= (mean_j |v_j|_*^2)^(1/2)",
        local=True,
    ),
    Implies(
        premises=(AverageSmooth,),
        gives=ExpectedSimilarity,
        rule=lambda terms: ExpectedSimilarity(terms.L_avg) if terms.norm == EUCLIDEAN else None,
        proof="mean_j |v_j - v|^2 = mean_j |v_j|^2 - |v|^2 for v = mean_j v_j",
        local=True,
    ),
    Implies(
        premises=(UniformSimilarity,),
        gives=ExpectedSimilarity,
        rule=lambda terms: ExpectedSimilarity(terms.delta, terms.norm),
        proof="a mean of squares is at most the largest",
        local=True,
    ),
    Implies(
        premises=(ExpectedSimilarity,),
        gives=StarSimilarity,
        rule=lambda terms: StarSimilarity(terms.delta_avg, terms.norm),
        proof="y is a minimiser",
    ),
    Implies(
        premises=(Interpolation,),
        gives=StarVariance,
        rule=lambda terms: StarVariance(0.0),  # noqa: ARG005
        proof="every gradient of a term is 0 at the minimisers",
    ),
    Implies(
        premises=(ComponentSmooth,),
        gives=ComponentL0L1,
        rule=lambda terms: ComponentL0L1(terms.L_max, 0.0, terms.norm),
        proof="L1 = 0",
        local=True,
    ),
    Implies(
        premises=(ComponentLipschitz,),
        gives=Lipschitz,
        rule=lambda terms: Lipschitz(terms.G_max, terms.norm),
        proof="|f(x) - f(y)| <= mean_j |f_j(x) - f_j(y)|",
        local=True,
    ),
)
"""f is the mean of its terms."""

NOISE = (
    Implies(
        premises=(BoundedVariance,),
        gives=BoundedMoment,
        rule=lambda noise: BoundedMoment(noise.sigma, 2.0),
        proof="p = 2",
        local=True,
    ),
    Implies(
        premises=(BoundedMoment,),
        gives=BoundedVariance,
        rule=lambda noise: BoundedVariance(noise.sigma_p) if noise.p >= 2 else None,
        proof="Jensen: (E |n|^2)^(1/2) <= (E |n|^p)^(1/p) for p >= 2",
        local=True,
    ),
)
"""The noise of the stochastic gradient."""
