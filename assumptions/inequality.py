"""Universally quantified inequalities: write both sides, inherit check and refute."""

import dataclasses
from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Assumption, Check, Function, Sides, require_problem
from assumptions.guards import require_points
from assumptions.region import EVERYWHERE, Region
from assumptions.sampling import in_domain, sample_points
from assumptions.search import ascend, require_sides
from assumptions.settling import largest_lower, least_upper

UNDERFLOW = 1e-300
"""Squares of numbers that small are no longer numbers."""

Points = tuple[Tensor, ...]


class Inequality(Assumption):
    """A universally quantified inequality lhs(points) <= rhs(points).

    A subclass writes ``sides`` and, if it has constants, ``estimate``; check, refute and along follow.
    ``arity`` is the number of points that the inequality speaks of.
    """

    arity: ClassVar[int] = 2

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """At most n tuples of ``sample_points``, those in region and domain. ValueError if none is."""
        require_problem(problem)
        points = sample_points(problem, n, cls.arity, seed=seed, region=region)
        inside = torch.stack([in_domain(problem, p, region) for p in points]).all(dim=0)
        if not bool(inside.any()):
            raise ValueError(
                f"none of {n} sampled tuples lies in the domain of {problem!r} and in {region!r}"
            )
        return tuple(p[inside] for p in points)

    @abstractmethod
    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at the points, each (*batch, d).

        Both are 0 where the inequality does not speak of the points (too far apart, say).
        """

    def admissible(self, problem: Function, *points: Tensor) -> Points:
        """The points, moved to where the inequality speaks of them (within a local radius, say).

        Each (*batch, d); differentiable. A search moves its points there before it judges them.
        """
        del problem
        return points

    def ratio(self, problem: Function, *points: Tensor) -> Tensor:
        """lhs / rhs, (*batch,); nan where both vanish (x == y), inf where only rhs does."""
        lhs, rhs, _ = self.sides(problem, *points)
        return lhs / rhs

    def along(self, problem: Function, x: Tensor) -> Tensor:
        """The ratio at each step of a trajectory x, (*batch, n, d): consecutive points play the points.

        Returns (*batch, n - 1), or (*batch, n) for arity 1; with a last axis where the inequality is one for
        each layer or term. TypeError for a missing oracle, ValueError for fewer than two points.
        """
        self.require(problem)
        require_points(x, problem.d)
        lhs, rhs, _ = self._each(problem, *steps_of(x, self.arity))
        return lhs / rhs

    def _each(self, problem: Function, *points: Tensor) -> Sides:
        """The sides before anything is reduced."""
        return self.sides(problem, *points)

    def check(self, problem: Function, *points: Tensor) -> Check:
        """Refuted if some lhs exceeds a finite rhs by more than rounding: the worst is the witness.

        Undefined if none does, but somewhere it cannot be said, for nan or an overflow. TypeError for an
        oracle that the problem lacks, ValueError for points of another number or shape.
        """
        self.require(problem)
        points = self._points(problem, points)
        lhs, rhs, resolution = require_sides(self, self.sides(problem, *points))
        # rounding that is not finite would excuse anything, and inf <= inf says nothing
        resolution = resolution.nan_to_num(nan=0.0, posinf=0.0)
        unproved = ~(lhs <= rhs + resolution + UNDERFLOW) | ~lhs.isfinite()
        violated = unproved & ~lhs.isnan() & rhs.isfinite()
        if (violated & lhs.isfinite()).any():  # rather a number than inf
            violated = violated & lhs.isfinite()
        ratio = lhs / rhs
        # a pair whose sides are both below rounding says nothing: it never is the worst ratio
        meaningful = torch.maximum(lhs.abs(), rhs.abs()) > 10 * resolution
        score = torch.where(meaningful, ratio.nan_to_num(nan=-1.0), ratio.new_tensor(-1.0))
        if violated.any():
            score = torch.where(violated, ratio.nan_to_num(nan=torch.inf), -torch.inf)
        elif unproved.any():
            score = unproved.to(ratio.dtype)
        worst = int(score.argmax())
        verdict = "refuted" if violated.any() else "undefined" if unproved.any() else "not refuted"
        shown = ratio[worst] if score[worst] >= 0 else ratio.new_zeros(())
        witness = tuple(p[worst].detach().clone() for p in points)
        return Check(self, verdict, float(shown), witness, points[0].shape[0])

    def _points(self, problem: Function, points: Points) -> Points:
        """Each (n, d), n >= 1. ValueError unless there are ``arity`` floating point tensors (*batch, d)."""
        if len(points) != self.arity:
            raise ValueError(f"{type(self).__name__} speaks of {self.arity} points, got {len(points)}")
        for p in points:
            require_points(p, problem.d, "points")
        points = tuple(p.reshape(-1, problem.d) for p in torch.broadcast_tensors(*points))
        if points[0].shape[0] == 0:
            raise ValueError(f"{type(self).__name__} needs at least one point, got none")
        return points

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """Batched ascent on the ratio from log-uniformly separated points (see ``search``)."""
        self.require(problem)
        return ascend(self, problem, budget=budget, seed=seed, region=region)


class OneConstant(Inequality):
    """An inequality with one constant, to which one of its sides is proportional; ``estimate`` follows.

    ``sense`` -1: lhs <= c unit, and c_seen = max of lhs / unit. ``sense`` +1: c unit <= rhs, and c_seen = min
    of rhs / unit. The resolution must not hide what is seen: it is read at c_seen.
    """

    most: ClassVar[float] = float("inf")
    """The largest constant that the class takes."""

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """The constant that the points need, named ``_seen``; ``check`` does not refute it on them.

        options: the other fields of the class. Of a left side within 100 roundings counts what exceeds one
        rounding. Where none is visible: 0, or what exceeds it, for a constant that is an upper bound, inf for
        a lower one. TypeError for an unknown option or a missing oracle.
        """
        cls.require(problem)
        (name,) = cls.constants()
        points = torch.broadcast_tensors(*points)

        known = [field.name for field in dataclasses.fields(cls) if field.name != name]  # pyright: ignore[reportArgumentType]
        unknown = sorted(set(options) - set(known))
        if unknown:
            verb = "option is" if len(known) == 1 else "options are"
            only = f"the only {verb} {', '.join(known)}" if known else "there are no options"
            raise TypeError(f"{cls.__name__}.estimate: {only}, got {', '.join(unknown)}")

        def sides(c: float) -> Sides:
            try:
                one = cls(**{name: min(c, cls.most)}, **options)
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.estimate: {error}") from None
            lhs, rhs, resolution = torch.broadcast_tensors(*one._each(problem, *points))
            return Sides(lhs, rhs, resolution.nan_to_num(nan=0.0, posinf=0.0))

        settle = least_upper if cls.sense[name] < 0 else largest_lower
        return {f"{name}_seen": settle(sides)}


class EntryInequality(Inequality):
    """An inequality for each layer, or for each term of a sum: a subclass writes ``entry_sides``.

    ``sides`` picks, row by row, the entry with the largest ratio; ``along`` keeps all of them.
    """

    @abstractmethod
    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every entry: (*batch, entries)."""

    def _each(self, problem: Function, *points: Tensor) -> Sides:
        return self.entry_sides(problem, *points)

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """The sides of the worst entry, (*batch,)."""
        return worst_entry(self.entry_sides(problem, *points))


