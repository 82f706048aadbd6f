"""Quasar-convexity: the gradient points away from the nearest minimiser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.minimisers import gap_above, minimiser_error, nearest_minimiser
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import NOISE, ROUNDINGS, gradient_noise, gradient_rounding


@dataclass(frozen=True)
class QuasarConvex(OneConstant):
    """quasar (f(x) - f_star) <= <g(x), x - y> for all x, y the minimiser nearest to x, g(x) as returned.

    0 < quasar <= 1, without units. ValueError otherwise. 1 for differentiable f is star-convexity. The
    estimate ``quasar_seen`` may exceed 1: then every constant fits what was seen.
    """

    quasar: float
    sense: ClassVar[Mapping[str, int]] = {"quasar": 1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("f_star", "nearest_star")
    instead: ClassVar[str] = "a problem whose only minimiser is known offers it"
    most: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(quasar=self.quasar)
        if self.quasar > 1:
            raise ValueError(f"quasar must be in (0, 1], got {self.quasar!r}")
        object.__setattr__(self, "quasar", float(self.quasar))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, (*batch, d), the right one cut at 0."""
        (x,) = points
        y, g = nearest_minimiser(problem, x), problem.grad(x)
        gap, gap_error = gap_above(problem, x)
        step = x - y
        with torch.no_grad():
            error = ROUNDINGS * (EUCLIDEAN.norm(x) + EUCLIDEAN.norm(y)) + minimiser_error(problem)
            moved = gradient_rounding(problem, x, g=g) + NOISE * gradient_noise(problem, x, g=g)
            terms = ROUNDINGS * (g * step).abs().sum(dim=-1)
            inner_error = terms + EUCLIDEAN.norm(g) * error + moved * (EUCLIDEAN.norm(step) + error)
            resolution = self.quasar * gap_error + inner_error
        return Sides(self.quasar * gap, (g * step).sum(dim=-1).clamp(min=0), resolution)
