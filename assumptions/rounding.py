"""How far rounding can move what an inequality compares."""

import torch
from torch import Tensor

from assumptions.base import EPS, Function
from assumptions.norms import EUCLIDEAN, Norm

ROUNDINGS = 64 * EPS
"""Relative error allowed to one oracle call: room for sums of a few thousand terms."""
VISIBLE = 100.0
"""Estimates use differences above this many times their rounding, so that it moves them by 1 % at most."""


def value_scale(problem: Function) -> float:
    """|f(x0)|: the size of the numbers that f may add and subtract inside.

    Near a minimum of value 0 a formula such as |x| + log(1 + e^(-2|x|)) - log 2 is off by roundings of
    its terms, not of its result; the size of f at the start stands for them. 0 if not finite.
    """
    with torch.no_grad():
        return float(problem.value(problem.x0).abs().nan_to_num(nan=0.0, posinf=0.0))


def gradient_rounding(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
    """Error of grad f(x) in the dual norm, with x itself known to 64 roundings.

    A backward stable oracle returns the gradient of a point x' with |x'_j - x_j| of a few roundings
    of |x_j|; two such x' are tried, one with equal and one with alternating signs. x: (*batch, d).
    Returns (*batch,), finite.
    """
    with torch.no_grad():
        g = problem.grad(x)
        sign = 1.0 - 2.0 * (torch.arange(x.shape[-1], device=x.device) % 2).to(x.dtype)
        moves = (problem.grad(x * (1 + ROUNDINGS)) - g, problem.grad(x * (1 + ROUNDINGS * sign)) - g)
        moved = torch.maximum(norm.dual(moves[0]), norm.dual(moves[1]))
        return (moved + ROUNDINGS * norm.dual(g)).nan_to_num(nan=0.0, posinf=0.0)
