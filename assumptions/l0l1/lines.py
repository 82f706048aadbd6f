"""Falling lines that end: the largest of them at each place, found among few."""

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

FEW = 128
"""Lines among which the largest is sought directly."""
ROUNDING = 2.0**-50
"""The height s - L1 q of a line errs by less than a quarter of this part of s + L1 q."""
COMMON = 1.25
"""If both halves of a range of L1 have more than this many times its lines, most of them are common."""
MISSES = 6
"""A range is not halved any more after this many halvings of that kind on the way to it."""


class Line(NamedTuple):
    """s - L1 q, alive for L1 <= last."""

    q: float
    s: float
    last: float


@dataclass(frozen=True)
class Lines:
    """Lines s - L1 q, each alive for L1 <= last; all (n,). One of them is 0 for ever."""

    q: Tensor
    s: Tensor
    last: Tensor

    def line(self, index: Tensor) -> Line:
        """One of them."""
        return Line(float(self.q[index]), float(self.s[index]), float(self.last[index]))

    def heights(self, L1: float) -> Tensor:
        """Of the lines at L1, -inf where one is dead; (n,)."""
        return torch.where(self.last >= L1, self.s - L1 * self.q, -math.inf)

    def value(self, L1: float) -> float:
        """The largest height at L1."""
        return largest(self.heights(L1))

    def highest(self, L1: float) -> Line:
        """The largest line at L1, of equals the one that falls least."""
        heights = self.heights(L1)
        return self.line(torch.where(heights == heights.max(), self.q, math.inf).argmin())

    def windows(self, start: float, stop: float, misses: int = MISSES) -> Iterator[tuple["Lines", float]]:
        """Ranges that make up [start, stop], from left to right: their lines and where each ends.

        A range is halved, counted in floats, until few lines are left, or ``misses`` times on the way to it
        both halves had most of their lines in common.
        """
        middle = _middle(start, stop)
        if self.q.numel() <= FEW or misses == 0 or middle == start:
            yield self, stop
            return
        left, right = self.between(start, middle), self.between(middle, stop)
        misses -= left.q.numel() + right.q.numel() > COMMON * self.q.numel()
        yield from left.windows(start, middle, misses)
        yield from right.windows(middle, stop, misses)

    def between(self, start: float, stop: float) -> "Lines":
        """The lines that may be the largest in [start, stop].

        The others die before it, or are at both ends, and so between them, below one line that lives on: the
        largest halfway. Below by more than rounding, so that heights of what is left are the exact ones.
        """
        lasting = torch.where(self.last >= stop, self.last, -math.inf)
        rival = Lines(self.q, self.s, lasting).highest(_middle(start, stop))
        below = self.last >= start
        for L1 in (start, stop):
            u, v = (1.0, L1) if L1 <= 1 else (1 / L1, 1.0)  # heights divided by L1 > 1 do not overflow
            size = u * (self.s + rival.s) + v * (self.q + rival.q)
            below = below & (u * self.s - v * self.q + ROUNDING * size < u * rival.s - v * rival.q)
        kept = (self.last >= start) & ~below
        return Lines(self.q[kept], self.s[kept], self.last[kept])

    def next_crossing(self, top: Line, L1: float) -> tuple[float, Line]:
        """Where and by which line the top one is overtaken; inf if it is not."""
        if top.q == 0:
            return math.inf, top
        flatter = self.q < top.q
        crossing = ((top.s - self.s) / (top.q - self.q)).clamp(min=L1)
        crossing = torch.where(flatter & (crossing <= self.last), crossing, math.inf)
        first = crossing.min()
        # of crossings that rounding cannot tell apart, the steepest line: no vertex is passed over
        steepest = torch.where(crossing == first, self.q, -math.inf)
        return float(first), self.line(torch.where(steepest == steepest.max(), self.s, -math.inf).argmax())

    def settle(self, L1: float) -> float:
        """The first float from L1 on at which every line is <= 0, rounding included."""
        roots = (self.s / self.q)[(self.last >= L1) & (self.q > 0)]
        L1 = max(L1, float(roots.max())) if roots.numel() else L1
        while not math.isinf(L1) and self.value(L1) > 0:
            L1 = math.nextafter(L1, math.inf)
        return L1


def _middle(a: float, b: float) -> float:
    """The float that has as many floats to a as to b; 0 <= a <= b."""
    (low,), (high,) = (struct.unpack("<q", struct.pack("<d", end)) for end in (a, b))
    return struct.unpack("<d", struct.pack("<q", (low + high) // 2))[0]


def largest(needed: Tensor) -> float:
    """The largest entry, 0 if there is none above. (n,)."""
    return max(float(needed.max()), 0.0)
