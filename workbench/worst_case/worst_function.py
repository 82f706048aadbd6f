"""From a Gram matrix back to a function: the worst case as a problem that any method can be run on."""

import math
from fractions import Fraction
from typing import NamedTuple, Protocol

import numpy as np

from problems.interpolant import Interpolant
from workbench.worst_case.classes import ConvexFunctions, LipschitzConvexFunctions, Sample
from workbench.worst_case.gram import ONE, ORIGIN, Vector, to_float, to_fraction
from workbench.worst_case.model import Unknown
from workbench.worst_case.programme import Programme

RANK = 3e-7
"""Eigenvalues of the Gram matrix below this share of the largest are rounding of the solver: left out."""
SLACK = 1e-7
"""Pieces of a function with kinks count as active within this share of the range of its values."""


class NoWorstFunctionError(ValueError):
    """A worst case from which no problem can be made; says why."""


class Solved(Protocol):
    """A worst case: ``WorstCase``, or what a search over multipliers returns."""

    @property
    def programme(self) -> Programme:
        """The programme whose optimum it is."""
        ...

    @property
    def gram(self) -> np.ndarray:
        """Inner products of its vectors, a psd matrix."""
        ...

    @property
    def function_values(self) -> np.ndarray:
        """f at its points."""
        ...


class Coordinates(NamedTuple):
    """Vectors of the basis as rows, (N, d), d the numerical rank; known: which of them have a row of G."""

    rows: np.ndarray
    known: frozenset[int]

    def of(self, vector: Vector) -> np.ndarray:
        """A combination of them, (d,). NoWorstFunctionError if it has a part of unbounded length."""
        free = sorted(set(vector.terms) - self.known)
        if free:
            raise NoWorstFunctionError(f"the vectors {free} of the basis may have any length")
        return sum(
            (to_float(c) * self.rows[i] for i, c in vector.terms.items()), np.zeros(self.rows.shape[1])
        )


def coordinates(case: Solved) -> Coordinates:
    """Vectors with the Gram matrix of the case, up to RANK, in as few dimensions as it takes, at least 1."""
    eigenvalues, vectors = np.linalg.eigh(case.gram)
    kept = eigenvalues > RANK * max(float(eigenvalues[-1]), 0.0)
    kept[-1] = True
    rows = vectors[:, kept] * np.sqrt(eigenvalues[kept].clip(0))
    signs = np.where(rows[np.abs(rows).argmax(axis=0), np.arange(rows.shape[1])] < 0, -1.0, 1.0)
    return Coordinates(rows[:, ::-1] * signs[::-1], frozenset(case.programme.rows()))


def worst_function(case: Solved, function: Unknown) -> Interpolant:
    """The smallest function of the class that does what ``function`` does in the worst case, with its start.

    The minimiser, where the class has one, is the origin, with value 0. A point whose gradient may have any
    length is left out: nothing was asked of it but the value. NoWorstFunctionError for a class other than
    the convex ones, and where the solver's data is too rough to be interpolated.
    """
    L, mu = _constants(function)
    at = coordinates(case)
    x, g, f = (np.array(part) for part in zip(*_data(case, function, at), strict=True))
    start = at.of(_start(case.programme))
    size = float(np.ptp(f)) + float(np.abs(g).max()) * float(np.abs(x).max())
    try:
        return Interpolant(
            _tuples(x),
            _tuples(g),
            tuple(f.tolist()),
            L,
            mu,
            SLACK * size if math.isinf(L) else 0.0,
            tuple(start.tolist()),
        )
    except ValueError as error:
        raise NoWorstFunctionError(f"the worst case cannot be interpolated: {error}") from error


def _constants(function: Unknown) -> tuple[float, float]:
    """(L, mu) of the class, L = inf without smoothness."""
    kind = function.kind
    if isinstance(kind, LipschitzConvexFunctions):
        return math.inf, 0.0
    if not isinstance(kind, ConvexFunctions):
        raise NoWorstFunctionError(f"{type(kind).__name__} are not rebuilt, convex functions are")
    # rounded to the side on which the class is larger
    L = math.inf if kind.L is None else _outward(to_fraction(kind.L), math.inf)
    return L, _outward(to_fraction(kind.mu), -math.inf) if kind.mu else 0.0


def _outward(number: Fraction, towards: float) -> float:
    near = float(number)
    return near if Fraction(near) == number else math.nextafter(near, towards)


def _data(case: Solved, function: Unknown, at: Coordinates) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Points, gradients and values of the samples with known gradients, without repetitions."""
    found = []
    for sample in function.samples:
        if set(sample.g.terms) <= at.known:
            found.append((at.of(sample.x), at.of(sample.g), _value(case, sample)))
    if not found:
        raise NoWorstFunctionError("no gradient of the function has a length")
    return found


def _value(case: Solved, sample: Sample) -> float:
    return sample.f.at(case.gram, case.function_values)


def _start(programme: Programme) -> Vector:
    """The basis vector x0; the origin where the start is the origin."""
    names = programme.basis.vectors
    return Vector({names.index("x0"): ONE}) if "x0" in names else ORIGIN


def _tuples(rows: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in rows.tolist())
