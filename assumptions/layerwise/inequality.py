"""What inequalities about layers share: constants for each layer, changes of the gradient layer by layer."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import as_floats
from assumptions.inequality import EntryInequality
from assumptions.layers import Layers
from assumptions.rounding import NOISE, ROUNDINGS, VISIBLE, gradient_errors


class LayeredFunction(Function, Protocol):
    """A function whose variable splits into layers."""

    @property
    def layers(self) -> Layers:
        """The layers and their norms."""
        ...


class LayerInequality(EntryInequality):
    """An inequality for each layer, in the norms of ``problem.layers``; one constant of a kind per layer.

    ValueError for constants that are not finite and >= 0, or not one for each layer.
    """

    needs: ClassVar[tuple[str, ...]] = ("layers",)
    instead: ClassVar[str] = "Smooth speaks of the whole variable"

    def __post_init__(self) -> None:
        """Tuples of floats >= 0, all of one length."""
        require_layer_constants(self, self.constants())


def require_layer_constants(assumption: object, names: Iterable[str]) -> None:
    """Turn the named fields into tuples of floats. ValueError unless finite, >= 0, >= 1 and of one length."""
    count = None
    for name in names:
        given = getattr(assumption, name)
        values = as_floats(name, given)
        if not values or not all(0 <= value < float("inf") for value in values):
            raise ValueError(f"{name} must hold finite numbers >= 0, one for each layer, got {given!r}")
        if count is not None and len(values) != count:
            raise ValueError(f"{name} must have {count} entries like the other constants, got {given!r}")
        count = len(values)
        object.__setattr__(assumption, name, values)


def largest(seen: Tensor) -> Tensor:
    """The largest over all points, (n_layers,); 0 of none, nan if one is. seen: (*batch, n_layers)."""
    rows = seen.reshape(-1, seen.shape[-1])
    return torch.cat([rows.new_zeros(1, rows.shape[-1]), rows]).amax(dim=0)


def require_no_options(options: Mapping[str, Any]) -> None:
    """TypeError if there is an option."""
    if options:
        raise TypeError(f"there are no options, got {', '.join(sorted(options))}")


def layers_of(problem: Function, **constants: tuple[Any, ...]) -> Layers:
    """The layers of the problem. ValueError unless each of the ``constants`` has one entry for each."""
    layers = cast(LayeredFunction, problem).layers
    for name, values in constants.items():
        if len(values) != layers.n_layers:
            raise ValueError(
                f"{name} must have one entry for each of the {layers.n_layers} layers of {problem!r}, "
                f"got {values!r}"
            )
    return layers


class LayerChange(NamedTuple):
    """What happens to the gradient from x to y, layer by layer; all (*batch, n_layers).

    change: |grad_i f(x) - grad_i f(y)|_{i*}. at_x, at_y: |grad_i f|_{i*}. distance: |X_i - Y_i|_i.
    size: |X_i|_i + |Y_i|_i. noise: how far rounding inside the oracle moves ``change``.
    """

    change: Tensor
    at_x: Tensor
    at_y: Tensor
    distance: Tensor
    size: Tensor
    noise: Tensor

    @property
    def rounding(self) -> Tensor:
        """Error of ``change`` at given points: ``noise``, and 64 roundings of both gradients."""
        return self.noise + ROUNDINGS * (self.at_x + self.at_y)

    @property
    def visible(self) -> Tensor:
        """Where an estimate can use it: the change is not rounding. nan counts."""
        return ~(self.change <= VISIBLE * self.rounding)


def layer_change(problem: Function, layers: Layers, x: Tensor, y: Tensor) -> LayerChange:
    """The change of the gradient between x and y, each (*batch, d)."""
    gx, gy = problem.grad(x), problem.grad(y)
    with torch.no_grad():
        size = layers.norm_i(x) + layers.norm_i(y)
        noise = NOISE * (layer_noise(problem, layers, x, gx) + layer_noise(problem, layers, y, gy))
    change, distance = layers.dual_i(gx - gy), layers.norm_i(x - y)
    return LayerChange(change, layers.dual_i(gx), layers.dual_i(gy), distance, size, noise)


def layer_noise(problem: Function, layers: Layers, x: Tensor, g: Tensor | None = None) -> Tensor:
    """How far rounding moves each layer of grad f(x) in its dual norm, (*batch, n_layers), finite.

    As ``gradient_noise``, but with |e|_* <= rho |e|_2: the signs of the errors are not known, and a matrix
    of their absolute values can have a smaller nuclear norm. g: grad f(x), if it is known.
    """
    with torch.no_grad():
        lengths = layers.length_i(gradient_errors(problem, x, g))
        return lengths * lengths.new_tensor(layers.rho_i)


def replace_layer(layers: Layers, x: Tensor, y: Tensor, j: int) -> Tensor:
    """x with layer j taken from y. Shapes (*batch, d)."""
    owner = layers.per_entry(torch.arange(layers.n_layers, device=x.device))
    return torch.where(owner == j, y, x)


def within(layers: Layers, x: Tensor, y: Tensor, inverse_radii: Tensor) -> Tensor:
    """y with each layer moved towards x where inverse_radii_i |X_i - Y_i|_i > 1, to just inside that radius.

    x, y: (*batch, d). inverse_radii: >= 0, (n_layers,). Returns (*batch, d), differentiable; layers that are
    close enough keep every digit.
    """
    units = inverse_radii * layers.norm_i(x - y)
    outside = units > 1
    share = torch.where(outside, INSIDE / torch.where(outside, units, 1.0), 1.0)
    share, moved = layers.per_entry(share), layers.per_entry(outside)
    return torch.where(moved, x + share * (y - x), y)


INSIDE = 1 - 1e-9
"""Room for rounding of points that are moved into a ball."""
