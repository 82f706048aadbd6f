"""The quadratic (x - c)' H (x - c) / 2 by the eigenvectors of H: projection, proximal and ball steps."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from assumptions import Lp, Norm
from problems.ball_step import BallStep
from problems.secular import ball_quadratic


class Spectrum(NamedTuple):
    """H = W V diag(a) V' W: in coordinates z = W x, W = diag(weights), a plain eigendecomposition.

    eigenvalues: a >= 0, (d,); those of the kernel are exactly 0. basis: V, orthogonal, (d, d), None for
    the identity. weights: > 0, (d,), None for ones. flat: True if some a is 0.
    """

    eigenvalues: Tensor
    basis: Tensor | None
    weights: Tensor | None
    flat: bool

    @classmethod
    def of(cls, eigenvalues: Tensor, basis: Tensor | None, weights: Tensor | None = None) -> Self:
        """``flat`` read from the eigenvalues."""
        return cls(eigenvalues, basis, weights, bool((eigenvalues == 0).any()))

    def weighted(self, weights: Tensor) -> Self:
        """The same H (without weights so far) in the coordinates weights x; its kernel keeps its size."""
        if self.basis is None:
            return type(self).of(self.eigenvalues / weights.square(), None, weights)
        half = (self.basis * self.eigenvalues.sqrt()) / weights.unsqueeze(-1)
        # singular vectors of the square root: small eigenvalues stay accurate
        basis, singular, _ = torch.linalg.svd(half)
        kernel = int((self.eigenvalues == 0).sum())
        eigenvalues = singular.square()
        eigenvalues[eigenvalues.shape[0] - kernel :] = 0
        return type(self).of(eigenvalues, basis, weights)

    def to(self, x: Tensor) -> Self:
        """On the device and in the type of x."""
        basis = None if self.basis is None else self.basis.to(x)
        weights = None if self.weights is None else self.weights.to(x)
        return type(self)(self.eigenvalues.to(x), basis, weights, self.flat)

    def coefficients(self, y: Tensor) -> Tensor:
        """V' W y. Shapes (*batch, d)."""
        z = y if self.weights is None else y * self.weights
        return z if self.basis is None else z @ self.basis

    def rotated(self, coefficients: Tensor) -> Tensor:
        """V times the coefficients: z. Shapes (*batch, d)."""
        return coefficients if self.basis is None else coefficients @ self.basis.mT


def quadratic_nearest(x: Tensor, center: Tensor, spectrum: Spectrum) -> Tensor:
    """The nearest point, in the norm |W .|, of argmin (x - c)' H (x - c), which is c + ker H. Shapes as x."""
    a, basis, weights, flat = spectrum
    if not flat:
        return center.expand_as(x)
    if basis is None:
        return torch.where(a > 0, center, x)
    kernel = basis[:, a == 0]
    y = x - center if weights is None else (x - center) * weights
    z = (y @ kernel) @ kernel.mT
    return center + (z if weights is None else z / weights)


def quadratic_prox(x: Tensor, center: Tensor, spectrum: Spectrum, g: Tensor) -> Tensor:
    """argmin_z (z-c)' H (z-c) / 2 + |z - x|^2 / (2 g) = x - V (g a y / (1 + g a)), y = V'(x - c).

    g: stepsize > 0, (*batch, 1) or (). spectrum: without weights. Shapes as x.
    """
    y, a = spectrum.coefficients(x - center), spectrum.eigenvalues
    return x - spectrum.rotated(y * (g * a / (1 + g * a)))


def quadratic_ball_step(x: Tensor, center: Tensor, spectrum: Spectrum, t: Tensor, norm: Norm) -> BallStep:
    """argmin of (z-c)' H (z-c) / 2 over the ball, the nearest minimiser where one is in it.

    norm: |W .|, or a multiple of |.| where W is the identity. t: radius > 0 in it, (*batch, 1) or ().
    Shapes as x.

    With y = V' W (x - c): s = V (secular step of a, a y), and the subgradient H (u - c) = W V (a (y + s)).
    """
    a, _, weights, flat = spectrum
    length = t / norm.scale if isinstance(norm, Lp) else t
    from_center = x - center
    y = spectrum.coefficients(from_center)
    s = ball_quadratic(a, a * y, length)
    to_star = torch.where(a > 0, y, 0.0) if flat else y
    inside = torch.linalg.vector_norm(to_star, dim=-1, keepdim=True) <= length
    within = bool(inside.any())
    if within:
        s = torch.where(inside, -to_star, s)
    slope = spectrum.rotated(a * (y + s))
    step = spectrum.rotated(s)
    if spectrum.basis is not None:
        # the rotation moved the length by roundings
        exact = step * (length / torch.linalg.vector_norm(step, dim=-1, keepdim=True))
        step = torch.where(inside, step, exact) if within else exact
    slope = torch.where(inside, 0.0, slope) if within else slope
    if weights is not None:
        step, slope = step / weights, slope * weights
    point = x + step
    if within:
        step = step if flat else torch.where(inside, -from_center, step)
        point = torch.where(inside, quadratic_nearest(x, center, spectrum), point)
    return BallStep.of(x, t, norm, step, slope, point)
