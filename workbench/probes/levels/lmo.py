"""How inexact the linear minimisation of an optimizer is at the gradients of a network."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral
from workbench.optim.presets import layout
from workbench.orthogonal import Orthogonaliser, inexact_direction
from workbench.probes.layers import NetworkLayer, NetworkLayers, Point


def lmo_quality(
    layers: NetworkLayers, gradient: Sequence[Tensor], orthogonalisers: Sequence[Orthogonaliser | None]
) -> tuple[Tensor, Tensor]:
    """(a_i, b_i) = (<G_i, D_i> / |G_i|_{i*}, |D_i|_i), D_i the direction of length 1 for the gradient G_i.

    In the model of an inexact oracle <G, D> >= a |G|_* and |D| <= b. An exact one has (1, 1), which is also
    what is returned, unmeasured, where the orthogonaliser is None. D_i is taken in the type of the gradient
    and measured in float64: as ``workbench.orthogonal.lmo_factors``, whose norms are by singular values,
    with Gram matrices. Where G_i = 0 every a_i is right, and 1 is given.

    The optimizer orthogonalises its momentum; this is how well it would do on the gradient. Returns two
    (n_layers,). ValueError unless there is an entry for every layer.
    """
    if not len(gradient) == len(orthogonalisers) == len(layers.names):
        raise ValueError(
            f"gradient and orthogonalisers must have an entry for each of {len(layers.names)} layers, "
            f"got {len(gradient)} and {len(orthogonalisers)}"
        )
    a = torch.ones(len(gradient), dtype=torch.float64, device=gradient[0].device)
    b = a.clone()
    chosen = [i for i, orthogonaliser in enumerate(orthogonalisers) if orthogonaliser is not None]
    if chosen:
        part = NetworkLayers(tuple(layers.layers[i] for i in chosen))
        g = [gradient[i] for i in chosen]
        d = directions(part, g, [orthogonalisers[i] for i in chosen])
        duals = part.dual_i(g)
        a[chosen] = torch.where(duals == 0, 1.0, part.inner_i(g, d) / duals)
        b[chosen] = part.norm_i(d)
    return a, b


def directions(
    layers: NetworkLayers, g: Sequence[Tensor], orthogonalisers: Sequence[Orthogonaliser | None]
) -> Point:
    """argmax {<G_i, Z_i> : |Z_i|_i <= 1}, by the orthogonaliser where it is given and the norm spectral.

    One call for all layers of one shape, norm, type, device and orthogonaliser; in the type of g.
    """
    batches: dict[Any, list[int]] = {}
    for i, (layer, part, how) in enumerate(zip(layers.layers, g, orthogonalisers, strict=True)):
        batches.setdefault((layer.layout, id(how), part.dtype, part.device), []).append(i)
    found: dict[int, Tensor] = {}
    for (read, *_), indices in batches.items():
        how = orthogonalisers[indices[0]]
        flat = read.flat(torch.stack([g[i] for i in indices]))
        layer = Layers.single(flat.shape[-1], read.norm)
        z = layer.lmo_direction(flat) if how is None else inexact_direction(layer, how, flat)
        found |= dict(zip(indices, read.shaped(z).unbind(), strict=True))
    return tuple(found[i] for i in range(len(g)))


def orthogonalisers(
    layers: NetworkLayers, optimizers: Iterable[Optimizer], parameters: Mapping[str, Tensor]
) -> tuple[Orthogonaliser | None, ...]:
    """What the optimizers use for U V', layer by layer; None where nothing is orthogonalised.

    parameters: the live ones by name, ``dict(model.named_parameters())``. A layer has an orthogonaliser if
    its norm is spectral and its parameter is in a group with an orthogonaliser and a spectral norm, as those
    of ``workbench.optim``. ValueError for a layer without a parameter.
    """
    groups = {id(p): group for o in optimizers for group in o.param_groups for p in group["params"]}
    for layer in layers.layers:
        if layer.name not in parameters:
            raise ValueError(f"parameters must hold every layer, and {layer.name!r} is missing")
    return tuple(_used(layer, groups.get(id(parameters[layer.name]), {})) for layer in layers.layers)


def _used(layer: NetworkLayer, group: Mapping[str, Any]) -> Orthogonaliser | None:
    how = group.get("orthogonaliser")
    if not isinstance(how, Orthogonaliser) or not isinstance(layer.layout.norm, Spectral):
        return None
    norm = layout(group["norm"], layer.layout.shape, group["transpose"]).norm
    return how if isinstance(norm, Spectral) else None
