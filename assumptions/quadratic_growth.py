"""Quadratic growth away from the minimisers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.minimisers import distance, gap_above
from assumptions.norms import EUCLIDEAN, Norm, require_norm


@dataclass(frozen=True)
class QuadraticGrowth(OneConstant):
    """mu_qg/2 dist(x, X*)^2 <= f(x) - f_star for all x, X* the set of minimisers.

    mu_qg: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: distances are measured
    in it.
    """

    mu_qg: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"mu_qg": 1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("f_star", "nearest_star")
    instead: ClassVar[str] = "a problem whose only minimiser is known offers it"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu_qg=self.mu_qg)
        require_norm(self.norm)
        object.__setattr__(self, "mu_qg", float(self.mu_qg))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, (*batch, d). The distance d, off by e, moves the left by mu_qg (d e + e^2 / 2)."""
        (x,) = points
        dist, error = distance(problem, x, self.norm)
        gap, gap_error = gap_above(problem, x)
        with torch.no_grad():
            resolution = gap_error + self.mu_qg * error * (dist + error / 2)
        return Sides(self.mu_qg / 2 * dist.square(), gap, resolution)
