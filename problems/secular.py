"""Quadratics over a Euclidean ball, convex or not, from their eigendecomposition."""

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from assumptions.base import EPS

Array = np.ndarray
MAX_STEPS = 200
"""Newton steps; the slowest decrease of |s| - 1 is by 2.25 a step, some 45 steps to a rounding."""
CLOSE = 4 * EPS
"""|s| is met to this relative error before the last division, which makes it exact."""
TINY = 1e-300
"""Stands for 0 in denominators, in units with t = 1 and largest |b_i| = 1."""


class BallQuadratic(NamedTuple):
    """A minimiser s over the ball, (*batch, d), and the multiplier of the ball, lam >= 0, (*batch, 1)."""

    step: Tensor
    multiplier: Tensor


def ball_quadratic(eigenvalues: Tensor, linear: Tensor, radius: Tensor | float) -> Tensor:
    """argmin {sum_i a_i s_i^2 / 2 + b_i s_i : |s| <= t}, as ``solve_ball_quadratic``; (*batch, d)."""
    if _is_row(eigenvalues, linear, radius):
        return _solve_row(eigenvalues, linear, float(radius))[0]
    return solve_ball_quadratic(eigenvalues, linear, radius).step


def solve_ball_quadratic(eigenvalues: Tensor, linear: Tensor, radius: Tensor | float) -> BallQuadratic:
    """argmin {sum_i a_i s_i^2 / 2 + b_i s_i : |s| <= t}; for a >= 0 the shortest where there are several.

    eigenvalues: a of any sign and order, (d,) or (*batch, d). linear: b, (*batch, d). radius: t > 0, a
    float or (*batch, 1). |s| = t to rounding unless a >= 0 and -b / a is shorter. nan in b or a gives
    nan in its row. To autograd s is a constant, which is what the gradient of a minimum needs.

    s is optimal if and only if (A + lam) s = -b with lam >= 0, A + lam >= 0 and lam (t - |s|) = 0 (More
    and Sorensen, 1983). With m = min(0, min a), a' = a - m >= 0 and mu = lam + m this is the convex
    problem of a', with |s| = t forced if m < 0. In units with t = 1:

    root      s = -b / (a' + mu) at the root of |s| = 1; mu > 0 unless |b / a'| <= 1, with 0 / 0 = 0.
    hard case |b / a'| <= 1 and m < 0, so b = 0 on the lowest eigenspace: mu = 0, and a vector of
              that space completes -b / a' to length 1; either sign is optimal, + is taken.
    start     three lower bounds of the root: 0; |b_i| - a'_i, from one term; |b| - M, M the mean of a'
              with weights b_i^2, for |s| >= |b| / (M + mu) (Jensen: a -> (a + mu)^(-2) is convex).
              Every |s_i| <= 1 there, and a bound > 0 proves |b / a'| > 1.
    Newton    on 1 / |s| = 1. 1 / |s| is concave in mu: with h = |s|^2 this says 2 h h'' >= 3 h'^2, and
              h h'' / 6 >= (h' / 2)^2 by Cauchy-Schwarz. So the tangent lies above it, steps that start
              below the root stay below, and need no bracket.

    A rounding that lifts the start or a step above the root moves |s| below 1 by roundings: it ends
    the iteration, as |s| - 1 <= 4 EPS does. The last division by |s| makes the length exact; s then has a
    KKT residual of a few roundings of |b|, however badly mu itself is determined.
    """
    if _is_row(eigenvalues, linear, radius):
        step, lam = _solve_row(eigenvalues, linear, float(radius))
        return BallQuadratic(step, linear.new_full((*linear.shape[:-1], 1), lam))
    with torch.no_grad():
        t = torch.as_tensor(radius, dtype=linear.dtype, device=linear.device)
        return _solve_rows(eigenvalues, linear, t)


def _is_row(eigenvalues: Tensor, linear: Tensor, radius: Tensor | float) -> bool:
    """One row and one radius, of a shape that does not change that of ``linear``."""
    one = not isinstance(radius, Tensor) or (radius.numel() == 1 and radius.dim() <= linear.dim())
    return one and eigenvalues.dim() == 1 and linear.numel() == linear.shape[-1]


def _solve_row(eigenvalues: Tensor, linear: Tensor, t: float) -> tuple[Tensor, float]:
    """One row of any shape (..., d) on numpy and numbers: five times as fast as ``_solve_rows``."""
    a, b = eigenvalues.detach().cpu().numpy(), linear.detach().cpu().numpy().reshape(-1)
    with np.errstate(all="ignore"):
        s, lam = solve_arrays(a, b, t)
    return torch.from_numpy(s).to(linear).reshape(linear.shape), lam


