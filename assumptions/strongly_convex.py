"""Strong convexity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.bregman import bregman
from assumptions.guards import require_positive
from assumptions.inequality import Inequality, Sides
from assumptions.norms import EUCLIDEAN, Norm, norm_option, require_norm
from assumptions.rounding import ROUNDINGS, VISIBLE


@dataclass(frozen=True)
class StronglyConvex(Inequality):
    """f(x) + <g(x), y - x> + mu/2 |x - y|^2 <= f(y) for all x, y and the subgradient g(x) returned.

    mu: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of x - y.
    """

    mu: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"mu": 1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu=self.mu)
        require_norm(self.norm)
        object.__setattr__(self, "mu", float(self.mu))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """mu/2 |x - y|^2 and f(y) - f(x) - <g(x), y - x>, cut at 0. x, y: (*batch, d)."""
        x, y = points
        gap, _, resolution = bregman(problem, x, y)
        lhs = self.mu / 2 * self.norm.norm(x - y).square()
        return Sides(lhs, gap.clamp(min=0), resolution + ROUNDINGS * lhs.detach())

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """mu_seen = min of 2 (f(y) - f(x) - <g(x), y - x>) / |x - y|^2, possibly <= 0.

        points: x and y, each (*batch, d). norm: Norm = EUCLIDEAN. A gap below rounding counts as 0
        where rounding is below 1e-6 of the largest curvature seen, and is left out elsewhere.
        inf if no two points differ.
        """
        norm = norm_option(options)
        x, y = torch.broadcast_tensors(*points)
        gap, _, resolution = bregman(problem, x, y)
        half_square = norm.norm(x - y).square() / 2
        apart = half_square > 0
        visible = apart & ~(gap.abs() <= VISIBLE * resolution)
        curvature = gap / half_square
        if not bool(apart.any()):
            return {"mu_seen": float("inf")}
        if not bool(visible.any()):
            return {"mu_seen": 0.0}
        flat = apart & ~visible & (resolution / half_square <= 1e-6 * curvature[visible].abs().max())
        seen = curvature[visible].min()
        return {"mu_seen": float(seen.clamp(max=0) if bool(flat.any()) else seen)}
