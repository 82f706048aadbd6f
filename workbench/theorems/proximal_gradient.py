"""Proximal gradient, FISTA and conditional gradient on f + g, with proofs."""

import sympy as sp

from assumptions.composite.bounded_domain import BoundedDomain
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from problems import Box, Quadratic
from problems.composite.composite import Composite
from problems.composite.indicator import Indicator
from workbench.methods.conditional_gradient import ConditionalGradient
from workbench.methods.proximal_gradient import AcceleratedProximalGradient, ProximalGradient
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols
from workbench.theorem import Theorem

stepsize, beta, weight, k = symbols("stepsize beta weight k")
L_f, mu_f, mu_g, diameter = symbols("L_f mu_f mu_g diameter")
gap, dist, dist_next, dist0 = symbols("gap dist dist_next dist0")

ISTA = Source(
    "Beck and Teboulle (2009)",
    "DERIVED",
    "Theorem 3.1",
    "A Fast Iterative Shrinkage-Thresholding Algorithm for Linear Inverse Problems",
)
FISTA = Source("Beck and Teboulle (2009)", "DERIVED", "Theorem 4.4, with t_k = (k + 2) / 2", ISTA.title)
CONVEX_PARTS = (SmoothPart, StronglyConvexSmoothPart, StronglyConvexProxPart)

STEEP = Composite(
    smooth=Quadratic((1.0,), center=(0.0,), seed=None),
    prox_part=Quadratic((1.0,), center=(0.0,), seed=None),
    minimiser=(0.0,),
    start=(1.0,),
)
"""x^2 / 2 + x^2 / 2."""
FLAT = Composite(
    smooth=Quadratic((1.0, 0.01), center=(0.0, 0.0), seed=None),
    prox_part=Indicator(Box((-1.0, -1.0), (1.0, 1.0))),
    minimiser=(0.0, 0.0),
    start=(0.0, 1.0),
)
"""An ellipse on a box that holds its centre."""
SLOPE = Composite(
    smooth=Quadratic((1e-6, 1.0), center=(-2500.0, 0.0), seed=None),
    prox_part=Indicator(Box((0.0, -1.0), (1.0, 1.0))),
    minimiser=(0.0, 0.0),
    start=(1.0, 0.0),
)
"""A slope of 0.0025, nearly the same all the way to a wall: most is left of the bound half way. There the
proximal gradient method keeps 1/2 of its bound; with momentum all of it as k -> oo."""

DESCENT = (
    "With x' the step from y, p = (y - x') / stepsize is grad f(y) + v, v in dg(x'). f(x') <= f(y) + <grad "
    "f(y), x' - y> + stepsize |p|^2 / 2 by smoothness, f(z) >= f(y) + <grad f(y), z - y> and g(z) >= g(x') "
    "+ <v, z - x'> for all z, so F(x') <= F(z) + <p, y - z> - stepsize |p|^2 / 2. "
)

CONVEX = Theorem(
    id="proximal-gradient/convex",
    title="The proximal gradient method lowers the gap like 1/k",
    source=ISTA,
    method=ProximalGradient,
    parameters={"stepsize": (1 / L_f, 1 / (3 * L_f))},
    assumes=CONVEX_PARTS,
    requires=sp.And(L_f > 0, stepsize <= 1 / L_f),
    when=k >= 1,
    measured=gap,
    bound=dist0**2 / (2 * stepsize * k),
    proof=DESCENT
    + "Here y = x. z = x: F falls. z = x_star: 2 stepsize (F(x') - f_star) <= |x - x_star|^2 - |x' - "
    "x_star|^2. Sum over j < k; the last gap is the smallest.",
    mutants=(
        Mutant("a tenth of the constant", FLAT, {"bound": dist0**2 / (20 * stepsize * k)}, steps=100),
        Mutant("a rate of 1/k^2", FLAT, {"bound": dist0**2 / (2 * stepsize * k**2)}, steps=100),
    ),
    tight=(Tight(SLOPE, 0.4998997366, steps=200), Tight(FLAT, 0.18301617063661477)),
)

