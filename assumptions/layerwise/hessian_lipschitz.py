"""A Lipschitz Hessian of each layer by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.hessian_rounding import hessian_noise, product_with_hessian
from assumptions.l0l1.form import product
from assumptions.layers import Layers
from assumptions.layerwise.inequality import LayerInequality, largest, layers_of, require_no_options
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS, VISIBLE


@dataclass(frozen=True)
class LayerHessianLipschitz(LayerInequality):
    """|layer i of (H(X) - H(Y)) V|_{i*} <= L_h_i |X_i - Y_i|_i |V_i|_i for all i, X, Y, V; V = Z - X here.

    L_h_i: finite, >= 0, one per layer, units of f per cubed unit of X_i. ValueError otherwise, and for a
    problem with another number of layers. TypeError for a problem without ``hvp``. With two layers or more
    it says that the Hessian between layers is constant, as it is for f = sum_i f_i(X_i). Along a trajectory
    Z = Y.
    """

    L_h_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L_h_i": -1}
    arity: ClassVar[int] = 3
    needs: ClassVar[tuple[str, ...]] = ("layers", "hvp")
    instead: ClassVar[str] = "LayerSmooth speaks of gradients alone"

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for each layer. X, Y, Z: (*batch, d). Returns (*batch, n_layers).

        Rounding: that of both products, and L_h_i times 64 roundings of X_i and Y_i.
        """
        layers = layers_of(problem, L_h_i=self.L_h_i)
        L_h = points[0].new_tensor(self.L_h_i)
        change, unit, noise, size = _parts(problem, layers, *points)
        return Sides(change, L_h * unit, noise + ROUNDINGS * L_h * (size + unit))

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """L_h_i_seen: for each layer the largest left side over |X_i - Y_i|_i |V_i|_i. No options.

        points: X, Y, Z, each (*batch, d). Differences that are rounding alone are left out; 0 if none is
        left, inf if the Hessian changes where X_i = Y_i, nan if it is.
        """
        cls.require(problem)
        require_no_options(options)
        points = tuple(torch.broadcast_tensors(*points))
        change, unit, noise, _ = _parts(problem, layers_of(problem), *points)
        visible = ~(change <= VISIBLE * noise)
        return {"L_h_i_seen": tuple(largest(torch.where(visible, change / unit, 0.0)).tolist())}


def _parts(
    problem: Function, layers: Layers, x: Tensor, y: Tensor, z: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The left side, |X_i - Y_i|_i |V_i|_i, rounding of the left side, and (|X_i|_i + |Y_i|_i) |V_i|_i."""
    v = z - x
    change = layers.dual_i(product_with_hessian(problem, x, v) - product_with_hessian(problem, y, v))
    with torch.no_grad():
        lengths = layers.norm_i(v)
        norms = [cast(Norm, _DualOfLayer(layers, i)) for i in range(layers.n_layers)]
        each = [hessian_noise(problem, x, v, n) + hessian_noise(problem, y, v, n) for n in norms]
        size = product(layers.norm_i(x) + layers.norm_i(y), lengths)
    return change, product(layers.norm_i(x - y), layers.norm_i(v)), torch.stack(each, dim=-1), size


class _DualOfLayer:
    """rho_i |g_i|_2, at least the dual norm of layer i of any vector below |g| entry by entry."""

    def __init__(self, layers: Layers, i: int) -> None:
        start = sum(layers.sizes[:i])
        self._layer = slice(start, start + layers.sizes[i])
        self._rho = layers.norms[i].rho(layers.sizes[i])

    def dual(self, g: Tensor) -> Tensor:
        """g: (*batch, d). Returns (*batch,)."""
        return self._rho * EUCLIDEAN.norm(g[..., self._layer])
