"""Starts from which a search runs: the problem's own, along the axes, towards a minimiser, anywhere."""

import torch
from scipy.stats import qmc
from torch import Tensor

from problems.base import Problem
from problems.matrix_space import normals

CLOSEST, FARTHEST = -2.5, 1.5
"""log10 of the distance from the minimiser, in units of the default start's."""


def starting(problem: Problem, count: int, seed: int) -> Tensor:
    """(count, d): the own start; a quarter on the ray through it, a quarter on the axes, the rest all over.

    Distances from a minimiser (from the own start where none is known) are quasi-random in their logarithm.
    Points outside the domain are moved into it, unless the problem's own start is outside too.
    """
    x0 = problem.x0
    centre = problem.x_star if problem.offers("x_star") else x0  # pyright: ignore[reportAttributeAccessIssue]
    ray = x0 - centre
    unit = float(ray.norm()) or 1.0
    d = problem.d
    u = qmc.Sobol(1 + min(d, 20), rng=seed).random(count)
    length = torch.from_numpy(unit * 10 ** (CLOSEST + (FARTHEST - CLOSEST) * u[:, :1])).to(x0)
    generator = torch.Generator().manual_seed(seed)
    direction = torch.randn(count, d, generator=generator, dtype=x0.dtype)
    direction[:, : u.shape[1] - 1] = torch.from_numpy(normals(u[:, 1:])).to(x0)
    kind = torch.arange(count) % 4
    axis = torch.nn.functional.one_hot(torch.arange(count) // 4 % d, d).to(x0) * direction.sign()
    direction = torch.where((kind == 1)[:, None], axis, direction)
    if float(ray.norm()) > 0:
        direction = torch.where((kind == 2)[:, None], ray.expand(count, d), direction)
    points = centre + length * direction / direction.norm(dim=-1, keepdim=True).clamp(min=1e-300)
    points[0] = x0
    if bool(problem.contains(x0)):
        points = problem.into_domain(points)
    return points


def centre_of(problem: Problem) -> Tensor:
    """The minimiser around which starts lie; the own start where none is known."""
    return problem.x_star if problem.offers("x_star") else problem.x0  # pyright: ignore[reportAttributeAccessIssue]


def varied(problem: Problem, near: Tensor, count: int, seed: int) -> Tensor:
    """Starts around the given relative ones: at them, then moved by less and less."""
    generator = torch.Generator().manual_seed(seed)
    base = near[torch.arange(count) % len(near)]
    decades = -0.5 - 3 * torch.rand(count, 1, generator=generator, dtype=base.dtype)
    shift = torch.randn(base.shape, generator=generator, dtype=base.dtype) * base.norm(dim=-1, keepdim=True)
    moved_by = torch.where((torch.arange(count) < len(near))[:, None], 0.0, 10**decades * shift)
    points = centre_of(problem) + base + moved_by
    return problem.into_domain(points) if bool(problem.contains(problem.x0)) else points
