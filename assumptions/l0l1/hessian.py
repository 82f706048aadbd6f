"""(L0, L1)-smoothness of the Hessian."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.hessian_rounding import hessian_noise, hessian_rounding, product_with_hessian
from assumptions.l0l1.form import L0L1Form, Samples, gradient_error, product, rate
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class HessianL0L1(L0L1Form):
    """|H(x) v|_* <= (L0_hessian + L1_hessian |grad f(x)|_*) |v| for all x, v; here v = y - x.

    A bound on the bilinear form <H v, w>, |v| = |w| = 1; on w = v alone it can be half as large where H is
    indefinite and the norm is not Euclidean. Constants: finite, >= 0. ValueError otherwise. With
    L1_hessian = 0, or both 0: smooth, or affine. norm: that of v; gradients are measured in its dual.
    TypeError for a problem without ``hvp``.
    """

    L0_hessian: float
    L1_hessian: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0_hessian": -1, "L1_hessian": -1}
    needs: ClassVar[tuple[str, ...]] = ("hvp",)
    instead: ClassVar[str] = "SegmentL0L1, with the same constants, needs gradients alone"

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides, with v = y - x. x, y: (*batch, d)."""
        x, y = points
        v = y - x
        q, length = self.norm.dual(problem.grad(x)), self.norm.norm(v)
        slope = rate(self.pair, q)
        rhs = product(slope, length)
        with torch.no_grad():
            of_q = self.pair[1] * product(gradient_error(problem, x, q, slope, self.norm), length)
            resolution = hessian_noise(problem, x, v, self.norm) + of_q + ROUNDINGS * rhs
        return Sides(self.norm.dual(product_with_hessian(problem, x, v)), rhs, resolution)

    @classmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """q = |grad f(x)|_* and s = |H(x) v|_* / |v|, v = y - x. x, y: (*batch, d)."""
        cls.require(problem)
        x, y = torch.broadcast_tensors(*points)
        v = y - x
        length = norm.norm(v)
        s = norm.dual(product_with_hessian(problem, x, v)) / length
        return Samples(norm.dual(problem.grad(x)), s, length, hessian_rounding(problem, x, v, norm) / length)
