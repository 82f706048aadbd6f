"""Randomness of methods as spaces, sampled or enumerated.

A space consumes ``width`` uniforms: ``value(u)`` maps ``(*batch, width)`` to a draw; ``outcomes()``
lists all draws with their probabilities, for exact expectations. One ``step`` serves both.
"""

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_nonnegative


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
        """All draws (size, ...) and their probabilities (size,), or (*batch, size) where rows differ."""
        ...


@dataclass(frozen=True)
class Coin:
    """True with probability p; draws (*batch, 1) bool. 0 <= p <= 1, a float or (*batch, 1).

    ValueError otherwise. width: uniforms that a draw takes; size: outcomes. Neither is to be changed.
    """

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
        """Heads, tails; probabilities (2,), or (*batch, 2) for a tensor."""
        p = torch.as_tensor(self.p, dtype=torch.float64)
        p = p if p.dim() else p.reshape(1)
        return torch.tensor([[True], [False]]), torch.cat([p, 1 - p], -1)


@dataclass(frozen=True)
class Index:
    """Uniform on {0, ..., n-1}; draws (*batch, 1) int64. n >= 1.

    ValueError otherwise. width: uniforms that a draw takes, not to be changed.
    """

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
    """Uniform on the subsets of {0, ..., n-1} of size b; draws (*batch, b) int64, sorted. 1 <= b <= n.

    Floyd's sampling: one uniform for each element, of the set or of its complement, whichever is smaller.
    Subset(n, 1) is Index(n). ValueError for other n, b.
    Source: Bentley, Floyd (1987), A sample of brilliance.
    """

    n: int
    b: int

    def __post_init__(self) -> None:
        """Guard the counts."""
        require_dimension(n=self.n, b=self.b)
        if self.b > self.n:
            raise ValueError(f"b must be at most n = {self.n}, got {self.b}")

    @property
    def width(self) -> int:
        """min(b, n - b)."""
        return min(self.b, self.n - self.b)

    @property
    def size(self) -> float:
        """Binomial(n, b)."""
        return math.comb(self.n, self.b)

    def value(self, u: Tensor) -> Tensor:
        """A random element of {0, ..., top} for each top; top itself where that is taken already."""
        few = u.new_empty(u.shape, dtype=torch.int64)
        for i in range(self.width):
            top = self.n - self.width + i
            found = (u[..., i] * (top + 1)).long().clamp(max=top)
            taken = (few[..., :i] == found.unsqueeze(-1)).any(dim=-1)
            few[..., i] = torch.where(taken, top, found)
        if self.width == self.b:
            return few if self.b == 1 else few.sort(dim=-1).values
        left = u.new_ones(*u.shape[:-1], self.n, dtype=torch.bool).scatter(-1, few, False)
        return left.nonzero()[:, -1].reshape(*u.shape[:-1], self.b)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every subset, each equally likely."""
        all_subsets = list(itertools.combinations(range(self.n), self.b))
        weight = torch.full((len(all_subsets),), 1 / len(all_subsets), dtype=torch.float64)
        return torch.tensor(all_subsets), weight


@dataclass(frozen=True)
class Indices:
    """b independent uniform elements of {0, ..., n-1}, as a multiset; draws (*batch, b) int64, sorted.

    n, b >= 1, ValueError otherwise. What needs the order of its indices takes several spaces ``Index``.
    """

    n: int
    b: int

    def __post_init__(self) -> None:
        """Guard the counts."""
        require_dimension(n=self.n, b=self.b)

    @property
    def width(self) -> int:
        """b."""
        return self.b

    @property
    def size(self) -> float:
        """Binomial(n + b - 1, b)."""
        return math.comb(self.n + self.b - 1, self.b)

    def value(self, u: Tensor) -> Tensor:
        """floor(u n), sorted."""
        drawn = (u * self.n).long().clamp(max=self.n - 1)
        return drawn if self.b == 1 else drawn.sort(dim=-1).values

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every multiset, with the number of its orders over n^b."""
        every = list(itertools.combinations_with_replacement(range(self.n), self.b))
        orders = [
            math.factorial(self.b) // math.prod(math.factorial(m) for m in Counter(e).values()) for e in every
        ]
        return torch.tensor(every), torch.tensor([m / self.n**self.b for m in orders], dtype=torch.float64)


@dataclass(frozen=True)
class Gaussian:
    """Standard normal in R^d; draws (*batch, d). Not enumerable: its size is inf.

    d: an integer >= 1, ValueError otherwise.
    """

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
