"""Gaussian noise."""

from dataclasses import dataclass

from torch import Tensor

from assumptions.guards import require_positive
from problems.noise.base import Noise, gaussian_moment, normal, require_moment, require_uniforms


@dataclass(frozen=True)
class GaussianNoise(Noise):
    """n = sigma / sqrt(d) times a standard normal vector: E |n|^2 = sigma^2 in every dimension.

    sigma: finite, > 0, units of the gradient. ValueError otherwise.
    """

    sigma: float

    def __post_init__(self) -> None:
        """The size as a float."""
        require_positive(sigma=self.sigma)
        object.__setattr__(self, "sigma", float(self.sigma))

    def width(self, d: int) -> int:
        """One for each entry."""
        return d

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """Shapes as ``Noise.draw``."""
        require_uniforms(self, u, x)
        return self.sigma / x.shape[-1] ** 0.5 * normal(u.to(x))

    def moment(self, p: float, d: int) -> float:
        """sigma^p (2 / d)^(p/2) Gamma((d + p) / 2) / Gamma(d / 2)."""
        require_moment(p, d)
        if p == 2:
            return self.sigma**2
        return self.sigma**p * gaussian_moment(p, d) / d ** (p / 2)

    def entry_moment(self, p: float, d: int) -> float:
        """That of a normal number of variance sigma^2 / d."""
        require_moment(p, d)
        return (self.sigma / d**0.5) ** p * gaussian_moment(p, 1)
