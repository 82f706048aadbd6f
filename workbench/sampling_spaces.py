"""The draws of samplings: masks of n clients."""

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

from workbench.spaces import Coin, Space

MOST_COINS = 20
"""2^20 outcomes of independent coins are listed at most."""


@dataclass(frozen=True)
class Weighted:
    """Index j with probability w_j / sum w; draws (*batch, 1) int64. weights: > 0, their sum finite."""

    weights: tuple[float, ...]
    width: int = 1

    @property
    def size(self) -> float:
        """The number of weights."""
        return len(self.weights)

    def value(self, u: Tensor) -> Tensor:
        """The first j whose weights up to j, over their sum, exceed u."""
        upto = torch.tensor(list(itertools.accumulate(self.weights)), dtype=u.dtype, device=u.device)
        return torch.searchsorted(upto, u * upto[-1], right=True).clamp(max=len(self.weights) - 1)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every index."""
        weights = torch.tensor(self.weights, dtype=torch.float64)
        return torch.arange(len(self.weights))[:, None], weights / weights.sum()


@dataclass(frozen=True)
class Marked:
    """The indices that ``of`` draws, (*batch, b), as a mask; draws (*batch, n) bool."""

    n: int
    of: Space

    @property
    def width(self) -> int:
        """That of the indices."""
        return self.of.width

    @property
    def size(self) -> float:
        """That of the indices."""
        return self.of.size

    def value(self, u: Tensor) -> Tensor:
        """True at the indices."""
        return self._mask(self.of.value(u))

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Those of the indices."""
        indices, weights = self.of.outcomes()
        return self._mask(indices), weights

    def _mask(self, indices: Tensor) -> Tensor:
        nobody = torch.zeros(*indices.shape[:-1], self.n, dtype=torch.bool, device=indices.device)
        return nobody.scatter(-1, indices, True)


@dataclass(frozen=True)
class Coins:
    """Independent coins, entry j heads with probability p_j; draws (*batch, n) bool."""

    p: tuple[float, ...]

    @property
    def width(self) -> int:
        """n."""
        return len(self.p)

    @property
    def size(self) -> float:
        """2^n; inf where they are too many to list."""
        return 2 ** len(self.p) if len(self.p) <= MOST_COINS else math.inf

    def value(self, u: Tensor) -> Tensor:
        """Heads where u < p_j."""
        return u < u.new_tensor(self.p)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every subset. TypeError for more than 20 coins."""
        if len(self.p) > MOST_COINS:
            raise TypeError(f"{len(self.p)} coins cannot be enumerated; at most {MOST_COINS} can")
        heads = torch.tensor(list(itertools.product((False, True), repeat=len(self.p))))
        p = torch.tensor(self.p, dtype=torch.float64)
        return heads, torch.where(heads, p, 1 - p).prod(dim=-1)


@dataclass(frozen=True)
class Together:
    """All True with probability p, else all False; draws (*batch, n) bool."""

    n: int
    p: float
    width: int = 1
    size: float = 2

    def value(self, u: Tensor) -> Tensor:
        """The coin, n times."""
        return Coin(self.p).value(u).expand(*u.shape[:-1], self.n)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """All, nobody."""
        heads, weights = Coin(self.p).outcomes()
        return heads.expand(-1, self.n), weights
