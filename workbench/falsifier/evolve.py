"""Worse members of a family: differential evolution over its parameters, then smaller and smaller moves."""

import contextlib

import numpy as np
from scipy.optimize import differential_evolution

from workbench.falsifier.attempts import Attempts, Entry, Point
from workbench.falsifier.candidate import score

MEMBERS = 12
"""Of a population, at least."""
WIDTHS = (0.2, 0.07, 0.02, 0.006, 0.002)
"""Sizes of the moves of the last phase, in the unit cube."""
MOVES = 6
"""Moves of each size."""
NO_PROBLEM = 1e9
"""Depth of a point at which there is nothing to try."""


class _SettledError(Exception):
    """A phase has had its share of the budget, or the claim is refuted."""


class _Depth:
    """Minus the score at a point of a source's cube, with case and free hyperparameters; keeps the best."""

    def __init__(self, attempts: Attempts, best: Entry, end: int) -> None:
        self.attempts, self.best, self.end = attempts, best, end

    def __call__(self, coordinates: np.ndarray) -> float:
        if self.attempts.spent >= self.end or self.attempts.refuted:
            raise _SettledError
        point = self.best.point
        *u, choice, moved = (float(c) for c in np.clip(coordinates, 0, 1))
        there = Point(point.source, tuple(u), choice, moved, self._horizon())
        found = self.attempts.at(there, self.best.starts)
        if found is None:
            return NO_PROBLEM
        if found.tried.rank > self.best.tried.rank:
            self.best = found
        return -score(found.tried)

    def _horizon(self) -> int | None:
        """That of the best, where runs are not trees of draws."""
        candidate = self.best.tried.candidate
        ends = candidate.case.horizon_only and self.best.tried.how == "run"
        return candidate.horizon if ends else self.best.point.horizon


def evolved(attempts: Attempts, known: list[Entry], runs: int, seed: int) -> Entry:
    """The best of a source after about so many evaluations more. known: entries of it, the best first.

    SpentError when the whole budget is used up.
    """
    rng = np.random.default_rng(seed)
    begin = attempts.spent
    depth = _Depth(attempts, known[0], begin + runs // 2)
    first = np.asarray([_coordinates(entry.point) for entry in known[:MEMBERS]])
    others = rng.random((max(5, MEMBERS - len(first)), first.shape[1]))
    bounds = [(0.0, 1.0)] * first.shape[1]
    with contextlib.suppress(_SettledError):
        population = np.concatenate([first, others])
        differential_evolution(
            depth,
            bounds,
            init=population,  # pyright: ignore[reportArgumentType]
            maxiter=1000,
            tol=0,
            polish=False,
            rng=rng,
        )
    depth.end = begin + runs
    with contextlib.suppress(_SettledError):
        _closer(depth, rng)
    return depth.best


def _closer(depth: _Depth, rng: np.random.Generator) -> None:
    """Moves around the best, of a few coordinates each, smaller and smaller; again while there is budget."""
    while True:
        for size in WIDTHS:
            for _ in range(MOVES):
                here = np.asarray(_coordinates(depth.best.point))
                moving = rng.random(len(here)) < max(0.3, 1 / len(here))
                depth(np.clip(here + size * moving * rng.standard_normal(len(here)), 0, 1))


def _coordinates(point: Point) -> list[float]:
    return [*point.u, point.choice, point.moved]
