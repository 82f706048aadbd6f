"""A Lipschitz Hessian."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.guards import require_nonnegative
from assumptions.hessian_rounding import hessian_noise, product_with_hessian
from assumptions.inequality import OneConstant
from assumptions.l0l1.form import product
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class HessianLipschitz(OneConstant):
    """|(H(x) - H(y)) v|_* <= L_h |x - y| |v| for all x, y, v; here v = z - x with a third point z.

    L_h: finite, >= 0, units of f per cubed unit of x. ValueError otherwise. norm: that of x - y and v;
    gradients are measured in its dual. TypeError for a problem without ``hvp``. Along a trajectory z = y.
    """

    L_h: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L_h": -1}
    arity: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("hvp",)
    instead: ClassVar[str] = "Smooth speaks of gradients alone"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(L_h=self.L_h)
        require_norm(self.norm)
        object.__setattr__(self, "L_h", float(self.L_h))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides, with v = z - x. x, y, z: (*batch, d).

        Rounding: that of both products, and L_h times 64 roundings of x and y.
        """
        x, y, z = points
        v = z - x
        length = self.norm.norm(v)
        change = product_with_hessian(problem, x, v) - product_with_hessian(problem, y, v)
        rhs = self.L_h * product(self.norm.norm(x - y), length)
        with torch.no_grad():
            arguments = self.L_h * product(self.norm.norm(x) + self.norm.norm(y), length)
            noise = hessian_noise(problem, x, v, self.norm) + hessian_noise(problem, y, v, self.norm)
            resolution = noise + ROUNDINGS * (arguments + rhs)
        return Sides(self.norm.dual(change), rhs, resolution)
