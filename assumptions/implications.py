"""What implies what: the room's rows, each with its proof."""

from assumptions.affine import Affine
from assumptions.affine_gradient import AffineGradient
from assumptions.ball_convex import BallConvex
from assumptions.continuous import Continuous
from assumptions.convex import Convex
from assumptions.implies import Implies
from assumptions.lipschitz import Lipschitz
from assumptions.pl import PL
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex

IMPLICATIONS: tuple[Implies, ...] = (
    Implies(
        premises=(StronglyConvex,),
        rule=lambda strong: Convex(),  # noqa: ARG005
        proof="mu/2 |x - y|^2 >= 0",
        local=True,
    ),
    Implies(
        premises=(StronglyConvex,),
        rule=lambda strong: PL(mu_pl=strong.mu, norm=strong.norm),
        proof="f_star >= min over z of f(x) + <g, z> + mu/2 |z|^2 = f(x) - |g|_*^2 / (2 mu)",
    ),
    Implies(
        premises=(Convex,),
        rule=lambda convex: BallConvex(0.0),  # noqa: ARG005
        proof="x in dom f: subgradients of f + indicator of the ball at u are sums, c (x - u) is one of f",
    ),
    Implies(
        premises=(Convex, Lipschitz),
        rule=lambda convex, lipschitz: Continuous(),  # noqa: ARG005
        proof="subgradients everywhere: f(x) - f(y) <= <g(x), x - y> <= G |x - y|",
    ),
    Implies(
        premises=(Smooth,),
        rule=lambda smooth: Continuous(),  # noqa: ARG005
        proof="f is differentiable",
    ),
    Implies(
        premises=(Affine,),
        rule=lambda affine: AffineGradient(),  # noqa: ARG005
        proof="the gradient is constant",
        local=True,
    ),
)
"""The room's rows. Where a row is not local, f_star may lie outside the ball, or the steps over balls."""
