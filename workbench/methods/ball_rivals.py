"""Other points than the minimiser over a ball: none may be as good, none may lie below the support."""

from collections.abc import Iterator

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.rounding import value_noise
from workbench.methods.ball_multiplier import ball_norm, before, slope, slope_resolution, subgradients
from workbench.quantity import Reading

RIVALS = 12
"""Other points of the ball that are tried at each step."""
VISIBLE = 1e6
"""A decrease is seen where the first-order one exceeds this many roundings of the value."""


def _tried(r: Reading) -> Iterator[Tensor]:
    """Other points of the ball of each step, around u: along axes and in fixed random directions."""
    x, norm = before(r), ball_norm(r)
    step = r.x - x
    moved = norm.norm(step).unsqueeze(-1)
    generator = torch.Generator().manual_seed(0)
    for i in range(RIVALS):
        way = torch.randn(x.shape[-1], dtype=torch.float64, generator=generator).to(x)
        if i < 2 * x.shape[-1] and i < RIVALS // 2:
            way = torch.zeros_like(way)
            way[i // 2] = 1.0 if i % 2 == 0 else -1.0
        aside = step + moved * way / norm.norm(way)
        length = norm.norm(aside).unsqueeze(-1)
        yield x + aside * (moved / torch.where(length > 0, length, 1.0)).clamp(max=1)


def rival(r: Reading) -> Tensor:
    """The largest distance from u of a point tried in the ball at which f is not above f(u).

    A rival counts only where it is apart from u (by a thousandth of the step) and the value can tell a
    first-order decrease from its rounding.
    """
    u, norm = r.x, ball_norm(r)
    moved = norm.norm(u - before(r))
    value, farthest = r.problem.value(u), torch.zeros_like(moved)
    seen = moved * slope(r) > VISIBLE * (EPS * value.abs() + value_noise(r.problem, u))
    for z in _tried(r):
        away = norm.norm(z - u)
        better = (r.problem.value(z) <= value) & seen & (away > 1e-3 * moved)
        farthest = torch.maximum(farthest, torch.where(better, away, 0.0))
    return farthest


def _elsewhere(r: Reading) -> Iterator[Tensor]:
    """Points at which a support of f is tried: rivals, the start, the last iterate, a minimiser."""
    yield from _tried(r)
    yield before(r)
    yield r.x[:, :1].expand_as(r.x)
    if r.problem.offers("x_star"):
        yield r.problem.x_star.to(r.x).expand_as(r.x)  # pyright: ignore[reportAttributeAccessIssue]


def support(r: Reading) -> Tensor:
    """How far f(u) + <g, z - u> lies above f(z) at the points tried, at most; 0 at k = 0."""
    g, u = subgradients(r), r.x
    value, above = r.problem.value(u), torch.zeros_like(u[..., 0])
    for z in _elsewhere(r):
        excess = value + (g * (z - u)).sum(dim=-1) - r.problem.value(z)
        above = torch.maximum(above, excess)
    above[:, 0] = 0.0
    return above


def support_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding of both sides at each point, and the error of g over the distance."""
    g, u = subgradients(r), r.x
    own = r.problem.value(u).abs() + value_noise(r.problem, u) / EPS
    slope_error, worst = slope_resolution(r, slope(r)), torch.zeros_like(value)
    for z in _elsewhere(r):
        f = r.problem.value(z).abs() + value_noise(r.problem, z) / EPS
        sizes = own + f.nan_to_num(posinf=0.0) + (g * z).abs().sum(dim=-1) + (g * u).abs().sum(dim=-1)
        worst = torch.maximum(worst, 64 * EPS * sizes + 2 * slope_error * ball_norm(r).norm(z - u))
    return worst
