"""Error bounds: the gradient tells how far the minimisers are."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.minimisers import distance
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import NOISE, ROUNDINGS, VISIBLE, gradient_noise, gradient_rounding

PER_DECADE = 2
"""Groups of points to a power of ten of the gradient norm."""


@dataclass(frozen=True)
class ErrorBound(OneConstant):
    """dist(x, X*) <= eb |grad f(x)|_*^order for all x, X* the set of minimisers.

    eb, order: finite, > 0; eb in units of x per unit of the gradient to the order. ValueError otherwise.
    norm: distances are measured in it, gradients in its dual.
    """

    eb: float
    order: float = 1.0
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"eb": -1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("nearest_star",)
    instead: ClassVar[str] = "a problem whose only minimiser is known offers it"

    def __post_init__(self) -> None:
        """Both as floats."""
        require_positive(eb=self.eb, order=self.order)
        require_norm(self.norm)
        object.__setattr__(self, "eb", float(self.eb))
        object.__setattr__(self, "order", float(self.order))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, (*batch, d). A gradient s, off by e, moves s^order by (s + e)^order - s^order."""
        (x,) = points
        dist, error = distance(problem, x, self.norm)
        size, moved = _gradient(problem, x, self.norm)
        rhs = self.eb * size**self.order
        with torch.no_grad():
            room = self.eb * ((size + moved) ** self.order - size**self.order)
        return Sides(dist, rhs, error + room + ROUNDINGS * rhs.detach())


def order_seen(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> dict[str, float]:
    """The order of an error bound, as a slope; x: (*batch, d), spread over many distances.

    An error bound bounds the largest distance at each size of the gradient, so the points are grouped by
    gradient norm, two groups to a power of ten, and log(largest distance) is fitted to log(gradient) by
    least squares. ``order_seen`` speaks of the range seen alone: ``grad_low`` to ``grad_high``, ``dist_low``
    to ``dist_high``, ``groups``. Points within 100 roundings are left out. ValueError for fewer than three
    groups, TypeError where the minimisers are not known.
    """
    ErrorBound.require(problem)
    x = x.reshape(-1, x.shape[-1])
    dist, error = distance(problem, x, norm)
    size, moved = _gradient(problem, x, norm)
    kept = (dist > VISIBLE * error) & (size > VISIBLE * moved)
    dist, size = dist[kept].log10(), size[kept].log10()
    groups = (size * PER_DECADE).floor().to(torch.int64)
    worst = [int(torch.where(groups == g, dist, -math.inf).argmax()) for g in groups.unique()]
    if len(worst) < 3:
        raise ValueError(f"x must cover three groups of gradient norms, half a decade each, got {len(worst)}")
    heights, places = dist[worst], size[worst]
    centred = places - places.mean()
    slope = float((centred * heights).sum() / centred.square().sum())
    return {
        "order_seen": slope,
        "grad_low": 10 ** float(size.min()),
        "grad_high": 10 ** float(size.max()),
        "dist_low": 10 ** float(dist.min()),
        "dist_high": 10 ** float(dist.max()),
        "groups": float(len(worst)),
    }


def _gradient(problem: Function, x: Tensor, norm: Norm) -> tuple[Tensor, Tensor]:
    """|grad f(x)|_* and its error, (*batch,) each."""
    g = problem.grad(x)
    moved = gradient_rounding(problem, x, norm, g) + NOISE * gradient_noise(problem, x, norm, g)
    return norm.dual(g), moved
