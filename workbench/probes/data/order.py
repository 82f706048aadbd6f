"""Which rows a step sees: a pure function of (seed, step)."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_seed
from workbench.draws import uniforms

STREAM_BATCHES, STREAM_FIXED, STREAM_HELD_OUT = 16, 17, 18
"""Streams of ``uniforms``, apart from those of methods."""


@lru_cache(maxsize=8)
def permutation(n: int, seed: int, stream: int, epoch: int) -> Tensor:
    """0, ..., n - 1 in random order. Shared between calls: do not write into it."""
    return uniforms(seed, [0], stream, epoch, n)[0].argsort(stable=True)


def offsets(count: int, most: int, seed: int, stream: int, step: int) -> Tensor:
    """``count`` integers, each uniform on 0, ..., most - 1, independent."""
    draws = uniforms(seed, [0], stream, step, count)[0]
    return (draws * most).long()


@dataclass(frozen=True)
class Epochs:
    """Batches of ``rows`` out of n rows: the permutations of epochs 0, 1, ..., one after the other, cut up.

    Each epoch has every row once; a batch in which an epoch ends goes on with the next one. ValueError
    unless 1 <= rows <= n.
    """

    n: int
    rows: int
    seed: int

    def __post_init__(self) -> None:
        """Guard the sizes."""
        require_dimension(n=self.n, rows=self.rows)
        require_seed(self.seed)
        if self.rows > self.n:
            raise ValueError(f"rows must be at most {self.n}, the rows to train on, got {self.rows}")

    def indices(self, step: int) -> Tensor:
        """The rows of a step, (rows,)."""
        require_step(step)
        epoch, first = divmod(step * self.rows, self.n)
        order = permutation(self.n, self.seed, STREAM_BATCHES, epoch)[first : first + self.rows]
        if len(order) < self.rows:
            rest = permutation(self.n, self.seed, STREAM_BATCHES, epoch + 1)[: self.rows - len(order)]
            order = torch.cat([order, rest])
        return order


def require_step(step: int) -> None:
    """ValueError unless an integer >= 0."""
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise ValueError(f"step must be an integer >= 0, got {step!r}")
