"""Noise whose median is not its mean."""

import math
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

from assumptions.guards import require_positive
from problems.noise.base import Noise, power, require_moment, require_uniforms
from problems.oracle_guards import require_vector

RARE = 0.25
"""Probability of the long side: 3 * 1/4 = 1 * 3/4."""


@dataclass(frozen=True)
class SkewedNoise(Noise):
    """n = scale v times +3 with probability 1/4, -1 with probability 3/4; E |n|^2 = 3 scale^2.

    Three times out of four the noise points the same way. scale: finite, > 0, units of the gradient.
    direction: v, not 0, is divided by its length; empty for the first axis. ValueError otherwise.
    """

    scale: float = 1.0
    direction: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Floats, checked."""
        require_positive(scale=self.scale)
        object.__setattr__(self, "scale", float(self.scale))
        if self.direction != ():
            object.__setattr__(self, "direction", require_vector("direction", self.direction))
            if not any(self.direction):
                raise ValueError(f"direction must not be 0, got {self.direction!r}")

    def fits(self, d: int) -> bool:
        """In the dimension of the direction; in every one without it."""
        return not self.direction or len(self.direction) == d

    def _unit(self, d: int) -> tuple[float, ...]:
        if not self.direction:
            return (1.0, *[0.0] * (d - 1))
        largest = max(abs(entry) for entry in self.direction)
        shrunk = [entry / largest for entry in self.direction]
        length = math.hypot(*shrunk)
        return tuple(entry / length for entry in shrunk)

    @property
    def unit(self) -> tuple[float, Self]:
        """scale times the law of scale 1."""
        return self.scale, replace(self, scale=1.0)

    def width(self, d: int) -> int:
        """One."""
        del d
        return 1

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """+3 where u < 1/4. Shapes as ``Noise.draw``."""
        require_uniforms(self, u, x)
        size = torch.where(u < RARE, x.new_tensor(3.0 * self.scale), -self.scale)
        return size * x.new_tensor(self._unit(x.shape[-1]))

    def moment(self, p: float, d: int) -> float:
        """scale^p (3^p + 3) / 4. ValueError if the direction does not fit."""
        require_moment(p, d)
        self._require(d)
        return self._moment(p, self.scale)

    def entry_moment(self, p: float, d: int) -> float:
        """The largest entry of the direction takes its share."""
        require_moment(p, d)
        self._require(d)
        return self._moment(p, self.scale * max(abs(entry) for entry in self._unit(d)))

    @staticmethod
    def _moment(p: float, scale: float) -> float:
        return (power(3 * scale, p) + 3 * power(scale, p)) / 4

    def outcomes(self, d: int) -> tuple[Tensor, Tensor]:
        """Two."""
        self._require(d)
        unit = torch.tensor(self._unit(d), dtype=torch.float64)
        values = torch.stack([3 * self.scale * unit, -self.scale * unit])
        return values, torch.tensor([RARE, 1 - RARE], dtype=torch.float64)

    def _require(self, d: int) -> None:
        if not self.fits(d):
            raise ValueError(f"direction must have {d} entries, got {self.direction!r}")
