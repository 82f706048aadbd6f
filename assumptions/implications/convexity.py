"""Rows about convexity, its weaker forms, and how a function grows away from its minimisers."""

from fractions import Fraction

from assumptions.balls.ball_convex import BallConvex
from assumptions.base import Assumption
from assumptions.continuous import Continuous
from assumptions.convex import Convex
from assumptions.error_bound import ErrorBound
from assumptions.implications.implies import Implies, rounded
from assumptions.lipschitz import Lipschitz
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.pl import PL
from assumptions.quadratic_growth import QuadraticGrowth
from assumptions.quasar_convex import QuasarConvex
from assumptions.quasi_convex import QuasiConvex
from assumptions.smooth import Smooth
from assumptions.star_convex import StarConvex
from assumptions.strongly_convex import StronglyConvex
from assumptions.weakly_convex import WeaklyConvex


def _growth_of_pl(pl: PL, smooth: Smooth) -> QuadraticGrowth | None:
    return QuadraticGrowth(pl.mu_pl) if pl.norm == smooth.norm == EUCLIDEAN else None


def _bound_of_pl(pl: PL, smooth: Smooth) -> Assumption | None:
    if not pl.norm == smooth.norm == EUCLIDEAN:
        return None
    return _bound_of(1 / Fraction(pl.mu_pl), EUCLIDEAN)


def _pl_of_bound(bound: ErrorBound, smooth: Smooth) -> Assumption | None:
    L, eb = Fraction(smooth.L), Fraction(bound.eb)
    # |g|_* <= L dist <= L eb |g|_*: with L eb < 1 the gradient is 0 everywhere
    if bound.order != 1 or bound.norm != smooth.norm or L * eb < 1:
        return None
    return rounded(PL, bound.norm, mu_pl=1 / (L * eb**2))


def _bound_of(constant: Fraction, norm: Norm) -> Assumption | None:
    return rounded(ErrorBound, 1.0, norm, eb=constant)


CONVEXITY = (
    Implies(
        premises=(StronglyConvex,),
        gives=Convex,
        rule=lambda strong: Convex(),  # noqa: ARG005
        proof="mu/2 |x - y|^2 >= 0",
        local=True,
    ),
    Implies(
        premises=(Convex,),
        gives=WeaklyConvex,
        rule=lambda convex: WeaklyConvex(0.0),  # noqa: ARG005
        proof="tau = 0 is convexity",
        local=True,
    ),
    Implies(
        premises=(WeaklyConvex,),
        gives=Convex,
        rule=lambda weak: Convex() if weak.tau == 0 else None,
        proof="tau = 0 is convexity",
        local=True,
    ),
    Implies(
        premises=(Smooth,),
        gives=WeaklyConvex,
        rule=lambda smooth: WeaklyConvex(smooth.L) if smooth.norm == EUCLIDEAN else None,
        proof="f(y) - f(x) - <grad f(x), y - x> >= -int_0^1 t L |y - x|^2 dt",
        local=True,
    ),
    Implies(
        premises=(Convex,),
        gives=QuasiConvex,
        rule=lambda convex: QuasiConvex(),  # noqa: ARG005
        proof="f(z) <= (1 - s) f(x) + s f(y) <= max(f(x), f(y))",
        local=True,
    ),
    Implies(
        premises=(Convex,),
        gives=StarConvex,
        rule=lambda convex: StarConvex(),  # noqa: ARG005
        proof="convexity on the segment from x to its nearest minimiser",
    ),
    Implies(
        premises=(Convex,),
        gives=QuasarConvex,
        rule=lambda convex: QuasarConvex(1.0),  # noqa: ARG005
        proof="the subgradient inequality at x and a minimiser",
    ),
    Implies(
        premises=(StarConvex, Smooth),
        gives=QuasarConvex,
        rule=lambda star, smooth: QuasarConvex(1.0),  # noqa: ARG005
        proof="differentiate f(x + s (y - x)) <= (1 - s) f(x) + s f_star at s = 0",
    ),
    Implies(
        premises=(QuasarConvex, Smooth),
        gives=StarConvex,
        rule=lambda quasar, smooth: StarConvex() if quasar.quasar == 1 else None,  # noqa: ARG005
        proof="phi(t) = f(y + t (x - y)) - f_star has t phi' >= phi, so phi(t) / t does not fall",
    ),
    Implies(
        premises=(Convex,),
        gives=BallConvex,
        rule=lambda convex: BallConvex(0.0),  # noqa: ARG005
        proof="x in dom f: subgradients of f + indicator of the ball at u are sums, c (x - u) is one of f",
    ),
    Implies(
        premises=(Convex, Lipschitz),
        gives=Continuous,
        rule=lambda convex, lipschitz: Continuous(),  # noqa: ARG005
        proof="subgradients everywhere: f(x) - f(y) <= <g(x), x - y> <= G |x - y|",
    ),
)
"""Where a row is not local, a minimiser may lie outside the region, or the steps over balls."""

GROWTH = (
    Implies(
        premises=(StronglyConvex,),
        gives=PL,
        rule=lambda strong: PL(mu_pl=strong.mu, norm=strong.norm),
        proof="f_star >= min over z of f(x) + <g, z> + mu/2 |z|^2 = f(x) - |g|_*^2 / (2 mu)",
    ),
    Implies(
        premises=(StronglyConvex,),
        gives=QuadraticGrowth,
        rule=lambda strong: QuadraticGrowth(strong.mu, strong.norm),
        proof="0 is a subgradient at the minimiser",
    ),
    Implies(
        premises=(StronglyConvex,),
        gives=ErrorBound,
        rule=lambda strong: _bound_of(1 / Fraction(strong.mu), strong.norm),
        proof="mu |x - y|^2 <= <g(x) - 0, x - y> <= |g(x)|_* |x - y| for the minimiser y",
    ),
    Implies(
        premises=(PL, Smooth),
        gives=QuadraticGrowth,
        rule=_growth_of_pl,
        proof=(
            "the gradient flow from x has length <= (2 (f(x) - f_star) / mu)^(1/2), for (f - f_star)^(1/2) "
            "falls at least at (mu/2)^(1/2) times its speed; so it ends in a minimiser no farther than that"
        ),
    ),
    Implies(
        premises=(PL, Smooth),
        gives=ErrorBound,
        rule=_bound_of_pl,
        proof="quadratic growth: mu^2 dist^2 <= 2 mu (f - f_star) <= |grad f|^2",
    ),
    Implies(
        premises=(ErrorBound, Smooth),
        gives=PL,
        rule=_pl_of_bound,
        proof="f - f_star <= L/2 dist^2 <= L eb^2 / 2 |grad f|_*^2",
    ),
    Implies(
        premises=(Convex, QuadraticGrowth),
        gives=ErrorBound,
        rule=lambda convex, growth: _bound_of(2 / Fraction(growth.mu_qg), growth.norm),  # noqa: ARG005
        proof="mu/2 dist^2 <= f - f_star <= <g(x), x - y> <= |g(x)|_* dist for the nearest minimiser y",
    ),
    Implies(
        premises=(Convex, QuadraticGrowth),
        gives=PL,
        rule=lambda convex, growth: rounded(PL, growth.norm, mu_pl=Fraction(growth.mu_qg) / 4),  # noqa: ARG005
        proof="f - f_star <= |g|_* dist <= 2/mu |g|_*^2",
    ),
)
"""What relates the gap, the gradient and the distance to the minimisers. None of it is local."""