CONTRACTION = Theorem(
    id="proximal-gradient/strongly-convex",
    title="The proximal gradient method contracts by the rate of its gradient step over 1 + stepsize mu_g",
    source=Source(
        "Lions and Mercier (1979)",
        "DERIVED",
        title="Splitting algorithms for the sum of two nonlinear operators",
    ),
    method=ProximalGradient,
    parameters={"stepsize": (1 / L_f, 2 / (L_f + mu_f), sp.Rational(9, 5) / L_f)},
    assumes=CONVEX_PARTS,
    requires=L_f > 0,
    measured=dist_next,
    bound=sp.Max(sp.Abs(1 - stepsize * mu_f), sp.Abs(1 - stepsize * L_f)) / (1 + stepsize * mu_g) * dist,
    proof="x_star = prox(x_star - stepsize grad f(x_star)). The proximal step on a mu_g-strongly convex g "
    "is 1 / (1 + stepsize mu_g)-Lipschitz, the gradient step contracts as in gd/strongly-convex.",
    mutants=(
        Mutant(
            "mu_g counted twice",
            STEEP,
            {
                "parameters": {"stepsize": 1 / (2 * L_f)},
                "bound": sp.Max(sp.Abs(1 - stepsize * mu_f), sp.Abs(1 - stepsize * L_f))
                / (1 + 2 * stepsize * mu_g)
                * dist,
            },
            steps=2,
        ),
        Mutant(
            "one in a hundred less",
            STEEP,
            {
                "parameters": {"stepsize": 1 / (2 * L_f)},
                "bound": sp.Rational(99, 100)
                * sp.Max(sp.Abs(1 - stepsize * mu_f), sp.Abs(1 - stepsize * L_f))
                / (1 + stepsize * mu_g)
                * dist,
            },
            steps=2,
        ),
    ),
    tight=(Tight(STEEP, 1.0, steps=5),),
)

ACCELERATED = Theorem(
    id="fista/convex",
    title="With momentum k / (k + 3) the gap of the proximal gradient method falls like 1/k^2",
    source=FISTA,
    method=AcceleratedProximalGradient,
    parameters={"stepsize": (1 / L_f, 1 / (3 * L_f)), "beta": k / (k + 3)},
    assumes=CONVEX_PARTS,
    requires=sp.And(L_f > 0, stepsize <= 1 / L_f),
    when=k >= 1,
    measured=gap,
    bound=2 * dist0**2 / (stepsize * (k + 1) ** 2),
    proof=DESCENT + "That is all that nesterov/convex uses, with p in place of the gradient.",
    mutants=(
        Mutant("a twentieth of the constant", FLAT, {"bound": dist0**2 / (10 * stepsize * (k + 1) ** 2)}),
        Mutant(
            "without momentum",
            FLAT,
            {
                "parameters": {"stepsize": 1 / L_f, "beta": 0},
                "bound": 2 * dist0**2 / (stepsize * (k + 1) ** 2),
            },
            steps=150,
        ),
    ),
    tight=(Tight(SLOPE, 0.9290097917), Tight(FLAT, 0.31421914487503094)),
)

EDGE = Composite(
    smooth=Quadratic((1.0, 1.0), center=(1.0, 0.25), seed=None),
    prox_part=Indicator(Box((-1.0, -1.0), (1.0, 1.0))),
    minimiser=(1.0, 0.25),
    start=(-1.0, -1.0),
)
"""The minimiser is on an edge: the method zigzags between its ends."""
SEGMENT = Composite(
    smooth=Quadratic((1.0,), center=(1e-4,), seed=None),
    prox_part=Indicator(Box((0.0,), (1.0,))),
    minimiser=(1e-4,),
    start=(0.0,),
)
"""The first step, of weight 1, goes from beside the minimiser to the far end: gap_1 = L_f diameter^2 / 2."""

FRANK_WOLFE = Theorem(
    id="conditional-gradient/convex",
    title="With weights 2 / (k + 2) the conditional gradient method lowers the gap like 1/k",
    source=Source(
        "Jaggi (2013)",
        "DERIVED",
        "Theorem 1",
        "Revisiting Frank-Wolfe: Projection-Free Sparse Convex Optimization",
    ),
    method=ConditionalGradient,
    parameters={"weight": 2 / (k + 2)},
    assumes=(SmoothPart, StronglyConvexSmoothPart, BoundedDomain),
    when=k >= 1,
    measured=gap,
    bound=2 * L_f * diameter**2 / (k + 2),
    proof="f(x_next) <= f(x) + weight <grad f(x), s - x> + weight^2 L_f |s - x|^2 / 2, and <grad f(x), s - "
    "x> <= <grad f(x), x_star - x> <= -gap: gap_next <= (1 - weight) gap + weight^2 C / 2 with C = L_f "
    "diameter^2. With weight 2 / (k + 2): gap_1 <= C / 2, and gap <= 2 C / (k + 2) gives gap_next <= 2 C (k "
    "+ 1) / (k + 2)^2 <= 2 C / (k + 3).",
    mutants=(
        Mutant("a sixth of the constant", EDGE, {"bound": L_f * diameter**2 / (3 * (k + 2))}),
        Mutant("a rate of 1/k^2", EDGE, {"bound": 2 * L_f * diameter**2 / (k + 2) ** 2}),
    ),
    tight=(Tight(SEGMENT, 0.7498500075, steps=1), Tight(EDGE, 0.26475694444444436)),
)

THEOREMS = (CONVEX, CONTRACTION, ACCELERATED, FRANK_WOLFE)
