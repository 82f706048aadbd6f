"""Slopes along x - u that support a function at u: the interval that given points y leave."""

from typing import NamedTuple

import torch
from torch import Tensor

from assumptions.balls.search import Argmins, lowest_apart, polish, rounding
from assumptions.base import EPS, Function
from assumptions.norms import EUCLIDEAN

REACH = 40.0
"""How far y goes, at least: a support of 1 - cos is told from 0 only over several periods."""

POLISHED_UP_TO = 8
"""In larger dimensions a search without gradients costs more than it finds."""
STARTS = 3
"""Points that are polished for each u."""


class Slopes(NamedTuple):
    """c >= 0 with f(y) >= f(u) + c <x - u, y - u> for the y tried lies in [low, high]; (n, m) each.

    ``below`` and ``above`` are the y that say so, (n, m, d).
    """

    low: Tensor
    high: Tensor
    below: Tensor
    above: Tensor


def slopes(problem: Function, x: Tensor, found: Argmins, y: Tensor) -> Slopes:
    """The interval that holds the slope of every support at an argmin near u; x: (n, d), y: (n, m, k, d).

    All errors widen it. With q = <x - u, y - u>, wrong by ``error`` (|y - u| + |x - u| + ``error``) at most,
    and D = f(y) - f(u), larger than that of the argmin by ``slack`` and rounding at most: where D < 0,
    q < 0 and c >= D / q is needed, and no c serves if q cannot be negative; else c <= D / q where q > 0.
    """
    u, x = found.u.unsqueeze(2), x[:, None, None]
    s, v = x - u, y - u
    f_u, f_y = problem.value(found.u).unsqueeze(2), problem.value(y)
    # an infinite or undefined value asks for nothing
    gain = f_y - f_u + found.slack.unsqueeze(2) + rounding(problem, f_u) + rounding(problem, f_y)
    gain = torch.where(f_y.isfinite() & gain.isfinite(), gain, torch.inf)
    e, length_s, length_v = found.error.unsqueeze(2), EUCLIDEAN.norm(s), EUCLIDEAN.norm(v)
    q = (s * v).sum(dim=-1) - (e + 8 * EPS * length_s) * (length_v + length_s + e)
    ratio = gain / torch.where(q == 0, 1.0, q)
    low = torch.where(gain < 0, torch.where(q < 0, ratio, torch.inf), 0.0)
    high = torch.where((gain >= 0) & (q > 0), ratio, torch.inf)
    (low, i), (high, j) = low.max(dim=2), high.min(dim=2)
    return Slopes(low, high, _take(y, i), _take(y, j))


def _take(y: Tensor, index: Tensor) -> Tensor:
    """y[n, m, index[n, m]]; y: (n, m, k, d), index: (n, m). Returns (n, m, d)."""
    return y.gather(2, index[..., None, None].expand(*index.shape, 1, y.shape[-1])).squeeze(2)


def rivals(problem: Function, x: Tensor, u: Tensor, t: float, count: int, seed: int = 0) -> Tensor:
    """Points y at which supports at u are tried, about ``count`` for each u; (n, m, k, d).

    Near u and far (up to ``reach``), around x on an even grid (d = 1: with its integers; else at random),
    known minimisers on both sides, and (d <= 8) the lowest of all where <x - u, y - u> > 0, polished.
    """
    generator = torch.Generator().manual_seed(seed)
    (n, m, d), each = u.shape, max(count // 4, 8)
    u, x = u.unsqueeze(2), x[:, None, None]
    far = reach(t)
    if d == 1:
        even = torch.linspace(-far, far, 2 * each, dtype=u.dtype).reshape(1, 1, -1, 1).to(u)
        signs = torch.tensor([-1.0, 1.0], dtype=u.dtype).repeat(each // 2 + 1)
        logs = signs * torch.logspace(-5, 0, signs.numel(), dtype=u.dtype) * far
        local = u + logs.reshape(1, 1, -1, 1).to(u)
        grid = x + even
        y = torch.cat([local, grid.expand(n, m, -1, d), (grid.round()).expand(n, m, -1, d)], dim=2)
    else:
        random = torch.randn(n, m, 3 * each, d, dtype=u.dtype, generator=generator).to(u)
        lengths = far * 10 ** (-5 * torch.rand(n, m, 3 * each, 1, dtype=u.dtype, generator=generator)).to(u)
        random = lengths * random / random.norm(dim=-1, keepdim=True)
        along = torch.linspace(-far, far, each, dtype=u.dtype).reshape(1, 1, -1, 1).to(u) * _unit(x - u)
        y = torch.cat([u + random[:, :, each:], (x + random[:, :, :each]).round(), x + along], dim=2)
    y = torch.cat([y, *_known(problem, x, u)], dim=2)
    if d > POLISHED_UP_TO:
        return y
    return torch.cat([y, _low_beyond(problem, x, u, y, generator)], dim=2)


def reach(t: float) -> float:
    """Largest |y - x| on the grid."""
    return max(REACH, 10 * t)


def _unit(s: Tensor) -> Tensor:
    length = s.norm(dim=-1, keepdim=True)
    return s / torch.where(length == 0, 1.0, length)


def _known(problem: Function, x: Tensor, u: Tensor) -> list[Tensor]:
    """x, x0, and known minimisers: near x and beyond it as seen from u; each (n, m, 1, d)."""
    points = [x.expand_as(u), problem.x0.to(u).expand_as(u)]
    if problem.offers("x_star"):
        points.append(getattr(problem, "x_star").to(u).expand_as(u))  # noqa: B009  (optional attribute)
    if problem.offers("nearest_star"):
        nearest = getattr(problem, "nearest_star")  # noqa: B009  (optional attribute)
        points += [nearest((x + r * (x - u)).contiguous()) for r in (0.0, 1.0, 3.0)]
    return points


def _low_beyond(problem: Function, x: Tensor, u: Tensor, y: Tensor, generator: torch.Generator) -> Tensor:
    """Local minimisers of f over {y : <x - u, y - u> > 0}, from the lowest y there; (n, m, STARTS, d).

    The starts keep their distance from u, next to which f is low only because u is.
    """

    def value(z: Tensor) -> Tensor:
        ahead = ((x - u) * (z - u)).sum(dim=-1) > 0
        return torch.where(ahead, problem.value(z).nan_to_num(nan=torch.inf), torch.inf)

    apart = 0.5 * (x - u).norm(dim=-1)
    f = torch.where((y - u).norm(dim=-1) >= apart, value(y), torch.inf)
    best = lowest_apart(y.flatten(0, 1), f.flatten(0, 1), apart.flatten(0, 1), STARTS)
    start = torch.stack([_take(y, index) for index in best.reshape(*y.shape[:2], -1).unbind(-1)], dim=2)
    step = 0.1 * (start - u).norm(dim=-1, keepdim=True) + 1e-6
    return polish(value, start, step, 40, generator).point
