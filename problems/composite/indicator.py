"""Indicators of convex sets."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Norm
from assumptions.guards import require_points
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.composite.flat_sets import Singleton
from problems.oracle_guards import positive_step, require_euclidean
from problems.sets import ConvexSet
from problems.zero_minimum import ZeroMinimum


@dataclass(frozen=True)
class Indicator(ZeroMinimum, Problem):
    """h(x) = 0 where x is in ``within``, else inf; its proximal step is the projection, for every stepsize.

    within: a ConvexSet, for example Box((0.0,), (1.0,)), a Singleton or a Consensus. start: overrides x0, by
    default the projection of a point outside. TypeError or ValueError otherwise. Source: definition.
    """

    within: ConvexSet
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        """Check the arguments."""
        if not isinstance(self.within, ConvexSet):
            raise TypeError(f"within must be a ConvexSet such as Box((0.0,), (1.0,)), got {self.within!r}")
        require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """Dimension of the set."""
        return self.within.d

    @property
    def x0(self) -> Tensor:
        """A point of the boundary, (d,)."""
        return start_point(self, self.start, self.within.project(self.within.exterior))

    @cached_property
    def x_star(self) -> Tensor:
        """The point of the set nearest to 0, (d,)."""
        return self.within.project(torch.zeros(self.d, dtype=torch.float64))

    @property
    def unique_star(self) -> bool:
        """True of a point."""
        return isinstance(self.within, Singleton)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """On the set; outside there are no subgradients."""
        return (Certificate(Convex(), proof="0 on a convex set, else inf", region=self.within),)

    def contains(self, x: Tensor) -> Tensor:
        """Whether x is in the set, up to a few roundings; (*batch,)."""
        return self.within.contains(x)

    def into_domain(self, x: Tensor) -> Tensor:
        """The projection. Shapes (*batch, d)."""
        return self.within.project(x)

    def value(self, x: Tensor) -> Tensor:
        """0 in the set, inf outside, nan stays. x: (*batch, d). Returns (*batch,)."""
        lost = x.isnan().any(dim=-1)
        return torch.where(self.contains(x), 0.0, torch.where(lost, torch.nan, torch.inf)).to(x)

    def grad(self, x: Tensor) -> Tensor:
        """0, a subgradient at every point of the set; outside there is none: nan. Shapes (*batch, d)."""
        return torch.where(self.contains(x).unsqueeze(-1), torch.zeros_like(x), torch.nan)

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """The projection. Shapes (*batch, d)."""
        step = positive_step(x, self.d, stepsize=stepsize)
        return self.within.project(x + 0 * step)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The projection. Shapes (*batch, d). ValueError for a norm without ``offers_dist``."""
        require_points(x, self.d)
        require_euclidean(self, norm)
        return self.within.project(x)

    def conic(self, z: Any, cp: Any) -> Any:
        """0 as an expression of cvxpy; the set is in ``conic_constraints``."""
        return 0 * cp.sum(z)

    def conic_constraints(self, z: Any, cp: Any) -> list[Any]:
        """The set as constraints of cvxpy."""
        return self.within.conic(z, cp)
