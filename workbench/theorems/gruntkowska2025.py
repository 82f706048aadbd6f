"""How the ball-proximal point method approaches a minimiser: Gruntkowska, Li, Rane, Richtarik (2025).

Statements read on public summary pages are SOURCED; the others are ours in the setting of the paper,
each with its proof. u = x_next, t = radius, D = dist, f - f_star = gap.
"""

import sympy as sp
from torch import Tensor

from assumptions import Convex, Lp
from problems import AbsAffine, GeneralQuadratic, Problem, WeightedL1
from workbench.claims import Recurrence
from workbench.methods import BPM
from workbench.methods.bpm import BallPoint
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import first, symbols
from workbench.theorem import Theorem

PAPER = "arXiv:2502.02002"
SEQUEL = "its sequel, arXiv:2510.00823"
TITLE = 'The Ball-Proximal (="Broximal") Point Method'

radius, dist, dist0, dist_next = symbols("radius dist dist0 dist_next")
gap, gap0, gap_next, k = symbols("gap gap0 gap_next k")

ABS = AbsAffine(a=(1.0,), start=(5.3,))
FLAT_AND_STEEP = WeightedL1(weights=(1.0, 1e-3), start=(1.0, 5.0))
LADDER = WeightedL1(weights=tuple(10.0 ** (-4 * i) for i in range(6)), start=(1.01,) * 6)

VALLEY = GeneralQuadratic(hessian=((2.02, -6.0), (-6.0, 18.02)), start=(0.0, 2.0))
"""(x - 3 y)^2 + (x^2 + y^2) / 100: in l_inf balls the way down leads away from the minimiser at first."""
IN_BOXES = {"norm": Lp(float("inf")), "parameters": {"radius": sp.Rational(1, 2)}, "when": True}


def _euclidean(problem: Problem, method: BPM, state: BallPoint) -> Tensor:
    del method
    return (state.x - problem.x_star.to(state.x)).norm(dim=-1)  # pyright: ignore[reportAttributeAccessIssue]


RADII = (dist0 / 7, dist0 / 20, dist0 / 2, dist0 / (5 * sp.sqrt(k + 1)))
OUT_OF_REACH = (radius <= dist) & (dist > 0)

