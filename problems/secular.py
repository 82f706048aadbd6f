"""Convex quadratics over a ball, and under a proximal term, from their eigendecomposition."""

import torch
from torch import Tensor

EPS = torch.finfo(torch.float64).eps
MAX_STEPS = 200
"""Bisection alone, in the logarithm, needs fewer: log2(ln(1e300) / EPS) is about 62."""


def secular_displacement(eigenvalues: Tensor, coefficients: Tensor, radius: Tensor | float) -> Tensor:
    """argmin {sum_i a_i (y_i + s_i)^2 / 2 : |s| <= t}, the shortest one where there are several.

    eigenvalues: a >= 0, (d,) or (*batch, d). coefficients: y, (*batch, d). radius: t > 0, a float or
    (*batch, 1). Returns s, (*batch, d), with |s| = t to rounding unless s = -y on {a > 0} is shorter.

    Optimality: a_i (y_i + s_i) + lam s_i = 0, so s = -(A + lam)^(-1) A y with lam > 0 and |s| = t.
    |s| falls from |y| on {a > 0} at lam = 0 to 0 at infinity: the root is unique, there is no hard
    case for a convex quadratic. With r = |y| / t - 1, the root lies in [min a r, max a r]. Newton on
    1/|s| - 1/t, concave in lam; a step that leaves the bracket, or does not halve the residual, is
    replaced by bisection in log lam. Rows that are done do not move.
    """
    t = torch.as_tensor(radius, dtype=coefficients.dtype, device=coefficients.device)
    a, y = torch.broadcast_tensors(eigenvalues.clamp(min=0), coefficients)
    t = t.expand(torch.broadcast_shapes(t.shape, (*y.shape[:-1], 1)))
    a, y = a.expand(*t.shape[:-1], a.shape[-1]), y.expand(*t.shape[:-1], y.shape[-1])
    curved = a > 0
    y = torch.where(curved, y, 0.0)
    length = y.norm(dim=-1, keepdim=True)
    inside = length <= t
    # in units of the largest eigenvalue and of |y|, nothing overflows
    top = a.amax(dim=-1, keepdim=True)
    a = a / torch.where(top > 0, top, 1.0)
    v = y / torch.where(length > 0, length, 1.0)
    excess = torch.where(inside, 1.0, (length - t) / t)
    smallest = torch.where(curved, a, torch.inf).amin(dim=-1, keepdim=True).clamp(max=1)
    lam = _secular_root(a, v, torch.where(inside, 0.5, t / length), smallest * excess, excess, inside)
    s = -a * v / (a + torch.where(inside, 1.0, lam))
    s = s * (t / s.norm(dim=-1, keepdim=True))
    return torch.where(inside, -y, s)


def _secular_root(a: Tensor, v: Tensor, size: Tensor, low: Tensor, high: Tensor, done: Tensor) -> Tensor:
    """Lam in [low, high] with |a v / (a + lam)| = size, per row; |v| = 1, 0 < size < 1."""
    lam = (low * high).sqrt()
    previous = torch.full_like(lam, torch.inf)
    for _ in range(MAX_STEPS):
        if bool(done.all()):
            break
        w = a * v / (a + lam)
        seen = w.norm(dim=-1, keepdim=True)
        miss = seen - size
        too_long = miss > 0
        low, high = torch.where(too_long, lam, low), torch.where(too_long, high, lam)
        # not <=: a row with nan is done at once and stays nan
        done = done | ~(miss.abs() > 4 * EPS * size) | ~(high > low * (1 + 2 * EPS))
        slope = (w.square() / (a + lam)).sum(dim=-1, keepdim=True)
        newton = lam + seen.square() / slope * (miss / size)
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
