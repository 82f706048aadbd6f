"""Smoothness of the terms that are used through their proximal steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Assumption, Function
from assumptions.composite.inequality import PartsInequality, parts_of, term_graph
from assumptions.guards import as_floats
from assumptions.inequality import EntryInequality, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import VISIBLE

INFINITE = float("inf")


@dataclass(frozen=True)
class SmoothTerms(PartsInequality, EntryInequality):
    """|u - v| <= L_j |p - q| for all p, q, u in dh_j(p), v in dh_j(q), h_j the terms of f + g + sum_j h_j.

    L_j: > 0 or inf, one for each term, units of f per squared unit of x; inf says nothing of that term.
    ValueError otherwise, and for a problem with another number of terms. Euclidean. Every pair is
    p = prox(x), u = x - p, stepsize 1.
    """

    L_j: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L_j": -1}

    def __post_init__(self) -> None:
        """The constants as floats."""
        constants = as_floats("L_j", self.L_j)
        if not constants or not all(constant > 0 for constant in constants):
            raise ValueError(f"L_j must hold numbers > 0, inf included, one for each term, got {self.L_j!r}")
        object.__setattr__(self, "L_j", constants)

    def implied_by(self, other: Assumption) -> bool:
        """True if each constant of ``other`` is at most that of this one; inf is at most inf."""
        if not isinstance(other, SmoothTerms) or len(other.L_j) != len(self.L_j):
            return False
        return all(theirs <= mine for mine, theirs in zip(self.L_j, other.L_j, strict=True))

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every term, (*batch, n); 0 where L_j is inf. x, y: (*batch, d)."""
        n = parts_of(problem).n
        if len(self.L_j) != n:
            raise ValueError(
                f"L_j must have one entry for each of the {n} terms of {problem!r}, got {self.L_j!r}"
            )
        graph = term_graph(problem, *points)
        constants = points[0].new_tensor(self.L_j)
        finite = constants < INFINITE
        L = torch.where(finite, constants, 0.0)
        p, u = EUCLIDEAN.norm(graph.point), EUCLIDEAN.norm(graph.slope)
        lhs, rhs = torch.where(finite | u.isnan(), u, 0.0), L * p
        return Sides(lhs, rhs, (1 + L) * graph.rounding)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L_j_seen = max of |u - v| / |p - q| for each term, inf at a kink; 0 where rounding hides all.

        points: x and y, each (*batch, d). TypeError for options: there are none.
        """
        cls.require(problem)
        if options:
            raise TypeError(f"there are no options, got {', '.join(sorted(options))}")
        graph = term_graph(problem, *torch.broadcast_tensors(*points))
        p, u, r = EUCLIDEAN.norm(graph.point), EUCLIDEAN.norm(graph.slope), graph.rounding
        visible = ~(u <= VISIBLE * r)
        least = torch.where(p <= r, 0.0, p)
        seen = torch.where(visible, u / least, 0.0).reshape(-1, p.shape[-1])
        return {"L_j_seen": tuple(torch.cat([seen.new_zeros(1, seen.shape[-1]), seen]).amax(dim=0).tolist())}
