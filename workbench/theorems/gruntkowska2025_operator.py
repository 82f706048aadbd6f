"""What the minimisation over a ball is: its multiplier, its uniqueness, its envelope, what it equals.

The setting of Gruntkowska, Li, Rane, Richtarik (2025); each statement has its proof here. u = x_next,
t = radius, s = u - x, g the multiplier's subgradient at u, N the ball envelope.
"""

import sympy as sp

from assumptions import EUCLIDEAN, Affine, AffineGradient, Convex, Lp, Smooth
from problems import AbsAffine, LogSumExp, Quadratic
from workbench.methods import (
    BPM,
    AdaptiveProximalPoint,
    EnvelopeDescent,
    NormalisedGradientDescent,
    ProximalPoint,
    TrustRegion,
)
from workbench.parts import Mutant, Source
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.theorems.gruntkowska2025 import VALLEY

PAPER = "arXiv:2502.02002"
TITLE = 'The Ball-Proximal (="Broximal") Point Method'

radius, dist, dist0, gap_next, k = symbols("radius dist dist0 gap_next k")
residual_next, slope_next, misalignment_next = symbols("residual_next slope_next misalignment_next")
support_next = symbols("support_next")
rival_next, nested_next, composed_next = symbols("rival_next nested_next composed_next")
value_next, fenchel_next = symbols("value_next fenchel_next")

NORMS = (EUCLIDEAN, Lp(float("inf")), Lp(1.0), Lp(3.0))
OUT_OF_REACH = radius < dist * (1 - sp.Rational(1, 10**9))
"""Whether a minimiser just at the radius is within reach is for rounding to say."""
RADII = (dist0 / 7, dist0 / (5 * sp.sqrt(k + 1)))
UNIT = {"radius": 1}

ABS = AbsAffine(a=(1.0,), start=(5.3,))
STRETCHED = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None, start=(5.0, 5.0))
FACE = AbsAffine(a=(1.0, 0.0), start=(3.0, 0.0))

ONE_STEP = Theorem(
    id="bpm/one-step",
    title="A minimiser within reach is found in one step",
    source=Source(PAPER, "SOURCED", "as restated on a public page (moonlight) about it", TITLE),
    method=BPM,
    parameters={"radius": (2 * dist0, dist0 / 3)},
    when=dist <= radius,
    norm=NORMS,
    measured=gap_next,
    bound=0,
    proof="The minimum over a ball that holds a minimiser of f is f_star; convexity is not needed.",
    mutants=(Mutant("a minimiser within twice the radius", ABS, {"when": dist <= 2 * radius}),),
)

MULTIPLIER = Theorem(
    id="bpm/multiplier",
    title="A subgradient at the new point attains its dual norm on the step",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    measured=residual_next + support_next,
    bound=0,
    proof="x lies in the domain of f, so the subgradients of f + indicator of the ball at u are sums: "
    "-g lies in the normal cone of the ball at s for some g, which says <g, -s> = t |g|_*. Tested: that "
    "equality, and f(z) >= f(u) + <g, z - u> at some z.",
    mutants=(Mutant("g = 0: the minimum over the ball is one of f", ABS, {"measured": radius * slope_next}),),
)

PARALLEL = Theorem(
    id="bpm/parallel",
    title="The step points against a subgradient at the new point",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    kind="exact",
    measured=misalignment_next,
    bound=0,
    proof="bpm/multiplier and the case of equality of Cauchy and Schwarz: g = c (x - u).",
    mutants=(
        Mutant(
            "also in l_inf balls: the gradient is not parallel to the step",
            STRETCHED,
            {"norm": Lp(float("inf")), "parameters": UNIT},
        ),
    ),
)

UNIQUE = Theorem(
    id="bpm/unique",
    title="Until a minimiser is within reach, the step is the only minimiser over the ball",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    when=radius < dist,
    measured=rival_next,
    bound=0,
    proof="Two minimisers lie on the sphere; their midpoint is inside the ball and no worse, but an inner "
    "minimiser over the ball minimises f.",
    mutants=(
        Mutant(
            "also in l_inf balls: a whole face minimises |x_1|",
            FACE,
            {"norm": Lp(float("inf")), "parameters": UNIT},
        ),
    ),
)