def worst_entry(sides: Sides) -> Sides:
    """Of a last axis of entries the worst: beyond rounding first, then by ratio. (*batch,)."""
    lhs, rhs, resolution = sides
    with torch.no_grad():
        excess = lhs - rhs - resolution.nan_to_num(nan=0.0, posinf=0.0)
        ratio = (lhs / rhs).nan_to_num(nan=-1.0)
        ratio = torch.where(lhs.isnan() | rhs.isnan(), torch.inf, ratio)
        beyond = ~(excess <= 0)
        violated = beyond.any(dim=-1, keepdim=True) & ~beyond
        worst = torch.where(violated, -torch.inf, ratio).argmax(dim=-1, keepdim=True)
    return Sides(*(side.expand_as(lhs).gather(-1, worst).squeeze(-1) for side in sides))


def steps_of(x: Tensor, arity: int) -> Points:
    """Consecutive points of x, (*batch, n, d), as ``arity`` tensors; of three, the last two are the same.

    Arity 1: the points themselves. ValueError unless there are an axis of steps and enough of them.
    """
    least = min(arity, 2)
    if x.dim() < 2 or x.shape[-2] < least:
        raise ValueError(f"x must have shape (*batch, n, d) with n >= {least}, got {tuple(x.shape)}")
    if arity == 1:
        return (x,)
    return (x[..., :-1, :], *[x[..., 1:, :]] * (arity - 1))
