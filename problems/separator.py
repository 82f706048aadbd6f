"""A direction that all rows of data point along."""

from fractions import Fraction

import numpy as np

Rows = tuple[tuple[float, ...], ...]


def separator(rows: Rows) -> tuple[float, ...] | None:
    """u with <a_j, u> > 0 for all j, checked in exact arithmetic; None if none was found.

    The linear programme max {t : <a_j, u> >= t |a_j|, |u_i| <= 1} names u, if it names one. rows: a_j
    nonzero.
    """
    from scipy.optimize import linprog  # takes a third of a second to import

    a = np.array(rows, dtype=np.float64)
    a = a / np.abs(a).max(axis=1, keepdims=True)
    a = a / np.linalg.norm(a, axis=1, keepdims=True)
    n, d = a.shape
    found = linprog(
        np.append(np.zeros(d), -1.0),
        A_ub=np.hstack([-a, np.ones((n, 1))]),
        b_ub=np.zeros(n),
        bounds=[(-1, 1)] * d + [(None, None)],
        method="highs",
    )
    if found.status != 0:
        return None
    u = tuple(float(entry) for entry in found.x[:d])
    return u if all(inner_product(row, u) > 0 for row in rows) else None


def inner_product(a: tuple[float, ...], u: tuple[float, ...]) -> Fraction:
    """<a, u> without rounding."""
    return sum((Fraction(x) * Fraction(y) for x, y in zip(a, u, strict=True)), Fraction(0))
