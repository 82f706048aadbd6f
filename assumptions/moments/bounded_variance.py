"""Noise of bounded variance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative
from assumptions.moments.bound import MomentBound, draw_options, estimate_moment


@dataclass(frozen=True)
class BoundedVariance(MomentBound):
    """E |n(x)|_2^2 <= sigma^2 for all x, n(x) the noise of the stochastic gradient; see ``MomentBound``.

    sigma: finite, >= 0, units of the gradient. ValueError otherwise.
    """

    sigma: float
    sense: ClassVar[Mapping[str, int]] = {"sigma": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(sigma=self.sigma)
        object.__setattr__(self, "sigma", float(self.sigma))

    @property
    def exponent(self) -> float:
        """Two."""
        return 2.0

    @property
    def bound(self) -> float:
        """The bound sigma."""
        return self.sigma

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """sigma_seen: the largest root mean square of the noise over the points x, (*batch, d).

        Exact at the points, or of draws. draws: int = 2^15, shared by the points; seed: int = 0. ValueError
        where the tail is so heavy that the sample moment does not settle (``hill``), TypeError without noise.
        """
        cls.require(problem)
        draws, seed = draw_options(options)
        (x,) = points
        return {"sigma_seen": estimate_moment(problem, x, 2.0, draws, seed)[0]}
