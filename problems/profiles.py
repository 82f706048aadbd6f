"""Increasing functions phi of r >= 0 with phi(0) = 0, for problems phi(|x - c|)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assumptions import PL, AffineGradient, Certificate, Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.rounding import ROUNDINGS
from problems.scalar_root import cubic_split, increasing_root


@dataclass(frozen=True)
class Profile:
    """phi and what follows from it; all callables act entry by entry on r >= 0.

    value(r): phi. slope(r): phi'. curvature(r): phi'', None unless phi(|.|) is twice differentiable. kept(r,
    g): the part s / r of r that s = argmin_{s >= 0} phi(s) + (s - r)^2 / (2 g) keeps. conjugate(p): sup_{r >=
    0} p r - phi(r) for p >= 0. conic(y, cp): phi(|y|) for cvxpy, None if that is not written. certified:
    facts of phi(|x - c|), any dimension.
    """

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor] | None
    kept: Callable[[Tensor, Tensor], Tensor]
    conjugate: Callable[[Tensor], Tensor]
    conic: Callable[[Any, Any], Any] | None
    certified: tuple[Certificate, ...]


def _positive(r: Tensor) -> Tensor:
    """r, and 1 instead of 0."""
    return torch.where(r == 0, 1.0, r)


def _up_to_one(p: Tensor, value: Tensor) -> Tensor:
    """``value`` for p <= 1 up to 64 roundings, inf beyond."""
    return torch.where(p > 1 + ROUNDINGS, torch.inf, value)


def _half_square_kept(r: Tensor, g: Tensor) -> Tensor:
    """s + g s = r."""
    del r
    return 1 / (1 + g)


def _pseudo_huber_kept(r: Tensor, g: Tensor) -> Tensor:
    """The root of s (1 + g / sqrt(1 + s^2)) = r, between max(r / (1 + g), r - g) and r, over r."""
    r, g = torch.broadcast_tensors(r, g)

    def residual(s: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.hypot(torch.ones_like(s), s)
        return s - r + g * (s / h), 1 + g / h**3

    return increasing_root(residual, torch.maximum(r / (1 + g), r - g), r) / _positive(r)


def _pseudo_huber_conjugate(p: Tensor) -> Tensor:
    """1 - sqrt(1 - p^2) without cancellation, attained at r = p / sqrt(1 - p^2)."""
    below = p.clamp(max=1)
    return _up_to_one(p, below.square() / (1 + ((1 - below) * (1 + below)).sqrt()))


def _log_kept(r: Tensor, g: Tensor) -> Tensor:
    """0, or the larger root of s^2 + (1 - r) s + g - r = 0, the local minimum, where that is lower."""
    r, g = torch.broadcast_tensors(r, g)
    disc = (r + 1).square() - 4 * g
    # the larger root is r - t with t^2 - (1 + r) t + g = 0, the smaller t, by its form without cancellation
    moved = 2 * g / (1 + r + disc.clamp(min=0).sqrt())
    s = (r - moved).clamp(min=0)
    # log(1 + s) + moved^2 / (2 g) < r^2 / (2 g), with r^2 - moved^2 = s (r + moved)
    lower = 2 * g * torch.log1p(s) < s * (r + moved)
    kept = torch.where((disc >= 0) & lower, s / _positive(r), 0.0)
    return torch.where(r.isnan(), r, kept)


_CONVEX = Certificate(Convex(), proof="a convex increasing function of |x - c|")
_UNIT_STEP = Certificate(Lipschitz(1.0), proof="|g| = phi'(|x - c|) <= 1")

PROFILES: Mapping[str, Profile] = {
    "identity": Profile(
        value=lambda r: r,
        slope=lambda r: torch.where(r.isnan(), r, 1.0),
        curvature=None,
        kept=lambda r, g: (1 - g / _positive(r)).clamp(min=0),
        conjugate=lambda p: _up_to_one(p, 0 * p),
        conic=lambda y, cp: cp.norm(y),
        certified=(_CONVEX, _UNIT_STEP),
    ),
    "half-square": Profile(
        value=lambda r: r.square() / 2,
        slope=lambda r: r,
        curvature=lambda r: torch.where(r.isnan(), r, 1.0),
        kept=_half_square_kept,
        conjugate=lambda p: p.square() / 2,
        conic=lambda y, cp: cp.sum_squares(y) / 2,
        certified=(
            _CONVEX,
            Certificate(AffineGradient(), proof="the gradient is x - c"),
            Certificate(StronglyConvex(1.0), proof="the Hessian is the identity"),
            Certificate(Smooth(1.0), proof="the Hessian is the identity"),
            Certificate(PL(1.0), proof="|grad f|^2 = |x - c|^2 = 2 f, f_star = 0"),
        ),
    ),
    "quartic": Profile(
        value=lambda r: r.square().square() / 4,
        slope=lambda r: r**3,
        curvature=lambda r: 3 * r.square(),
        kept=lambda r, g: cubic_split(r, g)[0],
        conjugate=lambda p: 0.75 * p ** (4 / 3),
        conic=lambda y, cp: cp.power(cp.norm(y), 4) / 4,
        certified=(
            _CONVEX,
            Certificate(
                HessianL0L1(4.0, 1.0),
                proof="the Hessian has norm 3 r^2 <= 4 + r^3, for 4 + r^3 - 3 r^2 = (r - 2)^2 (r + 1)",
            ),
        ),
    ),
    "pseudo-huber": Profile(
        value=lambda r: r * (r / (1 + torch.hypot(torch.ones_like(r), r))),
        slope=lambda r: r / torch.hypot(torch.ones_like(r), r),
        curvature=lambda r: torch.hypot(torch.ones_like(r), r) ** -3.0,
        kept=_pseudo_huber_kept,
        conjugate=_pseudo_huber_conjugate,
        conic=lambda y, cp: cp.norm(cp.hstack([1, y])) - 1,
        certified=(
            _CONVEX,
            _UNIT_STEP,
            Certificate(
                Smooth(1.0),
                proof="with h = sqrt(1 + r^2) the eigenvalues of the Hessian are 1/h and 1/h^3, in (0, 1]",
            ),
        ),
    ),
    "log": Profile(
        value=torch.log1p,
        slope=lambda r: 1 / (1 + r),
        curvature=None,
        kept=_log_kept,
        conjugate=lambda p: torch.where(p > 0, torch.inf, 0 * p),
        conic=None,
        certified=(_UNIT_STEP,),
    ),
}
"""r, r^2 / 2, r^4 / 4, sqrt(1 + r^2) - 1, log(1 + r); the last one is concave, the others convex.

The quartic is neither Lipschitz nor smooth on the whole space; |grad f|^2 / f falls to 0 with f, not PL.
Pseudo-Huber is not PL: its gradient is bounded, its gap is not.
"""
