"""A counterexample: a function that has one property and, at given points, breaks another."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions import Assumption
from problems.base import Problem

Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Counterexample:
    """``holds`` is certified for the problem; ``fails`` is refuted at the points, by at least ``ratio``.

    name: in tables. on: the problem. claim: the false implication in words. lesson: what is true instead.
    ValueError without points or for a ratio that is not > 1.
    """

    name: str
    claim: str
    on: Problem
    holds: tuple[Assumption, ...]
    fails: Assumption
    points: Points
    ratio: float
    lesson: str

    def __post_init__(self) -> None:
        """A counterexample that breaks nothing is none."""
        if not self.points or not self.ratio > 1:
            raise ValueError(f"{self.name} needs points and a ratio > 1, got {self.points!r}, {self.ratio!r}")

    def tensors(self) -> tuple[Tensor, ...]:
        """The points, each (1, d)."""
        return tuple(torch.tensor([p], dtype=torch.float64) for p in self.points)
