"""Proximal and broximal steps of a smooth convex function by Newton's method, for any batch."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from problems.ball_newton import SolverError, TwiceDifferentiable, ball_minimise, proximal_minimise
from problems.oracle_guards import positive_step

Gap = Callable[[Tensor], Tensor]
"""x -> f(x) - f(x_star), (rows,)."""
LENGTH = 1e-12
"""Relative error of the length of a step over a ball without a minimiser."""


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


class Move(NamedTuple):
    """A minimiser over a ball and point - x without the cancellation of that difference, (*batch, d) each."""

    point: Tensor
    step: Tensor


def newton_ball(
    f: TwiceDifferentiable,
    x: Tensor,
    radius: float | Tensor,
    nearest: Tensor | None,
    value_rounding: float = 0.0,
) -> Move:
    """argmin of f over B(x, radius). SolverError if it fails.

    nearest: the minimiser nearest to x, (d,) or as x, where known: returned if it is within reach, else
    the start lies towards it and the step is as long as the radius. None: a minimiser within reach is
    found by the iteration.
    """
    t = positive_step(x, x.shape[-1], radius=radius)
    shape = _shape(x, radius)
    if nearest is None:
        rows, t = _rows(x, t)
        found = ball_minimise(f, rows, t, value_rounding=value_rounding)
        return Move(found.point.reshape(shape), found.step.reshape(shape))
    point = nearest.to(x).expand(shape).reshape(-1, shape[-1]).clone()
    rows, t = _rows(x, t)
    step = point - rows
    distance = EUCLIDEAN.norm(step).unsqueeze(-1)
    far = ~(distance <= t).squeeze(-1)
    start = step[far] / distance[far] * t[far]
    found = ball_minimise(f, rows[far], t[far], start, value_rounding)
    _require_length(found.step, t[far])
    point[far], step[far] = found.point, found.step
    return Move(point.reshape(shape), step.reshape(shape))


def _require_length(step: Tensor, radius: Tensor) -> None:
    """SolverError if a step ends inside a ball without minimisers: the gradient there is rounding."""
    length = EUCLIDEAN.norm(step).unsqueeze(-1)
    short = length < radius * (1 - LENGTH)
    if bool(short.any()):
        reached, t = float(length[short][0]), float(radius[short][0])
        raise SolverError(
            f"brox: a step of length {t:.6g} ended after {reached:.6g}, where the gradient is below its "
            f"rounding, on {int(short.sum())} of {short.numel()} rows"
        )


def _shape(x: Tensor, step: float | Tensor) -> torch.Size:
    batch = step.shape[:-1] if isinstance(step, Tensor) else ()
    return torch.broadcast_shapes(x.shape, (*batch, x.shape[-1]))


def _rows(x: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
    """x and the step broadcast against each other and flattened to (rows, d) and (rows, 1)."""
    shape = torch.broadcast_shapes(x.shape[:-1], step.shape[:-1])
    flat = x.expand(*shape, x.shape[-1]).reshape(-1, x.shape[-1])
    return flat, step.expand(*shape, 1).reshape(-1, 1)
