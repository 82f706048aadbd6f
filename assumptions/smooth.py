"""Smoothness: a Lipschitz gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import Inequality, Sides
from assumptions.norms import EUCLIDEAN, Norm, norm_option, require_norm
from assumptions.rounding import NOISE, ROUNDINGS, VISIBLE, gradient_noise, gradient_rounding


@dataclass(frozen=True)
class Smooth(Inequality):
    """|grad f(x) - grad f(y)|_* <= L |x - y| for all x, y.

    L: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: the norm of x - y;
    gradients are measured in its dual.
    """

    L: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(L=self.L)
        require_norm(self.norm)
        object.__setattr__(self, "L", float(self.L))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """|grad f(x) - grad f(y)|_* and L |x - y|. x, y: (*batch, d).

        Rounding: each gradient moves by 64 roundings of itself, by its ``gradient_noise``, and by L
        times 64 roundings of its argument.
        """
        x, y = points
        gx, gy = problem.grad(x), problem.grad(y)
        rhs = self.L * self.norm.norm(x - y)
        with torch.no_grad():
            arguments = self.L * (self.norm.norm(x) + self.norm.norm(y))
            inside = self.norm.dual(gx) + self.norm.dual(gy)
            noise = gradient_noise(problem, x, self.norm, gx) + gradient_noise(problem, y, self.norm, gy)
            resolution = ROUNDINGS * (inside + arguments) + NOISE * noise
        return Sides(self.norm.dual(gx - gy), rhs, resolution)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """L_seen = max of |grad f(x) - grad f(y)|_* / |x - y|.

        points: x and y, each (*batch, d). norm: Norm = EUCLIDEAN. Pairs whose gradients differ by
        rounding alone are left out; 0 if none is left, nan if a gradient is.
        """
        norm = norm_option(options)
        x, y = torch.broadcast_tensors(*points)
        gx, gy = problem.grad(x), problem.grad(y)
        change, distance = norm.dual(gx - gy), norm.norm(x - y)
        resolution = gradient_rounding(problem, x, norm, gx) + gradient_rounding(problem, y, norm, gy)
        kept = ~(change <= VISIBLE * resolution) & (distance > 0)
        return {"L_seen": float((change[kept] / distance[kept]).max()) if bool(kept.any()) else 0.0}