def solve_arrays(a: Array, b: Array, t: float) -> tuple[Array, float]:
    """``solve_ball_quadratic`` of one row, without its guards. a, b: (d,). Returns s, (d,), and lam."""
    lowest = min(float(a.min()), 0.0)
    size = math.sqrt(b.dot(b))
    if not 1e-100 < size < 1e100:
        size = float(np.abs(b).max())
    scaled = (a - lowest if lowest < 0 else a) * (min(t / size, 1e300) if size > 0 else 0.0)
    unit = b / (size or 1.0)
    squares = unit * unit
    norm_sq = float(squares.sum())
    mu = math.sqrt(norm_sq) - (float(scaled.dot(squares)) / norm_sq if norm_sq > 0 else 0.0)
    if not mu > 0:
        mu = max(float((np.abs(unit) - scaled).max()), 0.0)
    shift = scaled + (mu or TINY)
    w = unit / shift
    length_sq = float(w.dot(w))
    length = math.sqrt(length_sq)
    if mu == 0 and length <= 1:
        if lowest == 0:
            return np.where(b == 0, 0.0, -b / a), 0.0
        w[a.argmin()] -= math.sqrt(1 - length_sq)
        length = 1.0
    for _ in range(MAX_STEPS):
        if not length - 1 > CLOSE:  # not <=: nan ends it
            break
        mu += (length - 1) * length_sq / float(w.dot(w / shift))
        shift = scaled + mu
        w = unit / shift
        length_sq = float(w.dot(w))
        length = math.sqrt(length_sq)
    return w * (-t / length), mu * (size / t) - lowest


def _solve_rows(a: Tensor, b: Tensor, t: Tensor) -> BallQuadratic:
    """Any batch; rows that are done do not move."""
    batch = torch.broadcast_shapes(a.shape[:-1], b.shape[:-1], t.shape[:-1])
    a, b = a.expand(*batch, a.shape[-1]), b.expand(*batch, b.shape[-1])
    lowest = a.amin(dim=-1, keepdim=True).clamp(max=0)
    size = b.abs().amax(dim=-1, keepdim=True)
    size = torch.where(size == 0, torch.inf, size)
    scaled, unit = (a - lowest) * (t / size).clamp(max=1e300), b / size
    size = torch.where(size.isinf(), 0.0, size)
    norm_sq = unit.square().sum(dim=-1, keepdim=True)
    mean = (scaled * unit.square()).sum(dim=-1, keepdim=True) / torch.where(norm_sq == 0, 1.0, norm_sq)
    mu = torch.maximum(norm_sq.sqrt() - mean, (unit.abs() - scaled).amax(dim=-1, keepdim=True)).clamp(min=0)
    w = unit / (scaled + torch.where(mu == 0, TINY, mu))
    inside = (mu == 0) & (w.norm(dim=-1, keepdim=True) <= 1)
    mu = _secular_root(scaled, unit, mu, inside)
    shift = scaled + torch.where(mu == 0, TINY, mu)
    w = unit / shift
    convex = lowest == 0
    hard = inside & ~convex
    if bool(hard.any()):
        missing = (1 - w.square().sum(dim=-1, keepdim=True)).clamp(min=0).sqrt()
        first = torch.zeros_like(w).scatter(-1, a.argmin(dim=-1, keepdim=True), 1.0)
        w = torch.where(hard, w - missing * first, w)
    s = w * (-t / w.norm(dim=-1, keepdim=True))
    s = torch.where(inside & convex, torch.where(b == 0, 0.0, -b / a), s)
    return BallQuadratic(s, mu * (size / t) - lowest)


def _secular_root(a: Tensor, b: Tensor, mu: Tensor, done: Tensor) -> Tensor:
    """The root of |b / (a + mu)| = 1 from a lower bound mu, row by row; (*batch, 1)."""
    for _ in range(MAX_STEPS):
        shift = a + torch.where(mu == 0, TINY, mu)
        w = b / shift
        length_sq = w.square().sum(dim=-1, keepdim=True)
        miss = length_sq.sqrt() - 1
        done = done | ~(miss > CLOSE)  # not <=: a row with nan is done
        if bool(done.all()):
            break
        mu = torch.where(done, mu, mu + miss * length_sq / (w.square() / shift).sum(dim=-1, keepdim=True))
    return mu
