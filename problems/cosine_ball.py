"""How far each coordinate of a sum of cosines moves in a Euclidean ball."""

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from assumptions.base import EPS

HALVINGS = 200
"""Of the bracket of the multiplier, on a logarithmic scale."""
STEPS = 60
"""Newton steps at most."""


def euclidean_moves(a: Tensor, t: Tensor) -> Tensor:
    """argmin of sum_i (1 - cos(a_i - s_i)) over 0 <= s_i <= a_i, |s| <= t; a: (*batch, d), 0 <= a_i <= pi.

    a is the result where |a| <= t. Otherwise for m > 0 let s_i(m) be the root of sin(a_i - s) = m s: on
    [0, a_i] the difference of both sides is concave, >= 0 at 0 and < 0 at a_i, so that it has one positive
    root or none (s_i = 0), and s_i(m) minimises 1 - cos(a_i - s) + m s^2 / 2 there. |s(m)| falls
    continuously from |a| to 0. Where it is t, for every s of the ball

        sum (1 - cos(a_i - s_i)) >= sum [1 - cos(a_i - s_i(m)) + m s_i(m)^2 / 2] - m t^2 / 2
                                  = sum (1 - cos(a_i - s_i(m))),

    so s(m) is the argmin, although the problem is not convex. t: (*batch, 1) or ().
    """
    inside = EUCLIDEAN.norm(a).unsqueeze(-1) <= t
    if bool(inside.all()):
        return a.expand(*inside.shape[:-1], a.shape[-1])
    # in units of t: r = s / t and n = m t, so that r_i(n) <= 1 / n and |r(n)| <= 1 for n = sqrt(d)
    a_safe = torch.where(inside | a.isnan(), 0.0, a)
    high = torch.full_like(a[..., :1], a.shape[-1] ** 0.5).expand_as(inside)
    low = torch.zeros_like(high)
    for _ in range(HALVINGS):
        middle = torch.where(low > 0, low.sqrt() * high.sqrt(), high * 1e-3)
        long = _roots(a_safe, t, middle).norm(dim=-1, keepdim=True) > 1
        low, high = torch.where(long, middle, low), torch.where(long, high, middle)
        if bool((inside | (high - low <= 2 * EPS * high)).all()):
            break
    r = _roots(a_safe, t, high)
    length = r.norm(dim=-1, keepdim=True)
    s = torch.minimum(t * (r / torch.where(length > 0, length, 1.0)), a)
    return torch.where(inside, a, s)


def _roots(a: Tensor, t: Tensor, n: Tensor) -> Tensor:
    """The largest root of sin(a - t r) = n r in [0, a / t], by Newton's method from the right; shapes as a.

    The difference is concave, so the steps fall to the root; where t is small against a, the first one
    cancels and may end below it, from where the next one returns.
    """
    r = torch.minimum(a / t, 1 / n)
    for _ in range(STEPS):
        rest = a - t * r
        slope = n + t * rest.cos()
        moved = (n * r - rest.sin()) / torch.where(slope > 0, slope, torch.inf)
        r = (r - moved).clamp(min=0)
        # written so that nan ends it
        if not bool((moved.abs() > 4 * EPS * r).any()):
            break
    return r
