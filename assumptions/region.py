"""Where a certificate holds."""

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from assumptions.guards import as_floats, require_points, require_positive
from assumptions.norms import EUCLIDEAN
from assumptions.specification import Specified


@dataclass(frozen=True)
class Everywhere(Specified):
    """The whole space."""

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        return torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)


@dataclass(frozen=True)
class Ball(Specified):
    """The Euclidean ball {x: |x - center| <= radius}; a certificate may hold only there.

    center: a non-empty tuple of finite numbers; radius: finite, > 0. ValueError otherwise.
    """

    center: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        """An empty ball would make any certificate true."""
        require_positive(radius=self.radius)
        if not isinstance(self.center, tuple) or not self.center:
            raise ValueError(f"center must be a non-empty tuple of numbers, got {self.center!r}")
        center = as_floats("center", self.center)
        if not all(abs(c) < float("inf") for c in center):
            raise ValueError(f"center must have finite entries, got {self.center!r}")
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "radius", float(self.radius))

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,). ValueError if d is not that of the center."""
        require_points(x, len(self.center))
        return EUCLIDEAN.norm(x - x.new_tensor(self.center)) <= self.radius


class Region(Protocol):
    """A convex set; ``Everywhere``, a ``Ball``, or the domain of a function (a box, say)."""

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        ...


EVERYWHERE = Everywhere()


def require_region(region: object) -> None:
    """TypeError unless ``region`` is a set that says which points it contains."""
    if isinstance(region, type) or not callable(getattr(region, "contains", None)):
        raise TypeError(f"region must be a set such as Everywhere() or Ball(center, radius), got {region!r}")


def require_everywhere(statement: object, region: Region) -> None:
    """ValueError for a region, from a statement that speaks of the whole space alone."""
    if region != EVERYWHERE:
        raise ValueError(
            f"{statement!r} speaks of the whole space; region must be Everywhere(), got {region!r}"
        )
