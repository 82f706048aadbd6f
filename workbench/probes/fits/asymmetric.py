"""Least squares for L ~ L0 + L1 g that charges more for points above the line: exact."""

import numpy as np

from assumptions.guards import require_nonnegative

Array = np.ndarray

ONE_GRADNORM = 1e-8
"""Gradient norms within this share of the largest count as one: half of the digits of float64."""
_RESIDUAL = 1e-10
_ROUNDS = 100


def fit_asymmetric(g: Array, L: Array, penalty: float = 5.0, lower: float = 0.0) -> tuple[Array, Array]:
    """argmin over L0, L1 >= lower of sum_k w_k (L0 + L1 g_k - L_k)^2, w = 1 + penalty under L_k, else 1.

    g, L: (*batch, n), finite, >= 0, n >= 1. penalty >= 0. lower >= 0: as published 1e-6, which depends on
    the units. Returns L0, L1, each (*batch,). Where all g are equal, only L0 + L1 g is determined: then
    L1 = lower.

    With lower = 0, fit(c g, d L) = (d L0, d L1 / c): the work is done in units of the largest g and L.

    The loss is convex and once differentiable, quadratic between the lines through points. A minimum over
    all lines that has L0, L1 >= lower is the one; otherwise the one lies on an edge of the quadrant, where
    the loss has one variable. Of these three the one that meets the optimality conditions is returned.
    ValueError for other arguments; ArithmeticError if none meets them up to 1e-10 of the largest L.

    Source: the loss is that of the public experiment code of Riabinin, Shulgin, Gruntkowska, Richtarik
    (2025), arXiv:2505.13416, there minimised by L-BFGS-B from (1, 1).
    """
    g, L = _checked(g, L)
    require_nonnegative(penalty=penalty, lower=lower)
    g_unit, L_unit = _unit(g), _unit(L)
    h, y = g / g_unit, (L - lower - lower * g) / L_unit
    alike = np.ptp(h, axis=-1, keepdims=True) <= ONE_GRADNORM
    h = np.where(alike, h.mean(-1, keepdims=True), h)
    flat = np.zeros_like(g_unit)
    constant = _edge(np.ones_like(h), y, penalty)
    slope = _edge(h, y, penalty)
    found = [np.concatenate(pair, -1) for pair in ((constant, flat), (flat, slope))]
    found.append(np.maximum(_line(h, y, penalty), 0.0))
    candidates = np.stack(found)
    residuals = _residual(candidates, h, y, penalty)
    residuals[1:] = np.where(alike[..., 0], np.inf, residuals[1:])
    best = residuals.argmin(0)
    if not (residuals.min(0) <= _RESIDUAL).all():
        raise ArithmeticError(f"the fit misses its optimality conditions by {residuals.min(0).max():g}")
    chosen = np.take_along_axis(candidates, best[None, ..., None], 0)[0]
    return lower + chosen[..., 0] * L_unit[..., 0], lower + chosen[..., 1] * (L_unit / g_unit)[..., 0]


def _checked(g: Array, L: Array) -> tuple[Array, Array]:
    """Both as float64. ValueError unless of one shape (*batch, n), n >= 1, finite and >= 0."""
    g, L = np.asarray(g, float), np.asarray(L, float)
    if g.shape != L.shape or g.ndim == 0 or g.shape[-1] == 0:
        raise ValueError(f"g and L must have one shape (*batch, n) with n >= 1, got {g.shape} and {L.shape}")
    for name, values in (("g", g), ("L", L)):
        if not (np.isfinite(values) & (values >= 0)).all():
            raise ValueError(f"{name} must be finite and >= 0, got {values.min():g} to {values.max():g}")
    return g, L


def _unit(values: Array) -> Array:
    """The largest, 1 where all are 0: (*batch, 1)."""
    largest = values.max(-1, keepdims=True)
    return np.where(largest > 0, largest, 1.0)


def _weights(r: Array, penalty: float) -> Array:
    return np.where(r < 0, 1 + penalty, 1.0)


def _residual(lines: Array, h: Array, y: Array, penalty: float) -> Array:
    """|z - max(z - slope of the mean loss, 0)|, largest entry, for z = (a, b): 0 just at the minimum."""
    r = lines[..., :1] + lines[..., 1:] * h - y
    pull = _weights(r, penalty) * r / (1 + penalty)
    slopes = np.stack([pull.mean(-1), (pull * h).mean(-1)], -1)
    return np.abs(lines - np.maximum(lines - slopes, 0.0)).max(-1)


def _edge(h: Array, y: Array, penalty: float) -> Array:
    """argmin over z >= 0 of the loss of z h: (*batch, 1)."""
    return np.maximum(minimum_along(-y, h, penalty), 0.0)[..., None]


def _line(h: Array, y: Array, penalty: float) -> Array:
    """(a, b) of the best a + b h without a sign: Newton steps, each with an exact line search.

    The slope of the loss is piecewise linear, so the step from a piece that the minimum touches ends there.
    """
    centre = h.mean(-1, keepdims=True)
    c = h - centre
    level, tilt = y.mean(-1, keepdims=True), np.zeros_like(centre)
    for _ in range(_ROUNDS):
        r = level + tilt * c - y
        w = _weights(r, penalty)
        total, first, second = ((w * c**k).sum(-1, keepdims=True) for k in range(3))
        down, turn = (-(w * r * c**k).sum(-1, keepdims=True) for k in range(2))
        determinant = total * second - first**2
        safe = np.where(determinant > 0, determinant, np.inf)  # all h equal: no step
        d_level, d_tilt = (second * down - first * turn) / safe, (total * turn - first * down) / safe
        d = d_level + d_tilt * c
        # In these units y is at most 1: what is left is rounding.
        if not (np.abs(d) > 1e-15).any():
            break
        length = minimum_along(r, d, penalty)[..., None]
        level, tilt = level + length * d_level, tilt + length * d_tilt
    return np.concatenate([level - tilt * centre, tilt], -1)


def minimum_along(r: Array, d: Array, penalty: float) -> Array:
    """argmin over real z of sum_k w_k (r_k + z d_k)^2, w = 1 + penalty where r_k + z d_k < 0, else 1; exact.

    r, d: (*batch, n). Returns (*batch,); 0 where d = 0. The slope of the sum rises, linear between the
    z_k = -r_k / d_k: these are sorted, and its zero lies before the first at which it is not negative.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        kinks = np.where(d != 0, -r / d, np.inf)
        order = np.argsort(kinks, axis=-1)
        kinks, r, d = (np.take_along_axis(values, order, -1) for values in (kinks, r, d))
        before = np.where(d > 0, 1 + penalty, 1.0) * d
        passed = np.where(d > 0, -penalty, penalty) * d
        steep, rise = (_sums(before * part, passed * part) for part in (d, r))
        reached = steep[..., :-1] * kinks + rise[..., :-1] >= 0
        piece = np.where(reached.any(-1), reached.argmax(-1), r.shape[-1])[..., None]
        steep, rise = (np.take_along_axis(values, piece, -1)[..., 0] for values in (steep, rise))
        return np.where(steep > 0, -rise / steep, 0.0)


def _sums(first: Array, changes: Array) -> Array:
    """sum(first), and that with the first 1, 2, ..., n of the changes: (*batch, n + 1)."""
    whole = first.sum(-1, keepdims=True)
    return np.concatenate([whole, whole + np.cumsum(changes, -1)], -1)
