"""Pairs (L0, L1) that samples allow: the least L0 for each L1."""

import bisect
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import torch
from torch import Tensor

from assumptions.guards import Number, require_nonnegative
from assumptions.l0l1.lines import Lines, largest
from assumptions.specification import Specified

Rule = Literal["mean", "L1=0", "L0=0"]
"""How a front picks one pair; see ``Front.pick``."""
GRID = 256
"""Values of L1 > 0 on which a front that is not piecewise linear is represented."""

Vertices = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Front(Specified):
    """L0(L1), nonincreasing: (L0, L1) is allowed if and only if L0 >= L0(L1).

    vertices: pairs (L0, L1), L1 strictly increasing from 0; linear between them, constant after the last;
    ValueError otherwise.
    A front that drops just after some L1 has the next float as its next vertex. q_mean: the mean of q over
    the samples. Samples that are not finite make L0(0) nan, and then nothing is allowed.
    """

    vertices: Vertices
    q_mean: float

    def __post_init__(self) -> None:
        """L1 increases from 0."""
        levels = [L1 for _, L1 in self.vertices]
        if not levels or levels[0] != 0 or any(not a < b for a, b in pairwise(levels)):
            raise ValueError(
                f"vertices must be pairs (L0, L1) with L1 increasing from 0, got {self.vertices!r}"
            )

    def L0_at(self, L1: float) -> float:
        """The least L0 for this L1 >= 0, finite. ValueError otherwise."""
        require_nonnegative(L1=L1)
        after = bisect.bisect_right(self.vertices, L1, key=lambda vertex: vertex[1])
        left_L0, left_L1 = self.vertices[after - 1]
        if after == len(self.vertices) or left_L1 == L1:
            return left_L0
        right_L0, right_L1 = self.vertices[after]
        return left_L0 + (right_L0 - left_L0) * ((L1 - left_L1) / (right_L1 - left_L1))

    def contains(self, L0: float, L1: float) -> bool:
        """Whether the samples allow the pair. ValueError unless both are finite and >= 0."""
        require_nonnegative(L0=L0)
        return self.L0_at(L1) <= L0

    def pick(self, rule: Rule = "mean") -> tuple[float, float]:
        """One pair (L0, L1). ValueError for another rule.

        "mean": the allowed pair with the least mean of L0 + L1 q over the samples; linear on each piece, so
        attained at a vertex. "L1=0": the least L0 with L1 = 0. "L0=0": the least L1 with L0 = 0; inf if there
        is no vertex with L0 = 0.
        """
        if rule not in get_args(Rule):
            raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule!r}")
        if math.isnan(self.vertices[0][0]):
            return math.nan, math.nan
        if rule == "L1=0":
            return self.vertices[0]
        if rule == "L0=0":
            return next((vertex for vertex in self.vertices if vertex[0] == 0), (0.0, math.inf))
        return min(self.vertices, key=lambda vertex: vertex[0] + vertex[1] * self.q_mean)


def polyhedral_front(q: Tensor, s: Tensor) -> Front:
    """The pairs (L0, L1) >= 0 with L0 + L1 q_i >= s_i for every sample: L0(L1) = max_i (s_i - L1 q_i)_+.

    Convex and piecewise linear; each vertex is an edge of the upper hull of the points (q_i, s_i), and its
    L1 is the slope of the edge. q, s >= 0: (n,).
    """
    return _piecewise_linear(q, s, torch.full_like(q, math.inf))


def local_front(q: Tensor, s: Tensor, r: Tensor) -> Front:
    """The same where sample i speaks only of L1 with r_i <= 1 / L1.

    L0(L1) = max over these i of (s_i - L1 q_i)_+: piecewise linear, with a drop just after every 1 / r_i
    whose sample was the largest; neither convex nor continuous. Exact. q, s >= 0 and r > 0: (n,).
    """
    return _piecewise_linear(q, s, last_level(r))


