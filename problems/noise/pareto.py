"""Noise with heavy tails."""

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from assumptions.guards import require_positive
from problems.noise.base import Noise, normal, power, require_moment, require_uniforms, unit_entry_moment


@dataclass(frozen=True)
class ParetoNoise(Noise):
    """n = scale R v, P(R > r) = r^-tail for r >= 1, v uniform on the unit sphere, independent of R.

    In R^1 this is the two-sided Pareto law: v is a fair sign. E |n|^p = scale^p tail / (tail - p) for
    p < tail, infinite for p >= tail. tail > 1: the mean must exist. scale: finite, > 0, units of the
    gradient. ValueError otherwise. Uniforms end at 1 - 2^-53, so R <= 2^(53 / tail).
    """

    tail: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Both as floats."""
        require_positive(tail=self.tail, scale=self.scale)
        if not self.tail > 1:
            raise ValueError(f"tail must be > 1, or the noise has no mean, got {self.tail!r}")
        object.__setattr__(self, "tail", float(self.tail))
        object.__setattr__(self, "scale", float(self.scale))

    @property
    def unit(self) -> tuple[float, Self]:
        """scale times the law of scale 1."""
        return self.scale, replace(self, scale=1.0)

    def width(self, d: int) -> int:
        """One for the length, one for each entry of the direction."""
        return d + 1

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """R = (1 - u)^(-1 / tail); v a normalised normal vector. Shapes as ``Noise.draw``."""
        require_uniforms(self, u, x)
        u = u.to(x)
        length = self.scale * (1 - u[..., :1]) ** (-1 / self.tail)
        direction = normal(u[..., 1:])
        size = direction.norm(dim=-1, keepdim=True)
        return length * torch.where(size > 0, direction / size, 1.0 / x.shape[-1] ** 0.5)

    def moment(self, p: float, d: int) -> float:
        """scale^p tail / (tail - p), inf for p >= tail: an integral of r^p tail r^(-tail - 1)."""
        require_moment(p, d)
        return self._moment(p, self.scale)

    def entry_moment(self, p: float, d: int) -> float:
        """E |n|^p E |v_j|^p."""
        require_moment(p, d)
        return self._moment(p, self.scale * unit_entry_moment(p, d) ** (1 / p))

    def _moment(self, p: float, scale: float) -> float:
        return math.inf if p >= self.tail else power(scale, p) * (self.tail / (self.tail - p))

    @property
    def orders(self) -> tuple[float, ...]:
        """Those of ``Noise`` below the tail, else the one halfway between 1 and the tail, if a float is."""
        below, halfway = tuple(p for p in super().orders if p < self.tail), 1 + (self.tail - 1) / 2
        return below or ((halfway,) if 1 < halfway < self.tail else ())
