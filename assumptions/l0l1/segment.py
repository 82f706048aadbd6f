"""(L0, L1)-smoothness with the largest gradient on the segment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.l0l1.form import L0L1Form, Samples, anchored_samples, gradient_error, product, rate
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS

CELLS = 16
"""Pieces of a segment, at whose ends the gradient is read."""


@dataclass(frozen=True)
class SegmentL0L1(L0L1Form):
    """|grad f(x) - grad f(y)|_* <= (L0_segment + L1_segment S) |x - y|, S = sup |grad f|_* on [x, y].

    For all x, y. Constants: finite, >= 0. ValueError otherwise. With L1_segment = 0, or both 0: smooth, or
    affine. norm: that of x - y; gradients are measured in its dual.

    S is not computed. In its place stands M + |grad f(x) - grad f(y)|_* / 32, with M the largest |grad f|_*
    at the ends of 16 equal pieces. It may be less than S, but a true statement is never refuted: if it holds,
    grad f is Lipschitz near u with L0 + L1 |grad f(u)|_*, so by Gronwall L0 + L1 |grad f|_* grows at most by
    e^(L1 t) over a length t. Every point is within r / 32 of a node, r = |x - y|. With a = L1 r / 32, grad f
    changes by c <= (L0 + L1 M) e^a r over [x, y]; as 1 - a <= e^(-a), c (1 - a) <= (L0 + L1 M) r. That is
    what is checked. Nothing is lost: a violated segment has a violated half, hence violated pieces as short
    as one likes, where M tends to S and c to 0.
    """

    L0_segment: float
    L1_segment: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"L0_segment": -1, "L1_segment": -1}

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides, with M + c / 32 for S: lhs > rhs proves a violation. x, y: (*batch, d)."""
        x, y = points
        norm, pair = self.norm, self.pair
        gx, gy = problem.grad(x), problem.grad(y)
        lhs, r = norm.dual(gx - gy), norm.norm(x - y)
        at, largest = _largest_gradient(problem, x, y, norm)
        rhs = product(rate(pair, largest + lhs / (2 * CELLS)), r)
        with torch.no_grad():
            qx, qy = norm.dual(gx), norm.dual(gy)
            at_x = gradient_error(problem, x, qx, rate(pair, qx), norm)
            at_y = gradient_error(problem, y, qy, rate(pair, qy), norm)
            of_largest = gradient_error(problem, at, largest, rate(pair, largest), norm)
            resolution = at_x + at_y + pair[1] * product(of_largest, r) + ROUNDINGS * rhs
        return Sides(lhs, rhs, resolution)

    @classmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """q = M + c / 32 for S, s between x and y: no more is asked of a pair than the form asks.

        x, y: (*batch, d).
        """
        x, y = torch.broadcast_tensors(*points)
        _, s, r, error = anchored_samples(problem, x, y, norm)
        _, largest = _largest_gradient(problem, x, y, norm)
        return Samples(largest + product(s, r) / (2 * CELLS), s, r, error)


def _largest_gradient(problem: Function, x: Tensor, y: Tensor, norm: Norm) -> tuple[Tensor, Tensor]:
    """The end of a piece of [x, y] where |grad f|_* is largest, (*batch, d), and how large, (*batch,)."""
    x, y = torch.broadcast_tensors(x, y)
    fractions = torch.linspace(0, 1, CELLS + 1, dtype=x.dtype, device=x.device)
    nodes = torch.stack([x + t * (y - x) for t in fractions[:-1]] + [y])
    sizes = norm.dual(problem.grad(nodes))
    worst = sizes.argmax(dim=0, keepdim=True)
    at = nodes.gather(0, worst.unsqueeze(-1).expand(1, *x.shape)).squeeze(0)
    return at, sizes.gather(0, worst).squeeze(0)
