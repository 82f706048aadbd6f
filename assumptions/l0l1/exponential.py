"""(L0, L1)-smoothness at all distances, with the growth that it allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.l0l1.form import L0L1Form, Samples, anchored_samples, anchored_sides, relative_growth
from assumptions.l0l1.front import Front, grid_front, no_front
from assumptions.norms import EUCLIDEAN, Norm

LONGEST = 700.0
"""(e^u - 1) / u beyond this u is 1e301 or more: nothing is asked of such a pair."""

SMALLEST = 1e-300
"""The grid of a front stays between this and its inverse."""


@dataclass(frozen=True)
class ExponentialL0L1(L0L1Form):
    """|grad f(x) - grad f(y)|_* <= (L0_exp + L1_exp |grad f(y)|_*) (e^(L1_exp r) - 1) / L1_exp, r = |x - y|.

    For all x, y; the last factor is r for L1_exp = 0. Constants: finite, >= 0. ValueError otherwise. With
    L1_exp = 0, or both 0: smooth, or affine. norm: that of x - y; gradients are measured in its dual.
    Equivalent to the segment form with the same constants: Gronwall one way, short pieces the other.
    """

    L0_exp: float
    L1_exp: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0_exp": -1, "L1_exp": -1}

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides. x, y: (*batch, d)."""
        x, y = points
        return anchored_sides(self, problem, y, x, lambda r: r * relative_growth(self.L1_exp * r))

    @classmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """q at y, s between x and y. x, y: (*batch, d)."""
        x, y = points
        return anchored_samples(problem, y, x, norm)

    @classmethod
    def needed(cls, samples: Samples, L1: float) -> Tensor:
        """s u / (e^u - 1) - L1 q with u = L1 r: exact at any L1, decreasing and convex in it. (*batch,)."""
        return samples.s / relative_growth(L1 * samples.r) - L1 * samples.q

    @classmethod
    def fit(cls, samples: Samples) -> Front:
        """Exact at L1 = 0 and at 256 values in geometric progression; between them above the exact front.

        They run from 1/64 of the first L1 at which some sample asks for clearly less, to one at which
        none asks for anything.
        """
        empty = no_front(samples.q, samples.s)
        if empty is not None:
            return empty
        falls = torch.minimum(samples.s / samples.q, 1 / samples.r)
        ends = float((samples.s / samples.q).max()) * 1.01, LONGEST / float(samples.r.min()), 1 / SMALLEST
        highest = min(ends)
        lowest = max(float(falls.min()) / 64, SMALLEST)
        return grid_front(lambda L1: cls.needed(samples, L1), samples.q, lowest, max(highest, 2 * lowest))
