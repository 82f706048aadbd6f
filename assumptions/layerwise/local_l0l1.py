"""Layer-wise (L0, L1)-smoothness, for steps that are short in every layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.inequality import Points
from assumptions.layerwise.inequality import LayerInequality, layers_of, within
from assumptions.layerwise.l0l1 import l0l1_estimate, l0l1_sides


@dataclass(frozen=True)
class LocalLayerL0L1(LayerInequality):
    """|grad_i f(X) - grad_i f(Y)|_{i*} <= (L0_i + L1_i |grad_i f(X)|_{i*}) |X_i - Y_i|_i for short steps.

    For all layers i and all X, Y with |X_j - Y_j|_j <= 1 / L1_j for every layer j (1 / 0 = inf). Constants:
    finite, >= 0, one per layer; ValueError otherwise, and for a problem with another number of layers. With
    two layers or more it says that f = sum_i f_i(X_i): short steps of the others change no grad_i f, so long
    ones do not either.
    """

    L0_i: tuple[float, ...]
    L1_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L0_i": -1, "L1_i": -1}

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer, 0 where one moves too far. X, Y: (*batch, d); (*batch, n_layers)."""
        sides, distance = l0l1_sides(self, problem, points)
        # written so that nan is not too far: it stays in the sides
        far = (distance * distance.new_tensor(self.L1_i) > 1).any(dim=-1, keepdim=True)
        return Sides(*(torch.where(far, 0.0, side) for side in sides))

    def admissible(self, problem: Function, *points: Tensor) -> Points:
        """X, and Y with each layer moved to within 1 / L1_i of X. Each (*batch, d)."""
        x, y = points
        layers = layers_of(problem, L0_i=self.L0_i, L1_i=self.L1_i)
        return x, within(layers, x, y, x.new_tensor(self.L1_i))

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L0_i_seen and L1_i_seen: see ``l0l1_estimate``. rule: Rule = "mean".

        A pair counts for layer i where that layer moves by 1 / L1_i at most; that another layer moves farther
        is not held against it, so that the constants are never too small for the points.
        """
        cls.require(problem)
        return l0l1_estimate(problem, points, ("L0_i", "L1_i"), options, local=True)