def grid_front(needed: Callable[[float], Tensor], q: Tensor, lowest: float, highest: float) -> Front:
    """max_i needed_i(L1)_+ at L1 = 0 and at 256 values in geometric progression from lowest to highest.

    The last vertex is the first L1 with L0(L1) = 0, found by bisection, if one is met. needed: L1 -> (n,),
    decreasing in L1. Exact at these L1; between them, where the maximum is convex in L1, the chord lies
    above it, so that a pair on the front is allowed. 0 < lowest <= highest, finite.
    """
    span = torch.linspace(math.log(lowest), math.log(highest), GRID, dtype=torch.float64).exp().tolist()
    vertices = [(largest(needed(0.0)), 0.0)]
    for L1 in span:
        if vertices[-1][0] == 0:
            break
        L0 = largest(needed(L1))
        if L0 == 0:
            L1 = _first_zero(needed, vertices[-1][1], L1)
        vertices.append((L0, L1))
    return Front(tuple(vertices), _mean(q))


def _first_zero(needed: Callable[[float], Tensor], left: float, right: float) -> float:
    """The first L1 in (left, right] at which nothing is needed, by bisection; nothing is needed at right."""
    for _ in range(60):
        middle = left + (right - left) / 2
        left, right = (left, middle) if largest(needed(middle)) == 0 else (middle, right)
    return right


def last_level(r: Tensor) -> Tensor:
    """The largest float L1 with r <= 1 / L1. r > 0: (n,)."""
    level = 1 / r
    up, down = torch.full_like(r, math.inf), torch.zeros_like(r)
    for _ in range(3):
        level = torch.where(r <= 1 / level, level, torch.nextafter(level, down))
    for _ in range(3):
        above = torch.nextafter(level, up)
        level = torch.where(r <= 1 / above, above, level)
    return level


def outside(needed: Tensor, L0: float, error: Number = 0.0) -> float:
    """Share of the samples that need more than L0 by more than their error; nan if there is none. (n,)."""
    return float((~(needed <= L0 + error)).to(torch.float64).mean())


def violations(q: Tensor, s: Tensor, L0: float, L1: float, error: Number = 0.0) -> float:
    """Share of the samples with s > L0 + L1 q by more than their error. q, s: (n,)."""
    require_nonnegative(L0=L0, L1=L1)
    return outside(s - L1 * q, L0, error)


def no_front(q: Tensor, s: Tensor) -> Front | None:
    """The front of no samples, or of samples that are not finite; None for others."""
    if q.numel() == 0:
        return Front(((0.0, 0.0),), 0.0)
    if not bool((q.isfinite() & s.isfinite()).all()):
        return Front(((math.nan, 0.0),), math.nan)
    return None


def _piecewise_linear(q: Tensor, s: Tensor, last: Tensor) -> Front:
    """Walk along the largest of the lines s_i - L1 q_i (and 0), line i alive up to L1 = last_i."""
    empty = no_front(q, s)
    if empty is not None:
        return empty
    end = q.new_zeros(1)
    lines = Lines(torch.cat([q, end]), torch.cat([s, end]), torch.cat([last, end + math.inf]))
    L1, top = 0.0, lines.highest(0.0)
    vertices = [(lines.value(0.0), 0.0)]
    for window, stop in lines.windows(0.0, sys.float_info.max):
        while vertices[-1][0] > 0:
            crossing, following = window.next_crossing(top, L1)
            if crossing <= min(top.last, stop):
                L1, top = crossing, following
                if top.s == 0:
                    L1 = lines.settle(L1)
                if math.isinf(L1):
                    return Front(tuple(vertices), _mean(q))
            elif top.last < stop:
                if top.last > vertices[-1][1]:
                    vertices.append((window.value(top.last), top.last))
                L1 = math.nextafter(top.last, math.inf)
                top = window.highest(L1)
            else:
                break
            if vertices[-1][1] < L1:
                vertices.append((window.value(L1), L1))
        if vertices[-1][0] == 0:
            break
    return Front(tuple(vertices), _mean(q))


def _mean(q: Tensor) -> float:
    return float((q / q.numel()).sum())
