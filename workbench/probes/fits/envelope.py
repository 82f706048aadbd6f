"""The lowest line above all points L <= L0 + L1 g, and how often later or other points exceed it."""

import numpy as np
from scipy.optimize import linprog

from workbench.probes.fits.asymmetric import Array

FOLDS = 4
"""Blocks of neighbouring steps, each held out once: a ratio that drifts exceeds by a whole one, 25 %."""
_ABOVE = 1e-9  # of the largest L: ten times what the linear program may leave open


def fit_envelope(g: Array, L: Array) -> tuple[float, float]:
    """argmin over L0, L1 >= 0 of sum_k (L0 + L1 g_k - L_k) subject to L0 + L1 g_k >= L_k for all k.

    g, L: (n,), finite, >= 0, n >= 1; ValueError otherwise, ArithmeticError if the solver fails. A linear
    program in units of the largest g and L; what its solver leaves open, up to 1e-10, is added to L0. Where
    several lines are lowest (all g equal), one of them.

    With |G'_i - G_i| <= (L0 + L1 g) |dX_i| asked with either end of a step as the reference, g is the
    smaller of the two gradient norms. A certificate for these steps; for others see ``exceeded``.
    """
    g, L = np.asarray(g, float), np.asarray(L, float)
    if g.ndim != 1 or g.shape != L.shape or g.size == 0:
        raise ValueError(f"g and L must have one shape (n,) with n >= 1, got {g.shape} and {L.shape}")
    if not all((np.isfinite(values) & (values >= 0)).all() for values in (g, L)):
        raise ValueError("g and L must be finite and >= 0")
    g_unit, L_unit = g.max() or 1.0, L.max() or 1.0
    h, y = g / g_unit, L / L_unit
    rows = np.stack([np.ones_like(h), h], -1)
    tight = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
    found = linprog(rows.mean(0), A_ub=-rows, b_ub=-y, bounds=(0, None), method="highs", options=tight)
    if found.status != 0:
        raise ArithmeticError(f"the linear program of the envelope failed: {found.message}")
    a, b = (max(float(value), 0.0) for value in found.x)
    a += max(float((y - a - b * h).max()), 0.0)
    return float(a * L_unit), float(b * L_unit / g_unit)


def exceeded(g: Array, L: Array, folds: int = FOLDS) -> float:
    """Share of the points above the envelope of the others: each of ``folds`` blocks is held out once.

    g, L: (n,) in the order of the steps; nan for n < 2. The blocks are neighbouring steps: these are alike,
    so that points held out at random would have twins among those fitted, and show fewer violations. The
    last block asks about later steps. An envelope rests on two points or fewer, so even points without
    an order exceed that of m others with probability up to 2 / (m + 1).
    """
    if len(g) < 2:
        return float("nan")
    above = 0
    for block in np.array_split(np.arange(len(g)), min(folds, len(g))):
        L0, L1 = fit_envelope(np.delete(g, block), np.delete(L, block))
        above += int((L[block] > L0 + L1 * g[block] + _ABOVE * L.max()).sum())
    return above / len(g)
