"""The parameters of a network as layers, each with a norm: norms, duals and directions, batched by shape."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import torch
from torch import Tensor, nn

from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral
from assumptions.norms import Norm
from workbench.optim.groups import groups_for
from workbench.optim.presets import PRESETS, Layout, layout
from workbench.orthogonal import nuclear_norm, spectral_norm

Point = tuple[Tensor, ...]
"""One tensor for each layer, in the order of the layers, in the shape of the parameter."""

FAMILIES = ("scion", "muon", "euclidean", "optimizer")
"""Norms by one word."""

_ACCEPTED = f"one of {', '.join(FAMILIES)}, or a dict from patterns of names to presets or Norms"

_MUON = {"hidden": "muon", "conv": "muon"}


@dataclass(frozen=True)
class NetworkLayer:
    """One parameter: its (first) name, its preset or norm as text, and how it is read under that norm."""

    name: str
    norm_name: str
    layout: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        """As its norm reads it: first two axes exchanged where inputs come first; (1,) for a number."""
        return self.layout.outputs_first or (1,)


@dataclass(frozen=True)
class NetworkLayers:
    """The layers of a network. Methods take one tensor per layer, in the shapes of the parameters.

    Numbers come in float64, (n_layers,), on the device of the tensors; nan where a tensor has nan. Layers
    that share norm, shape, type and device go together. ValueError for other shapes.
    """

    layers: tuple[NetworkLayer, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters, those that share a tensor once."""
        return tuple(layer.name for layer in self.layers)

    def norm_i(self, x: Sequence[Tensor]) -> Tensor:
        """|X_i|_i; spectral norms as ``spectral_norm``, right to some 1e-13."""
        return torch.stack(self._each(x, lambda read, stack: _norm(read.norm, read.flat(stack))))

    def dual_i(self, g: Sequence[Tensor]) -> Tensor:
        """|G_i|_{i*}; nuclear norms as ``nuclear_norm``, which loses singular values below about 1e-7 s_1.

        It is never off by more than 1.5 min(m, n) sqrt(max(m, n) eps) s_1. Seen up to 128 x 512: 1e-13 of
        itself for singular values from 1 to 1e-3, 1e-9 from 1 to 1e-6, 2e-7 for low ranks in float32.
        """
        return torch.stack(self._each(g, lambda read, stack: _dual(read.norm, read.flat(stack))))

    def length_i(self, x: Sequence[Tensor]) -> Tensor:
        """Euclidean lengths."""
        return self.inner_i(x, x).sqrt()

    def inner_i(self, x: Sequence[Tensor], y: Sequence[Tensor]) -> Tensor:
        """<X_i, Y_i>."""
        for each in (x, y):
            self._require(each)
        return torch.stack([(a.double() * b.double()).sum() for a, b in zip(x, y, strict=True)])

    def direction(self, g: Sequence[Tensor]) -> Point:
        """argmax {<G_i, Z_i> : |Z_i|_i <= 1}, in shape and type of G_i: 0 where it is 0, nan with its nan.

        By singular value decompositions in float64, so that the rounding to the type of g is all the error.
        """
        return tuple(self._each(g, _direction))

    def flat(self, x: Sequence[Tensor]) -> Tensor:
        """All entries, (d,), each layer in the order in which its norm reads it: a point of ``as_layers``."""
        self._require(x)
        pairs = zip(self.layers, x, strict=True)
        return torch.cat([layer.layout.flat(part.unsqueeze(0)).flatten() for layer, part in pairs])

    def point(self, flat: Tensor) -> Point:
        """Undo ``flat``. flat: (d,)."""
        parts = flat.split([math.prod(layer.shape) for layer in self.layers])
        pairs = zip(self.layers, parts, strict=True)
        return tuple(layer.layout.shaped(part.unsqueeze(0)).squeeze(0) for layer, part in pairs)

    def as_layers(self) -> Layers:
        """How ``flat`` splits, with the norms."""
        shapes = tuple(layer.shape for layer in self.layers)
        return Layers(shapes, tuple(layer.layout.norm for layer in self.layers))

    def table(self) -> list[tuple[str, str, str]]:
        """Rows of name, shape and norm, to print."""
        shapes = ("x".join(map(str, layer.layout.shape)) or "1" for layer in self.layers)
        return [(n.name, shape, n.norm_name) for n, shape in zip(self.layers, shapes, strict=True)]

    def _each(self, x: Sequence[Tensor], function: Callable[[Layout, Tensor], Tensor]) -> list[Tensor]:
        """function(layout, stack) row by row, with one call for all layers that are read alike."""
        self._require(x)
        groups: dict[Any, list[int]] = {}
        for i, (layer, part) in enumerate(zip(self.layers, x, strict=True)):
            groups.setdefault((layer.layout, part.dtype, part.device), []).append(i)
        found: dict[int, Tensor] = {}
        for (read, *_), indices in groups.items():
            values = function(read, torch.stack([x[i] for i in indices]))
            found |= dict(zip(indices, values.unbind(), strict=True))
        return [found[i] for i in range(len(self.layers))]

    def _require(self, x: Sequence[Tensor]) -> None:
        """ValueError unless there is one tensor per layer, of its shape."""
        if len(x) != len(self.layers):
            raise ValueError(f"a point must hold {len(self.layers)} tensors, one per layer, got {len(x)}")
        for layer, part in zip(self.layers, x, strict=True):
            if tuple(part.shape) != layer.layout.shape:
                raise ValueError(
                    f"layer {layer.name!r} must have shape {layer.layout.shape}, got {tuple(part.shape)}"
                )


