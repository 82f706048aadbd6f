"""How far rounding can move what an inequality compares."""

from collections.abc import Callable, Hashable, MutableMapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from assumptions.base import EPS, Function
from assumptions.exact import is_exact
from assumptions.norms import EUCLIDEAN, Norm

ROUNDINGS = 64 * EPS
"""Relative error allowed to one oracle call: room for sums of a few thousand terms."""
NOISE = 4.0
"""Scatter allowed: three samples see a part of it."""
WIDE = (4099.123, 1733.377)
"""Roundings between the three points of a second difference, in two directions."""
PLACES = (0.00123456789, 0.00234567891, 0.00387654321)
"""Relative distances of points whose results show at which binary place they end."""
VISIBLE = 100.0
"""Estimates use differences above this many times their rounding, so that it moves them by 1 % at most."""


_AT_START: MutableMapping[Function, dict[Hashable, Any]] = WeakIdKeyDictionary()  # pyright: ignore[reportAssignmentType]
"""What is seen at the start of a problem, the same for every x, as long as the problem lives."""


def _at_start(problem: Function, key: Hashable, see: Callable[[], Any]) -> Any:
    """What ``see`` returns, seen once for each problem and key."""
    try:
        seen = _AT_START.setdefault(problem, {})
    except TypeError:  # no weak reference can point at it: a named tuple, say
        return see()
    if key not in seen:
        seen[key] = see()
    return seen[key]


def value_scale(problem: Function) -> float:
    """|f(x0)|: the size of the numbers that f may add and subtract inside.

    Near a minimum of value 0 a formula such as |x| + log(1 + e^(-2|x|)) - log 2 is off by roundings of
    its terms, not of its result; the size of f at the start stands for them. 0 if not finite.
    """

    def see() -> float:
        with torch.no_grad():
            return float(problem.value(problem.x0).abs().nan_to_num(nan=0.0, posinf=0.0).amax())

    return _at_start(problem, "scale", see)


def directions(d: int, like: Tensor) -> Tensor:
    """Three fixed sign vectors (3, d): equal signs, alternating signs, and a pattern without symmetry."""
    j = torch.arange(d, device=like.device)
    patterns = torch.stack([torch.zeros_like(j), j % 2, (j * 2654435761 >> 7) % 2])
    return 1 - 2 * patterns.to(like.dtype)


def _seen(problem: Function, name: Literal["value", "grad"], x: Tensor, at_x: Tensor | None = None) -> Tensor:
    """How far rounding moves the results of an oracle at x: scatter, grain, and the grain around x0.

    at_x: what it returns at x, if that is known.

    Scatter: half a second difference over ``WIDE`` roundings of max(|x|, |x0|), and what 4 roundings make of
    the slope, along two directions. It sees the steps of a formula that rounds inside to more than x does.
    Of curvature it holds no more than 1e-24 max(|x|, |x0|)^2 f''. The grain around x0 stands for what a
    formula such as sigmoid(x) - 1 rounds away altogether.
    """
    oracle: Callable[[Tensor], Tensor] = getattr(problem, name)
    size = x.abs().amax(dim=-1, keepdim=True).clamp(min=float(problem.x0.abs().max()))
    at_x = oracle(x) if at_x is None else at_x.detach()
    scatter, ups = torch.zeros_like(at_x), []
    for reach, signs in zip(WIDE, directions(x.shape[-1], x)[1:], strict=True):
        wide = reach * EPS * size * signs
        up, down = oracle(x + wide), oracle(x - wide)
        bend = ((up - at_x) + (down - at_x)).abs() / 2 + 2 / reach * (up - down).abs()
        scatter = torch.maximum(scatter, bend.nan_to_num(nan=0.0, posinf=0.0))
        ups.append(up)
    at_start = _at_start(
        problem,
        (name, x.dim(), x.dtype, x.device),
        lambda: _grain(oracle(_around_start(problem, x)).unbind()),
    )
    beside = _grain([oracle(x * (1 + PLACES[-1])), *ups])
    return torch.maximum(scatter, torch.maximum(beside, at_start))


def _around_start(problem: Function, x: Tensor) -> Tensor:
    """Three points near x0, (3, 1, ..., 1, d) beside x; entries that are 0 move like the largest, or 1."""
    x0 = problem.x0.to(x)
    moved = torch.where(x0 == 0, x0.abs().max(), x0)
    moved = torch.where(moved == 0, 1.0, moved)
    points = x0 + x.new_tensor(PLACES).unsqueeze(-1) * moved
    return points.reshape(len(PLACES), *[1] * (x.dim() - 1), x.shape[-1])


