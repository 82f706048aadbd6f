"""Smoothness of each layer of the terms of a sum, in the mean."""

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
    layers_of,
    require_no_options,
)
from assumptions.rounding import ROUNDINGS, VISIBLE
from assumptions.sums.terms import gradient_change


@dataclass(frozen=True)
class MeanLayerSmooth(LayerInequality):
    """mean_j |grad_i f_j(X) - grad_i f_j(Y)|_{i*} <= L_mean_i |X_i - Y_i|_i for all layers i and all X, Y.

    L_mean_i: finite, >= 0, one per layer, units of f per squared unit of X_i; the mean of the constants of
    the terms has it. ValueError otherwise, and for a problem with another number of layers. By the
    triangle inequality f is ``LayerSmooth`` with L_mean_i too.
    """

    L_mean_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L_mean_i": -1}
    needs: ClassVar[tuple[str, ...]] = ("layers", "part_grads")
    instead: ClassVar[str] = "a mean of terms offers the gradients of each"

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. x, y: (*batch, d). Returns (*batch, n_layers).

        Rounding: gradients of terms move by what ``gradient_change`` says, in the Euclidean norm, and by
        what 64 roundings of the argument make of them.
        """
        x, y = torch.broadcast_tensors(*points)
        layers = layers_of(problem, L_mean_i=self.L_mean_i)
        L = x.new_tensor(self.L_mean_i)
        change, rounding, distance = _mean_change(problem, x, y)
        with torch.no_grad():
            rounding = rounding + ROUNDINGS * L * (layers.norm_i(x) + layers.norm_i(y))
        return Sides(change, L * distance, rounding)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L_mean_i_seen: the largest mean_j |grad_i f_j(X) - grad_i f_j(Y)|_{i*} / |X_i - Y_i|_i of a layer.

        points: X and Y, each (*batch, d). Pairs whose gradients differ by rounding alone are left out; 0 if
        none is left, inf if the gradient changes where X_i = Y_i, nan if a gradient is. No options.
        """
        cls.require(problem)
        require_no_options(options)
        x, y = torch.broadcast_tensors(*points)
        change, rounding, distance = _mean_change(problem, x, y)
        seen = torch.where(~(change <= VISIBLE * rounding), change / distance, 0.0)
        return {"L_mean_i_seen": tuple(largest(seen).tolist())}


def _mean_change(problem: Function, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The left side, its rounding, and |X_i - Y_i|_i; each (*batch, n_layers)."""
    layers = layers_of(problem)
    rows, batch = (x.reshape(-1, x.shape[-1]), y.reshape(-1, y.shape[-1])), x.shape[:-1]
    vectors, rounding = gradient_change(problem, *rows)
    change = layers.dual_i(vectors).mean(dim=-2)
    moved = rounding.mean(dim=-1, keepdim=True) * x.new_tensor(layers.rho_i)
    shape = (*batch, layers.n_layers)
    return change.reshape(shape), moved.reshape(shape), layers.norm_i(x - y)