SEMIGROUP = Theorem(
    id="bpm/semigroup",
    title="The envelope of an envelope is that of the sum of the radii, at the middle of the step",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    kind="exact",
    measured=nested_next,
    bound=value_next,
    proof="A ball of radius t is the union of the balls of radius t/2 around the points of one of radius "
    "t/2; the middle of the step is such a point, and u lies within t/2 of it.",
    mutants=(
        Mutant("the operators compose too", STRETCHED, {"parameters": UNIT, "measured": composed_next}),
    ),
)

CONJUGATE = Theorem(
    id="bpm/conjugate",
    title="The conjugate of the envelope is that of f plus the radius times the dual norm",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    kind="exact",
    measured=fenchel_next + residual_next,
    bound=0,
    proof="N^* = f^* + t |.|_*, for N is an inf-convolution; at x, g is a subgradient of N: the left side is "
    "N(x) + N^*(g) - <g, x>, which is 0 there.",
    mutants=(
        Mutant(
            "the conjugate does not change",
            STRETCHED,
            {"measured": fenchel_next + residual_next - radius * slope_next},
        ),
    ),
)

AS_PROXIMAL = Theorem(
    id="bpm/equals-proximal-point",
    title="A step is the proximal step whose stepsize makes it as long as the radius",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=(BPM, AdaptiveProximalPoint),
    parameters={"radius": (dist0 / 7, dist0 / 2)},
    assumes=(Convex,),
    kind="equal",
    proof="g = c (x - u) is a subgradient at u: u = prox(x, 1 / c). The length of x - prox(x, stepsize) "
    "grows with the stepsize; where it is constant, so is the point. With a minimiser in the ball both "
    "return the nearest one, the limit of large stepsizes.",
    mutants=(
        Mutant(
            "in l_inf balls too", STRETCHED, {"norm": Lp(float("inf")), "parameters": UNIT, "when": dist > 2}
        ),
        Mutant(
            "with the constant stepsize 1/2",
            ABS,
            {"method": (BPM, ProximalPoint), "parameters": {"radius": 1, "stepsize": sp.Rational(1, 2)}},
        ),
    ),
)

AS_GRADIENT = Theorem(
    id="bpm/equals-gradient-affine",
    title="On a linear function BPM is normalised gradient descent, ties broken alike",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=(BPM, NormalisedGradientDescent),
    parameters={"radius": (1, 1 / (k + 1))},
    assumes=(Affine,),
    norm=NORMS,
    kind="equal",
    proof="Both minimise <a, z> over the ball, by the same linear minimisation oracle where several do.",
    mutants=(Mutant("on every convex function", STRETCHED, {"assumes": (Convex,), "norm": EUCLIDEAN}),),
)

AS_TRUST_REGION = Theorem(
    id="bpm/equals-trust-region",
    title="On a convex quadratic BPM is the trust-region step",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=(BPM, TrustRegion),
    parameters={"radius": RADII},
    assumes=(Convex, AffineGradient),
    when=OUT_OF_REACH,
    kind="equal",
    proof="The quadratic model is the function.",
    mutants=(
        Mutant(
            "on every smooth convex function", LogSumExp(d=4, terms=3, seed=2), {"assumes": (Convex, Smooth)}
        ),
    ),
)

AS_ENVELOPE = Theorem(
    id="bpm/equals-envelope-descent",
    title="A step is one of normalised gradient descent on the ball envelope",
    source=Source(PAPER, "SOURCED", "in words, on public pages about it", TITLE),
    method=(BPM, EnvelopeDescent),
    parameters={"radius": RADII},
    assumes=(Convex, Smooth),
    when=OUT_OF_REACH,
    kind="equal",
    proof="grad N(x) = grad f(u) = c (x - u) with c > 0, and |x - u| = t.",
    mutants=(
        Mutant(
            "in l_inf balls too",
            VALLEY,
            {"norm": Lp(float("inf")), "parameters": {"radius": sp.Rational(1, 2)}, "assumes": (Convex,)},
        ),
    ),
)

THEOREMS = (
    ONE_STEP,
    MULTIPLIER,
    PARALLEL,
    UNIQUE,
    SEMIGROUP,
    CONJUGATE,
    AS_PROXIMAL,
    AS_GRADIENT,
    AS_TRUST_REGION,
    AS_ENVELOPE,
)
