"""Affine sets: one point, and the vectors of equal blocks."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_points
from problems.oracle_guards import require_vector
from problems.sets import ROOM, ConvexSet


@dataclass(frozen=True)
class Singleton(ConvexSet):
    """{c}. point: c, (d,), finite. ValueError otherwise."""

    point: tuple[float, ...]

    def __post_init__(self) -> None:
        """A tuple of floats, checked."""
        object.__setattr__(self, "point", require_vector("point", self.point))

    @property
    def d(self) -> int:
        """Length of c."""
        return len(self.point)

    @property
    def diameter(self) -> float:
        """0."""
        return 0.0

    @cached_property
    def _c(self) -> Tensor:
        return torch.tensor(self.point, dtype=torch.float64)

    @property
    def exterior(self) -> Tensor:
        """c + 1, (d,)."""
        return self._c + 1

    def contains(self, x: Tensor) -> Tensor:
        """Exact: no rounding is involved. x: (*batch, d). Returns bool (*batch,)."""
        require_points(x, self.d)
        return (x == self._c.to(x)).all(dim=-1)

    def lmo(self, g: Tensor) -> Tensor:
        """The point. Shapes (*batch, d)."""
        require_points(g, self.d, "g")
        return self._pull(g)

    def _pull(self, x: Tensor) -> Tensor:
        lost = x.isnan().any(dim=-1, keepdim=True)
        return torch.where(lost, torch.nan, self._c.to(x))

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """z = c."""
        del cp
        return [z == self._c.numpy()]

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """|z - c|."""
        return cp.norm(z - self._c.numpy())


@dataclass(frozen=True)
class Consensus(ConvexSet):
    """{(z, ..., z) : z in R^block}. copies, how many: an integer >= 2. block: >= 1. ValueError otherwise."""

    copies: int
    block: int = 1

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_dimension(copies=self.copies, block=self.block)
        if self.copies < 2:
            raise ValueError(f"copies must be >= 2, got {self.copies!r}")

    @property
    def d(self) -> int:
        """Copies times block."""
        return self.copies * self.block

    @property
    def exterior(self) -> Tensor:
        """Blocks 0, 1, 2, ..., (d,)."""
        return torch.arange(self.copies, dtype=torch.float64).repeat_interleave(self.block)

    def _blocks(self, x: Tensor) -> Tensor:
        """(*batch, copies, block)."""
        return x.reshape(*x.shape[:-1], self.copies, self.block)

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        require_points(x, self.d)
        blocks = self._blocks(x)
        off = (blocks - blocks[..., :1, :]).abs()
        return (off <= ROOM * blocks.abs().amax(dim=-2, keepdim=True)).all(dim=-1).all(dim=-1)

    def _pull(self, x: Tensor) -> Tensor:
        """The mean of the blocks, for each of them."""
        blocks = self._blocks(x)
        return blocks.mean(dim=-2, keepdim=True).expand_as(blocks).reshape(x.shape)

    def conic(self, z: Any, cp: Any) -> list[Any]:
        """Each block is the first."""
        del cp
        first = z[: self.block]
        return [z[i * self.block : (i + 1) * self.block] == first for i in range(1, self.copies)]

    def conic_distance(self, z: Any, cp: Any) -> Any:
        """The length of the blocks less their mean."""
        rows = cp.reshape(z, (self.copies, self.block), order="C")
        mean = cp.sum(rows, axis=0, keepdims=True) / self.copies
        ones = torch.ones(self.copies, 1, dtype=torch.float64).numpy()
        return cp.norm(cp.vec(rows - ones @ mean, order="C"))
