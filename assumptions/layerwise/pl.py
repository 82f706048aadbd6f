"""The Polyak-Lojasiewicz inequality for gradients measured layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.layerwise.inequality import layer_noise, layers_of
from assumptions.minimisers import gap_above
from assumptions.rounding import NOISE, ROUNDINGS, gradient_rounding


@dataclass(frozen=True)
class LayerPL(OneConstant):
    """2 mu_layers (f(X) - f_star) <= sum_i |grad_i f(X)|_{i*}^2 for all X, in the norms of the layers.

    mu_layers: finite, > 0, units of f per squared unit of x. ValueError otherwise. The problem must know
    f_star, else TypeError. Of f = sum_i f_i(X_i) with f_i that have ``PL`` in the norm of layer i, the
    smallest of their constants has it. One layer: ``PL`` in its norm.
    """

    mu_layers: float
    sense: ClassVar[Mapping[str, int]] = {"mu_layers": 1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("f_star", "layers")
    instead: ClassVar[str] = "a lower bound of f is not enough"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu_layers=self.mu_layers)
        object.__setattr__(self, "mu_layers", float(self.mu_layers))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """2 mu_layers (f(X) - f_star) and sum_i |grad_i f(X)|_{i*}^2. X: (*batch, d)."""
        (x,) = points
        layers = layers_of(problem)
        gap, gap_error = gap_above(problem, x)
        size_i = layers.dual_i(problem.grad(x))
        with torch.no_grad():
            # gradient_rounding is that of all entries, which is at least that of each layer
            moved = gradient_rounding(problem, x).unsqueeze(-1) * x.new_tensor(layers.rho_i)
            moved = moved + NOISE * layer_noise(problem, layers, x) + ROUNDINGS * size_i
            resolution = 2 * self.mu_layers * gap_error + (moved * (2 * size_i + moved)).sum(dim=-1)
        return Sides(2 * self.mu_layers * gap, size_i.square().sum(dim=-1), resolution)
