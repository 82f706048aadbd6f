"""A bounded domain of the part that is used through its proximal step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from assumptions.base import Function
from assumptions.composite.inequality import PartsInequality, prox_graph
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN


@dataclass(frozen=True)
class BoundedDomain(OneConstant, PartsInequality):
    """|p - q| <= diameter for all p, q where g of f + g + sum_j h_j is finite; Euclidean.

    diameter: finite, >= 0, units of x. ValueError otherwise. The points p where g has a subgradient are the
    proximal points of g, and lie dense in its domain.
    """

    diameter: float
    sense: ClassVar[Mapping[str, int]] = {"diameter": -1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(diameter=self.diameter)
        object.__setattr__(self, "diameter", float(self.diameter))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at the proximal points of x and y, (*batch, d) each."""
        x, y = points
        graph = prox_graph(problem, x, y)
        distance = EUCLIDEAN.norm(graph.point).squeeze(-1)
        return Sides(distance, self.diameter + 0 * distance, graph.rounding.squeeze(-1))
