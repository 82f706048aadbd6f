"""The stochastic proximal point method without interpolation: strongly convex terms, Lipschitz terms.

Each statement has its proof here. S are the terms drawn, f_S their mean, y the minimiser of f nearest to x.
Of b terms drawn out of n without replacement, the mean of vectors v_j with sum 0 has mean square
mean |v_j|^2 (n - b) / (b (n - 1)).
"""

import sympy as sp

from assumptions import Convex
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.star_variance import StarVariance
from problems import LinkSum, QuadraticSum
from problems.abs_sum import AbsSum
from workbench.methods import ProximalPoint
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, symbols
from workbench.theorem import Theorem

stepsize, minibatch, n_terms, k, K = symbols("stepsize minibatch n_terms k K")
gap, gap0, dist, dist_next, dist0, moved_next = symbols("gap gap0 dist dist_next dist0 moved_next")
mu_component, sigma_star, G_max = symbols("mu_component sigma_star G_max")

PAPER = "arXiv:2502.03401"
TITLE = "Revisiting Stochastic Proximal Point Methods: Generalized Smoothness and Similarity"
SIZES = (1, sp.Min(2, n_terms))
PART = (n_terms - minibatch) / (minibatch * sp.Max(n_terms - 1, 1))
"""What drawing several terms without replacement leaves of a variance."""

CENTRES = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0)))
ABS = AbsSum(((1.0,),), (0.0,), mu=0.0, start=(3.0,))
KINKS = AbsSum(((1.0, 0.5), (0.0, 2.0), (1.0, -1.0)), (1.0, -0.5, 0.25), mu=0.5, residuals=(0.5, 0.0, 0.0))
NEAR = LinkSum("log-cosh", ((1.0,),), start=(3.0,))
AXES = QuadraticSum.coordinates(4)

q = (1 + stepsize * mu_component) ** -2
SCALES = tuple(c / mu_component for c in (sp.Rational(1, 10), sp.Integer(1), sp.Integer(10)))
CONTRACTS = (
    "With v = grad f_S(y) (or a subgradient; their mean is 0), y is the proximal point of y + stepsize v. "
    "The step of a mu-strongly convex f_S is 1 / (1 + stepsize mu)-Lipschitz: |x_next - y|^2 <= q |x - y "
    "- stepsize v|^2, q = (1 + stepsize mu)^-2, and the cross term has mean 0. "
)

STRONGLY_CONVEX_STEP = Theorem(
    id="sppm/strongly-convex-step",
    title="One step contracts the mean square distance to a neighbourhood, without smoothness",
    source=Source(PAPER, "DERIVED", "the setting of the classical result", TITLE),
    method=SPPM,
    parameters={"stepsize": SCALES, "minibatch": SIZES},
    assumes=(ComponentStronglyConvex, StarVariance),
    kind="step",
    measured=dist_next**2,
    bound=q * (dist**2 + PART * stepsize**2 * sigma_star**2),
    proof=CONTRACTS,
    mutants=(
        Mutant("half the noise", CENTRES, {"bound": q * (dist**2 + PART * stepsize**2 * sigma_star**2 / 2)}),
        Mutant(
            "the rate of three steps",
            CENTRES,
            {"bound": q**3 * dist**2 + q * PART * (stepsize * sigma_star) ** 2},
        ),
        Mutant(
            "as if terms were drawn with replacement, of which one is left out",
            CENTRES,
            {
                "bound": q
                * (dist**2 + (n_terms - minibatch) / (minibatch * n_terms) * (stepsize * sigma_star) ** 2),
                "parameters": {"stepsize": 1 / mu_component, "minibatch": 2},
            },
        ),
    ),
    tight=(Tight(CENTRES, 1.0), Tight(KINKS, 1.0)),
)

NEIGHBOURHOOD = PART * stepsize * sigma_star**2 / (2 * mu_component + stepsize * mu_component**2)
after_k = q ** (k + 1)

