"""Functions without curvature."""

from dataclasses import dataclass

from torch import Tensor

from assumptions.base import Function
from assumptions.bregman import bregman
from assumptions.inequality import Inequality, Sides


@dataclass(frozen=True)
class Affine(Inequality):
    """f(y) = f(x) + <grad f(x), y - x> for all x, y.

    No constants. Written as a ratio: size + |f(y) - f(x) - <grad f(x), y - x>| <= size, with
    size = |f(x) - f(y)| + |<grad f(x), y - x>|.
    """

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, y, each (*batch, d). Returns (*batch,) each."""
        x, y = points
        gap, size, resolution = bregman(problem, x, y)
        return Sides(size + gap.abs(), size, resolution)
