"""The ball step of a quadratic at one point, on numpy and numbers: a third of the cost of the batched one."""

import math

import numpy as np
import torch
from torch import Tensor

from problems.ball_step import BallStep
from problems.secular import solve_arrays

USUAL = 1e140
"""Lengths from 1 / USUAL to USUAL: their squares neither overflow nor vanish."""


def row_ball_step(
    x: Tensor, center: Tensor, eigenvalues: Tensor, basis: Tensor | None, flat: bool, t: Tensor
) -> BallStep | None:
    """argmin of (z-c)' V diag(a) V' (z-c) / 2 over {z : |z - x| <= t}, as ``quadratic_ball_step``.

    x: (..., d), one row in float64 on the CPU, to which no gradient flows; center, a: (d,); flat: whether
    some a is 0; t: one number. None where it is not the case to save time at: another x, a minimiser in the
    ball, lengths that are nan, or so small or large that their squares vanish or overflow.
    """
    plain = x.dtype == torch.float64 and x.device.type == "cpu" and not x.requires_grad
    if not (plain and x.numel() == x.shape[-1] and t.numel() == 1 and t.dim() <= x.dim()):
        return None
    a, radius, start = eigenvalues.numpy(), t.item(), x.numpy().reshape(-1)
    v = None if basis is None else basis.numpy()
    with np.errstate(all="ignore"):
        y = start - center.numpy()
        y = y if v is None else y @ v
        to_star = np.where(a > 0, y, 0.0) if flat else y
        far = math.sqrt(to_star.dot(to_star))
        if not (far > radius > 1 / USUAL and far < USUAL):
            return None
        s, _ = solve_arrays(a, a * y, radius)
        slope = a * (y + s)
        if v is not None:
            s, slope = v @ s, v @ slope
            length = math.sqrt(s.dot(s))
            if not length > radius / 2:  # a y has vanished
                return None
            s *= radius / length  # the rotation moved the length by roundings
        steep = math.sqrt(slope.dot(slope))
    if not 1 / USUAL < steep < USUAL:
        return None
    residual = max(radius * steep + float(slope.dot(s)), 0.0)
    shape = x.shape
    return BallStep(
        torch.from_numpy((start + s).reshape(shape)),
        torch.from_numpy(s.reshape(shape)),
        torch.from_numpy(slope.reshape(shape)),
        x.new_full(shape[:-1], residual),
    )
