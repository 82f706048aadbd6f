"""Branch and bound: the largest value of a quantity on a box, between two bounds."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass

from problems.symbolic.ball_arithmetic import INF
from problems.symbolic.bounds import Bound, Quantity, bound
from problems.symbolic.derivatives import Cell, Derivatives

FINEST = 2.0**-36
"""Sides are not halved below this part of those of the first box."""


@dataclass(frozen=True)
class Found:
    """lower <= sup of q over the box <= upper; q(point) >= lower.

    done: the search was stopped by its goal; else ``cell`` is the box, out of ``boxes``, with the largest
    upper bound left.
    """

    upper: float
    lower: float
    point: tuple[float, ...]
    boxes: int
    cell: Cell
    done: bool


def search(
    f: Derivatives,
    q: Quantity,
    cell: Cell,
    goal: Callable[[float, float], bool],
    budget: int,
    enough: float = -INF,
    settled: Callable[[Cell], bool] | None = None,
) -> Found:
    """Halve the box with the largest upper bound until ``goal(upper, lower)``, or ``budget`` boxes are seen.

    enough: boxes whose bound is at most that need no better one. settled: boxes of which nothing needs to be
    shown; they count as -inf.
    """
    finest = [FINEST * (high - low) for low, high in cell]
    first = _bound(f, q, cell, enough, -INF, settled)
    heap = [(-first.upper, 0, cell, first)]
    lower, point, boxes = first.lower, first.point, 1
    while True:
        upper, _, worst, at_worst = heap[0]
        if goal(-upper, lower):
            return Found(-upper, lower, point, boxes, worst, True)
        children = _halves(worst, at_worst.weights, finest) if boxes + 2 <= budget else None
        if children is None:
            return Found(-upper, lower, point, boxes, worst, False)
        heapq.heappop(heap)
        for child in children:
            found = _bound(f, q, child, enough, lower, settled)
            boxes += 1
            if found.lower > lower:
                lower, point = found.lower, found.point
            # a part cannot be worse than the whole
            heapq.heappush(heap, (-min(found.upper, -upper), boxes, child, found))


def _bound(
    f: Derivatives,
    q: Quantity,
    cell: Cell,
    enough: float,
    seen: float,
    settled: Callable[[Cell], bool] | None,
) -> Bound:
    if settled is not None and settled(cell):
        return Bound(-INF, -INF, tuple(low for low, _ in cell), (0.0,) * len(cell))
    return bound(f, q, cell, enough, seen)


def _halves(cell: Cell, weights: tuple[float, ...], finest: list[float]) -> tuple[Cell, Cell] | None:
    """Two halves across the side that matters most among those long enough; None if none is."""
    sides = [(w, high - low, k) for k, (w, (low, high)) in enumerate(zip(weights, cell, strict=True))]
    sides = [entry for entry in sides if entry[1] > finest[entry[2]]]
    if not sides:
        return None
    k = max(sides)[2]
    low, high = cell[k]
    middle = low + (high - low) / 2
    if not low < middle < high:
        return None
    return (*cell[:k], (low, middle), *cell[k + 1 :]), (*cell[:k], (middle, high), *cell[k + 1 :])
