"""The multiplier of a minimisation over a ball, as a trajectory shows it."""

import torch
from torch import Tensor

from assumptions import Norm, Smooth
from assumptions.base import EPS
from assumptions.rounding import gradient_noise
from workbench.quantity import Reading, in_norm


def before(r: Reading) -> Tensor:
    """The iterates one step earlier; the start itself at k = 0. Shapes as r.x."""
    return torch.cat([r.x[:, :1], r.x[:, :-1]], 1) if r.x_before is None else r.x_before


def subgradients(r: Reading) -> Tensor:
    """The multipliers' subgradients; at k = 0 the one that the problem returns. Shapes as r.x."""
    return torch.cat([r.problem.grad(r.x[:, :1]), r.state.subgradient[:, 1:]], 1)


def ball_norm(r: Reading) -> Norm:
    """The norm of the method's balls, whatever norm the run measures distances in."""
    return getattr(r.method, "norm", r.norm)


def slope(r: Reading) -> Tensor:
    """Dual norms of the multipliers' subgradients, (batch, K + 1)."""
    return ball_norm(r).dual(subgradients(r))


def slope_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding, and what the error of x does: L times it and the noise of gradients where f is smooth.

    Else the subgradient turns and grows with the step, as a part of its length; the problem's gradients
    on both sides of a kink say nothing about it.
    """
    norm = ball_norm(r)
    smooth = [c.assumption.L for c in r.problem.certified if isinstance(c.assumption, Smooth)]
    if smooth:
        change = min(smooth) * r.x_error * norm.rho(r.x.shape[-1])
        return 64 * EPS * value + 4 * gradient_noise(r.problem, r.x, norm) + change
    moved = norm.norm(r.x - before(r))
    return 64 * EPS * value + value * in_norm(r) / torch.where(moved > 0, moved, torch.inf)
