"""Centers of balls at which ball-convexity is most likely to fail."""

import torch
from torch import Tensor

from assumptions.balls.search import lowest_apart, polish
from assumptions.base import Function

SIDE = 3.0
"""Centers lie in a cube of this many units around x0 and the minimiser."""
BESIDE = (1e-6, 1e-2)
"""How far from points of symmetry further centers lie, in units: on top of a hill all directions tie."""
APART = 0.1
"""Hills that are closer, in units, count as one."""
STARTS = 24
"""Ascents for each hill that is kept."""


def centres(problem: Function, n: int, t: float, seed: int = 0) -> Tensor:
    """About n points of the domain, (m, d), m >= 1: x0, the minimiser, 0; hills of f; integers; a grid.

    Ball-convexity fails on hills first: from there a small ball sees no minimiser. Points beside the first
    three and beside the hills come first. The grid is even for d = 1, else a sample, in a cube whose unit is
    the largest of 1, t and the distance of x0 to the minimiser. Points outside the domain are moved into it
    where the problem knows how (``into_domain``), else left out.
    """
    generator = torch.Generator().manual_seed(seed)
    x0 = problem.x0.detach().to(torch.float64)
    star = getattr(problem, "x_star").detach().to(x0) if problem.offers("x_star") else x0  # noqa: B009
    unit = max(1.0, t, float((x0 - star).norm()))
    base = torch.stack([x0, star, torch.zeros_like(x0)])
    each = max(n // 4, 1)
    tops = torch.cat([base, _hills(problem, base, each, unit, generator)])
    beside = [tops + unit * length * _uniform(tops.shape[0], tops, generator) for length in BESIDE]
    lattice = (star + 4 * _uniform(each, x0, generator)).round()
    if problem.d == 1:
        even = torch.linspace(-1, 1, each + 1, dtype=x0.dtype).unsqueeze(-1).to(x0)
    else:
        even = _uniform(each, x0, generator)
    points = torch.cat([*beside, tops, lattice, star + SIDE * unit * even])
    if problem.offers("into_domain"):
        points = getattr(problem, "into_domain")(points)  # noqa: B009  (optional attribute)
    inside = problem.value(points).isfinite()
    return points[inside] if bool(inside.any()) else x0.unsqueeze(0)


def _uniform(n: int, like: Tensor, generator: torch.Generator) -> Tensor:
    """A sample of [-1, 1]^d, (n, d); like: (..., d)."""
    return 2 * torch.rand(n, like.shape[-1], dtype=like.dtype, generator=generator).to(like) - 1


def _hills(problem: Function, base: Tensor, n: int, unit: float, generator: torch.Generator) -> Tensor:
    """Local maximisers of f in the cube by ascents from a sample, (n, d).

    Apart from each other where there are so many, those inside the cube before those on its faces.
    """
    low, high = base.amin(dim=0) - SIDE * unit, base.amax(dim=0) + SIDE * unit

    def depth(z: Tensor) -> Tensor:
        f = problem.value(z)
        inside = ((z >= low) & (z <= high)).all(dim=-1) & f.isfinite()
        return torch.where(inside, -f, torch.inf)

    count = STARTS * n
    start = base[torch.arange(count) % base.shape[0]] + unit * _uniform(count, base, generator)
    step = torch.full_like(start[:, :1], unit / 10)
    top = polish(depth, start, step, 80, generator).point
    room = torch.minimum(top - low, high - top).amin(dim=-1)
    on_face = (room < BESIDE[1] * unit).to(top)
    return top[lowest_apart(top.unsqueeze(0), on_face.unsqueeze(0), APART * unit, n).squeeze(0)]
