"""Smoothness of each layer by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.inequality import Sides
from assumptions.layerwise.inequality import (
    LayerInequality,
    largest,
    layer_change,
    layers_of,
    require_no_options,
)
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class LayerSmooth(LayerInequality):
    """|grad_i f(X) - grad_i f(Y)|_{i*} <= L_i |X_i - Y_i|_i for all layers i and all X, Y.

    L_i: finite, >= 0, one per layer, units of f per squared unit of X_i. ValueError otherwise, and for a
    problem with another number of layers. With two layers or more it says that f = sum_i f_i(X_i): where
    X_i = Y_i, grad_i f may not change, whatever the other layers do. ``CoupledSmooth`` allows that.
    """

    L_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L_i": -1}

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. x, y: (*batch, d). Returns (*batch, n_layers).

        Rounding: each gradient moves by 64 roundings of itself, by its ``layer_noise``, and by L_i times 64
        roundings of its argument.
        """
        x, y = points
        layers = layers_of(problem, L_i=self.L_i)
        L = x.new_tensor(self.L_i)
        moved = layer_change(problem, layers, x, y)
        with torch.no_grad():
            resolution = moved.rounding + ROUNDINGS * L * moved.size
        return Sides(moved.change, L * moved.distance, resolution)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L_i_seen = max of |grad_i f(X) - grad_i f(Y)|_{i*} / |X_i - Y_i|_i, one per layer.

        points: X and Y, each (*batch, d). Pairs whose gradients differ by rounding alone are left out; 0 if
        none is left, inf if the gradient changes where X_i = Y_i, nan if a gradient is. No options.
        """
        cls.require(problem)
        require_no_options(options)
        x, y = torch.broadcast_tensors(*points)
        moved = layer_change(problem, layers_of(problem), x, y)
        seen = torch.where(moved.visible, moved.change / moved.distance, 0.0)
        return {"L_i_seen": tuple(largest(seen).tolist())}
