"""(L0, L1)-smoothness at short distances: the form that the analyses of LMO methods use."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.l0l1.form import L0L1Form, Samples, anchored_samples, anchored_sides
from assumptions.l0l1.front import Front, local_front
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS


@dataclass(frozen=True)
class LocalL0L1(L0L1Form):
    """|grad f(x) - grad f(y)|_* <= (L0 + L1 |grad f(x)|_*) |x - y| for all x, y with |x - y| <= 1 / L1.

    L0, L1: finite, >= 0. ValueError otherwise. With L1 = 0 all pairs count and f is L0-smooth; with both 0 it
    is affine. norm: that of x - y; gradients are measured in its dual. The front drops just after each
    1 / |x - y|, for a larger L1 speaks of fewer pairs.
    """

    L0: float
    L1: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0": -1, "L1": -1}

    @property
    def radius(self) -> float:
        """1 / L1; inf for L1 = 0."""
        return 1 / self.L1 if self.L1 > 0 else math.inf

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides; 0 where x and y are further apart than 1 / L1. x, y: (*batch, d)."""
        x, y = points
        sides = anchored_sides(self, problem, x, y, lambda r: r)
        far = self.norm.norm(x - y) > self.radius
        return Sides(*(torch.where(far, 0.0, side) for side in sides))

    def admissible(self, problem: Function, *points: Tensor) -> tuple[Tensor, ...]:
        """y moved towards x until |x - y| <= 1 / L1, rounding of x included. x, y: (*batch, d)."""
        del problem
        x, y = points
        if self.radius == math.inf:
            return points
        r = self.norm.norm(x - y)
        allowed = (self.radius * (1 - ROUNDINGS) - ROUNDINGS * self.norm.norm(x)).clamp(min=0)
        near = x + (y - x) * (allowed / r).unsqueeze(-1)
        return x, torch.where((r > self.radius).unsqueeze(-1), near, y)

    @classmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """q at x, s between x and y. x, y: (*batch, d)."""
        x, y = points
        return anchored_samples(problem, x, y, norm)

    @classmethod
    def needed(cls, samples: Samples, L1: float) -> Tensor:
        """s - L1 q where r <= 1 / L1, else 0. (*batch,)."""
        if L1 == 0:
            return samples.s
        return torch.where(samples.r <= 1 / L1, samples.s - L1 * samples.q, 0.0)

    @classmethod
    def fit(cls, samples: Samples) -> Front:
        """Exact, with its drops."""
        return local_front(samples.q, samples.s, samples.r)
