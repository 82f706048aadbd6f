"""The curvature along a step, from Hessian products: G(X') - G(X) is their integral over the segment."""

import numpy as np
import torch
from torch import Tensor

from assumptions.guards import require_dimension
from workbench.probes.batches import Batch
from workbench.probes.ends import Ends, difference, moved_by
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.levels.ratio import per_length


def hvp_along(
    oracle: GradientOracle, layers: NetworkLayers, batch: Batch, ends: Ends, nodes: int = 5
) -> tuple[Tensor, Tensor]:
    """<(H dX)_i, dX_i> / |dX_i|_i^2 with H dX the mean of Hessian products over the segment from X to X'.

    The mean is over Gauss and Legendre's nodes t in (0, 1), sum_t w_t H(X + t dX) dX, exact where G is a
    polynomial of degree 2 nodes along the segment. Second, how far it is from the change of the gradient:
    |G_i(X') - G_i(X) - H dX|_{i*} / |G_i(X') - G_i(X)|_{i*}, small for a smooth loss and a short step; not
    for kinks of ReLU that the segment crosses, which Hessian products do not see, nor above the resolution
    of a short type. Returns two (n_layers,), nan for layers that did not move. ``nodes`` Hessian products, no
    gradient. ValueError unless nodes is an integer >= 1.
    """
    require_dimension(nodes=nodes)
    product = _mean_product(oracle, batch, ends, nodes)
    lengths = layers.norm_i(ends.step)
    curvature = per_length(layers.inner_i(product, ends.step), lengths.square())
    off = layers.dual_i(difference(ends.change, product)) / layers.dual_i(ends.change)
    return curvature, torch.where(lengths > 0, off, torch.nan)


def _mean_product(oracle: GradientOracle, batch: Batch, ends: Ends, nodes: int) -> Point:
    """sum_t w_t H(X + t dX) dX, in float64."""
    places, weights = np.polynomial.legendre.leggauss(nodes)  # on [-1, 1]
    total = tuple(torch.zeros_like(part) for part in ends.step)
    for place, weight in zip(places.tolist(), weights.tolist(), strict=True):
        at = moved_by(ends.x, ends.step, (1 + place) / 2)
        total = moved_by(total, oracle.hvp(at, ends.step, batch), weight / 2)
    return total
