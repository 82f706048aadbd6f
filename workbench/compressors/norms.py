"""What compressors need to know of norms: duals, entrywise norms, distance from the Euclidean one.

Whether a map shrinks vectors in a norm does not depend on the norm's scale: norms here are up to scale.
"""

import math
from fractions import Fraction

from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.matrix_norms import MatrixNorm, Nuclear, Spectral
from assumptions.norms import Lp, Norm


def dual_of(norm: Norm) -> Norm:
    """The dual norm, scale 1. TypeError for a norm whose dual has no class."""
    match norm:
        case Lp():
            return Lp(norm.q)
        case Spectral(m=m, n=n):
            return Nuclear(m, n)
        case Nuclear(m=m, n=n):
            return Spectral(m, n)
        case MaxColumn(m=m, n=n):
            return SumColumns(m, n)
        case SumColumns(m=m, n=n):
            return MaxColumn(m, n)
        case MaxRow(m=m, n=n):
            return SumRows(m, n)
        case SumRows(m=m, n=n):
            return MaxRow(m, n)
    raise TypeError(f"the dual of {norm!r} is not known")


def exponent(norm: Norm) -> float | None:
    """p where the norm is |.|_p of all entries, up to scale, as norms of one row or column are; else None."""
    match norm:
        case Lp(p=p):
            return p
        case Spectral(m=m, n=n) | Nuclear(m=m, n=n) if min(m, n) == 1:
            return 2.0
        case MaxColumn(n=1) | SumColumns(n=1) | MaxRow(m=1) | SumRows(m=1):
            return 2.0
        case MaxColumn(m=1) | MaxRow(n=1):
            return math.inf
        case SumColumns(m=1) | SumRows(n=1):
            return 1.0
    return None


def distortion(norm: Norm, d: int) -> Fraction | None:
    """The least a b with |z|^2 <= a |z|_2^2 and |z|_2^2 <= b |z|^2 in R^d; None where it is not known.

    One of the two is 1, up to scale; Cauchy and Schwarz over the singular values, the columns, ...
    """
    match norm:
        case Lp(p=p) if p == 2:
            return Fraction(1)
        case Lp(p=p) if p in (1, math.inf):
            return Fraction(d)
        case Spectral(m=m, n=n) | Nuclear(m=m, n=n):
            return Fraction(min(m, n))
        case MaxColumn(n=n) | SumColumns(n=n):
            return Fraction(n)
        case MaxRow(m=m) | SumRows(m=m):
            return Fraction(m)
    return None


def require_fits(norm: Norm, shape: tuple[int, ...]) -> None:
    """ValueError unless this is a norm of arrays of this shape, whatever shape its matrices have."""
    d = math.prod(shape)
    if not norm.fits(d) or (isinstance(norm, MatrixNorm) and norm.m * norm.n != d):
        raise ValueError(f"norm must fit {d} entries, those of shape {shape}, got {norm!r}")
