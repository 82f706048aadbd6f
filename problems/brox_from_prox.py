"""Minimisation over Euclidean balls from the proximal operator: the same point for the right stepsize."""

from collections.abc import Callable

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from assumptions.base import EPS
from problems.ball_step import BallStep

Prox = Callable[[Tensor, Tensor], Tensor]
"""(x, stepsize) -> argmin_z f(z) + |z - x|^2 / (2 stepsize)."""
WIDEST = 2.0**200
"""Stepsizes are tried between the first one over this and the first one times this."""
MAX_STEPS = 200
"""Bisection alone, in the logarithm, needs log2(2 ln(WIDEST) / EPS), about 60; widening at most 30."""


def brox_from_prox(prox: Prox, x: Tensor, t: Tensor, nearest: Tensor | None = None) -> BallStep:
    """argmin of a convex f over {z : |z - x| <= t}, Euclidean, from its proximal operator.

    prox: of a closed convex f, row by row. x: (*batch, d), in the closure of the domain of f. t: > 0,
    (*batch, 1) or (). nearest: the minimiser of f nearest to x, (*batch, d), if it is known: returned
    where it is in the ball. Otherwise a minimiser in the ball is approached by the largest stepsize.

    u = prox(x, gamma) has (x - u) / gamma in df(u); if |x - u| = t, that is the multiplier's condition.
    m = |x - prox(x, gamma)| does not fall as gamma grows, and m / gamma does not rise: the root lies
    between gamma and gamma t / m. The stepsizes that solve it may form an interval, u is one.
    """
    shape = torch.broadcast_shapes(x.shape[:-1], t.shape[:-1])
    x, t = x.expand((*shape, x.shape[-1])), t.expand((*shape, 1))
    near = torch.zeros_like(t, dtype=torch.bool)
    if nearest is not None:
        near = (x - nearest).norm(dim=-1, keepdim=True) <= t
    gamma = _stepsize(prox, x, t, near)
    u = prox(x, gamma)
    step = u - x
    length = step.norm(dim=-1, keepdim=True)
    # shorter: the largest stepsize, so a minimiser is within reach
    on_sphere = (length >= t * (1 - 1e-9)) | ((length - t).abs() <= 8 * EPS * x.norm(dim=-1, keepdim=True))
    step = torch.where(on_sphere & (length > 0), step * (t / length), step)
    g = -step / gamma
    if nearest is None:
        return BallStep.of(x, t, EUCLIDEAN, step, g, torch.where(on_sphere, x + step, u))
    step, g = torch.where(near, nearest - x, step), torch.where(near, 0.0, g)
    return BallStep.of(x, t, EUCLIDEAN, step, g, torch.where(near, nearest, x + step))


def _stepsize(prox: Prox, x: Tensor, t: Tensor, done: Tensor) -> Tensor:
    """Gamma with |x - prox(x, gamma)| = t, (*batch, 1), to the last bits; where ``done``, any."""
    gamma = torch.ones_like(t)
    low, high = gamma / WIDEST, gamma * WIDEST
    misses = torch.full_like(t, torch.inf), torch.full_like(t, torch.inf)
    size = x.norm(dim=-1, keepdim=True)
    for _ in range(MAX_STEPS):
        length = (prox(x, gamma) - x).norm(dim=-1, keepdim=True)
        # not >: a row with nan is done at once and stays nan
        done = done | ~((length - t).abs() > EPS * t) | ~(high > low * (1 + 2 * EPS))
        if bool(done.all()):
            break
        short = length < t
        # the length is a difference: a bound from a length that is rounding is none
        rounding = 8 * EPS * (1 + size / length)
        bound = gamma * (t / length) * torch.where(short, 1 - rounding, 1 + rounding)
        bound = torch.where(rounding < 0.1, bound, gamma)
        low = torch.where(short, torch.maximum(bound, gamma).clamp(max=WIDEST), low)
        high = torch.where(short, high, torch.minimum(bound, gamma).clamp(min=1 / WIDEST))
        high = torch.maximum(low, high)
        miss = (length / t).log().abs()
        slow = ~(miss <= misses[0] / 4) | ~(rounding < 0.1)
        misses = misses[1], miss
        # from the bound, where it makes progress, else the middle of the logarithms
        towards = torch.where(slow, low.sqrt() * high.sqrt(), bound)
        towards = torch.minimum(torch.maximum(towards, low), high)
        gamma = torch.where(done, gamma, towards)
    return gamma
