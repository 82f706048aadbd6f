"""How a flat variable splits into layers, each with a norm of its own."""

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_points
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.specification import Specified


@dataclass(frozen=True)
class Layers(Specified):
    """x = (X_1, ..., X_n), X_i of shape ``shapes[i]``, measured by ``norms[i]`` on its entries.

    shapes: non-empty tuples of integers >= 1; norms: as many. ValueError otherwise. Layers lie one
    after the other in the flat variable, each in row-major order.
    """

    shapes: tuple[tuple[int, ...], ...]
    norms: tuple[Norm, ...]

    def __post_init__(self) -> None:
        """Every shape is sound and has its norm."""
        if not isinstance(self.shapes, tuple) or not self.shapes:
            raise ValueError(f"shapes must be a non-empty tuple of shapes, got {self.shapes!r}")
        for shape in self.shapes:
            if not isinstance(shape, tuple) or not shape:
                raise ValueError(f"shapes must hold non-empty tuples of integers >= 1, got {shape!r}")
            for size in shape:
                require_dimension(shapes=size)
        if not isinstance(self.norms, tuple) or len(self.norms) != len(self.shapes):
            raise ValueError(f"norms must be a tuple of {len(self.shapes)} norms, got {self.norms!r}")
        for norm in self.norms:
            require_norm(norm)

    @classmethod
    def single(cls, d: int, norm: Norm = EUCLIDEAN) -> Self:
        """One layer that is the whole variable."""
        require_dimension(d=d)
        return cls(((d,),), (norm,))

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of entries of each layer."""
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def d(self) -> int:
        """Number of entries of all layers."""
        return sum(self.sizes)

    @property
    def n_layers(self) -> int:
        """Number of layers."""
        return len(self.shapes)

    @property
    def rho_i(self) -> tuple[float, ...]:
        """For each layer the smallest rho with |G|_{i*} <= rho |G|_2."""
        return tuple(norm.rho(size) for norm, size in zip(self.norms, self.sizes, strict=True))

    def split(self, x: Tensor) -> tuple[Tensor, ...]:
        """x: (*batch, d). Returns one (*batch, *shape) per layer. ValueError on another last axis."""
        flat = self._flat(x)
        return tuple(
            part.reshape(*x.shape[:-1], *shape) for part, shape in zip(flat, self.shapes, strict=True)
        )

    def join(self, parts: tuple[Tensor, ...]) -> Tensor:
        """Undo ``split``: one (*batch, *shape) per layer. Returns (*batch, d). ValueError otherwise."""
        if len(parts) != self.n_layers:
            raise ValueError(f"parts must hold {self.n_layers} layers, got {len(parts)}")
        flat = []
        for part, shape in zip(parts, self.shapes, strict=True):
            axes = part.dim() - len(shape)
            if axes < 0 or tuple(part.shape[axes:]) != shape or part.shape[:axes] != _batch(parts[0], self):
                raise ValueError(
                    f"parts must have shapes (*batch, *shape) for shapes {self.shapes} and one batch, "
                    f"got {[tuple(p.shape) for p in parts]}"
                )
            flat.append(part.reshape(*part.shape[:axes], math.prod(shape)))
        return torch.cat(flat, dim=-1)

    def norm_i(self, x: Tensor) -> Tensor:
        """Norm of each layer. x: (*batch, d). Returns (*batch, n_layers)."""
        pairs = zip(self._flat(x), self.norms, strict=True)
        return torch.stack([norm.norm(part) for part, norm in pairs], dim=-1)

    def length_i(self, x: Tensor) -> Tensor:
        """Euclidean length of each layer, whatever its norm. x: (*batch, d). Returns (*batch, n_layers)."""
        return torch.stack([EUCLIDEAN.norm(part) for part in self._flat(x)], dim=-1)

    def per_entry(self, values_i: Tensor) -> Tensor:
        """The number of a layer at all its entries. values_i: (*batch, n_layers). Returns (*batch, d)."""
        sizes = torch.tensor(self.sizes, device=values_i.device)
        return values_i.repeat_interleave(sizes, dim=-1)

    def dual_i(self, g: Tensor) -> Tensor:
        """Dual norm of each layer. g: (*batch, d). Returns (*batch, n_layers)."""
        pairs = zip(self._flat(g), self.norms, strict=True)
        return torch.stack([norm.dual(part) for part, norm in pairs], dim=-1)

    def lmo_direction(self, g: Tensor, lengths_i: float | Tensor = 1.0) -> Tensor:
        """argmax {<g, z> : |Z_i| <= lengths_i for every layer i}; 0 in layers where g is 0.

        g: (*batch, d); lengths_i >= 0 (not checked, so that a diverged row stays nan): a float,
        (*batch, 1) or (*batch, n_layers). Returns (*batch, d). ValueError on another shape.
        """
        lengths = torch.as_tensor(lengths_i, dtype=g.dtype, device=g.device)
        if lengths.dim() > 0 and lengths.shape[-1] not in (1, self.n_layers):
            raise ValueError(
                f"lengths_i must be a float or (*batch, 1 or {self.n_layers}), got {tuple(lengths.shape)}"
            )
        lengths = lengths.expand(*lengths.shape[:-1], self.n_layers)
        pieces = zip(self._flat(g), self.norms, lengths.split(1, dim=-1), strict=True)
        return torch.cat([length * norm.lmo_direction(part) for part, norm, length in pieces], dim=-1)

    def _flat(self, x: Tensor) -> tuple[Tensor, ...]:
        require_points(x, self.d)
        return x.split(list(self.sizes), dim=-1)


def _batch(first: Tensor, layers: Layers) -> torch.Size:
    return first.shape[: max(first.dim() - len(layers.shapes[0]), 0)]
