"""Minimisation over Euclidean balls from the proximal operator: the same point for the right stepsize."""

from collections.abc import Callable

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from assumptions.base import EPS
from problems.ball_newton import SolverError
from problems.ball_step import BallStep

Prox = Callable[[Tensor, Tensor], Tensor]
"""(x, stepsize) -> argmin_z f(z) + |z - x|^2 / (2 stepsize)."""
WIDEST = 2.0**900
"""Stepsizes are tried between 1 over this and this."""
MAX_STEPS = 200
"""Bisection alone, in the logarithm, needs log2(2 ln(WIDEST) / EPS), about 63; widening at most 30."""
ON_SPHERE = 1e-9
"""Relative error of |u - x| = t that counts as met."""
RESOLVED = 1e-3
"""Largest relative error of a step that was computed as a difference of points."""


def brox_from_prox(
    prox: Prox, x: Tensor, t: Tensor, nearest: Tensor | None = None, shift: Prox | None = None
) -> BallStep:
    """argmin of a convex f over {z : |z - x| <= t}, Euclidean, from its proximal operator.

    prox: of a closed convex f, row by row. x: (*batch, d), in the closure of the domain of f. t: > 0,
    (*batch, 1) or (). nearest: the minimiser of f nearest to x, (*batch, d), if it is known: returned
    where it is in the ball. Otherwise a minimiser in the ball is approached by the largest stepsize.
    shift: prox(x, stepsize) - x without the cancellation of that difference, if it is known; without it
    step and subgradient have a relative error of some roundings of |x| / t.

    u = prox(x, gamma) has (x - u) / gamma in df(u); if |x - u| = t, that is the multiplier's condition.
    m = |x - prox(x, gamma)| does not fall as gamma grows, and m / gamma does not rise: the root lies
    between gamma and gamma t / m. The stepsizes that solve it may form an interval, u is one.
    SolverError where no stepsize between 1 / WIDEST and WIDEST gives that length, or the difference of
    points does not resolve it to RESOLVED.
    """
    shape = torch.broadcast_shapes(x.shape[:-1], t.shape[:-1])
    x, t = x.expand((*shape, x.shape[-1])), t.expand((*shape, 1))
    move = shift or (lambda z, gamma: prox(z, gamma) - z)
    noise = torch.zeros_like(t) if shift else 8 * EPS * _length(x)
    near = torch.zeros_like(t, dtype=torch.bool)
    if nearest is not None:
        near = _length(x - nearest) <= t
    gamma = _stepsize(move, x, t, near, noise)
    step = move(x, gamma)
    length = _length(step)
    on_sphere = ((length - t).abs() <= ON_SPHERE * t + noise) & (noise <= RESOLVED * t)
    # shorter than t with the largest stepsize: a minimiser is within reach
    inside = (length < t) & (gamma >= WIDEST / 2) if nearest is None else near
    _require_solved(on_sphere | inside | near | _lost(x), length, t, noise)
    step = torch.where(on_sphere, step / torch.where(length > 0, length, 1.0) * t, step)
    g = -step / gamma
    if nearest is None:
        return BallStep.of(x, t, EUCLIDEAN, step, g, torch.where(on_sphere, x + step, prox(x, gamma)))
    step, g = torch.where(near, nearest - x, step), torch.where(near, 0.0, g)
    return BallStep.of(x, t, EUCLIDEAN, step, g, torch.where(near, nearest, x + step))


def _length(step: Tensor) -> Tensor:
    return EUCLIDEAN.norm(step).unsqueeze(-1)


def _lost(x: Tensor) -> Tensor:
    return x.isnan().any(dim=-1, keepdim=True)


def _require_solved(solved: Tensor, length: Tensor, t: Tensor, noise: Tensor) -> None:
    """SolverError that shows the first row that is not."""
    if bool(solved.all()):
        return
    reached, radius, rounding = (float(part[~solved][0]) for part in (length, t, noise))
    raise SolverError(
        f"brox: no stepsize was found at which the proximal step has length {radius:.3g}: got "
        f"{reached:.3g}, known to {rounding:.3g}, in {int((~solved).sum())} of {solved.numel()} rows; the "
        f"radius must be at least {1 / RESOLVED:.0f} times the rounding of the step, and the stepsize "
        f"between {1 / WIDEST:.0e} and {WIDEST:.0e}"
    )


def _stepsize(move: Prox, x: Tensor, t: Tensor, done: Tensor, noise: Tensor) -> Tensor:
    """Gamma with |move(x, gamma)| = t, (*batch, 1), to the last bits; where ``done``, any.

    noise: error of the length, (*batch, 1).
    """
    gamma = torch.ones_like(t)
    low, high = gamma / WIDEST, gamma * WIDEST
    misses = torch.full_like(t, torch.inf), torch.full_like(t, torch.inf)
    done = done | _lost(x)
    for _ in range(MAX_STEPS):
        # a stepsize that overflows is too long
        length = _length(move(x, gamma)).nan_to_num(nan=torch.inf, posinf=torch.inf)
        done = done | ~((length - t).abs() > EPS * t) | ~(high > low * (1 + 2 * EPS))
        if bool(done.all()):
            break
        short = length < t
        # a bound from a length that is rounding is none
        usable = (length > 0) & length.isfinite()
        rounding = torch.where(usable, 8 * EPS + noise / length, torch.inf)
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
