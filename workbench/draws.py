"""Randomness of methods as spaces, sampled or enumerated, and the uniforms behind the samples.

A space consumes ``width`` uniforms: ``value(u)`` maps ``(*batch, width)`` to a draw; ``outcomes()``
lists all draws with their probabilities, for exact expectations. One ``step`` serves both.

Uniforms are a pure function of (seed, replicate, stream, step): counter-based Philox, so a replicate
sees the same numbers whatever the batching, the order and the number of workers.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_nonnegative

CHUNK = 100
"""Steps that share one Philox counter; part of the format."""

STREAM_METHOD, STREAM_INIT, STREAM_STARTS = 0, 1, 3


class Space(Protocol):
    """A random object that can be sampled and, if finite, enumerated."""

    @property
    def width(self) -> int:
        """Uniforms consumed."""
        ...

    @property
    def size(self) -> float:
        """Number of outcomes; inf if not enumerable."""
        ...

    def value(self, u: Tensor) -> Tensor:
        """u in [0, 1): (*batch, width). Returns the draw, batch axes first."""
        ...

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """All draws (size, ...) and their probabilities (size,)."""
        ...


@dataclass(frozen=True)
class Coin:
    """True with probability p; draws (*batch, 1) bool. 0 <= p <= 1, a float or (*batch, 1)."""

    p: float | Tensor
    width: int = 1
    size: float = 2

    def __post_init__(self) -> None:
        """Guard the probability."""
        require_nonnegative(p=self.p)
        if not bool(torch.as_tensor(self.p <= 1).all()):
            raise ValueError(f"p must be at most 1, got {self.p!r}")

    def value(self, u: Tensor) -> Tensor:
        """Heads where u < p."""
        return u < torch.as_tensor(self.p, dtype=u.dtype, device=u.device)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Heads, tails."""
        p = float(self.p)
        return torch.tensor([[True], [False]]), torch.tensor([p, 1 - p], dtype=torch.float64)


@dataclass(frozen=True)
class Index:
    """Uniform on {0, ..., n-1}; draws (*batch, 1) int64. n >= 1."""

    n: int
    width: int = 1

    def __post_init__(self) -> None:
        """Guard the count."""
        require_dimension(n=self.n)

    @property
    def size(self) -> float:
        """n."""
        return self.n

    def value(self, u: Tensor) -> Tensor:
        """floor(u n)."""
        return (u * self.n).long().clamp(max=self.n - 1)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every index, each with probability 1 / n."""
        return torch.arange(self.n)[:, None], torch.full((self.n,), 1 / self.n, dtype=torch.float64)


@dataclass(frozen=True)
class Subset:
    """Uniform on the subsets of {0, ..., n-1} of size b; draws (*batch, b) int64, sorted. 1 <= b <= n."""

    n: int
    b: int

    def __post_init__(self) -> None:
        """Guard the counts."""
        require_dimension(n=self.n, b=self.b)
        if self.b > self.n:
            raise ValueError(f"b must be at most n = {self.n}, got {self.b}")

    @property
    def width(self) -> int:
        """n: one key per element, the b smallest are taken."""
        return self.n

    @property
    def size(self) -> float:
        """Binomial(n, b)."""
        return math.comb(self.n, self.b)

    def value(self, u: Tensor) -> Tensor:
        """The b elements with the smallest keys."""
        return u.argsort(dim=-1, stable=True)[..., : self.b].sort(dim=-1).values

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every subset, each equally likely."""
        all_subsets = list(itertools.combinations(range(self.n), self.b))
        weight = torch.full((len(all_subsets),), 1 / len(all_subsets), dtype=torch.float64)
        return torch.tensor(all_subsets), weight


@dataclass(frozen=True)
class Gaussian:
    """Standard normal in R^d, d >= 1; draws (*batch, d). Not enumerable."""

    d: int
    size: float = math.inf

    def __post_init__(self) -> None:
        """Guard the dimension."""
        require_dimension(d=self.d)

    @property
    def width(self) -> int:
        """Two uniforms per pair of normals."""
        return 2 * ((self.d + 1) // 2)

    def value(self, u: Tensor) -> Tensor:
        """Box-Muller."""
        half = self.width // 2
        length = (-2 * torch.log1p(-u[..., :half])).sqrt()
        angle = 2 * math.pi * u[..., half:]
        return torch.cat([length * angle.cos(), length * angle.sin()], -1)[..., : self.d]

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """TypeError: a normal has no finite list of outcomes."""
        raise TypeError("a Gaussian draw cannot be enumerated")


def uniforms(seed: int, replicates: Sequence[int], stream: int, step: int, width: int) -> Tensor:
    """Uniforms in [0, 1) on 53 bits, (len(replicates), width).

    Numbers of (seed, replicate, stream, step) only; ``width`` is part of the format of a stream.
    """
    chunk, offset = divmod(step, CHUNK)
    rows = np.empty((len(replicates), width), dtype=np.uint64)
    for row, replicate in enumerate(replicates):
        bits = np.random.Philox(key=[seed, replicate], counter=[0, 0, chunk, stream])
        rows[row] = bits.random_raw((offset + 1) * width)[offset * width :]
    return torch.from_numpy((rows >> np.uint64(11)).astype(np.float64) * 2.0**-53)


class DrawStream:
    """The draws of a block of replicates, step after step.

    ``spaces`` is what ``method.draws(problem)`` returns at the first step; later ones may differ (a
    scheduled probability) but must be as wide. Raw numbers are made a chunk at a time, draws on the
    CPU whatever the device.
    """

    def __init__(
        self, seed: int, replicates: Sequence[int], spaces: Mapping[str, Space], device: str
    ) -> None:
        self.seed, self.replicates, self.device = seed, replicates, device
        self.width = sum(space.width for space in spaces.values())
        self._chunk = -1
        self._table = torch.empty(0)

    def at(self, step: int, spaces: Mapping[str, Space], stream: int = STREAM_METHOD) -> SimpleNamespace:
        """The draws of one step as attributes, each batch first. ValueError if the width has changed."""
        width = sum(space.width for space in spaces.values())
        if width != self.width:
            raise ValueError(f"draws of step {step} consume {width} uniforms, not {self.width} as the first")
        if not width:
            return SimpleNamespace()
        if stream != STREAM_METHOD:
            return self._split(uniforms(self.seed, self.replicates, stream, step, width), spaces)
        return self._split(self._from_chunk(step), spaces)

    def _from_chunk(self, step: int) -> Tensor:
        chunk, offset = divmod(step, CHUNK)
        if chunk != self._chunk:
            wide = uniforms(self.seed, self.replicates, STREAM_METHOD, chunk * CHUNK, CHUNK * self.width)
            self._table, self._chunk = wide.reshape(len(self.replicates), CHUNK, self.width), chunk
        return self._table[:, offset]

    def _split(self, u: Tensor, spaces: Mapping[str, Space]) -> SimpleNamespace:
        draw, start = SimpleNamespace(), 0
        for name, space in spaces.items():
            setattr(draw, name, space.value(u[..., start : start + space.width]).to(self.device))
            start += space.width
        return draw
