"""The constant that samples of an inequality ask for, where rounding depends on that constant."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from assumptions.base import Sides
from assumptions.rounding import VISIBLE

PASSES = 20
"""Most readings of the resolution."""
SETTLED = 1e-6
"""A constant has settled when it changes by less than this share."""
FAINT = 1e-16
"""Less than this share of the largest ratio is 0."""

Reader = Callable[[float], Sides]
"""Both sides and their finite resolution at a constant c, all of one shape."""


def least_upper(sides: Reader) -> float:
    """The least c with lhs <= c unit for what is visible, lhs <= c unit + resolution(c) for the rest.

    unit: the right side at c = 1. What is asked for falls as c and with it the resolution grows, so that each
    reading bounds the answer from both sides: it is followed while it stays inside, else the middle is taken.
    0 where nothing is asked for at 1e-16 of the largest ratio, nan where a side is.
    """
    lhs, unit, resolution = sides(1.0)
    largest = _most_asked(lhs, unit, torch.zeros_like(resolution))
    low, high, c = 0.0, math.inf, 1.0
    for _ in range(PASSES):
        asked = _most_asked(lhs, unit, resolution)
        inside = low < asked < high
        low, high = (max(low, c), min(high, asked)) if asked >= c else (max(low, asked), min(high, c))
        faint = asked == 0 and (c <= FAINT * largest or largest == 0)
        if faint or high <= low * (1 + SETTLED) or not asked < math.inf:
            return asked
        c = asked if inside else _between(low, min(high, largest))
        resolution = sides(c).resolution
    return high


def _between(low: float, high: float) -> float:
    """The geometric mean of both; a share of ``high`` for low = 0."""
    return math.sqrt(low) * math.sqrt(high) if low > 0 else FAINT * high


def _most_asked(lhs: Tensor, unit: Tensor, resolution: Tensor) -> float:
    """The largest lhs / unit, the resolution taken off a lhs that is not visible; 0 of none, nan counts."""
    rest = torch.where(lhs <= VISIBLE * resolution, lhs - resolution, lhs)
    asking = ~(rest <= 0)
    return float((rest[asking] / unit[asking]).max()) if bool(asking.any()) else 0.0


def largest_lower(sides: Reader) -> float:
    """The largest c with c unit <= rhs + resolution(c); unit: the left side at c = 1.

    It is read from above, for rounding may have cut the right side to 0. What is allowed grows with c, but
    less than c does, so that following it settles; else on 0, or on inf where rounding alone is seen. inf
    where no unit is > 0, nan where a side is.
    """
    unit, rhs, resolution = sides(1.0)
    asking = ~(unit <= 0)
    if not bool(asking.any()):
        return math.inf
    c = before = 1.0
    for _ in range(PASSES):
        allowed = float(((rhs + resolution) / unit)[asking].min())
        if not 0 < allowed < math.inf or abs(allowed - c) <= SETTLED * c:
            return allowed
        before, c = c, allowed
        resolution = sides(c).resolution
    return 0.0 if c < before else math.inf