def _grain(results: Sequence[Tensor]) -> Tensor:
    """The last binary place that three results use: a difference of large numbers ends early.

    The smallest over three nearby points, so that none is short by chance; 0 where all results are equal, for
    a constant is short by nature, and where none has a place.
    """
    first, second, third = results
    place = _last_place(first)
    for result in (second, third):
        torch.minimum(place, _last_place(result), out=place)
    constant = (first == second) & (second == third)
    return place.clamp_(min=_SMALLEST).masked_fill_(constant | (place == torch.inf), 0.0).to(first)


_FRACTION = (1 << 52) - 1
_SMALLEST = torch.finfo(torch.float64).tiny


def _last_place(x: Tensor) -> Tensor:
    """The value of the lowest nonzero bit of each number, as float64; inf for 0 and what is not finite.

    The number less itself without that bit, which is exact; a power of two is its own lowest bit. In place
    where that is possible: this runs on the gradients of all terms.
    """
    x = x.to(torch.float64)
    bits = x.view(torch.int64)
    without = (bits - 1).bitwise_and_(bits).view(torch.float64)
    lowest = torch.where((bits & _FRACTION) == 0, x, torch.sub(x, without, out=without)).abs_()
    return lowest.masked_fill_(~(lowest > 0), torch.inf)


def value_noise(problem: Function, x: Tensor, f: Tensor | None = None) -> Tensor:
    """How far rounding moves f(x), (*batch,), finite. x: (*batch, d). f: f(x), if it is known.

    A formula that cancels inside, such as |x| + log(1 + e^(-2|x|)) - log 2 near 0, is off by roundings of
    its terms, not of its result. Seen in three ways: results scatter where x moves by a few roundings, they
    make steps over some thousand roundings, and they end at a binary place far above the last one. What is
    lost before (log(cosh x) rounds cosh x to 1) is not seen at x, so the noise is at least a rounding of
    f(x0) and what is seen around x0.

    An estimate, not a proof. Two second differences can miss a step by chance. Steps wider than their reach,
    whose end a later function hides, are never seen: -log(1 - sigmoid(x)) is off in the 6th digit at x = 27,
    and as computed it is no convex function; log(1 + e^x) is.
    """
    if is_exact(problem):
        return x.new_zeros(x.shape[:-1])
    with torch.no_grad():
        seen = _seen(problem, "value", x, f).clamp(min=EPS * value_scale(problem))
    return seen.nan_to_num(nan=0.0, posinf=0.0)


def gradient_errors(problem: Function, x: Tensor, g: Tensor | None = None) -> Tensor:
    """How far rounding moves each entry of grad f(x), finite, as ``value_noise``. Shapes (*batch, d).

    g: grad f(x), if it is known. At least the grain around x0. A start where the formula is flat shows none.
    """
    if is_exact(problem):
        return torch.zeros_like(x)
    with torch.no_grad():
        return _seen(problem, "grad", x, g).nan_to_num(nan=0.0, posinf=0.0)


def gradient_noise(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN, g: Tensor | None = None) -> Tensor:
    """How far rounding moves grad f(x) in the dual norm, (*batch,), finite. g: grad f(x), if it is known."""
    if is_exact(problem):
        return x.new_zeros(x.shape[:-1])
    with torch.no_grad():
        return norm.dual(gradient_errors(problem, x, g))


def gradient_rounding(
    problem: Function, x: Tensor, norm: Norm = EUCLIDEAN, g: Tensor | None = None
) -> Tensor:
    """Error of grad f(x) in the dual norm, with x itself known to 64 roundings.

    A backward stable oracle returns the gradient of a point x' with |x'_j - x_j| of a few roundings
    of |x_j|; two such x' are tried, one with equal and one with alternating signs. x: (*batch, d).
    g: grad f(x), if it is known. Returns (*batch,), finite.
    """
    if is_exact(problem):
        return x.new_zeros(x.shape[:-1])
    with torch.no_grad():
        g = problem.grad(x) if g is None else g.detach()
        sign = 1.0 - 2.0 * (torch.arange(x.shape[-1], device=x.device) % 2).to(x.dtype)
        moves = (problem.grad(x * (1 + ROUNDINGS)) - g, problem.grad(x * (1 + ROUNDINGS * sign)) - g)
        moved = torch.maximum(norm.dual(moves[0]), norm.dual(moves[1]))
        return (moved + ROUNDINGS * norm.dual(g)).nan_to_num(nan=0.0, posinf=0.0)
