"""The gap between a function and its tangent plane, which both kinds of convexity speak of."""

from typing import NamedTuple

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import NOISE, ROUNDINGS, gradient_rounding, value_noise


class Bregman(NamedTuple):
    """f(y) - f(x) - <g(x), y - x>, the size of its two parts, and its rounding; (*batch,) each."""

    gap: Tensor
    size: Tensor
    resolution: Tensor


def bregman(problem: Function, x: Tensor, y: Tensor) -> Bregman:
    """f(y) - f(x) - <g(x), y - x> for the subgradient g(x) that the problem returns.

    x, y: (*batch, d). nan where f or g is not finite at x; inf where f(y) = inf. The rounding
    error has three parts: each value moves by 64 roundings of itself and of its argument and by its
    ``value_noise``, the inner product by roundings of its terms, and g by ``gradient_rounding``.
    """
    fx, fy, gx = problem.value(x), problem.value(y), problem.grad(x)
    step = y - x
    inner = (gx * step).sum(dim=-1)
    defined = fx.isfinite() & gx.isfinite().all(dim=-1)
    gap = torch.where(defined, fy - fx - inner, torch.nan)
    size = torch.where(defined, (fy - fx).abs() + inner.abs(), torch.nan)
    with torch.no_grad():
        terms = ((gx * step).abs() + (gx * x).abs() + (problem.grad(y) * y).abs()).sum(dim=-1)
        terms = terms.nan_to_num(nan=0.0, posinf=0.0) + fx.abs() + fy.abs()
        moved = gradient_rounding(problem, x, g=gx) * EUCLIDEAN.norm(step)
        moved = moved + NOISE * (value_noise(problem, x, fx) + value_noise(problem, y, fy))
        return Bregman(gap, size, ROUNDINGS * terms + moved)
