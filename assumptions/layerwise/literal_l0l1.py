"""Layer-wise (L0, L1)-smoothness, for all pairs of points."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.layerwise.inequality import LayerInequality
from assumptions.layerwise.l0l1 import l0l1_estimate, l0l1_sides


@dataclass(frozen=True)
class LiteralLayerL0L1(LayerInequality):
    """|grad_i f(X) - grad_i f(Y)|_{i*} <= (L0_literal_i + L1_literal_i |grad_i f(X)|_{i*}) |X_i - Y_i|_i.

    For all layers i and all X, Y. Constants: finite, >= 0, one per layer; ValueError otherwise, and for a
    problem with another number of layers. With two layers or more it says that f = sum_i f_i(X_i): where
    X_i = Y_i the right side is 0, whatever the other layers do. Steps of any length count: no multiple of the
    gradient at one end bounds that of an exponential at the other.
    """

    L0_literal_i: tuple[float, ...]
    L1_literal_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L0_literal_i": -1, "L1_literal_i": -1}

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. X, Y: (*batch, d). Returns (*batch, n_layers)."""
        return l0l1_sides(self, problem, points)[0]

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L0_literal_i_seen and L1_literal_i_seen: see ``l0l1_estimate``. rule: Rule = "mean"."""
        cls.require(problem)
        return l0l1_estimate(problem, points, ("L0_literal_i", "L1_literal_i"), options, local=False)
