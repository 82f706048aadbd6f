"""Noise with independent entries of one law and a given standard deviation."""

from dataclasses import dataclass, replace
from typing import Self

from assumptions.guards import require_positive
from problems.noise.base import Noise


@dataclass(frozen=True)
class EntrywiseNoise(Noise):
    """E |n|^2 = sigma^2 in every dimension: each entry has the variance sigma^2 / d and takes one uniform.

    sigma: finite, > 0, units of the gradient. ValueError otherwise.
    """

    sigma: float

    def __post_init__(self) -> None:
        """The size as a float."""
        require_positive(sigma=self.sigma)
        object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def unit(self) -> tuple[float, Self]:
        """sigma times the law of size 1."""
        return self.sigma, replace(self, sigma=1.0)

    def width(self, d: int) -> int:
        """One for each entry."""
        return d
