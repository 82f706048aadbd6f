"""The ball-proximal point method in any norm: Gruntkowska, Richtarik (2025).

Statements read on public summary pages are SOURCED; the others are ours in the setting of the paper,
each with its proof. All quantities are in the norm of the ball, slope in its dual. u = x_next,
t = radius, D = dist, g the multiplier's subgradient: <g, x - u> = t |g|_*.
"""

import sympy as sp
from torch import Tensor

from assumptions import EUCLIDEAN, Convex, Lp, StronglyConvex
from problems import AbsAffine, GeneralQuadratic, Problem, Quadratic, WeightedL1
from workbench.methods import BPM
from workbench.methods.bpm import BallPoint
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import first, symbols, total
from workbench.theorem import Theorem

PAPER = "arXiv:2510.00823"
TITLE = "Non-Euclidean Broximal Point Method: A Blueprint for Geometry-Aware Optimization"

radius, dist, dist0, dist_next, k, d = symbols("radius dist dist0 dist_next k d")
gap, gap0, gap_next, mu = symbols("gap gap0 gap_next mu")
slope, slope_next, moved_next, reach_next = symbols("slope slope_next moved_next reach_next")

MAX = Lp(float("inf"))
NORMS = (MAX, Lp(1.0), Lp(3.0))
RADII = (dist0 / 7, dist0 / (5 * sp.sqrt(k + 1)))

ABS = AbsAffine(a=(1.0,), start=(5.3,))
HALF = {"radius": sp.Rational(1, 2)}
SIX_RADII = WeightedL1((1.0, 1e-4), start=(6.001, 7.0))
"""In the max norm, where dist0 = 7, six radii of 1 end just before the kink: f is linear up to there."""
BENT = Quadratic((1.0, 2.0), center=(0.0, 0.0), seed=None, start=(1.0, 0.1))
"""The path is not quite straight, so that three radii of dist0 / 3 do not arrive."""


def _l1_of_subgradient(problem: Problem, method: BPM, state: BallPoint) -> Tensor:
    del problem, method
    return state.subgradient.abs().sum(dim=-1)


STEP_LENGTH = Theorem(
    id="bpm-norm/step-length",
    title="Until a minimiser is within reach, the step has the length of the radius",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    kind="exact",
    when=radius < dist,
    measured=moved_next,
    bound=radius,
    proof="A minimiser over the ball that lies inside it is a local, hence a global one.",
    mutants=(Mutant("when a minimiser is within reach too", ABS, {"when": dist > 0}),),
)

