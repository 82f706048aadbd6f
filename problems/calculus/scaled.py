"""A problem in other units."""

from dataclasses import dataclass
from functools import cached_property

from assumptions.guards import require_positive
from problems.base import Problem
from problems.calculus.seen_through import SeenThrough
from problems.calculus.units import Units


@dataclass(frozen=True)
class Scaled(SeenThrough):
    """F(x) = factor f(x / unit).

    problem: f. factor: finite, > 0, multiplies values. unit: finite, > 0, multiplies points. ValueError
    otherwise. A constant of units f^i x^j is multiplied by factor^i unit^j: L by factor / unit^2. Oracles:
    prox_{g F}(x) = unit prox_{g factor / unit^2 f}(x / unit); the ball of radius t becomes one of t / unit.
    """

    problem: Problem
    factor: float = 1.0
    unit: float = 1.0

    def __post_init__(self) -> None:
        """Floats, checked."""
        require_positive(factor=self.factor, unit=self.unit)
        object.__setattr__(self, "factor", float(self.factor))
        object.__setattr__(self, "unit", float(self.unit))
        self._require_inner()

    @cached_property
    def units(self) -> Units:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The factor and the unit."""
        return Units(height=self.factor, unit=self.unit)
