"""How far rounding can move a product of the Hessian with a vector."""

from dataclasses import dataclass
from typing import Protocol, cast

import torch
from torch import Tensor

from assumptions.base import EPS, Function
from assumptions.norms import Norm
from assumptions.rounding import NOISE, ROUNDINGS, directions, gradient_noise, gradient_rounding


class TwiceDifferentiable(Function, Protocol):
    """A function that multiplies its Hessian with a vector. x, v: (*batch, d)."""

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """H(x) v, (*batch, d)."""
        ...


@dataclass(frozen=True)
class _Slope:
    """<grad f, v>, whose gradient is H v: what rounds a gradient rounds that."""

    problem: TwiceDifferentiable
    v: Tensor

    @property
    def d(self) -> int:
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        return self.problem.x0

    def offers(self, name: str) -> bool:
        del name
        return False

    def value(self, x: Tensor) -> Tensor:
        return (self.problem.grad(x) * self.v).sum(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        return self.problem.hvp(*torch.broadcast_tensors(x, self.v))


def product_with_hessian(problem: Function, x: Tensor, v: Tensor) -> Tensor:
    """H(x) v. x, v: (*batch, d). The problem must offer ``hvp``."""
    return cast(TwiceDifferentiable, problem).hvp(x, v)


def hessian_noise(problem: Function, x: Tensor, v: Tensor, norm: Norm) -> Tensor:
    """How far rounding moves H(x) v in the dual norm, (*batch,), finite; an estimate, as ``gradient_noise``.

    x and the entries of v are moved by a few roundings: where large terms cancel in H v, only the second is
    seen. Four times what is seen, and 64 roundings of H v.
    """
    with torch.no_grad():
        at_x = product_with_hessian(problem, x, v)
        seen = gradient_noise(_Slope(cast(TwiceDifferentiable, problem), v), x, norm)
        return NOISE * (seen + _moved_direction(problem, x, v, norm)) + ROUNDINGS * norm.dual(at_x)


def hessian_rounding(problem: Function, x: Tensor, v: Tensor, norm: Norm) -> Tensor:
    """Error of H(x) v in the dual norm, with x known to 64 roundings; as ``gradient_rounding``. (*batch,)."""
    with torch.no_grad():
        moved = gradient_rounding(_Slope(cast(TwiceDifferentiable, problem), v), x, norm)
        return moved + _moved_direction(problem, x, v, norm)


def _moved_direction(problem: Function, x: Tensor, v: Tensor, norm: Norm) -> Tensor:
    """Largest of |H(x) w|_* over three sign vectors w, of 4 roundings of the largest |v_j| each."""
    size = 4 * EPS * v.abs().amax(dim=-1, keepdim=True)
    moves = [
        norm.dual(product_with_hessian(problem, x, size * w.expand_as(v))) for w in directions(v.shape[-1], v)
    ]
    return torch.stack(moves).amax(dim=0).nan_to_num(nan=0.0, posinf=0.0)