LINE = Theorem(
    id="bpm-norm/line",
    title="The gap contracts by one minus the radius over the distance",
    source=Source(PAPER, "DERIVED", "implies the paper's form, which uses the next distance", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    when=(radius <= dist) & (dist > 0),
    measured=gap_next,
    bound=(1 - radius / dist) * gap,
    proof="u is at least as good as the point of [x, x_star] at distance t from x; convexity on the segment.",
    mutants=(Mutant("twice the radius", ABS, {"parameters": HALF, "bound": (1 - 2 * radius / dist) * gap}),),
    tight=(Tight(ABS, 1.0), Tight(AbsAffine((1.0, -2.0, 0.5), start=(4.0, -3.0, 2.0)), 1.0)),
)

NEXT_DISTANCE = Theorem(
    id="bpm-norm/next-distance",
    title="The gap contracts by one plus the radius over the next distance",
    source=Source(PAPER, "SOURCED", "as restated on a public page (sciencestack)", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=NORMS,
    measured=gap_next,
    bound=gap / (1 + radius / dist_next),
    proof="From bpm-norm/line by D <= D_next + t; where the ball meets the solution set both sides are 0.",
    mutants=(
        Mutant("twice the radius", ABS, {"parameters": HALF, "bound": gap / (1 + 2 * radius / dist_next)}),
    ),
    tight=(Tight(ABS, 1.0),),
)

SLOPE = Theorem(
    id="bpm-norm/slope",
    title="The dual norm of the multiplier's subgradient does not grow",
    source=Source(PAPER, "DERIVED", "monotone gradients in words on public pages", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=(EUCLIDEAN, *NORMS),
    measured=slope_next,
    bound=slope,
    proof="v a subgradient at x: 0 <= <v - g, x - u> <= t |v|_* - t |g|_*.",
    mutants=(Mutant("slopes halve", ABS, {"bound": slope / 2}),),
    tight=(Tight(ABS, 1.0),),
)

DECREASE = Theorem(
    id="bpm-norm/decrease",
    title="The function drops by at least the radius times the next slope",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=(EUCLIDEAN, *NORMS),
    measured=radius * slope_next,
    bound=gap - gap_next,
    proof="f(x) - f(u) >= <g, x - u> = t |g|_*.",
    mutants=(
        Mutant("twice the radius", ABS, {"measured": 2 * radius * slope_next}),
        Mutant(
            "in an l_1 ball with the l_1 norm of the subgradient, which is not its dual norm",
            WeightedL1((1.0, 1.0), start=(5.0, 5.0)),
            {
                "norm": Lp(1.0),
                "quantities": {"entries": _l1_of_subgradient},
                "measured": radius * symbols("entries_next"),
            },
        ),
    ),
    tight=(Tight(ABS, 1.0),),
)

SLOPE_RATE = Theorem(
    id="bpm-norm/slope-rate",
    title="The slope is below gap0 over the sum of the radii",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    norm=(EUCLIDEAN, *NORMS),
    measured=slope,
    bound=gap0 / total(radius),
    proof="Sum bpm-norm/decrease and use bpm-norm/slope.",
    mutants=(
        Mutant("half the constant", ABS, {"parameters": HALF, "bound": gap0 / (2 * total(radius))}, steps=10),
    ),
    tight=(Tight(SIX_RADII, 0.9998167186), Tight(ABS, 0.940954)),
)

UNIVERSAL = Theorem(
    id="bpm-norm/universal",
    title="A rate 1/K with nothing assumed bounded",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": (dist0 / 7, dist0 / 30)},
    assumes=(Convex,),
    norm=(EUCLIDEAN, *NORMS),
    when=(k >= 1) & (radius <= dist0),
    measured=gap,
    bound=(dist0 - radius) / (dist0 + (k - 1) * radius) * gap0,
    proof="D_k <= dist0 + k t by the triangle inequality; the product of bpm-norm/line telescopes.",
    mutants=(
        Mutant(
            "one step more in the denominator", ABS, {"bound": (dist0 - radius) / (dist0 + k * radius) * gap0}
        ),
    ),
    tight=(Tight(ABS, 1.0),),
)

SEPARATED = Theorem(
    id="bpm-norm/separated",
    title="Iterates are separated by the radius: so many fit into the ball that holds them",
    source=Source(PAPER, "DERIVED", "finite convergence in words on public pages", TITLE),
    method=BPM,
    parameters={"radius": (dist0 / 3, dist0 / 20)},
    assumes=(Convex,),
    norm=(EUCLIDEAN, *NORMS),
    when=radius < dist,
    measured=k + 2,
    bound=(1 + 2 * reach_next / radius) ** d,
    proof="f(x_{j+1}) is the minimum over the ball around x_j and values fall strictly, so no later iterate "
    "lies in it. Balls of radius t/2 around x_0, ..., x_{k+1}, none of them optimal, are disjoint and lie in "
    "one of radius reach + t/2.",
    mutants=(Mutant("half as many fit", ABS, {"bound": (1 + reach_next / radius) ** d / 2}),),
    tight=(Tight(ABS, 20 / 41),),
)

TERMINATION = Theorem(
    id="bpm-norm/termination",
    title="A constant radius reaches the minimiser in a number of steps known from gap0 and mu",
    source=Source(PAPER, "DERIVED", "finite convergence in words on public pages", TITLE),
    method=BPM,
    parameters={"radius": (dist0 / 3, dist0 / 10)},
    assumes=(StronglyConvex,),
    norm=(EUCLIDEAN, MAX),
    requires=radius < sp.sqrt(2 * gap0 / mu),
    measured=first(dist <= radius / 10**9),
    bound=1
    + sp.Max(
        0,
        sp.ceiling(sp.log(2 * gap0 / (mu * radius**2)) / sp.log(1 / (1 - radius / sp.sqrt(2 * gap0 / mu)))),
    ),
    proof="While D_k > t, gap_k >= mu t^2 / 2 and D_k <= sqrt(2 gap0 / mu) =: R: bpm-norm/line contracts by "
    "1 - t / R at least. Once D_k <= t, one step more.",
    mutants=(
        Mutant(
            "ceil(dist0^2 / radius^2) steps, true of Euclidean balls only",
            GeneralQuadratic(hessian=((2.0002, -40.0), (-40.0, 800.0002)), start=(1.2, 1.2)),
            {"norm": MAX, "parameters": {"radius": 1}, "bound": sp.ceiling(dist0**2 / radius**2)},
        ),
    ),
    tight=(Tight(BENT, 4 / 7), Tight(Quadratic((1.0,), center=(0.0,), seed=None, start=(5.0,)), 3 / 7)),
)

THEOREMS = (
    STEP_LENGTH,
    LINE,
    NEXT_DISTANCE,
    SLOPE,
    DECREASE,
    SLOPE_RATE,
    UNIVERSAL,
    SEPARATED,
    TERMINATION,
)
