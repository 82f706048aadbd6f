"""From what the solver returned to a point that satisfies every condition: a lower bound."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.worst_case.certificate import CertificateError
from workbench.worst_case.conic import Solution, solve, solve_within
from workbench.worst_case.gram import to_float
from workbench.worst_case.programme import Programme, ProgrammeError
from workbench.worst_case.rounding import DENOMINATORS, rational_range

INSIDE = (1e-3, 1e-5)
"""Slacks of the inner point that a solution is mixed with, all constraints together; tried in turn."""
EQUAL = 1e-9
"""Relative error to which equalities hold: floats cannot do better."""


@dataclass(frozen=True)
class Point:
    """A feasible point: Gram matrix (N, N), function values (M,), and the value of the programme there."""

    gram: np.ndarray
    values: np.ndarray
    value: float


Pair = tuple[np.ndarray, np.ndarray]
"""G and the function values."""


def repaired(programme: Programme, solution: Solution, inner: Callable[[], Pair | None]) -> Point | None:
    """A feasible point close to the solution, None if none was found.

    The solution is mixed with ``inner()``, as little as makes every inequality hold in floats; G is made
    positive semidefinite first. Equalities hold to ``EQUAL``.
    """
    points = [_feasible(programme, point, inner) for point in _candidates(programme, solution)]
    return max((p for p in points if p is not None), key=lambda point: point.value, default=None)


def _candidates(programme: Programme, solution: Solution) -> list[Pair]:
    """The solution with G made psd; if the range of G is rational, also the optimum over that range."""
    found = [_psd(programme, solution.gram, solution.values, solution.products)]
    rows = programme.rows()
    for most in DENOMINATORS:
        with contextlib.suppress(CertificateError, ProgrammeError):
            vectors = rational_range(solution.gram[np.ix_(rows, rows)], most)
            span = np.zeros((len(solution.gram), len(vectors)))
            span[rows] = np.array([[to_float(entry) for entry in vector] for vector in vectors]).T
            found.append(_psd(programme, *solve_within(programme, span)))
            break
    return found


def _feasible(programme: Programme, point: Pair | None, inner: Callable[[], Pair | None]) -> Point | None:
    """The point, mixed with the inner one if it must be; None if that does not make it feasible."""
    if point is not None and _excess(programme, point) > 0:
        inside = inner()
        point = None if inside is None else _mixed(programme, point, inside)
    if point is None or _excess(programme, point) > 0 or _unequal(programme, point) > EQUAL:
        return None
    return Point(*point, min(form.at(*point) for form in programme.objective))


def inner_point(programme: Programme) -> Pair | None:
    """A point with slack in every inequality and a large value; None if there is none."""
    for share in INSIDE:
        slack = share / max(1, len(programme.constraints))
        try:
            found = solve(programme, inside=slack)
        except ProgrammeError:
            continue
        point = _psd(programme, found.gram, found.values, found.products)
        if _excess(programme, point) < 0:
            return point
    return None


def _psd(programme: Programme, gram: np.ndarray, values: np.ndarray, products: np.ndarray) -> Pair:
    """G with negative eigenvalues cut and its free products put in; function values."""
    numbers, vectors = np.linalg.eigh(gram)
    gram = (vectors * numbers.clip(0)) @ vectors.T
    for (i, j), number in zip(programme.free_products(), products, strict=True):
        gram[i, j] = gram[j, i] = number
    return gram, values


def _mixed(programme: Programme, outer: Pair, inner: Pair) -> Pair | None:
    """(1 - s) outer + s inner with the smallest s that satisfies every inequality."""
    share = 0.0
    for form in programme.constraints.values():
        high, low = form.at(*outer), form.at(*inner)
        if high > 0:
            if not low < 0:
                return None
            share = max(share, high / (high - low))
    share = min(1.0, share * (1 + 1e-6) + 1e-12)
    return tuple((1 - share) * a + share * b for a, b in zip(outer, inner, strict=True))  # pyright: ignore[reportReturnType]


def _excess(programme: Programme, point: Pair) -> float:
    return max((form.at(*point) for form in programme.constraints.values()), default=-1.0)


def _unequal(programme: Programme, point: Pair) -> float:
    size = max(1.0, float(np.abs(point[0]).max(initial=0.0)), float(np.abs(point[1]).max(initial=0.0)))
    return max((abs(form.at(*point)) / size for form in programme.equalities.values()), default=0.0)
