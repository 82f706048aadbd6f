"""Universally quantified inequalities: write both sides, inherit check and refute."""

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Assumption, Check, Function, Sides
from assumptions.search import ascend

UNDERFLOW = 1e-300
"""Squares of numbers that small are no longer numbers."""


class Inequality(Assumption):
    """A universally quantified inequality lhs(points) <= rhs(points).

    A subclass writes ``sides`` and, if it has constants, ``estimate``; check and refute follow.
    ``arity`` is the number of points that the inequality speaks of.
    """

    arity: ClassVar[int] = 2

    @abstractmethod
    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at the points, each (*batch, d)."""

    def ratio(self, problem: Function, *points: Tensor) -> Tensor:
        """lhs / rhs, (*batch,); nan where both vanish (x == y), inf where only rhs does."""
        lhs, rhs, _ = self.sides(problem, *points)
        return lhs / rhs

    def check(self, problem: Function, *points: Tensor) -> Check:
        """Refuted if some lhs exceeds rhs by more than rounding, or is not finite where rhs is."""
        if len(points) != self.arity:
            raise ValueError(f"{type(self).__name__} speaks of {self.arity} points, got {len(points)}")
        points = tuple(p.reshape(-1, p.shape[-1]) for p in torch.broadcast_tensors(*points))
        if points[0].shape[0] == 0:
            raise ValueError(f"{type(self).__name__}.check needs at least one point, got none")
        lhs, rhs, resolution = self.sides(problem, *points)
        # rounding that is not finite would excuse anything, and inf <= inf says nothing
        resolution = resolution.nan_to_num(nan=0.0, posinf=0.0)
        violated = ~(lhs <= rhs + resolution + UNDERFLOW) | ~lhs.isfinite()
        ratio = lhs / rhs
        # a pair whose sides are both below rounding says nothing: it never is the worst ratio
        meaningful = violated | (torch.maximum(lhs.abs(), rhs.abs()) > 10 * resolution)
        score = torch.where(meaningful, ratio.nan_to_num(nan=-1.0), ratio.new_tensor(-1.0))
        score = torch.where(violated, score.nan_to_num(nan=torch.inf).clamp(min=1) + 1e300, score)
        worst = int(score.argmax())
        undefined = violated[worst] and not bool(torch.isfinite(rhs[worst]))
        verdict = "undefined" if undefined else "refuted" if violated.any() else "not refuted"
        shown = ratio[worst] if score[worst] >= 0 else ratio.new_zeros(())
        witness = tuple(p[worst].detach().clone() for p in points)
        return Check(self, verdict, float(shown), witness, points[0].shape[0])

    def refute(self, problem: Function, budget: int = 20_000, seed: int = 0) -> Check:
        """Batched ascent on the ratio from log-uniformly separated points (see ``search``)."""
        return ascend(self, problem, budget=budget, seed=seed)
