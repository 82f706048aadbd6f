"""What the two ends of a step say, layer by layer."""

import torch
from torch import Tensor

from workbench.probes.ends import Ends, difference
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.levels import per_length

ROUNDINGS = 4.0
"""Of the gradient of a layer, in its type: see ``resolution``."""


def pair_quantities(layers: NetworkLayers, ends: Ends, missed: Tensor | None = None) -> dict[str, Tensor]:
    """All quantities of level "pair" by their names in ``QUANTITIES``: losses (), others (n_layers,).

    missed: |G_i - true G_i|_{i*} / |G_i|_{i*} of a gradient at X that is read elsewhere, (n_layers,). A layer
    that did not move has nan where a length is divided by.
    """
    step, here, there, change = ends.step, ends.here.gradient, ends.there.gradient, ends.change
    length, gradnorm = layers.norm_i(step), layers.dual_i(here)
    length_2, here_2, there_2 = layers.length_i(step), layers.length_i(here), layers.length_i(there)
    missing = 0.0 if missed is None else missed.to(gradnorm) * gradnorm
    return {
        "loss": ends.here.loss,
        "loss_next": ends.there.loss,
        "step_length": length,
        "gradnorm": gradnorm,
        "gradnorm_next": layers.dual_i(there),
        "ratio": per_length(layers.dual_i(change), length),
        "ratio_resolution": per_length(resolution(layers, here, here_2 + there_2) + missing, length),
        "cosine": layers.inner_i(here, there) / (here_2 * there_2),
        "curvature": per_length(layers.inner_i(change, step), length.square()),
        "step_length_2": length_2,
        "gradnorm_2": here_2,
        "gradnorm_next_2": there_2,
        "ratio_2": per_length(layers.length_i(change), length_2),
        **_noise(layers, ends, length),
    }


def _noise(layers: NetworkLayers, ends: Ends, length: Tensor) -> dict[str, Tensor]:
    """Where the batch has halves: |G^A - G^B| / 2 and |D^A - D^B| / (2 |dX|), D the change of a half."""
    if ends.spread_here is None or ends.spread_there is None:
        return {}
    spread = layers.dual_i(difference(ends.spread_there, ends.spread_here))
    return {"noise": layers.dual_i(ends.spread_here), "ratio_noise": per_length(spread, length)}


def resolution(layers: NetworkLayers, gradient: Point, lengths: Tensor) -> Tensor:
    """eps rho_i (4 l_i + l), about what rounding may change |G'_i - G_i|_{i*} by. Returns (n_layers,).

    lengths: l_i = |G_i|_2 + |G'_i|_2, and l that of all layers, (sum_i l_i^2)^(1/2). eps: of the type of
    ``gradient``. Why: a gradient is off by E_i with |E_i|_2 of some roundings of G_i, or of the whole G where
    the sum that makes G_i cancels, as for a bias before batch normalisation, which is rounding alone; and
    |E|_* <= rho |E|_2. The factors are the smallest round ones above what was measured against float64 on
    small perceptrons, convolutions and transformers: 3.1 l_i, or 0.6 l. The points are exact: the step is the
    difference of the numbers that are stored. It is an order of magnitude and no bound.
    """
    rho = [layer.layout.norm.rho(part.numel()) for layer, part in zip(layers.layers, gradient, strict=True)]
    scale = [r * torch.finfo(part.dtype).eps for r, part in zip(rho, gradient, strict=True)]
    room = ROUNDINGS * lengths + lengths.square().sum().sqrt()
    return torch.tensor(scale, dtype=torch.float64, device=lengths.device) * room
