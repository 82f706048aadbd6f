"""Smoothness with a modulus that grows with distance and gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant
from assumptions.l0l1.form import anchor, gradient_error, product
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.phi import Phi, require_phi
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class PhiSmooth(OneConstant):
    """|grad f(x) - grad f(y)|_* <= phi_scale phi(|x - y|, |grad f(y)|_*) |x - y| for all x, y.

    phi: a ``Phi``, nondecreasing in both arguments; phi_scale: finite, > 0. TypeError, ValueError otherwise.
    norm: that of x - y; gradients are measured in its dual. phi = 1 is smoothness with L = phi_scale.
    """

    phi: Phi
    phi_scale: float = 1.0
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"phi_scale": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_phi(self.phi)
        require_positive(phi_scale=self.phi_scale)
        require_norm(self.norm)
        object.__setattr__(self, "phi_scale", float(self.phi_scale))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides. x, y: (*batch, d).

        Rounding: that of both gradients, whose arguments move by 64 roundings, and what it does to phi, which
        may be steep: q^(1/3) at 0 turns 1e-15 into 1e-5.
        """
        x, y = points
        gx, gy = problem.grad(x), problem.grad(y)
        qx, qy = self.norm.dual(gx), anchor(self.norm.dual(gy))
        r = self.norm.norm(x - y)
        phi = self._scaled(r, qy)
        rhs = product(phi, r)
        with torch.no_grad():
            at_x, at_y = self._error(problem, x, qx), self._error(problem, y, qy)
            steepness = (self._scaled(r * (1 + ROUNDINGS), qy + at_y) - phi).clamp(min=0)
            resolution = at_x + at_y + product(steepness, r) + ROUNDINGS * rhs
        return Sides(self.norm.dual(gx - gy), rhs, resolution)

    def _scaled(self, r: Tensor, q: Tensor) -> Tensor:
        return self.phi_scale * self.phi(r, q)

    def _error(self, problem: Function, x: Tensor, q: Tensor) -> Tensor:
        """Rounding of the gradient at x; phi at r = 0, with q moved by its noise, is the curvature there."""
        own = gradient_error(problem, x, q, torch.zeros_like(q), self.norm)
        curvature = self._scaled(torch.zeros_like(q), q + own)
        return gradient_error(problem, x, q, curvature, self.norm)
