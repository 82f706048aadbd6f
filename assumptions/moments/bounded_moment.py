"""Noise with a bounded moment, perhaps without variance."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative, require_positive
from assumptions.moments.bound import MomentBound, draw_options, estimate_moment


@dataclass(frozen=True)
class BoundedMoment(MomentBound):
    """E |n(x)|_2^p <= sigma_p^p for all x, n(x) the noise of the stochastic gradient; see ``MomentBound``.

    sigma_p: finite, >= 0, units of the gradient. 1 < p < inf, 2 by default. ValueError otherwise.
    """

    sigma_p: float
    p: float = 2.0
    sense: ClassVar[Mapping[str, int]] = {"sigma_p": -1}

    def __post_init__(self) -> None:
        """Both as floats."""
        require_nonnegative(sigma_p=self.sigma_p)
        _require_exponent(self.p)
        object.__setattr__(self, "sigma_p", float(self.sigma_p))
        object.__setattr__(self, "p", float(self.p))

    @property
    def exponent(self) -> float:
        """The exponent p."""
        return self.p

    @property
    def bound(self) -> float:
        """The bound sigma_p."""
        return self.sigma_p

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """sigma_p_seen: the largest (E |n|^p)^(1/p) over the points x, (*batch, d); and ``tail_seen``.

        Exact at the points, and then tail_seen is inf, for outcomes that can be listed are bounded; or of
        draws, with Hill's estimate of the tail index. p: float = 2.0; draws: int = 2^15, shared by the
        points; seed: int = 0. ValueError where p is beyond the limit of the tail (``hill``): the sample
        moment does not settle. TypeError without noise.
        """
        cls.require(problem)
        draws, seed = draw_options(options, "p")
        p = options.get("p", 2.0)
        _require_exponent(p)
        (x,) = points
        seen, tail = estimate_moment(problem, x, float(p), draws, seed)
        return {"sigma_p_seen": seen, "tail_seen": tail.hill}


def _require_exponent(p: float) -> None:
    """ValueError unless 1 < p < inf."""
    require_positive(p=p)
    if not 1 < p < math.inf:
        raise ValueError(f"p must be in (1, inf), got {p!r}")
