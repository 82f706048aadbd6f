"""How heavy a tail looks."""

import math
from typing import NamedTuple

from torch import Tensor

FEWEST = 16
"""Fewer positive samples than this many show no tail."""
DEVIATIONS = 3.0
"""Standard deviations that the estimate is given before a moment is refused."""


class Tail(NamedTuple):
    """Hill's estimate from the ``largest`` samples, and the p from which sample moments do not settle."""

    hill: float
    limit: float
    largest: int


def hill(samples: Tensor) -> Tail:
    """Of samples >= 0, (n,): 1 / mean of log(X_(i) / X_(k+1)) over the k = sqrt(n) largest ones.

    For a tail P(X > u) ~ u^-a it tends to a, with standard deviation a / sqrt(k). ``limit`` is three of these
    higher: a sample mean of X^p with p >= limit is the doing of the few largest samples and does not settle,
    be it for a heavy tail or for want of samples. inf where no tail is seen: too few positive samples, or all
    alike.
    Source: Hill (1975), Annals of Statistics 3.
    """
    positive = samples[samples > 0]
    k = min(math.isqrt(samples.numel()), positive.numel() - 1)
    if k < FEWEST:
        return Tail(math.inf, math.inf, max(k, 0))
    top = positive.topk(k + 1).values.log()
    mean = float((top[:-1] - top[-1]).mean())
    if mean <= 0:
        return Tail(math.inf, math.inf, k)
    return Tail(1 / mean, (1 + DEVIATIONS / math.sqrt(k)) / mean, k)
