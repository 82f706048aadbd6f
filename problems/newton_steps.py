"""Proximal and broximal steps of a smooth convex function by Newton's method, for any batch."""

from collections.abc import Callable

import torch
from torch import Tensor

from problems.ball_newton import TwiceDifferentiable, ball_minimise, proximal_minimise
from problems.oracle_guards import positive_step

Gap = Callable[[Tensor], Tensor]
"""x -> f(x) - f(x_star), (rows,)."""


def newton_prox(
    f: TwiceDifferentiable,
    x: Tensor,
    stepsize: float | Tensor,
    x_star: Tensor | None,
    gap: Gap | None = None,
    value_rounding: float = 0.0,
) -> Tensor:
    """argmin_z f(z) + |z - x|^2 / (2 stepsize). Shapes (*batch, d). SolverError if it fails.

    x_star, gap: a minimiser and the gap, where known: the better end of the path of proximal points,
    from x (stepsize 0) to x_star (infinite), is the start.
    """
    step = positive_step(x, x.shape[-1], stepsize=stepsize)
    rows, step = _rows(x, step)
    start = rows
    if x_star is not None and gap is not None:
        star = x_star.to(x).expand_as(rows)
        at_star = (1 / step).squeeze(-1) / 2 * (rows - star).square().sum(dim=-1)
        start = torch.where((gap(rows) <= at_star).unsqueeze(-1), rows, star)
        start = torch.where(rows.isnan(), rows, start)
    point = proximal_minimise(f, rows, 1 / step, start, value_rounding).point
    return point.reshape(_shape(x, stepsize))


def newton_brox(
    f: TwiceDifferentiable,
    x: Tensor,
    radius: float | Tensor,
    x_star: Tensor | None,
    value_rounding: float = 0.0,
) -> Tensor:
    """argmin of f over B(x, radius). Shapes (*batch, d). SolverError if it fails.

    x_star: the only minimiser, where known: returned if it is within reach, else the start lies
    towards it. None: a minimiser within reach is found by the iteration.
    """
    t = positive_step(x, x.shape[-1], radius=radius)
    rows, t = _rows(x, t)
    if x_star is None:
        return ball_minimise(f, rows, t, value_rounding=value_rounding).point.reshape(_shape(x, radius))
    point = x_star.to(x).expand_as(rows).clone()
    far = ~((rows - point).norm(dim=-1) <= t.squeeze(-1))
    towards = (point - rows)[far]
    start = rows[far] + towards * (t[far] / towards.norm(dim=-1, keepdim=True))
    point[far] = ball_minimise(f, rows[far], t[far], start, value_rounding).point
    return point.reshape(_shape(x, radius))


def _shape(x: Tensor, step: float | Tensor) -> torch.Size:
    batch = step.shape[:-1] if isinstance(step, Tensor) else ()
    return torch.broadcast_shapes(x.shape, (*batch, x.shape[-1]))


def _rows(x: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """x and the step broadcast against each other and flattened to (rows, d) and (rows, 1)."""
    shape = torch.broadcast_shapes(x.shape[:-1], step.shape[:-1])
    flat = x.expand(*shape, x.shape[-1]).reshape(-1, x.shape[-1])
    return flat, step.expand(*shape, 1).reshape(-1, 1)