STRONGLY_CONVEX = Theorem(
    id="sppm/strongly-convex",
    title="The mean square distance falls geometrically to a neighbourhood, without smoothness",
    source=Source(PAPER, "DERIVED", "the setting of the classical result", TITLE),
    method=SPPM,
    parameters={"stepsize": SCALES, "minibatch": SIZES},
    assumes=(ComponentStronglyConvex, StarVariance),
    kind="mean",
    measured=dist_next**2,
    bound=after_k * dist0**2 + (1 - after_k) * NEIGHBOURHOOD,
    proof=CONTRACTS + "Sum the geometric series: q / (1 - q) = 1 / (2 stepsize mu + stepsize^2 mu^2).",
    mutants=(
        Mutant(
            "half the neighbourhood",
            CENTRES,
            {"bound": after_k * dist0**2 + (1 - after_k) * NEIGHBOURHOOD / 2},
            steps=3,
        ),
        Mutant(
            "three times the rate",
            CENTRES,
            {
                "bound": after_k**3 * dist0**2 + (1 - after_k) * NEIGHBOURHOOD,
                "parameters": {"stepsize": sp.Rational(1, 10) / mu_component, "minibatch": 1},
            },
            steps=3,
        ),
    ),
    tight=(Tight(CENTRES, 1.0, steps=4),),
)

LIPSCHITZ_PROOF = (
    "Strong convexity of the proximal objective, r = |x_next - x|: |x_next - y|^2 <= |x - y|^2 - r^2 - 2 "
    "stepsize (f_S(x_next) - f_S(y)), f_S(x_next) >= f_S(x) - G_max r, and 2 stepsize G_max r - r^2 <= "
    "(stepsize G_max)^2. f_S(x) - f_S(y) has the mean f(x) - f_star. "
)
LENGTH = dist0 / G_max

LIPSCHITZ_STEP = Theorem(
    id="sppm/lipschitz-step",
    title="One step with Lipschitz terms",
    source=Source(PAPER, "DERIVED", "the classical result on subgradient steps, for proximal steps", TITLE),
    method=SPPM,
    parameters={"stepsize": (LENGTH / 10, LENGTH, 10 * LENGTH), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentLipschitz),
    kind="step",
    measured=dist_next**2,
    bound=dist**2 - 2 * stepsize * gap + stepsize**2 * G_max**2,
    proof=LIPSCHITZ_PROOF,
    mutants=(
        Mutant(
            "as if the terms were one smooth function",
            NEAR,
            {
                "bound": dist**2 - 2 * stepsize * gap,
                "parameters": {"stepsize": 10 * LENGTH, "minibatch": 1},
            },
        ),
    ),
    tight=(Tight(ABS, 1.0),),
)

LIPSCHITZ = Theorem(
    id="sppm/lipschitz",
    title="The mean gap with Lipschitz terms: one part falls like 1/k, one is as large as the stepsize",
    source=Source(PAPER, "DERIVED", "the classical result on subgradient steps, for proximal steps", TITLE),
    method=SPPM,
    parameters={"stepsize": (LENGTH / sp.sqrt(K), LENGTH / 10, LENGTH), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentLipschitz),
    kind="mean",
    measured=avg(gap),
    bound=dist0**2 / (2 * stepsize * k) + stepsize * G_max**2 / 2,
    proof=LIPSCHITZ_PROOF + "Add over j < k.",
    mutants=(
        Mutant(
            "without the second part",
            NEAR,
            {
                "bound": dist0**2 / (2 * stepsize * k),
                "parameters": {"stepsize": 10 * LENGTH, "minibatch": 1},
            },
            steps=1,
        ),
        Mutant(
            "half of it", ABS, {"bound": dist0**2 / (4 * stepsize * k) + stepsize * G_max**2 / 4}, steps=1
        ),
    ),
    tight=(Tight(ABS, 1.0, steps=1),),
)

LENGTHS = (dist0**2 / (10 * gap0), dist0**2 / gap0, 10 * dist0**2 / gap0)

ALL_TERMS = Theorem(
    id="sppm/all-terms",
    title="With all terms in the minibatch: the proximal point method, iterate by iterate",
    source=Source(PAPER, "DERIVED", "the remark on special cases", TITLE),
    method=(SPPM, ProximalPoint),
    parameters={"stepsize": LENGTHS, "minibatch": n_terms},
    assumes=(Convex,),
    kind="equal",
    proof="f_S = f.",
    mutants=(Mutant("one term will do", AXES, {"parameters": {"stepsize": 1.0, "minibatch": 1}}, steps=5),),
)

THEOREMS = (STRONGLY_CONVEX_STEP, STRONGLY_CONVEX, LIPSCHITZ_STEP, LIPSCHITZ, ALL_TERMS)
