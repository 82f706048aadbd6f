"""A problem with another origin."""

from dataclasses import dataclass
from functools import cached_property

from problems.base import Problem
from problems.calculus.seen_through import SeenThrough
from problems.calculus.units import Units
from problems.oracle_guards import require_vector


@dataclass(frozen=True)
class Shifted(SeenThrough):
    """F(x) = f(x - by): all constants are those of f, all points move by ``by``.

    problem: f. by: (d,), finite. ValueError otherwise.
    """

    problem: Problem
    by: tuple[float, ...]

    def __post_init__(self) -> None:
        """A tuple of floats, checked."""
        d = self.problem.d if isinstance(self.problem, Problem) else None
        object.__setattr__(self, "by", require_vector("by", self.by, d))
        self._require_inner()

    @cached_property
    def units(self) -> Units:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The shift alone."""
        return Units(shift=self.by)
