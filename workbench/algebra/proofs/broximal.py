"""Steps of the ball-proximal point method: c (x - u) is a subgradient at u, c > 0, and |x - u| = radius."""

import sympy as sp

from workbench.algebra.identities import Derivation, Given, Wrong
from workbench.algebra.vectors import inner, square, vectors

radius, dist, dist_next, c, a = sp.symbols("radius dist dist_next c a", positive=True)
gap, gap_next, between = sp.symbols("gap gap_next f_z", positive=True)
x, u = vectors("x u")

LINE = Derivation(
    name="the point of the segment on the sphere",
    says="(1 - radius/dist) gap - gap_next is f(z) - f(u) >= 0 and convexity on [x, x_star] at the point z "
    "with |x - z| = radius, which lies in the ball",
    theorems=("bpm/line", "bpm-norm/line", "bpm/ball-convex-line"),
    claim=(1 - radius / dist) * gap - gap_next,
    given=(
        Given(1, between - gap_next, "u minimises f over the ball, z lies in it"),
        Given(1, (1 - radius / dist) * gap - between, "f is convex on the segment"),
    ),
    wrong=(
        Wrong("one per cent more", {"claim": (1 - sp.Rational(101, 100) * radius / dist) * gap - gap_next}),
    ),
)

NEXT_DISTANCE = Derivation(
    name="the gap over the next distance",
    says="gap / (1 + radius/dist_next) - gap_next: gap - gap_next >= c radius^2 and gap_next <= c radius "
    "dist_next; c is eliminated",
    theorems=("bpm/next-distance", "bpm-norm/next-distance"),
    claim=gap / (1 + radius / dist_next) - gap_next,
    given=(
        Given(1 / (1 + radius / dist_next), gap - gap_next - c * radius**2, "convexity at x"),
        Given(
            radius / (dist_next + radius), c * radius * dist_next - gap_next, "convexity at x_star, Cauchy"
        ),
    ),
    wrong=(Wrong("1 + 2 radius/dist_next", {"claim": gap / (1 + 2 * radius / dist_next) - gap_next}),),
)

DISTANCE = Derivation(
    name="the distance gains radius^2",
    says="|x|^2 - |x - u|^2 - |u|^2 is 2/c times (<c (x - u), u> - gap_next) and gap_next >= 0; x_star = 0",
    theorems=("bpm/distance", "bpm/termination"),
    claim=square(x) - square(x - u) - square(u),
    given=(
        Given(2 / c, c * inner(x - u, u) - gap_next, "c (x - u) is a subgradient at u"),
        Given(2 / c, gap_next, "f_star is the least value"),
    ),
    wrong=(Wrong("gains twice", {"claim": square(x) - 2 * square(x - u) - square(u)}),),
)

DECREASE = Derivation(
    name="the decrease of a ball step",
    says="gap - gap_next - radius slope: convexity at u with slope = c radius",
    theorems=("bpm/decrease", "bpm-norm/decrease", "bpm/gradient-rate", "bpm-norm/slope-rate"),
    claim=gap - gap_next - radius * (c * radius),
    given=(Given(1, gap - gap_next - c * radius**2, "convexity at u, in the direction of x"),),
    wrong=(Wrong("twice the decrease", {"claim": gap - gap_next - 2 * radius * (c * radius)}),),
)

PROOFS = (LINE, NEXT_DISTANCE, DISTANCE, DECREASE)
