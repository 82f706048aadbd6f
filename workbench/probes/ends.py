"""The two ends of a step, with loss and gradient on one and the same batch."""

from dataclasses import dataclass
from functools import cached_property

from workbench.probes.gradients.oracle import Evaluation
from workbench.probes.layers import Point


@dataclass(frozen=True)
class Ends:
    """X and X' = X + step, each with loss and gradient.

    spread_here, spread_there: (G^A - G^B) / 2 at X and at X', A and B the halves of the batch; None where it
    has no halves.
    """

    x: Point
    x_next: Point
    here: Evaluation
    there: Evaluation
    spread_here: Point | None = None
    spread_there: Point | None = None

    @cached_property
    def step(self) -> Point:
        """X' - X, in float64."""
        return difference(self.x_next, self.x)

    @cached_property
    def change(self) -> Point:
        """The change of the gradient, in float64."""
        return difference(self.there.gradient, self.here.gradient)


def difference(after: Point, before: Point) -> Point:
    """After less before, in float64."""
    return tuple(a.double() - b.double() for a, b in zip(after, before, strict=True))


def moved_by(x: Point, step: Point, factor: float = 1.0) -> Point:
    """X + factor step, in float64."""
    return tuple(a.double() + factor * s.double() for a, s in zip(x, step, strict=True))
