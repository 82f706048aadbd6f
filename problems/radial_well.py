"""Minimisation over balls of functions of |x| that fall up to a radius and rise beyond it."""

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from problems.ball_step import BallStep
from problems.base import Problem
from problems.interval import fits_line, half_length


def norm_of(x: Tensor) -> Tensor:
    """|x| without overflow, (*batch, 1)."""
    return EUCLIDEAN.norm(x).unsqueeze(-1)


def unit(x: Tensor) -> Tensor:
    """x / |x|, and the first axis where x = 0. Shapes (*batch, d)."""
    largest = x.abs().amax(dim=-1, keepdim=True)
    # entries are divided by the largest one first, so that squares neither overflow nor vanish
    scaled = x / torch.where(largest == 0, 1.0, largest)
    axis = torch.zeros_like(x)
    axis[..., 0] = 1.0
    return torch.where(largest == 0, axis, scaled / scaled.norm(dim=-1, keepdim=True))


def serves(problem: Problem, norm: Norm) -> bool:
    """True for the norms of ``well_step``: the Euclidean one, and all in one dimension."""
    return norm == EUCLIDEAN or fits_line(problem, norm)


def nearest_on_sphere(problem: Problem, x: Tensor, a: float, norm: Norm) -> Tensor:
    """a x / |x|, the first axis for x = 0. Shapes (*batch, d). ValueError for a norm not served."""
    if not serves(problem, norm):
        raise ValueError(f"nearest_star of {problem!r} projects in {EUCLIDEAN!r} only, got norm={norm!r}")
    return a * unit(x)


def well_step(problem: Problem, x: Tensor, t: Tensor, norm: Norm, a: float) -> BallStep:
    """argmin over the ball of phi(|z|), phi falling on [0, a] and rising on [a, inf): a radial step.

    The ball B(x, t) holds points of every radius between max(|x| - t, 0) and |x| + t and of no other, so
    the best radius is the one nearest to a. It is reached by moving along x by a - |x| cut at -t and t, for
    a cut below means |x| - t > a >= 0. The nearest minimiser is a x / |x|. subgradient: grad f(u), 0 where
    |u| = a is reached. t: (*batch, 1) or ().
    """
    t = half_length(t, norm, x)
    direction = unit(x)
    wanted = a - norm_of(x)
    reached = wanted.abs() <= t
    step = torch.maximum(torch.minimum(wanted, t), -t) * direction
    point = torch.where(reached, a * direction, x + step)
    subgradient = torch.where(reached, 0.0, problem.grad(point))
    return BallStep.of(x, t, EUCLIDEAN, step, subgradient, point)
