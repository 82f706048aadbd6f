"""BPM beyond convexity: ball-convex functions, in the setting of Gruntkowska, Li, Rane, Richtarik (2025).

B_t-convexity gives at u = brox(x) a support f(y) >= f(u) + c <x - u, y - u> for all y, c >= 0. The claims
hold for every minimiser x_star and are tested with the problem's own; from_star is the distance to it,
t = radius.
"""

import math

import sympy as sp

from assumptions import BallConvex, Continuous
from problems import Cosine, DoubleWell, IntegerJump, LatticeAbs, SphereDistance, WeightedL1
from workbench.methods import BPM
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols
from workbench.theorem import Theorem

PAPER = "arXiv:2502.02002"
TITLE = 'The Ball-Proximal (="Broximal") Point Method'
RECALLED_CLASS = "the definition of the class from memory"

radius, t_ball, dist, dist0 = symbols("radius t_ball dist dist0")
from_star, from_star_next, moved_next = symbols("from_star from_star_next moved_next")
gap, gap_next, slope_next = symbols("gap gap_next slope_next")

RADII = (sp.Max(t_ball, dist0 / 7), sp.Max(t_ball, dist0 / 3))
CONTINUOUS = (
    "A continuous f has |u - x| = t unless u is a minimiser: slide the centre from x to u; where the "
)
CONTINUOUS += (
    "minimiser over the ball first switches, two of them share c, and adding their supports gives c = 0. "
)

WELL = DoubleWell(d=1, start=(-0.05,))
CONE = SphereDistance(d=1, a=0.5, start=(5.5,))
FLAT_AND_STEEP = WeightedL1(weights=(1.0, 1e-3), start=(1.0, 5.0))
LINE_OF_MINIMISERS = WeightedL1(weights=(1.0, 0.0), start=(1.0, 100.0))
"""|x_1| far from its x_star = 0: nearly all of the distance to it is along the line, and stays."""
JUMP = IntegerJump(start=(2.0,))
LATTICE = LatticeAbs(start=(2.0,))
NINETEEN = {"radius": sp.Rational(19, 10)}

DISTANCE = Theorem(
    id="bpm/ball-convex-distance",
    title="Squared distances to a minimiser, any one, drop by the squared step, also where f is not convex",
    source=Source(PAPER, "DERIVED", RECALLED_CLASS, TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(BallConvex,),
    requires=radius >= t_ball,
    when=radius < dist,
    measured=from_star_next**2,
    bound=from_star**2 - moved_next**2,
    proof="0 >= f(x_star) - f(u) >= c <x - u, x_star - u>; expand |x - x_star|^2. c > 0, for c = 0 makes u a "
    "minimiser, and none is within reach.",
    mutants=(
        Mutant(
            "also when a minimiser is just within reach: there may be two, on opposite sides",
            Cosine(d=1, start=(3 * math.pi,)),
            {"parameters": {"radius": t_ball}, "when": True},
        ),
        Mutant(
            "the double well for every radius",
            WELL,
            {"parameters": {"radius": sp.Rational(9, 10)}, "requires": True},
        ),
        Mutant(
            "by the squared radius, on a function with jumps",
            JUMP,
            {"parameters": NINETEEN, "bound": from_star**2 - radius**2},
        ),
        Mutant(
            "by the squared radius, on a lattice",
            LATTICE,
            {"parameters": NINETEEN, "bound": from_star**2 - radius**2},
        ),
    ),
    tight=(Tight(LINE_OF_MINIMISERS, 0.999996), Tight(FLAT_AND_STEEP, 0.98418)),
)

RADIUS = Theorem(
    id="bpm/ball-convex-radius",
    title="Squared distances drop by the squared radius if f is continuous and ball-convex",
    source=Source(PAPER, "DERIVED", RECALLED_CLASS, TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(BallConvex, Continuous),
    requires=radius >= t_ball,
    when=radius < dist,
    measured=from_star_next**2,
    bound=from_star**2 - radius**2,
    proof=CONTINUOUS + "Then bpm/ball-convex-distance.",
    mutants=(
        Mutant("without continuity", JUMP, {"assumes": (BallConvex,), "parameters": NINETEEN}),
        Mutant("for values +inf", LATTICE, {"assumes": (BallConvex,), "parameters": NINETEEN}),
    ),
    tight=(Tight(LINE_OF_MINIMISERS, 0.999996), Tight(FLAT_AND_STEEP, 0.98418)),
)

LINE = Theorem(
    id="bpm/ball-convex-line",
    title="The gap contracts by one minus the radius over the distance, also where f is not convex",
    source=Source(PAPER, "DERIVED", RECALLED_CLASS, TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(BallConvex, Continuous),
    requires=radius >= t_ball,
    when=(radius <= dist) & (dist > 0),
    measured=gap_next,
    bound=(1 - radius / dist) * gap,
    proof="Every point v off the convex hull of the minimisers is u for some x whose ball misses them, so f "
    "has an affine support there: f is >= a convex function with the same minimum, equal to it off that "
    "hull. A ball without minimisers misses the hull, for <x - u, z - u> < 0 there. Then bpm/line.",
    mutants=(
        Mutant("without continuity", JUMP, {"assumes": (BallConvex,), "parameters": NINETEEN}),
        Mutant(
            "the next distance, without continuity",
            JUMP,
            {
                "assumes": (BallConvex,),
                "parameters": NINETEEN,
                "bound": gap / (1 + radius / symbols("dist_next")),
            },
        ),
    ),
    tight=(Tight(CONE, 1.0),),
)

DECREASE = Theorem(
    id="bpm/ball-convex-decrease",
    title="The function drops by at least the radius times the slope of the support",
    source=Source(PAPER, "DERIVED", RECALLED_CLASS, TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(BallConvex, Continuous),
    requires=radius >= t_ball,
    when=radius <= dist,
    measured=radius * slope_next,
    bound=gap - gap_next,
    proof=CONTINUOUS + "The support at y = x: f(x) >= f(u) + c t^2, and the slope is c t.",
    mutants=(Mutant("twice the radius", CONE, {"measured": 2 * radius * slope_next}),),
    tight=(Tight(CONE, 1.0),),
)

THEOREMS = (DISTANCE, RADIUS, LINE, DECREASE)
