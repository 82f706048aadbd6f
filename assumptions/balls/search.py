"""Minimisers over balls for functions that know no oracle, and what is uncertain about them."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS, Function
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS, value_scale

GRID = 257
"""Points of a ball at which a search begins."""
KEPT = 6
"""Of these, the best are polished."""
MAY_DIFFER = 100.0
"""A search is trusted to this many times what its last third still gained."""


class Argmins(NamedTuple):
    """Candidates for the argmins over n balls.

    u       (n, m, d)
    slack   f(u) - min over the ball, at most, (n, m); inf where f(u) is not close to the least value found
    error   distance from u to an argmin if one is near, at most, (n, m)
    """

    u: Tensor
    slack: Tensor
    error: Tensor


def rounding(problem: Function, f: Tensor) -> Tensor:
    """Rounding error of values f; shapes as f.

    The scatter of f around a point is no measure of it here: functions may jump.
    """
    return (ROUNDINGS * (f.abs() + value_scale(problem))).nan_to_num(nan=0.0, posinf=0.0)


def has_oracle(problem: Function, norm: Norm) -> bool:
    """True if the problem minimises over balls of this norm."""
    says = getattr(problem, "offers_brox", None)
    return bool(says(norm)) if says is not None else problem.offers("brox") and norm == EUCLIDEAN


def argmins(problem: Function, x: Tensor, t: float, norm: Norm, seed: int = 0, effort: int = 1) -> Argmins:
    """Candidates for the argmins over B(x, t); x: (n, d). effort: times as many starts of a search."""
    if has_oracle(problem, norm):
        return _by_oracle(problem, x, t, norm)
    return _by_search(problem, x, t, norm, seed, effort)


def beaten(problem: Function, x: Tensor, t: float, norm: Norm, found: Argmins, y: Tensor) -> Argmins:
    """The candidates less those that some y of the ball beats (slack inf); y: (n, m, k, d)."""
    inside = norm.norm(y - x[:, None, None]) <= t
    least = torch.where(inside, problem.value(y).nan_to_num(nan=torch.inf), torch.inf).amin(dim=(1, 2))
    lost = problem.value(found.u) - found.slack > least.unsqueeze(1)
    return found._replace(slack=torch.where(lost, torch.inf, found.slack))


def _by_oracle(problem: Function, x: Tensor, t: float, norm: Norm) -> Argmins:
    """What ``brox`` returns, with its own bound on its error."""
    arguments = (x, t) if norm == EUCLIDEAN else (x, t, norm)
    u = getattr(problem, "brox")(*arguments)  # noqa: B009  (optional attribute)
    error = _position(x, u, t)
    stated = getattr(problem, "oracle_error", None)
    if stated is not None:
        error = error + stated("brox", x, t, u)
    slope = EUCLIDEAN.norm(problem.grad(u)).nan_to_num(nan=0.0, posinf=0.0)
    slack = rounding(problem, problem.value(u)) + slope * error
    return Argmins(u.unsqueeze(1), slack.unsqueeze(1), error.unsqueeze(1))


def _by_search(problem: Function, x: Tensor, t: float, norm: Norm, seed: int, effort: int) -> Argmins:
    """The best points of a grid (d = 1: with the integers) or of a sample, polished."""
    generator = torch.Generator().manual_seed(seed)
    centre = x.unsqueeze(1)

    def retract(z: Tensor) -> Tensor:
        s = z - centre
        return centre + s * (t / norm.norm(s).unsqueeze(-1)).clamp(max=1)

    def value(z: Tensor) -> Tensor:
        return problem.value(retract(z)).nan_to_num(nan=torch.inf)

    z, spacing = _starts(centre, t, norm, GRID * effort, generator)
    z = retract(z)
    best = lowest_apart(z, value(z), spacing, KEPT * effort)
    start = z.gather(1, best.unsqueeze(-1).expand(-1, -1, x.shape[-1]))
    rounds = 60 * x.shape[-1]
    early = polish(value, start, torch.full_like(start[..., :1], spacing), rounds, generator)
    u = retract(polish(value, early.point, early.step, rounds // 2, generator).point)
    f = value(u)
    above = f - f.amin(dim=1, keepdim=True)
    gained = (early.value - f).clamp(min=0).nan_to_num(nan=0.0, posinf=0.0)
    slack = rounding(problem, f) + MAY_DIFFER * gained
    if x.shape[-1] > 1:
        # moves can stall where f has kinks: the best of the starts is trusted as far as half of them agree
        slack = slack + MAY_DIFFER * above.median(dim=1, keepdim=True).values.nan_to_num(nan=torch.inf)
    slack = torch.where((above <= slack) & f.isfinite(), slack + above, torch.inf)
    error = MAY_DIFFER * (u - retract(early.point)).norm(dim=-1)
    error = error + _spread(problem, u, slack, t, retract, generator)
    return Argmins(u, slack, error + _position(centre, u, t))


def _starts(
    centre: Tensor, t: float, norm: Norm, count: int, generator: torch.Generator
) -> tuple[Tensor, float]:
    """Points around each center, (n, k, d), and their spacing; d = 1: an even grid and its integers."""
    n, _, d = centre.shape
    if d > 1:
        sample = torch.randn(n, 2 * count, d, dtype=centre.dtype, generator=generator).to(centre)
        return torch.cat([centre + t * sample, centre], dim=1), 0.2 * t
    side = t / float(norm.norm(torch.ones(1, dtype=centre.dtype)))
    line = centre + side * torch.linspace(-1, 1, count, dtype=centre.dtype).reshape(1, -1, 1).to(centre)
    whole = line.round()
    inside = (whole - centre).abs() <= side
    return torch.cat([line, torch.where(inside, whole, centre)], dim=1), 2 * t / count


def _position(x: Tensor, u: Tensor, t: float) -> Tensor:
    """Rounding error of u, (*batch,); 0 for a center that comes back unchanged, t far above rounding.

    It matters: no slope serves u = x unless it is a minimiser, while c grows without bound as u nears x.
    """
    size = EUCLIDEAN.norm(x)
    exact = (u == x).all(dim=-1) & (t > 1e-9 * size)
    return torch.where(exact, 0.0, 1e-12 * t + 8 * EPS * (size + t))


def lowest_apart(z: Tensor, f: Tensor, distance: float | Tensor, count: int) -> Tensor:
    """Indices of the best points that are at least ``distance`` from better ones, (n, count).

    z: (n, k, d), f: (n, k), distance: a float or (n, 1).
    """
    f, chosen = f.clone(), []
    for _ in range(count):
        best = f.argmin(dim=1, keepdim=True)
        chosen.append(best)
        point = z.gather(1, best.unsqueeze(-1).expand(-1, -1, z.shape[-1]))
        f = torch.where((z - point).norm(dim=-1) < distance, torch.inf, f)
    return torch.cat(chosen, dim=1)


def _spread(
    problem: Function,
    u: Tensor,
    slack: Tensor,
    t: float,
    retract: Callable[[Tensor], Tensor],
    generator: torch.Generator,
) -> Tensor:
    """Ten times the longest way from u along which f stays within its slack, (n, m)."""
    level = (problem.value(u) + 2 * slack).nan_to_num(nan=torch.inf)
    longest, moves = torch.zeros_like(level), _moves(u, generator)
    stays = torch.ones(moves.shape[:-1], dtype=torch.bool, device=u.device)
    for power in range(-52, 2):
        z = retract(u + t * 2.0**power * moves)
        stays = stays & (problem.value(z) <= level)
        longest = torch.maximum(longest, torch.where(stays, (z - u).norm(dim=-1), 0.0).amax(dim=0))
    return 10 * longest


def _moves(u: Tensor, generator: torch.Generator) -> Tensor:
    """Unit moves (k, *u.shape): both ways along each axis and, if d > 1, along two random lines."""
    d = u.shape[-1]
    axes = (
        torch.eye(d, dtype=u.dtype, device=u.device).reshape(d, *([1] * (u.dim() - 1)), d).expand(d, *u.shape)
    )
    if d > 1:
        random = torch.randn(2, *u.shape, dtype=u.dtype, generator=generator).to(u)
        axes = torch.cat([axes, random / random.norm(dim=-1, keepdim=True)])
    return torch.cat([axes, -axes])


class Polished(NamedTuple):
    """Points, their values and the last step lengths; (*batch, d), (*batch,), (*batch, 1)."""

    point: Tensor
    value: Tensor
    step: Tensor


def polish(
    value: Callable[[Tensor], Tensor], start: Tensor, step: Tensor, rounds: int, generator: torch.Generator
) -> Polished:
    """Local descent without gradients: the best of a few moves, else a shorter step; start: (*batch, d)."""
    point, f = start, value(start)
    for _ in range(rounds):
        rivals = point + step * _moves(point, generator)
        values = value(rivals)
        least, index = values.min(dim=0)
        better = least < f
        chosen = rivals.gather(0, index[None, ..., None].expand(1, *point.shape)).squeeze(0)
        point = torch.where(better.unsqueeze(-1), chosen, point)
        f = torch.where(better, least, f)
        step = torch.where(better.unsqueeze(-1), step, step / 2)
    return Polished(point, f, step)
