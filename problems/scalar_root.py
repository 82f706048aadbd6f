"""Roots of increasing functions of one variable, many at once."""

from collections.abc import Callable

import torch
from torch import Tensor

from assumptions.base import EPS

MAX_STEPS = 200
"""Bisection in the logarithm alone needs about log2(ln(1e300) / EPS) = 62."""


def increasing_root(residual: Callable[[Tensor], tuple[Tensor, Tensor]], low: Tensor, high: Tensor) -> Tensor:
    """s in [low, high] with residual(s) = 0, entry by entry; 0 <= low <= high. Shapes as low.

    residual: s -> (value, slope > 0), increasing, <= 0 at low and >= 0 at high. Newton's method; a step
    that leaves the bracket, or follows one that did not halve the residual, is replaced by the
    geometric mean of the bracket. Entries that are done do not move, so entries do not mix; nan gives nan.
    """
    s = low.sqrt() * high.sqrt()
    previous = torch.full_like(s, torch.inf)
    done = torch.zeros_like(s, dtype=torch.bool)
    for _ in range(MAX_STEPS):
        if bool(done.all()):
            break
        value, slope = residual(s)
        low, high = torch.where(value < 0, s, low), torch.where(value < 0, high, s)
        newton = s - value / slope
        settled = (newton - s).abs() <= 2 * EPS * s
        trusted = (newton >= low) & (newton <= high) & (value.abs() <= previous / 2)
        s_next = torch.where(settled | trusted, newton, low.sqrt() * high.sqrt())
        # written so that nan is done
        done = done | ~(value.abs() > 0)
        s = torch.where(done, s, s_next)
        done = done | settled | ~(high > low * (1 + 2 * EPS))
        previous = value.abs()
    return s


def cubic_split(m: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """(r, 1 - r) with s = r m the root of s + k s^3 = m: the proximal point of s^4 / 4. Shapes as m.

    k >= 0. With c = (k m^2)^(1/3) and v = c r the equation is v / c + v^3 = 1, and 1 - r = v^3: neither
    part cancels, nothing overflows. Newton from v = min(c, 1) above the root falls on it, for the left
    side is convex and increasing. The relative error e = v / root - 1 is at most 0.47 at the start
    (c = 1) and e_next <= e^2, so seven steps reach 1e-20.
    """
    c = k ** (1 / 3) * m.abs() ** (2 / 3)
    v = c.clamp(max=1)
    for _ in range(7):
        v = (1 + 2 * v**3) / (1 / c + 3 * v**2)
    stay = torch.where(v**3 < 0.5, 1 - v**3, v / c)
    # roots of k and m are known to several roundings, their product to two
    return stay, torch.where(c < 1, k * m * m * stay**3, v**3)
