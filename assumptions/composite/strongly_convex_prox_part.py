"""Strong convexity of the part that is used through its proximal step."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.composite.inequality import PartsInequality, prox_graph
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class StronglyConvexProxPart(OneConstant, PartsInequality):
    """mu_g |p - q|^2 <= <u - v, p - q> for all p, q, u in dg(p), v in dg(q), g of f + g + sum_j h_j.

    mu_g: finite, >= 0, units of f per squared unit of x; 0 says that g is convex. ValueError otherwise.
    Every pair is p = prox_g(x), u = x - p for some x, so that prox is 1 / (1 + mu_g)-Lipschitz. Where the
    right side is negative, its size is added to the left.
    """

    mu_g: float
    sense: ClassVar[Mapping[str, int]] = {"mu_g": 1}

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(mu_g=self.mu_g)
        object.__setattr__(self, "mu_g", float(self.mu_g))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at the proximal points of x and y, (*batch, d) each."""
        x, y = points
        graph = prox_graph(problem, x, y)
        inner = (graph.point * graph.slope).sum(dim=-1).squeeze(-1)
        p, u = EUCLIDEAN.norm(graph.point).squeeze(-1), EUCLIDEAN.norm(graph.slope).squeeze(-1)
        r = graph.rounding.squeeze(-1)
        lhs = self.mu_g * p.square()
        with torch.no_grad():
            resolution = r * (p + u + r) + self.mu_g * r * (2 * p + r) + ROUNDINGS * (p * u + lhs)
        return Sides(lhs + (-inner).clamp(min=0), inner.clamp(min=0), resolution)
