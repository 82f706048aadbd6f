"""Cutting a vector at a level so that what is cut off has a given norm."""

import math

import torch
from torch import Tensor

from assumptions import Norm
from assumptions.base import EPS
from problems.lp_form import lp_form

MAX_STEPS = 100
"""Each Newton step makes excess times slope four times smaller; two dozen reach rounding."""


def cut_at_level(size: Tensor, t: Tensor, norm: Norm) -> tuple[Tensor, Tensor]:
    """((y - v)_+, v) with |(y - v)_+| = t; (y, 0) where |y| <= t. y >= 0: (*batch, d); t: (*batch, 1) or ().

    norm: Lp or Weighted, any p; TypeError otherwise.
    In terms of depths e_i = max y - y_i and m = max y - v the cut is (m - e)_+, free of cancellation
    for small t. F(m) = |(m - e)_+| is convex (a norm of convex functions >= 0) and increasing; for
    p = inf the root of F(m) = t is min (e_i + t / w_i), which lies above the root for every p. Newton
    from there falls on the root: with x = F - t, convexity gives x_next / x + slope_next / slope <= 1.
    """
    p, w = lp_form(norm, size)
    top = size.amax(dim=-1, keepdim=True)
    depth = top - size
    m = (depth + t / w).amin(dim=-1, keepdim=True)
    if p < math.inf:
        m = _newton(depth, w, p, t, norm, m)
    m = torch.minimum(m, top)
    cut = (m - depth).clamp(min=0)
    length = norm.norm(cut).unsqueeze(-1)
    cut = cut * (t / torch.where(length == 0, 1.0, length))
    within = norm.norm(size).unsqueeze(-1) <= t
    return torch.where(within, size, cut), torch.where(within, 0.0, top - m)


def _newton(depth: Tensor, w: Tensor, p: float, t: Tensor, norm: Norm, m: Tensor) -> Tensor:
    """The root of |(m - depth)_+| = t from a start above it; rows that are done do not move."""
    done = torch.zeros_like(m, dtype=torch.bool)
    for _ in range(MAX_STEPS):
        cut = (m - depth).clamp(min=0)
        length = norm.norm(cut).unsqueeze(-1)
        slope = (w * cut_weights(cut, w, p, length)).sum(dim=-1, keepdim=True)
        m_next = m - (length - t) / slope
        # written so that nan is done
        done = done | ~(m - m_next > 2 * EPS * m)
        if bool(done.all()):
            break
        m = torch.where(done, m, m_next)
    return m


def cut_weights(cut: Tensor, w: Tensor, p: float, unit: Tensor) -> Tensor:
    """(w cut / unit)^(p - 1) where cut > 0, else 0; p < inf. Shapes as cut; nan stays."""
    return torch.where(cut == 0, 0.0, (w * cut / unit) ** (p - 1))
