"""Star-convexity: convex towards the nearest minimiser."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.inequality import EntryInequality, Sides
from assumptions.minimisers import gap_above, minimiser_error, nearest_minimiser
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS

FRACTIONS = (0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97)
"""Of the way from x to the minimiser."""


@dataclass(frozen=True)
class StarConvex(EntryInequality):
    """f(z) <= (1 - s) f(x) + s f_star for z = x + s (y - x), y the minimiser nearest to x, 0 <= s <= 1.

    No constants. Written as f(z) - f_star <= (1 - s) (f(x) - f_star), for s in ``FRACTIONS``, which are the
    entries. With phi(t) = f - f_star at y + t (x - y), a violation at any s says that phi(t) / t falls
    somewhere; at a point x where it falls, small fractions see it. A region must hold the nearest
    minimisers of its points.
    """

    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("f_star", "nearest_star")
    instead: ClassVar[str] = "a problem whose only minimiser is known offers it"

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every fraction, (*batch, 9), at x, (*batch, d).

        Beside both gaps, the place of z is off by roundings of x and y and by the error of y.
        """
        (x,) = points
        y = nearest_minimiser(problem, x)
        s = x.new_tensor(FRACTIONS)
        z = x.unsqueeze(-2) + s.unsqueeze(-1) * (y - x).unsqueeze(-2)
        gap, gap_error = gap_above(problem, x)
        lhs, lhs_error = gap_above(problem, z)
        with torch.no_grad():
            place = ROUNDINGS * (EUCLIDEAN.norm(x) + EUCLIDEAN.norm(y)) + minimiser_error(problem)
            slope = EUCLIDEAN.norm(problem.grad(z)).nan_to_num(nan=0.0, posinf=0.0)
            resolution = lhs_error + (1 - s) * gap_error.unsqueeze(-1) + slope * place.unsqueeze(-1)
        return Sides(lhs, (1 - s) * gap.unsqueeze(-1), resolution)
