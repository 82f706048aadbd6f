"""Functions of the Euclidean distance to a point, minimised over balls: project the point on the ball."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm, Weighted
from problems.level import cut_at_level
from problems.lp_form import has_lp_form, lp_form
from problems.secular import ball_quadratic

LARGEST_SPREAD = 1e150
"""Largest weight over smallest whose square is a number."""
TINY = 1e-300
"""A radius below this part of |y|, which may not be a number, has the normal of this one."""


class Approach(NamedTuple):
    """The step s and the rest y + s without cancellation, (*batch, d); whether the rest is 0, (*batch, 1)."""

    step: Tensor
    rest: Tensor
    arrived: Tensor


def length(y: Tensor) -> Tensor:
    """|y|, Euclidean, (*batch, 1); nothing overflows, and the derivative at 0 is 0. y: (*batch, d)."""
    zero = (y == 0).all(dim=-1, keepdim=True)
    return torch.where(zero, 0.0, EUCLIDEAN.norm(torch.where(zero, 1.0, y)).unsqueeze(-1))


def approaches(norm: Norm, d: int) -> bool:
    """True for the norms of ``approach``: Lp for p = 1, 2, inf, and Weighted for p = 2, inf.

    For p = 2 weights are squared: their spread must be below 1e150.
    """
    if not has_lp_form(norm, d):
        return False
    if isinstance(norm, Weighted):
        spread = max(norm.weights) / min(norm.weights)
        return norm.p == math.inf or (norm.p == 2 and spread < LARGEST_SPREAD)
    return lp_form(norm, torch.ones(d)).p in (1.0, 2.0, math.inf)


def approach(y: Tensor, t: Tensor, norm: Norm) -> Approach:
    """argmin {|y + s|_2 : |s| <= t}, the Euclidean projection of -y on a ball of ``norm``.

    y: (*batch, d). t: (*batch, 1) or (). The minimiser of every increasing function of |y + s|_2 too.
    p = 2: straight to 0, or, weighted, the secular equation in w s. p = inf: each coordinate to 0 by
    t / w_i. p = 1: soft thresholding of -y at the level where |s|_1 = t / w.
    """
    p, w = lp_form(norm, y)
    if p == 2 and not w.dim():
        return _straight(y, t / w)
    arrived = norm.norm(y).unsqueeze(-1) <= t
    size, sign = y.abs(), torch.where(y.isnan(), y, y.sign())
    if p == math.inf:
        step, rest = -sign * torch.minimum(size, t / w), sign * (size - t / w).clamp(min=0)
    elif p == 1:
        cut, level = cut_at_level(size, t, norm)
        step, rest = -sign * cut, sign * torch.minimum(size, level)
    else:
        step, rest = _ellipsoid(y, t, w)
    return Approach(torch.where(arrived, -y, step), torch.where(arrived, 0.0, rest), arrived)


def _straight(y: Tensor, t: Tensor) -> Approach:
    """The part t / |y| of the way to 0."""
    r = length(y)
    safe, arrived = torch.where(r == 0, 1.0, r), r <= t
    step = torch.where(arrived, -y, -(y / safe) * t)
    return Approach(step, torch.where(arrived, 0.0, y * ((r - t) / safe)), arrived)


def _ellipsoid(y: Tensor, t: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """With z = w s: argmin of sum (z_i / w_i + y_i)^2 / 2 over |z| <= t. The rest is a normal, -w z.

    In units in which the largest |y_i| and the largest weight are 1, so that a tiny ball has a normal.
    """
    top, unit = w.amax(), y.abs().amax(dim=-1, keepdim=True)
    unit = torch.where(unit == 0, 1.0, unit)
    v, radius = w / top, (t / unit / top).clamp(min=TINY)
    z = ball_quadratic(1 / v.square(), y / unit / v, radius) / radius
    step, normal = z / v * (t / top), -v * z
    size = length(normal)
    return step, normal / torch.where(size == 0, 1.0, size) * length(y + step)
