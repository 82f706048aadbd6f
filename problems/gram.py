"""Bounds of the eigenvalues of A'A / n, and the directions that A does not see."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.exact_rank import positive_rank

Rows = tuple[tuple[float, ...], ...]


def gram_eigenvalues(rows: Tensor, n: int, entries: float = 0.0) -> tuple[Tensor, float]:
    """Eigenvalues of A'A / n in ascending order, (d,), and a bound of their error.

    rows: A, (m, d), each entry off by at most ``entries`` EPS of itself. Forming the matrix costs at most
    (m + 2 + 2 entries) EPS |A|'|A| / n entrywise, so that many EPS trace in norm; the symmetric eigensolver
    is backward stable, 10 d EPS max lambda; Weyl's inequality gives the sum.
    """
    m, d = rows.shape
    eigenvalues = torch.linalg.eigvalsh(rows.mT @ rows / n)
    trace, top = float(eigenvalues.clamp(min=0).sum()), float(eigenvalues.abs().amax())
    return eigenvalues, EPS * ((m + 2 + 2.2 * entries) * trace + 10 * d * top) * 1.01


def gram_bounds(rows: Tensor, n: int, entries: float = 0.0) -> tuple[float, float]:
    """(low, high): the smallest eigenvalue of A'A / n is at least low >= 0, the largest at most high."""
    eigenvalues, margin = gram_eigenvalues(rows, n, entries)
    return max(float(eigenvalues[0]) - margin, 0.0), float(eigenvalues[-1]) + margin


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
