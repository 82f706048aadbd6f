"""The parameters of a network as layers, each with a norm: norms, duals and directions, batched by shape."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from assumptions.matrix_norms import Spectral
from assumptions.norms import Norm
from workbench.optim.groups import groups_for
from workbench.optim.presets import Layout, layout
from workbench.orthogonal import nuclear_norm, spectral_norm

Point = tuple[Tensor, ...]
"""One tensor for each layer, in the order of the layers, in the shape of the parameter."""

FAMILIES = ("scion", "muon", "euclidean", "optimizer")
"""Norms by one word."""

_MUON = {"hidden": "muon", "conv": "muon"}


@dataclass(frozen=True)
class NetworkLayer:
    """One parameter: its (first) name, the name of its norm, and how it is read under that norm."""

    name: str
    norm_name: str
    layout: Layout


@dataclass(frozen=True)
class NetworkLayers:
    """The layers of a network. All methods take one tensor per layer, return float64 on their device."""

    layers: tuple[NetworkLayer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, those that share a tensor once."""
        return tuple(layer.name for layer in self.layers)

    def norm_i(self, x: Sequence[Tensor]) -> Tensor:
        """|X_i|_i, (n_layers,)."""
        return self._each(x, _norm)

    def dual_i(self, g: Sequence[Tensor]) -> Tensor:
        """|G_i|_{i*}, (n_layers,); nuclear norms by float64 Gram eigenvalues."""
        return self._each(g, _dual)

    def length_i(self, x: Sequence[Tensor]) -> Tensor:
        """Euclidean lengths, (n_layers,)."""
        return self.inner_i(x, x).sqrt()

    def inner_i(self, x: Sequence[Tensor], y: Sequence[Tensor]) -> Tensor:
        """<X_i, Y_i>, (n_layers,)."""
        pairs = zip(x, y, strict=True)
        return torch.stack([(a.double() * b.double()).sum() for a, b in pairs])

    def direction(self, g: Sequence[Tensor]) -> Point:
        """argmax {<G_i, Z_i> : |Z_i|_i <= 1} for every layer, exact up to rounding; in the type of g."""
        return tuple(
            layer.layout.shaped(layer.layout.norm.lmo_direction(layer.layout.flat(part[None])))[0]
            for layer, part in zip(self.layers, g, strict=True)
        )

    def table(self) -> list[tuple[str, str, str]]:
        """Rows of name, shape and norm."""
        return [
            (layer.name, "x".join(map(str, layer.layout.shape)) or "1", layer.norm_name)
            for layer in self.layers
        ]

    def _each(self, x: Sequence[Tensor], function: Callable[[Norm, Tensor], Tensor]) -> Tensor:
        """function(norm, flat) with one call for all layers of one shape, norm, type and device."""
        groups: dict[Any, list[int]] = {}
        for i, (layer, part) in enumerate(zip(self.layers, x, strict=True)):
            key = (layer.layout.norm, layer.layout.transposed, part.shape, part.dtype, part.device)
            groups.setdefault(key, []).append(i)
        found: dict[int, Tensor] = {}
        for indices in groups.values():
            read = self.layers[indices[0]].layout
            values = function(read.norm, read.flat(torch.stack([x[i] for i in indices])))
            found |= dict(zip(indices, values.unbind(), strict=True))
        return torch.stack([found[i] for i in range(len(self.layers))])


def _norm(norm: Norm, flat: Tensor) -> Tensor:
    if isinstance(norm, Spectral):
        return spectral_norm(norm.matrix(flat)) * norm.scale
    return norm.norm(flat.double())


def _dual(norm: Norm, flat: Tensor) -> Tensor:
    if isinstance(norm, Spectral):
        return nuclear_norm(norm.matrix(flat)) / norm.scale
    return norm.dual(flat.double())


def layers_for(
    model: nn.Module,
    norms: str | Mapping[str, str | Norm],
    *,
    output: str | None = None,
    groups: Iterable[Mapping[str, Any]] = (),
) -> NetworkLayers:
    """Every parameter that needs a gradient, with its norm.

    norms: "scion" (the presets of ``groups_for``), "muon" (matrices and convolutions "muon", the rest
    "max", the norm of sign descent, which AdamW is near to), "euclidean", "optimizer" (the norms of
    ``groups``, parameter groups of an optimizer of ``workbench.optim``), or a dict from patterns of names,
    as {"*.bias": "bias", "*": "hidden"}, to presets or Norms; the first pattern that matches counts.
    output: the last layer, for "scion" and "muon". ValueError for a model without parameters, parameters
    that nothing matches, patterns that match nothing, and norms that do not fit.
    """
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise ValueError("model must have parameters that need a gradient, and has none")
    if isinstance(norms, Mapping):
        chosen = _by_pattern(found, norms)
    elif norms == "euclidean":
        chosen = dict.fromkeys(found, ("euclidean", None))
    elif norms == "optimizer":
        chosen = _by_groups(found, groups)
    elif norms in ("scion", "muon"):
        chosen = _by_preset(model, output, norms == "muon")
    else:
        raise ValueError(f"norms must be one of {', '.join(FAMILIES)}, or a dict of patterns; got {norms!r}")
    return NetworkLayers(
        tuple(
            NetworkLayer(
                name, str(chosen[name][0]), layout(chosen[name][0], tuple(p.shape), chosen[name][1], name)
            )
            for name, p in found.items()
        )
    )


Chosen = dict[str, tuple[str | Norm, bool | None]]


def _by_preset(model: nn.Module, output: str | None, muon: bool) -> Chosen:
    chosen: Chosen = {}
    for group in groups_for(model, output):
        preset = group["norm"]
        for name, _ in group["params"]:
            chosen[name] = (_MUON.get(preset, "max") if muon else preset, group["transpose"])
    return chosen


def _by_pattern(found: Mapping[str, Tensor], norms: Mapping[str, str | Norm]) -> Chosen:
    chosen: Chosen = {}
    used: set[str] = set()
    for name in found:
        pattern = next((pattern for pattern in norms if fnmatchcase(name, pattern)), None)
        if pattern is None:
            raise ValueError(f"norms has no pattern for parameter {name!r}; patterns are {', '.join(norms)}")
        used.add(pattern)
        chosen[name] = (norms[pattern], None)
    for pattern in norms:
        if pattern not in used:
            raise ValueError(f"norms has {pattern!r}, which matches no parameter that is not matched before")
    return chosen


def _by_groups(found: Mapping[str, Tensor], groups: Iterable[Mapping[str, Any]]) -> Chosen:
    by_tensor: dict[int, tuple[str | Norm, bool | None]] = {}
    for group in groups:
        if "norm" not in group:
            raise ValueError(
                'norms="optimizer" needs an optimizer of workbench.optim: its groups have a norm'
            )
        by_tensor |= {id(p): (group["norm"], group["transpose"]) for p in group["params"]}
    missing = [name for name, p in found.items() if id(p) not in by_tensor]
    if missing:
        raise ValueError(f"the optimizer has no group, and so no norm, for parameter {missing[0]!r}")
    return {name: by_tensor[id(p)] for name, p in found.items()}
