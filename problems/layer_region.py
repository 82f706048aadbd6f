"""Products of norm balls, one for each layer."""

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import Layers
from assumptions.guards import as_floats, require_points
from assumptions.specification import Specified
from problems.oracle_guards import require_vector


@dataclass(frozen=True)
class LayerBalls(Specified):
    """{X : |X_i - C_i|_i <= radii_i for every layer i}, in the norms of the layers.

    radii: finite, > 0, one per layer. center: C, flat, 0 if empty. ValueError otherwise. Norms are computed:
    a point outside by roundings of its own size may count as inside.
    """

    layers: Layers
    radii: tuple[float, ...]
    center: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        if not isinstance(self.layers, Layers):
            raise ValueError(f"layers must be Layers, got {self.layers!r}")
        radii = as_floats("radii", self.radii)
        if len(radii) != self.layers.n_layers or not all(0 < radius < math.inf for radius in radii):
            raise ValueError(
                f"radii must be {self.layers.n_layers} finite numbers > 0, one per layer, got {self.radii!r}"
            )
        object.__setattr__(self, "radii", radii)
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.layers.d))

    @cached_property
    def _center(self) -> Tensor:
        return torch.tensor(self.center or (0.0,) * self.layers.d, dtype=torch.float64)

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,); nan is outside."""
        require_points(x, self.layers.d)
        return (self.layers.norm_i(x - self._center.to(x)) <= x.new_tensor(self.radii)).all(dim=-1)
