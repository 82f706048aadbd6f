"""Centers of balls at which ball-convexity is most likely to fail."""

import torch
from torch import Tensor

from assumptions.ball_search import polish
from assumptions.base import Function

SIDE = 3.0
"""Centers lie in a cube of this many units around x0 and the minimiser."""


def centres(problem: Function, n: int, t: float, seed: int = 0) -> Tensor:
    """About n points of the domain, (m, d), m >= 1: x0, the minimiser, 0; hills of f; integers; a grid.

    Ball-convexity fails on hills first: from there a small ball sees no minimiser. The grid is even for
    d = 1, else a sample, in a cube whose unit is the largest of 1, t and the distance of x0 to the
    minimiser. Points outside the domain are moved into it where the problem knows how (``into_domain``),
    else left out.
    """
    generator = torch.Generator().manual_seed(seed)
    x0 = problem.x0.detach().to(torch.float64)
    star = getattr(problem, "x_star").detach().to(x0) if problem.offers("x_star") else x0  # noqa: B009
    unit = max(1.0, t, float((x0 - star).norm()))
    base = torch.stack([x0, star, torch.zeros_like(x0)])
    each = max(n // 4, 1)
    hills = _hills(problem, base, each, unit, generator)
    lattice = (
        star + 4 * (2 * torch.rand(each, problem.d, dtype=x0.dtype, generator=generator).to(x0) - 1)
    ).round()
    if problem.d == 1:
        grid = star + SIDE * unit * torch.linspace(-1, 1, each + 1, dtype=x0.dtype).unsqueeze(-1).to(x0)
    else:
        grid = star + SIDE * unit * (
            2 * torch.rand(each, problem.d, dtype=x0.dtype, generator=generator).to(x0) - 1
        )
    points = torch.cat([base, hills, lattice, grid])[: max(n, 1)]
    if problem.offers("into_domain"):
        points = getattr(problem, "into_domain")(points)  # noqa: B009  (optional attribute)
    inside = problem.value(points).isfinite()
    return points[inside] if bool(inside.any()) else x0.unsqueeze(0)


def _hills(problem: Function, base: Tensor, n: int, unit: float, generator: torch.Generator) -> Tensor:
    """Local maximisers of f in the cube, the highest ones of ascents from a sample last; (n, d)."""
    low, high = base.amin(dim=0) - SIDE * unit, base.amax(dim=0) + SIDE * unit

    def depth(z: Tensor) -> Tensor:
        f = problem.value(z)
        inside = ((z >= low) & (z <= high)).all(dim=-1) & f.isfinite()
        return torch.where(inside, -f, torch.inf)

    spread = torch.rand(n, problem.d, dtype=base.dtype, generator=generator).to(base)
    start = base[torch.arange(n) % base.shape[0]] + unit * (2 * spread - 1)
    step = torch.full_like(start[:, :1], unit / 10)
    return polish(depth, start, step, 80, generator).point
