"""Quasi-convexity: convex level sets."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.inequality import EntryInequality, Sides
from assumptions.rounding import NOISE, ROUNDINGS, value_noise

FRACTIONS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
"""Of the way from x to y."""


@dataclass(frozen=True)
class QuasiConvex(EntryInequality):
    """f(z) <= max(f(x), f(y)) for all x, y and z on the segment between them.

    No constants. Written without the offset of f, f(z) - low <= high - low, low and high the smaller and the
    larger of f(x), f(y); the left side is cut at 0. z is tried at the fractions ``FRACTIONS`` of the way,
    which are the entries: pairs around a stretch of a line on which f is too large see it where a fraction
    falls into the stretch.
    """

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every fraction, (*batch, 13). x, y: (*batch, d)."""
        x, y = torch.broadcast_tensors(*points)
        s = x.new_tensor(FRACTIONS).unsqueeze(-1)
        z = _kept_inside(
            problem, x.unsqueeze(-2) + s * (y - x).unsqueeze(-2), (x.abs() + y.abs()).unsqueeze(-2)
        )
        fx, fy, fz = problem.value(x), problem.value(y), problem.value(z)
        low, high = torch.minimum(fx, fy), torch.maximum(fx, fy)
        # an infinite end allows anything
        free = (high == torch.inf).unsqueeze(-1)
        lhs = torch.where(free, 0.0, (fz - low.unsqueeze(-1)).clamp(min=0))
        rhs = torch.where(free, 0.0, (high - low).unsqueeze(-1)).expand_as(lhs)
        with torch.no_grad():
            # the place of z is off by roundings of x and y, not of z
            slope = problem.grad(z).abs().nan_to_num(nan=0.0, posinf=0.0)
            place = ((x.abs() + y.abs()).unsqueeze(-2) * slope).sum(dim=-1)
            ends = (_rounding(problem, x) + _rounding(problem, y)).unsqueeze(-1)
            resolution = _rounding(problem, z) + ends + ROUNDINGS * place
        return Sides(lhs, rhs, resolution)


def _kept_inside(problem: Function, z: Tensor, size: Tensor) -> Tensor:
    """z, brought back where roundings alone took it out of the domain; z: (..., d), size: of what it is made.

    On a subspace, such as that of equal copies, a sum of two points can miss it by a rounding, and f is inf.
    """
    if not problem.offers("into_domain"):
        return z
    inside = getattr(problem, "into_domain")(z)  # noqa: B009  (optional attribute)
    moved = (inside - z).abs().amax(dim=-1, keepdim=True)
    return torch.where(moved <= ROUNDINGS * size.amax(dim=-1, keepdim=True), inside, z)


def _rounding(problem: Function, x: Tensor) -> Tensor:
    """How far rounding moves f(x): 64 roundings of itself, and its noise; (*batch,). x: (*batch, d)."""
    return ROUNDINGS * problem.value(x).abs().nan_to_num(nan=0.0, posinf=0.0) + NOISE * value_noise(
        problem, x
    )
