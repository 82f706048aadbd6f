"""Noise that changes with the point, as that of sampled functions does."""

from dataclasses import dataclass, replace
from typing import Self

from torch import Tensor

from problems.noise.base import Noise, require_moment, require_uniforms


@dataclass(frozen=True)
class SineNoise(Noise):
    """n(x)_j = z_j cos(x_j): the sample is f(x) + sum_j z_j sin(x_j), with z a draw of ``coefficients``.

    One law serves three bounds, all attained: E |n(x)|^p <= E |z|^p (at x = 0); E |n(x) - n(y)|^2 <=
    change^2 |x - y|^2 with change^2 = max_j E z_j^2, for cos is 1-Lipschitz; and the same constant for
    the noise of Hessian-vector products, n'(x)_j v_j = -z_j sin(x_j) v_j. coefficients: a noise that is
    the same at every x, for example GaussianNoise or ParetoNoise. TypeError otherwise.
    Hessians: ``draw_hvp``.
    """

    coefficients: Noise

    def __post_init__(self) -> None:
        """The coefficients must not depend on the point."""
        if not isinstance(self.coefficients, Noise) or isinstance(self.coefficients, SineNoise):
            accepted = "a noise that is the same everywhere, such as GaussianNoise(1.0)"
            raise TypeError(f"coefficients must be {accepted}, got {self.coefficients!r}")

    @property
    def unit(self) -> tuple[float, Self]:
        """That of the coefficients."""
        s, law = self.coefficients.unit
        return s, replace(self, coefficients=law)

    def fits(self, d: int) -> bool:
        """Where the coefficients do."""
        return self.coefficients.fits(d)

    def width(self, d: int) -> int:
        """That of the coefficients."""
        return self.coefficients.width(d)

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """z cos(x), entry by entry. Shapes as ``Noise.draw``."""
        return self.coefficients.draw(u, x) * x.cos()

    def draw_hvp(self, u: Tensor, x: Tensor, v: Tensor) -> Tensor:
        """The noise of the Hessian times v, for the same draw: -z sin(x) v. Shapes (*batch, d)."""
        require_uniforms(self, u, x)
        return -self.coefficients.draw(u, x) * x.sin() * v

    def moment(self, p: float, d: int) -> float:
        """That of the coefficients, at x = 0."""
        require_moment(p, d)
        return self.coefficients.moment(p, d)

    def entry_moment(self, p: float, d: int) -> float:
        """That of the coefficients."""
        return self.coefficients.entry_moment(p, d)

    def change(self, d: int) -> float:
        """The root of max_j E z_j^2: attained for x, y near pi/2 that differ in the largest entry."""
        s, law = self.coefficients.unit
        return s * law.entry_moment(2.0, d) ** 0.5

    @property
    def orders(self) -> tuple[float, ...]:
        """Those of the coefficients."""
        return self.coefficients.orders
