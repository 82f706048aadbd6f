"""Noise of fixed length."""

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor

from problems.noise.base import MOST_OUTCOMES, power, require_moment, require_uniforms
from problems.noise.entrywise import EntrywiseNoise


@dataclass(frozen=True)
class SignNoise(EntrywiseNoise):
    """n = sigma / sqrt(d) times independent fair signs: |n| = sigma always.

    sigma: finite, > 0, units of the gradient. ValueError otherwise.
    """

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """+ where u >= 1/2. Shapes as ``Noise.draw``."""
        require_uniforms(self, u, x)
        size = self.sigma / x.shape[-1] ** 0.5
        return torch.where(u >= 0.5, x.new_tensor(size), -size)

    def moment(self, p: float, d: int) -> float:
        """sigma^p."""
        require_moment(p, d)
        return power(self.sigma, p)

    def entry_moment(self, p: float, d: int) -> float:
        """(sigma / sqrt d)^p."""
        require_moment(p, d)
        return power(self.sigma / d**0.5, p)

    def outcomes(self, d: int) -> tuple[Tensor, Tensor] | None:
        """All 2^d choices of signs, for d <= 12."""
        if 2**d > MOST_OUTCOMES:
            return None
        signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=d)), dtype=torch.float64)
        return self.sigma / d**0.5 * signs, torch.full((2**d,), 2.0**-d, dtype=torch.float64)
