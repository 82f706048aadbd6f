"""What a minimisation over a ball returns: point, step, the multiplier's subgradient, residual."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

from assumptions import Norm


class BallStep(NamedTuple):
    """u, a minimiser of f over {z : |z - x| <= t} in some norm.

    point        u; exactly the problem's own minimiser where that is the result, (*batch, d)
    step         s = u - x without the cancellation of that difference, |s| <= t, (*batch, d)
    subgradient  g with f(z) >= f(u) + <g, z - u> for all z, and <g, s> = -t |g|_*: the multiplier's;
                 0 where u minimises f, (*batch, d)
    residual     t |g|_* + <g, s> >= 0, units of f, (*batch,): 0 exactly at an optimal pair

    KKT: u is optimal for convex f if and only if some subgradient at u makes the residual 0 (an
    interior u has g = 0). Whatever subgradient is given, the residual bounds what is lost:
    f(u) - min over the ball <= residual, for f(z) >= f(u) + <g, x - u> - |g|_* |z - x| = f(u) - residual
    in the ball. For a nonconvex f, g is the affine support of ball-convexity where there is one, else
    the gradient, and the residual a condition of first order.
    """

    point: Tensor
    step: Tensor
    subgradient: Tensor
    residual: Tensor

    @classmethod
    def of(
        cls,
        x: Tensor,
        radius: Tensor,
        norm: Norm,
        step: Tensor,
        subgradient: Tensor,
        point: Tensor | None = None,
    ) -> Self:
        """The result for this step and subgradient, residual computed; radius: (*batch, 1) or ().

        point: x + step unless it is known better.
        """
        t = radius.squeeze(-1) if radius.dim() else radius
        residual = t * norm.dual(subgradient) + torch.linalg.vecdot(subgradient, step)
        return cls(x + step if point is None else point, step, subgradient, residual.clamp(min=0))
