"""The ratio at other lengths of one step: a smoothness constant does not depend on them, c / t does."""

from collections.abc import Sequence

import torch
from torch import Tensor

from assumptions.guards import as_floats, require_positive
from workbench.probes.batches import Batch
from workbench.probes.ends import Ends, difference, moved_by
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import NetworkLayers
from workbench.probes.levels.ratio import per_length


def radii(
    oracle: GradientOracle, layers: NetworkLayers, batch: Batch, ends: Ends, scales: Sequence[float]
) -> Tensor:
    """|G_i(X + s dX) - G_i(X)|_{i*} / (s |dX_i|_i) for every scale s of the step dX of all layers.

    scales: finite, > 0, each once. Returns (n_layers, n_scales), nan for layers that did not move. One
    gradient for each scale other than 1, which is there already. X + s dX is rounded to the type of the
    oracle: what rounding alone can make of the ratio grows like 1 / s. ValueError for other scales.
    """
    scales = require_scales(scales)
    lengths = layers.norm_i(ends.step)
    columns = []
    for scale in scales:
        if scale == 1:
            change = ends.change
        else:
            there = oracle.evaluate(moved_by(ends.x, ends.step, scale), batch)
            change = difference(there.gradient, ends.here.gradient)
        columns.append(per_length(layers.dual_i(change), scale * lengths))
    return torch.stack(columns, dim=-1)


def require_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """As floats. ValueError unless there is one or more, all finite, > 0 and different."""
    values = as_floats("scales", scales)
    if not values:
        raise ValueError(f"scales must hold a number or more, such as (0.5, 1.0, 2.0), got {scales!r}")
    for value in values:
        require_positive(scales=value)
    if len(set(values)) < len(values):
        raise ValueError(f"scales must be different numbers, got {scales!r}")
    return values
