"""Bounds of the eigenvalues of A'A / n, and the directions that A does not see."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.exact_rank import positive_rank

Rows = tuple[tuple[float, ...], ...]


class Bounds(NamedTuple):
    """0 <= low <= an eigenvalue, another one <= high; beyond the range of floats too."""

    low: Fraction
    high: Fraction


def gram_bounds(rows: Tensor, n: int, entries: float = 0.0, rank: int | None = None) -> Bounds:
    """Bounds of two eigenvalues of A'A / n: the largest is at most high, the rank-th at least low.

    rows: A, (m, d), each entry off by at most ``entries`` EPS of itself. rank: counted from the largest, d
    by default. The rows are divided by a power of two, so that no product underflows or overflows. Forming
    the matrix costs at most (m + 2 + 2 entries) EPS |A|'|A| / n entrywise, so that many EPS trace in norm;
    the symmetric eigensolver is backward stable, 10 d EPS max lambda; Weyl's inequality gives the sum.
    """
    m, d = rows.shape
    size = power_of_two(rows.abs().amax())
    scaled = rows / size
    eigenvalues = torch.linalg.eigvalsh(scaled.mT @ scaled / n)
    trace, top = float(eigenvalues.clamp(min=0).sum()), float(eigenvalues.abs().amax())
    error = Fraction(EPS * ((m + 2 + 2.2 * entries) * trace + 10 * d * top) * 1.01)
    unit = Fraction(float(size)) ** 2
    low = Fraction(float(eigenvalues[-(rank or d)])) - error
    return Bounds(max(low, Fraction(0)) * unit, (Fraction(float(eigenvalues[-1])) + error) * unit)


def power_of_two(sizes: Tensor) -> Tensor:
    """The largest power of two that is at most each size, 1 for 0; to divide by it does not round.

    sizes: finite, >= 0. A quotient below 2^-1022 does round.
    """
    return torch.where(sizes > 0, sizes / (2 * torch.frexp(sizes).mantissa), 1.0)


def row_rank(rows: Rows) -> int:
    """The rank of A in exact arithmetic: that of A A' or A'A, whichever is smaller."""
    exact = [[Fraction(entry) for entry in row] for row in rows]
    shorter: Sequence[Sequence[Fraction]] = (
        exact if len(exact) <= len(exact[0]) else list(zip(*exact, strict=True))
    )
    gram: Any = [[sum(x * y for x, y in zip(u, v, strict=True)) for v in shorter] for u in shorter]
    rank = positive_rank(gram)
    assert rank is not None, "a Gram matrix is positive semidefinite"
    return rank


def row_space(rows: Tensor, rank: int) -> Tensor:
    """Orthonormal basis of the span of the rows, (d, rank). rows: (m, d)."""
    return torch.linalg.svd(rows, full_matrices=False)[2][:rank].mT