DISTANCE = Theorem(
    id="bpm/distance",
    title="Until a minimiser is within reach, each step gains radius^2 in squared distance",
    source=Source(PAPER, "SOURCED", f"as restated on a public page (chatpaper) about {SEQUEL}", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    when=OUT_OF_REACH,
    measured=dist_next**2,
    bound=dist**2 - radius**2,
    proof="c (x - u) is a subgradient at u for some c >= 0. If c = 0, u is a minimiser, so t = D and "
    "D_next = 0. Else 0 >= f_star - f(u) >= c <x - u, x_star - u>, so <x - u, u - x_star> >= 0: expand "
    "|x - x_star|^2 with |x - u| = t.",
    mutants=(
        Mutant(
            "gains 2 radius^2",
            FLAT_AND_STEEP,
            {"parameters": {"radius": 1}, "bound": dist**2 - 2 * radius**2},
        ),
        Mutant(
            "the distance drops by the radius",
            FLAT_AND_STEEP,
            {"parameters": {"radius": 1}, "measured": dist_next, "bound": dist - radius},
        ),
        Mutant(
            "l_inf distances fall in l_inf balls",
            VALLEY,
            {**IN_BOXES, "measured": dist_next, "bound": dist},
        ),
        Mutant(
            "Euclidean distances fall in l_inf balls",
            VALLEY,
            {
                **IN_BOXES,
                "quantities": {"euclidean": _euclidean},
                "measured": symbols("euclidean_next"),
                "bound": symbols("euclidean"),
            },
        ),
    ),
    tight=(Tight(FLAT_AND_STEEP, 0.995135),),
)

TERMINATION = Theorem(
    id="bpm/termination",
    title="A constant radius reaches the minimum after ceil(dist0^2 / radius^2) steps",
    source=Source(PAPER, "SOURCED", f"as restated on a public page (chatpaper) about {SEQUEL}", TITLE),
    method=BPM,
    parameters={"radius": (dist0 / 3, dist0 / 5, dist0 / 2)},
    assumes=(Convex,),
    when=k * radius**2 >= dist0**2,
    measured=gap,
    bound=0,
    proof="Sum bpm/distance; when the ball meets the solution set, u is a minimiser.",
    mutants=(
        Mutant(
            "ceil(dist0 / radius) steps, true in one dimension only",
            LADDER,
            {"parameters": {"radius": 1}, "when": k * radius >= dist0},
            steps=8,
        ),
    ),
)

COUNT = Theorem(
    id="bpm/termination-count",
    title="A minimiser is reached (to 1e-9 of the radius) after at most ceil(dist0^2 / radius^2) steps",
    source=Source(PAPER, "SOURCED", f"as restated on a public page (chatpaper) about {SEQUEL}", TITLE),
    method=BPM,
    parameters={"radius": (1, sp.Rational(2, 5) * dist0)},
    assumes=(Convex,),
    requires=dist0 <= 13 * radius,
    measured=first(dist <= radius / 10**9),
    bound=sp.ceiling(dist0**2 / radius**2),
    proof="Sum bpm/distance; when the ball meets the solution set, u is a minimiser.",
    mutants=(
        Mutant("one step fewer", LADDER, {"bound": sp.ceiling(dist0**2 / radius**2) - 1}),
        Mutant(
            "in l_inf balls too",
            GeneralQuadratic(hessian=((2.0002, -40.0), (-40.0, 800.0002)), start=(1.2, 1.2)),
            {"norm": Lp(float("inf")), "parameters": {"radius": 1}},
        ),
    ),
    tight=(Tight(LADDER, 1.0),),
)

LINE = Theorem(
    id="bpm/line",
    title="The gap contracts by one minus the radius over the distance",
    source=Source(PAPER, "DERIVED", "implies the paper's form, which uses the next distance", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    when=OUT_OF_REACH,
    measured=gap_next,
    bound=(1 - radius / dist) * gap,
    proof="u is at least as good as the point of [x, x_star] at distance t from x; convexity on the segment.",
    mutants=(Mutant("one per cent more", ABS, {"bound": (1 - sp.Rational(101, 100) * radius / dist) * gap}),),
    tight=(Tight(ABS, 1.0),),
)

NEXT_DISTANCE = Theorem(
    id="bpm/next-distance",
    title="The gap contracts by one plus the radius over the next distance",
    source=Source(PAPER, "SOURCED", f"as restated on a public page (sciencestack) about {SEQUEL}", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    measured=gap_next,
    bound=gap / (1 + radius / dist_next),
    proof="From bpm/line by D <= D_next + t; where the ball meets the solution set both sides are 0.",
    mutants=(
        Mutant(
            "twice the radius",
            ABS,
            {"parameters": {"radius": sp.Rational(1, 2)}, "bound": gap / (1 + 2 * radius / dist_next)},
        ),
    ),
    tight=(Tight(ABS, 1.0),),
)


def _product(gain: sp.Expr | int) -> Recurrence:
    """B_k: gap0 times the factors of bpm/line with D_j^2 replaced by s_j = dist0^2 - sum of radius^2."""
    s, bound = symbols("s B")
    factor = sp.Piecewise((1 - gain * radius / sp.sqrt(s), s > radius**2), (0, True))
    return Recurrence(
        start={"s": dist0**2, "B": gap0}, update={"s": s - radius**2, "B": bound * factor}, value="B"
    )


PRODUCT = Theorem(
    id="bpm/product",
    title="The gap is below a product known before the run",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    when=k >= 1,
    measured=gap,
    bound=_product(1),
    proof="bpm/line with D_k^2 <= dist0^2 - sum_{j<k} t_j^2 (bpm/distance); 0 once the sum reaches dist0^2.",
    mutants=(Mutant("twice the radius in every factor", ABS, {"bound": _product(2)}),),
    tight=(Tight(ABS, 1.0),),
)

THEOREMS = (DISTANCE, TERMINATION, COUNT, LINE, NEXT_DISTANCE, PRODUCT)
