"""Starting points of replicates: a pure function of (seed, replicate)."""

import torch
from torch import Tensor

from problems.base import Problem
from workbench.draws import STREAM_STARTS, Gaussian, uniforms

CLOSEST, FARTHEST = -2.0, 1.0
"""log10 of the distance of a random start from the minimiser, in units of the default start's."""


def starts(problem: Problem, seed: int, replicates: range) -> Tensor:
    """(len(replicates), d): replicate 0 is the problem's own start, the others lie around a minimiser.

    Direction Gaussian, distance log-uniform; around x0 where no minimiser is known. Points outside
    the domain are moved into it, unless the problem's own start is outside too.
    """
    x0 = problem.x0
    centre = problem.x_star if problem.offers("x_star") else x0  # pyright: ignore[reportAttributeAccessIssue]
    unit = float((x0 - centre).norm()) or 1.0
    normal = Gaussian(problem.d)
    u = uniforms(seed, replicates, STREAM_STARTS, 0, normal.width + 1).to(x0)
    direction = normal.value(u[:, 1:])
    length = unit * 10 ** (CLOSEST + (FARTHEST - CLOSEST) * u[:, :1])
    points = centre + length * direction / direction.norm(dim=-1, keepdim=True)
    if bool(problem.contains(x0)):
        points = problem.into_domain(points)
    if replicates.start == 0:
        points = torch.cat([x0[None], points[1:]])
    return points
