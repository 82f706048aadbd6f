"""The exact image of intervals under compositions of odd quintics a s + b s^3 + c s^5, rounded outward."""

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions.outward import root_down, root_up, round_up

Quintic = tuple[float, float, float]
Span = tuple[Fraction, Fraction]


class Turn(NamedTuple):
    """A critical point in [low, high] and its value in [value_low, value_high]."""

    low: float
    high: float
    value_low: float
    value_high: float


def image(quintics: Sequence[Quintic], low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Images of the intervals [low, high] under q_T(... q_1(s)): low ends, high ends.

    low <= high: float64, one shape, that of the results.

    A continuous function takes an interval to an interval. So the image under the composition is the image of
    the image, step by step, and each of these lies between values at the ends and at critical points inside.
    Values are widened by their rounding errors.
    """
    for quintic in quintics:
        ends, slacks = zip(*(_value(quintic, s) for s in (low, high)), strict=True)
        least = torch.minimum(ends[0] - slacks[0], ends[1] - slacks[1])
        most = torch.maximum(ends[0] + slacks[0], ends[1] + slacks[1])
        for turn in turns(quintic):
            inside = (turn.low <= high) & (turn.high >= low)
            least = torch.where(inside, least.clamp(max=turn.value_low), least)
            most = torch.where(inside, most.clamp(min=turn.value_high), most)
        low, high = least, most
    return low, high


def _value(quintic: Quintic, s: Tensor) -> tuple[Tensor, Tensor]:
    """The quintic at s and a bound of its rounding error: 7 roundings, and one when it is added."""
    a, b, c = quintic
    q = s.square()
    value = s * (a + q * (b + c * q))
    size = s.abs() * (abs(a) + q * (abs(b) + abs(c) * q))
    return value, 8 * torch.finfo(s.dtype).eps * size


@lru_cache(maxsize=256)
def turns(quintic: Quintic) -> tuple[Turn, ...]:
    """The critical points: a + 3 b q + 5 c q^2 = 0 with q = s^2 > 0, and their mirror images.

    There c q^2 = -(a + 3 b q) / 5, hence the value s (4 a + 2 b q) / 5.
    """
    found = []
    for q in _square_roots(*(Fraction(number) for number in quintic)):
        if q[1] <= 0:
            continue
        s = root_down(max(q[0], Fraction(0))), root_up(q[1])
        a, b = Fraction(quintic[0]), Fraction(quintic[1])
        products = [s_end * (4 * a + 2 * b * q_end) / 5 for s_end in s for q_end in q]
        turn = Turn(*_outward(s), *_outward((min(products), max(products))))
        found += [turn, Turn(-turn.high, -turn.low, -turn.value_high, -turn.value_low)]
    return tuple(found)


def _square_roots(a: Fraction, b: Fraction, c: Fraction) -> list[Span]:
    """Enclosures of the roots q of a + 3 b q + 5 c q^2."""
    if c == 0:
        return [] if b == 0 else [(-a / (3 * b), -a / (3 * b))]
    square = 9 * b * b - 20 * a * c
    if square < 0:
        return []
    roots = root_down(square), root_up(square)
    ends = [[(-3 * b + sign * root) / (10 * c) for root in roots] for sign in (-1, 1)]
    return [(min(pair), max(pair)) for pair in ends]


def _outward(span: Span) -> tuple[float, float]:
    return -round_up(-span[0]), round_up(span[1])