def _norm(norm: Norm, flat: Tensor) -> Tensor:
    if isinstance(norm, Spectral):
        return spectral_norm(norm.matrix(flat)) * norm.scale
    return norm.norm(flat.double())


def _dual(norm: Norm, flat: Tensor) -> Tensor:
    if isinstance(norm, Spectral):
        return nuclear_norm(norm.matrix(flat)) / norm.scale
    return norm.dual(flat.double())


def _direction(read: Layout, stack: Tensor) -> Tensor:
    return read.shaped(read.norm.lmo_direction(read.flat(stack.double()))).to(stack.dtype)


def layers_for(
    model: nn.Module,
    norms: str | Mapping[str, str | Norm],
    *,
    output: str | None = None,
    groups: Iterable[Mapping[str, Any]] = (),
) -> NetworkLayers:
    """Every parameter that needs a gradient, with its norm; tensors that several modules share, once.

    norms: "scion" (the presets of ``groups_for``), "muon" (matrices and convolutions "muon", the rest
    "max", the norm of sign descent, which AdamW is near to), "euclidean", "optimizer" (the norms of
    ``groups``, the ``param_groups`` of an optimizer of ``workbench.optim``), or a dict from patterns of
    names, as {"*.bias": "bias", "*": "hidden"}, to presets or Norms; the first pattern that matches counts.
    Presets read transposed convolutions outputs first, Norms read a parameter as it is stored.
    output: the last layer, for "scion" and "muon".

    TypeError for arguments of another type. ValueError for a model without parameters, an unknown word or
    preset, parameters that nothing matches, patterns that match nothing, and norms that do not fit.
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {model!r}")
    if not isinstance(norms, str | Mapping):
        raise TypeError(f"norms must be {_ACCEPTED}, got {norms!r}")
    found = {name: p for name, p in model.named_parameters() if p.requires_grad}
    if not found:
        raise ValueError("model must have parameters that need a gradient, and has none")
    if isinstance(norms, Mapping):
        chosen = _by_pattern(model, found, norms)
    elif norms == "euclidean":
        chosen = dict.fromkeys(found, ("euclidean", None))
    elif norms == "optimizer":
        chosen = _by_groups(found, groups)
    elif norms in FAMILIES:
        chosen = _by_preset(model, output, norms == "muon")
    else:
        raise ValueError(f"norms must be {_ACCEPTED}, got {norms!r}")
    return NetworkLayers(tuple(_layer(name, tuple(p.shape), *chosen[name]) for name, p in found.items()))


Chosen = dict[str, tuple[str | Norm, bool | None]]
"""By name: preset or Norm, and whether the parameter holds its inputs first (None: as the preset says)."""


def _layer(name: str, shape: tuple[int, ...], norm: str | Norm, transpose: bool | None) -> NetworkLayer:
    return NetworkLayer(name, str(norm), layout(norm, shape, transpose, f"parameter {name!r}"))


def _by_preset(model: nn.Module, output: str | None, muon: bool) -> Chosen:
    chosen: Chosen = {}
    try:
        groups = groups_for(model, output)
    except ValueError as error:
        raise ValueError(f"{error}; or give norms as a dict from patterns of names to presets") from None
    for group in groups:
        preset = group["norm"]
        for name, _ in group["params"]:
            chosen[name] = (_MUON.get(preset, "max") if muon else preset, group["transpose"])
    return chosen


def _by_pattern(model: nn.Module, found: Mapping[str, Tensor], norms: Mapping[str, str | Norm]) -> Chosen:
    for pattern, norm in norms.items():
        if not isinstance(pattern, str) or not isinstance(norm, str | Norm):
            raise TypeError(f"norms must map patterns to presets or Norms, got {pattern!r}: {norm!r}")
        if isinstance(norm, str) and norm not in PRESETS:
            raise ValueError(
                f"norms[{pattern!r}] must be a Norm or one of {', '.join(PRESETS)}; got {norm!r}"
            )
    first = {name: next((p for p in norms if fnmatchcase(name, p)), None) for name in found}
    for name, pattern in first.items():
        if pattern is None:
            known = ", ".join(map(repr, norms)) or "none"
            raise ValueError(f"norms has no pattern for parameter {name!r}; patterns are {known}")
    for pattern in norms:
        if pattern not in first.values():
            raise ValueError(
                f"norms has {pattern!r}, which matches no parameter that is not matched before; "
                f"parameters are {', '.join(found)}"
            )
    chosen = {name: norms[pattern] for name, pattern in first.items() if pattern is not None}
    presets = {name: norm if isinstance(norm, str) else "max" for name, norm in chosen.items()}
    turned = {name: g["transpose"] for g in groups_for(model, presets=presets) for name, _ in g["params"]}
    return {n: (norm, turned[n] if isinstance(norm, str) else None) for n, norm in chosen.items()}


def _by_groups(found: Mapping[str, Tensor], groups: Iterable[Mapping[str, Any]]) -> Chosen:
    by_tensor: dict[int, tuple[str | Norm, bool | None]] = {}
    for group in groups:
        if "norm" not in group:
            raise ValueError(
                'norms="optimizer" needs an optimizer of workbench.optim, whose groups have a norm; '
                f"got a group with {', '.join(group)}"
            )
        by_tensor |= {id(p): (group["norm"], group.get("transpose")) for p in group["params"]}
    if not by_tensor:
        raise ValueError('norms="optimizer" needs groups, the param_groups of an optimizer, and got none')
    missing = [name for name, p in found.items() if id(p) not in by_tensor]
    if missing:
        raise ValueError(f"the optimizer has no group, and so no norm, for parameter {missing[0]!r}")
    return {name: by_tensor[id(p)] for name, p in found.items()}
