"""Convex quadratics over a ball, and under a proximal term, from their eigendecomposition."""

import torch
from torch import Tensor

EPS = torch.finfo(torch.float64).eps
MAX_STEPS = 200
"""Bisection alone, in the logarithm, needs fewer: log2(ln(1e300) / EPS) is about 62."""


FLATTEST = 1e-140
"""A curvature below this, in units of |b| / t, counts as 0: squares of quotients by it stay finite."""


def secular_displacement(eigenvalues: Tensor, coefficients: Tensor, radius: Tensor | float) -> Tensor:
    """argmin {sum_i a_i (y_i + s_i)^2 / 2 : |s| <= t}, the shortest one where there are several.

    ``ball_quadratic`` with b = a y. eigenvalues: a >= 0, (d,) or (*batch, d). coefficients: y,
    (*batch, d). radius: t > 0, a float or (*batch, 1). Returns s, (*batch, d).
    """
    return ball_quadratic(eigenvalues, eigenvalues.clamp(min=0) * coefficients, radius)


def ball_quadratic(eigenvalues: Tensor, linear: Tensor, radius: Tensor | float) -> Tensor:
    """argmin {sum_i a_i s_i^2 / 2 + b_i s_i : |s| <= t}, the shortest one where there are several.

    eigenvalues: a >= 0, (d,) or (*batch, d). linear: b, (*batch, d). radius: t > 0, a float or
    (*batch, 1). Returns s, (*batch, d), with |s| = t to rounding unless b = 0 on {a = 0} and
    s = -b / a on {a > 0} is shorter.

    Optimality: a_i s_i + b_i + lam s_i = 0 with lam >= 0, so s = -b / (A + lam). Else lam > 0 and
    |s| = t; |s| falls from infinity (or, if b = 0 on {a = 0}, from |b / a| on {a > 0}) to 0: the root
    is unique, there is no hard case for a convex quadratic. In units with |b| = t = 1, y = b / a on
    {a > 0} and c = |b| on {a = 0}, it lies in [max(c, min a (|y| - 1)), 1], and below
    max a (|y| - 1) if c = 0. Newton on 1 / |s| - 1, concave in lam; a step that leaves the bracket, or
    does not halve the residual, is replaced by bisection in log lam. Rows that are done do not move.
    """
    t = torch.as_tensor(radius, dtype=linear.dtype, device=linear.device)
    a, b = torch.broadcast_tensors(eigenvalues.clamp(min=0), linear)
    t = t.expand(torch.broadcast_shapes(t.shape, (*b.shape[:-1], 1)))
    a, b = a.expand(*t.shape[:-1], a.shape[-1]), b.expand(*t.shape[:-1], b.shape[-1])
    size = b.norm(dim=-1, keepdim=True)
    size = torch.where(size == 0, 1.0, size)
    scaled, unit = a * (t / size), b / size
    curved = scaled > FLATTEST
    length = torch.where(curved, unit / scaled, 0.0).norm(dim=-1, keepdim=True)
    slope = torch.where(curved, 0.0, unit).norm(dim=-1, keepdim=True)
    inside = (slope == 0) & (length <= 1)
    smallest = torch.where(curved, scaled, torch.inf).amin(dim=-1, keepdim=True)
    smallest = torch.where(smallest.isinf(), 0.0, smallest)
    largest = torch.where(slope == 0, scaled.amax(dim=-1, keepdim=True) * (length - 1), 1.0)
    low = torch.where(inside, 1.0, torch.maximum(slope, smallest * (length - 1)))
    lam = _secular_root(scaled, unit, low, torch.where(inside, 1.0, largest.clamp(max=1)), inside)
    s = -unit / (scaled + lam)
    s = s * (t / s.norm(dim=-1, keepdim=True))
    return torch.where(inside, torch.where(curved, -b / torch.where(curved, a, 1.0), 0.0), s)


def _secular_root(a: Tensor, b: Tensor, low: Tensor, high: Tensor, done: Tensor) -> Tensor:
    """Lam in [low, high] with |b / (a + lam)| = 1, per row; |b| = 1, low > 0."""
    lam = (low * high).sqrt()
    previous = torch.full_like(lam, torch.inf)
    for _ in range(MAX_STEPS):
        if bool(done.all()):
            break
        w = b / (a + lam)
        seen = w.norm(dim=-1, keepdim=True)
        miss = seen - 1
        too_long = miss > 0
        low, high = torch.where(too_long, lam, low), torch.where(too_long, high, lam)
        # not <=: a row with nan is done at once and stays nan
        done = done | ~(miss.abs() > 4 * EPS) | ~(high > low * (1 + 2 * EPS))
        slope = (w.square() / (a + lam)).sum(dim=-1, keepdim=True)
        newton = lam + seen.square() / slope * miss
        trusted = (newton > low) & (newton < high) & (miss.abs() <= previous / 2)
        lam = torch.where(done, lam, torch.where(trusted, newton, low.sqrt() * high.sqrt()))
        previous = miss.abs()
    return lam


def quadratic_prox(x: Tensor, center: Tensor, eigenvalues: Tensor, basis: Tensor | None, g: Tensor) -> Tensor:
    """argmin_z (z-c)' V diag(a) V' (z-c) / 2 + |z - x|^2 / (2 g) = x - V (g a y / (1 + g a)), y = V'(x-c).

    g: stepsize > 0, (*batch, 1) or (). basis: V, orthogonal, None for the identity. Shapes as x.
    """
    y = x - center if basis is None else (x - center) @ basis
    shift = y * (g * eigenvalues / (1 + g * eigenvalues))
    return x - (shift if basis is None else shift @ basis.mT)


def quadratic_nearest(x: Tensor, center: Tensor, eigenvalues: Tensor, basis: Tensor | None) -> Tensor:
    """Projection on argmin (z-c)' V diag(a) V' (z-c), which is c + ker A. Shapes as x."""
    curved = eigenvalues > 0
    if bool(curved.all()):
        return center.expand_as(x)
    if basis is None:
        return torch.where(curved, center, x)
    flat = basis[:, ~curved]
    return center + ((x - center) @ flat) @ flat.mT


def quadratic_brox(x: Tensor, center: Tensor, eigenvalues: Tensor, basis: Tensor | None, t: Tensor) -> Tensor:
    """argmin of (z-c)' V diag(a) V' (z-c) / 2 over B(x, t); the nearest minimiser where one is there.

    t: radius > 0, (*batch, 1) or (). Arguments as in ``quadratic_prox``. Returns (*batch, d).
    """
    y = x - center if basis is None else (x - center) @ basis
    nearest = quadratic_nearest(x, center, eigenvalues, basis)
    inside = torch.where(eigenvalues > 0, y, 0.0).norm(dim=-1, keepdim=True) <= t
    s = secular_displacement(eigenvalues, y, t)
    if basis is not None:
        s = s @ basis.mT
        length = s.norm(dim=-1, keepdim=True)
        s = s * (t / torch.where(inside, t, length))
    return torch.where(inside, nearest, x + s)
