"""Smoothness of <X, Q X> / 2 for Q acting from the left, in the norms of matrices."""

import itertools
import math
from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions import Lp, Norm
from assumptions.base import EPS
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.matrix_norms import MatrixNorm, Nuclear, Spectral

Rows = tuple[tuple[float, ...], ...]

ENUMERATED = 10
"""Up to this many rows, max z'Qz over signs z is found by trying all of them."""


class Bound(NamedTuple):
    """A number that a quantity does not exceed, exact or not, and the proof."""

    value: Fraction
    proof: str


def left_smoothness(q: Rows, eigenvalues: Tensor, margin: float, n: int, norm: Norm) -> Bound:
    """L with |Q Z|_* <= L |Z| for all m x n matrices Z.

    q: symmetric positive semidefinite, m x m. eigenvalues: of q, increasing, each off by ``margin`` at most.
    norm: one of ``LEFT_NORMS``. TypeError otherwise.
    """
    m, scale = len(q), Fraction(norm.scale) if isinstance(norm, MatrixNorm | Lp) else Fraction(1)
    largest, trace, corner = _eigenvalue_sum(q, eigenvalues, margin, 1), *_diagonal(q)
    match norm:
        case Spectral():
            base = _eigenvalue_sum(q, eigenvalues, margin, min(m, n))
            why = "|Q Z|_nuc <= sum_i s_i(Q) s_i(Z) (von Neumann) <= the sum of the min(m, n) largest s_i(Q)"
        case Nuclear():
            base, why = largest, "s_1(Q Z) <= s_1(Q) s_1(Z) <= s_1(Q) |Z|_nuc"
        case Lp(p=2):
            base, why = largest, "|Q Z|_F <= s_1(Q) |Z|_F"
        case Lp(p=1):
            base, why = corner, "|(Q Z)_kl| <= max |Q_kj| sum |Z_jl|, and max |Q_kj| = max Q_kk for Q >= 0"
        case SumRows():
            base, why = (
                corner,
                "row k of Q Z has length <= max |Q_kj| sum_j |row j of Z|; max |Q_kj| = max Q_kk",
            )
        case MaxColumn():
            base, why = n * largest, "each of the n columns has |Q z| <= s_1(Q) |z|"
        case SumColumns():
            base, why = largest, "each column has |Q z| <= s_1(Q) |z|"
        case MaxRow():
            base = trace if _is_diagonal(q) else _entry_sum(q)
            why = "sum_k |sum_j Q_kj (row j of Z)| <= sum |Q_kj|, which is the trace of a diagonal Q"
        case Lp(p=math.inf):
            base, why = (
                n * _sign_form(q),
                (
                    "<w, Q z> <= max z'Qz over |z_j| <= 1 in each column (Cauchy and Schwarz in <., Q .>), "
                    f"attained at signs: all tried for up to {ENUMERATED} rows, else sum |Q_kj|"
                ),
            )
        case _:
            raise TypeError(f"norm must be one of {LEFT_NORMS}, got {norm!r}")
    return Bound(base / scale**2, why)


LEFT_NORMS = "Spectral, Nuclear, MaxColumn, SumColumns, MaxRow, SumRows, Lp with p = 1, 2, inf"


def comparison(m: int, n: int, norm: Norm) -> Fraction:
    """The least k with |Z|^2 <= k |Z|_F^2 for all m x n matrices Z; then also |Z|_F^2 <= k |Z|_*^2.

    norm: one of ``LEFT_NORMS``. TypeError otherwise.
    """
    match norm:
        case Spectral(scale=s) | MaxColumn(scale=s) | MaxRow(scale=s) | Lp(p=math.inf | 2, scale=s):
            base = 1
        case Nuclear(scale=s):
            base = min(m, n)
        case SumColumns(scale=s):
            base = n
        case SumRows(scale=s):
            base = m
        case Lp(p=1, scale=s):
            base = m * n
        case _:
            raise TypeError(f"norm must be one of {LEFT_NORMS}, got {norm!r}")
    return base * Fraction(s) ** 2


def require_matrix_norm(m: int, n: int, norm: Norm) -> None:
    """TypeError unless ``norm`` is one of ``LEFT_NORMS``, ValueError unless it is one of m x n matrices."""
    _ = comparison(m, n, norm)
    if isinstance(norm, MatrixNorm) and (norm.m, norm.n) != (m, n):
        raise ValueError(f"norm must be one of matrices {m} x {n}, got {norm!r}")


def _diagonal(q: Rows) -> tuple[Fraction, Fraction]:
    """The trace and the largest diagonal entry, without rounding."""
    entries = [Fraction(q[k][k]) for k in range(len(q))]
    return sum(entries, Fraction(0)), max(entries)


def _is_diagonal(q: Rows) -> bool:
    return not any(q[k][j] for k in range(len(q)) for j in range(k))


def _entry_sum(q: Rows) -> Fraction:
    return sum((abs(Fraction(entry)) for row in q for entry in row), Fraction(0))


def _eigenvalue_sum(q: Rows, eigenvalues: Tensor, margin: float, count: int) -> Fraction:
    """At least the sum of the ``count`` largest eigenvalues; exact for all of them and for a diagonal q."""
    if count == len(q) or _is_diagonal(q):
        return sum(sorted((Fraction(q[k][k]) for k in range(len(q))), reverse=True)[:count], Fraction(0))
    computed = sum((Fraction(a) for a in eigenvalues[-count:].tolist()), Fraction(0))
    return min(computed + count * Fraction(margin), _diagonal(q)[0])


def _sign_form(q: Rows) -> Fraction:
    """At least max {z'Qz : z_j = 1 or -1}, by roundings more at most where all z are tried."""
    m = len(q)
    if _is_diagonal(q):
        return _diagonal(q)[0]
    if m > ENUMERATED:
        return _entry_sum(q)
    signs = torch.tensor(list(itertools.product((1.0, -1.0), repeat=m - 1)), dtype=torch.float64)
    z = torch.cat([torch.ones(signs.shape[0], 1, dtype=torch.float64), signs], dim=-1)
    best = float(((z @ torch.tensor(q, dtype=torch.float64)) * z).sum(dim=-1).max())
    return Fraction(best) + 4 * m * Fraction(EPS) * _entry_sum(q)
