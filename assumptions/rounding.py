"""How far rounding can move what an inequality compares."""

from collections.abc import Callable

import torch
from torch import Tensor

from assumptions.base import EPS, Function
from assumptions.norms import EUCLIDEAN, Norm

ROUNDINGS = 64 * EPS
"""Relative error allowed to one oracle call: room for sums of a few thousand terms."""
NOISE = 4.0
"""Scatter allowed: three samples see a part of it."""
VISIBLE = 100.0
"""Estimates use differences above this many times their rounding, so that it moves them by 1 % at most."""


def value_scale(problem: Function) -> float:
    """|f(x0)|: the size of the numbers that f may add and subtract inside.

    Near a minimum of value 0 a formula such as |x| + log(1 + e^(-2|x|)) - log 2 is off by roundings of
    its terms, not of its result; the size of f at the start stands for them. 0 if not finite.
    """
    with torch.no_grad():
        return float(problem.value(problem.x0).abs().nan_to_num(nan=0.0, posinf=0.0).amax())


def directions(d: int, like: Tensor) -> Tensor:
    """Three fixed sign vectors (3, d): equal signs, alternating signs, and a pattern without symmetry."""
    j = torch.arange(d, device=like.device)
    patterns = torch.stack([torch.zeros_like(j), j % 2, (j * 2654435761 >> 7) % 2])
    return 1 - 2 * patterns.to(like.dtype)


def _scatter(oracle: Callable[[Tensor], Tensor], problem: Function, x: Tensor) -> Tensor:
    """Largest change of the results at three points that differ from x by roundings of max(|x|, |x0|)."""
    size = x.abs().amax(dim=-1, keepdim=True).clamp(min=float(problem.x0.abs().max()))
    at_x = oracle(x)
    moves = [oracle(x + 4 * EPS * size * s) - at_x for s in directions(x.shape[-1], x)]
    return torch.stack(moves).abs().amax(dim=0)


def _grain(oracle: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The last binary place that the results around x use: a difference of large numbers ends early.

    The smallest over points x (1 + c) with three c between 0.001 and 0.004, so that no result is short by
    chance; 0 where all of them are equal, for a constant is short by nature.
    """
    first, second, third = (oracle(x * (1 + c)) for c in (0.00123456789, 0.00234567891, 0.00387654321))
    last = torch.minimum(torch.minimum(_last_place(first), _last_place(second)), _last_place(third))
    constant = (first == second) & (second == third)
    return torch.where(constant | (last == _NONE), 0.0, torch.ldexp(torch.ones_like(first), last))


_NONE = 1 << 20
_FRACTION, _IMPLICIT = (1 << 52) - 1, 1 << 52


def _last_place(x: Tensor) -> Tensor:
    """The exponent of the lowest nonzero bit of each float64, ``_NONE`` for 0 and what is not finite."""
    bits = x.to(torch.float64).view(torch.int64)
    whole = (bits & _FRACTION) | _IMPLICIT
    exponent = (bits >> 52) & 0x7FF
    zeros = ((whole & -whole).to(torch.float64).view(torch.int64) >> 52) - 1023
    return torch.where((x == 0) | ~x.isfinite(), _NONE, exponent - 1075 + zeros)


def value_noise(problem: Function, x: Tensor) -> Tensor:
    """How far rounding moves f(x), (*batch,), finite. x: (*batch, d).

    A formula that cancels inside, such as |x| + log(1 + e^(-2|x|)) - log 2 near 0, is off by roundings of
    its terms, not of its result. Seen in two ways: results scatter where x moves by a few roundings, and
    they end at a binary place far above the last one. What is lost before (log(cosh x) rounds cosh x to 1)
    is not seen, so the noise is at least a rounding of f(x0). An estimate, not a proof.
    """
    with torch.no_grad():
        seen = torch.maximum(_scatter(problem.value, problem, x), _grain(problem.value, x))
        seen = seen.clamp(min=EPS * value_scale(problem))
    return seen.nan_to_num(nan=0.0, posinf=0.0)


def gradient_errors(problem: Function, x: Tensor) -> Tensor:
    """How far rounding moves each entry of grad f(x), finite, as ``value_noise``. Shapes (*batch, d)."""
    with torch.no_grad():
        seen = torch.maximum(_scatter(problem.grad, problem, x), _grain(problem.grad, x))
        return seen.nan_to_num(nan=0.0, posinf=0.0)


def gradient_noise(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
    """How far rounding moves grad f(x) in the dual norm, (*batch,), finite."""
    with torch.no_grad():
        return norm.dual(gradient_errors(problem, x))


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
