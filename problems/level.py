"""Cutting a vector at a level so that what is cut off has a given norm."""

import math

import torch
from torch import Tensor

from assumptions import Norm
from assumptions.base import EPS
from problems.lp_form import lp_form

MAX_STEPS = 100
"""Each Newton step makes excess times slope four times smaller; two dozen reach rounding."""

MISSED = 1e-13
"""|cut| - t in units of t from which the depths have lost digits; a sum of many rounds to less."""
REBASES = 4
"""One is enough unless several coordinates lie within rounding of the level."""


def cut_at_level(size: Tensor, t: Tensor, norm: Norm) -> tuple[Tensor, Tensor]:
    """((y - v)_+, v) with |(y - v)_+| = t; (y, 0) where |y| <= t. y >= 0: (*batch, d); t: (*batch, 1) or ().

    norm: Lp or Weighted, any p; TypeError otherwise.
    In terms of depths e_i = b - y_i and m = b - v, for any base b, the cut is (m - e)_+, free of
    cancellation for small t if b = max y. F(m) = |(m - e)_+| is convex (a norm of convex functions >= 0)
    and increasing; for p = inf the root of F(m) = t is min (e_i + t / w_i), which lies above the root for
    every p. Newton from there falls on the root: with x = F - t, convexity gives
    x_next / x + slope_next / slope <= 1.

    A coordinate of large weight whose cut is short against m loses digits in m - e_i, and |cut| misses t.
    Then b moves to the y_k nearest to the level: no cut is shorter than |m|, and all keep their digits.
    """
    p, w = lp_form(norm, size)
    within = norm.norm(size).unsqueeze(-1) <= t
    base = size.amax(dim=-1, keepdim=True)
    m, cut, length = _cut(base, size, w, p, t, norm)
    for _ in range(REBASES):
        missed = ~within & ((length - t).abs() > MISSED * t)
        if not bool(missed.any()):
            break
        nearest = (m - (base - size)).abs().argmin(dim=-1, keepdim=True)
        base = torch.where(missed, size.gather(-1, nearest), base)
        m, cut, length = _cut(base, size, w, p, t, norm)
    cut = cut * (t / torch.where(length == 0, 1.0, length))
    return torch.where(within, size, cut), torch.where(within, 0.0, base - m)


def _cut(
    base: Tensor, size: Tensor, w: Tensor, p: float, t: Tensor, norm: Norm
) -> tuple[Tensor, Tensor, Tensor]:
    """m, (m - depth)_+ and its norm, for depths below ``base``; (*batch, 1), (*batch, d), (*batch, 1)."""
    depth = base - size
    m = (depth + t / w).amin(dim=-1, keepdim=True)
    if p < math.inf:
        m = _newton(depth, w, p, t, norm, m)
    m = torch.minimum(m, base)
    cut = (m - depth).clamp(min=0)
    return m, cut, norm.norm(cut).unsqueeze(-1)


def _newton(depth: Tensor, w: Tensor, p: float, t: Tensor, norm: Norm, m: Tensor) -> Tensor:
    """The root of |(m - depth)_+| = t from a start above it; rows that are done do not move."""
    done = torch.zeros_like(m, dtype=torch.bool)
    for _ in range(MAX_STEPS):
        cut = (m - depth).clamp(min=0)
        length = norm.norm(cut).unsqueeze(-1)
        slope = (w * cut_weights(cut, w, p, length)).sum(dim=-1, keepdim=True)
        m_next = m - (length - t) / slope
        # written so that nan is done
        done = done | ~(m - m_next > 2 * EPS * m.abs())
        if bool(done.all()):
            break
        m = torch.where(done, m, m_next)
    return m


def cut_weights(cut: Tensor, w: Tensor, p: float, unit: Tensor) -> Tensor:
    """(w cut / unit)^(p - 1) where cut > 0, else 0; p < inf. Shapes as cut; nan stays."""
    return torch.where(cut == 0, 0.0, (w * cut / unit) ** (p - 1))
