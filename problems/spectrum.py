"""The quadratic (x - c)' H (x - c) / 2 by the eigenvectors of H: projection, proximal and ball steps."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp, Norm
from problems.ball_row import row_ball_step
from problems.ball_step import BallStep
from problems.secular import ball_quadratic, solve_ball_quadratic


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
        if self.eigenvalues.dtype == x.dtype and self.eigenvalues.device == x.device:
            return self
        basis = None if self.basis is None else self.basis.to(x)
        weights = None if self.weights is None else self.weights.to(x)
        return type(self)(self.eigenvalues.to(x), basis, weights, self.flat)

    def coefficients(self, y: Tensor) -> Tensor:
        """V' W y. Shapes (*batch, d)."""
        z = y if self.weights is None else y * self.weights
        return z if self.basis is None else z @ self.basis

    def rotated(self, coefficients: Tensor) -> Tensor:
        """V times the coefficients: z. Shapes (*batch, d)."""
        if self.basis is None:
            return coefficients
        # the same product; for one vector at half the cost
        return self.basis @ coefficients if coefficients.dim() == 1 else coefficients @ self.basis.mT

    def times(self, v: Tensor) -> Tensor:
        """H v, for a spectrum without weights. Shapes (*batch, d)."""
        return self.rotated(self.eigenvalues * self.coefficients(v))


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


def quadratic_ball_step(
    x: Tensor, center: Tensor, plain: Spectrum, spectrum: Spectrum, t: Tensor, norm: Norm
) -> BallStep:
    """argmin of (z-c)' H (z-c) / 2 over the ball, the nearest minimiser where one is in it.

    norm: |W .|, or a multiple of |.| where W is the identity. t: radius > 0 in it, (*batch, 1) or ().
    plain: H without weights; spectrum: in the coordinates of W, the same one without any. Shapes as x.

    With y = V' W (x - c): s = V (secular step of a, a y), and the subgradient is H (u - c). With weights
    it is taken from ``plain``, so that what their spectrum loses is in the residual; where H is diagonal
    nothing is lost, and -multiplier s avoids the cancellation in u - c.
    """
    a, basis, weights, flat = spectrum
    if weights is None and norm == EUCLIDEAN:
        one = row_ball_step(x, center, a, basis, flat, t)
        if one is not None:
            return one
    length = t / norm.scale if isinstance(norm, Lp) and norm.scale != 1 else t
    from_center = x - center
    y = spectrum.coefficients(from_center)
    diagonal = basis is None and weights is not None
    s, multiplier = (
        solve_ball_quadratic(a, a * y, length) if diagonal else (ball_quadratic(a, a * y, length), None)
    )
    to_star = torch.where(a > 0, y, 0.0) if flat else y
    inside = _length(to_star) <= length
    within = bool(inside.any())
    if within:
        s = torch.where(inside, -to_star, s)
    step = spectrum.rotated(s)
    if basis is not None:
        # the rotation moved the length by roundings
        exact = step * (length / _length(step))
        step = torch.where(inside, step, exact) if within else exact
    if weights is not None:
        step = step / weights
    if weights is not None and multiplier is not None:
        slope = -multiplier * s * weights
    else:
        slope = spectrum.rotated(a * (y + s)) if weights is None else plain.times(from_center + step)
    point = x + step
    if within:
        slope = torch.where(inside, 0.0, slope)
        step = step if flat else torch.where(inside, -from_center, step)
        point = torch.where(inside, quadratic_nearest(x, center, spectrum), point)
    return BallStep.of(x, t, norm, step, slope, point)


def _length(y: Tensor) -> Tensor:
    """|y|, (*batch, 1), where nothing overflows or vanishes; one row of a usual size at less cost."""
    length = torch.linalg.vector_norm(y, dim=-1, keepdim=True)
    if length.numel() == 1 and 1e-140 < length.item() < 1e140:
        return length
    return EUCLIDEAN.norm(y).unsqueeze(-1)
