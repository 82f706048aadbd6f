"""Gaussian noise."""

import math
from dataclasses import dataclass

from torch import Tensor

from problems.noise.base import gaussian_moment, normal, power, require_moment, require_uniforms
from problems.noise.entrywise import EntrywiseNoise


@dataclass(frozen=True)
class GaussianNoise(EntrywiseNoise):
    """n = sigma / sqrt(d) times a standard normal vector: E |n|^2 = sigma^2 in every dimension.

    sigma: finite, > 0, units of the gradient. ValueError otherwise.
    """

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """Shapes as ``Noise.draw``."""
        require_uniforms(self, u, x)
        return self.sigma / x.shape[-1] ** 0.5 * normal(u.to(x))

    def moment(self, p: float, d: int) -> float:
        """sigma^p (2 / d)^(p/2) Gamma((d + p) / 2) / Gamma(d / 2)."""
        require_moment(p, d)
        if p == 2:
            return power(self.sigma, p)
        return gaussian_moment(p, d, self._log_size(d))

    def entry_moment(self, p: float, d: int) -> float:
        """That of a normal number of variance sigma^2 / d."""
        require_moment(p, d)
        return gaussian_moment(p, 1, self._log_size(d))

    def _log_size(self, d: int) -> float:
        """log(sigma / sqrt(d)): the quotient may be no float."""
        return math.log(self.sigma) - math.log(d) / 2
