"""Spaces that compressors draw from: nothing, uniforms as they are, and independent copies of a space."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from workbench.spaces import Space

MOST_COPIES = 2**20
"""Outcomes of all copies together that are listed at most."""


@dataclass(frozen=True)
class Nothing:
    """No randomness; draws (*batch, 0)."""

    width: int = 0
    size: float = 1

    def value(self, u: Tensor) -> Tensor:
        """u: (*batch, 0)."""
        return u

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """One."""
        return torch.zeros(1, 0, dtype=torch.float64), torch.ones(1, dtype=torch.float64)


@dataclass(frozen=True)
class Uniforms:
    """d uniforms in [0, 1); draws (*batch, d). d >= 1, ValueError otherwise. Not enumerable."""

    d: int
    size: float = math.inf

    def __post_init__(self) -> None:
        """Guard the count."""
        require_dimension(d=self.d)

    @property
    def width(self) -> int:
        """d."""
        return self.d

    def value(self, u: Tensor) -> Tensor:
        """u itself."""
        return u

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """TypeError: uniforms have no finite list of outcomes."""
        raise TypeError("uniforms cannot be enumerated")


@dataclass(frozen=True)
class Copies:
    """n independent draws of one space, n >= 1, ValueError otherwise; draws (*batch, n, ...)."""

    of: Space
    n: int

    def __post_init__(self) -> None:
        """Guard the count."""
        require_dimension(n=self.n)

    @property
    def width(self) -> int:
        """n times that of one."""
        return self.n * self.of.width

    @property
    def size(self) -> float:
        """m^n for a space of m outcomes; inf where they are too many to list."""
        large = self.of.size > 1 and self.n * math.log(self.of.size) > math.log(MOST_COPIES) + 1e-9
        return math.inf if large else self.of.size**self.n

    def value(self, u: Tensor) -> Tensor:
        """One draw from each n-th part of the uniforms."""
        return self.of.value(u.reshape(*u.shape[:-1], self.n, self.of.width))

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every n outcomes. TypeError where they are not listed."""
        if self.size == math.inf:
            raise TypeError(f"{self.n} draws of {self.of!r} cannot be enumerated")
        draws, weights = self.of.outcomes()
        places = torch.cartesian_prod(*[torch.arange(len(draws))] * self.n).reshape(-1, self.n)
        return draws[places], weights[places].prod(dim=-1)
