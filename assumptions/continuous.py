"""Continuity of a function that is finite everywhere."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Assumption, Check, Function
from assumptions.guards import require_dimension
from assumptions.region import EVERYWHERE, Region, require_everywhere
from assumptions.rounding import NOISE, ROUNDINGS, value_noise, value_scale
from assumptions.sampling import sample_points

HALVINGS = 1100
"""From 1e308 to the smallest number."""
SHARE = 0.9
"""A jump keeps this share of the difference across the last half of the halvings."""


@dataclass(frozen=True)
class Continuous(Assumption):
    """f is finite, and f(y) -> f(x) as y -> x, for all x. No constants.

    A check bisects the segment between two points, keeping the half with the larger difference of
    values, until no number lies between. Refuted if what remains is a jump: above rounding, and 0.9 of
    the difference at half of the halvings (across a slope it would have fallen to its square root, in
    the scale of the segment). Functions steeper than numbers resolve, such as tanh(1e20 (x - 1)),
    cannot be told from jumps.
    """

    arity: ClassVar[int] = 2

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """n pairs of ``sample_points``, half of the first points moved to integers.

        Functions made by rules such as rounding jump at integers, where random points never are.
        """
        require_everywhere(cls(), region)
        x, y = sample_points(problem, n, cls.arity, seed=seed)
        odd = (torch.arange(n, device=x.device) % 2 == 1).unsqueeze(-1)
        lattice = torch.where(odd, x.round(), x)
        # a pair of one point says nothing
        return lattice, torch.where((y == lattice).all(dim=-1, keepdim=True), lattice + 0.6180339887, y)

    def check(self, problem: Function, *points: Tensor) -> Check:
        """Over pairs x, y, each (*batch, d). The witness is a pair of neighbouring points that jumps.

        ValueError for another number of points than two, and for no rows.
        """
        if len(points) != self.arity:
            raise ValueError(f"Continuous speaks of {self.arity} points, got {len(points)}")
        x, y = (p.detach().reshape(-1, problem.d) for p in torch.broadcast_tensors(*points))
        if x.shape[0] == 0:
            raise ValueError("Continuous.check needs at least one point, got none")
        n = x.shape[0]
        with torch.no_grad():
            x, y, infinite = _finite_pairs(problem, x, y)
            if infinite is not None:
                return Check(self, "refuted", float("inf"), infinite, n)
            x, y, early, late, rounding = _bisect(problem, x, y)
        jump = ~(late <= torch.maximum(SHARE * early, rounding)) | ~late.isfinite()
        # what is below rounding says nothing
        kept = torch.where(late > rounding, late / (SHARE * early), 0.0).nan_to_num(nan=torch.inf)
        jumps = torch.where(jump, late.nan_to_num(nan=torch.inf), -torch.inf)
        worst = int((jumps if bool(jump.any()) else kept).argmax())
        ratio = float(kept[worst])
        verdict = "refuted" if bool(jump.any()) else "not refuted"
        return Check(self, verdict, ratio, (x[worst].clone(), y[worst].clone()), n)

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """Checks ``budget`` pairs of ``sample``."""
        require_dimension(budget=budget)
        return self.check(problem, *self.sample(problem, budget, seed, region))


def _finite_pairs(
    problem: Function, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor, Tensor] | None]:
    """The pairs, and the first one with a value that is not finite."""
    bad = ~(problem.value(x).isfinite() & problem.value(y).isfinite())
    if not bool(bad.any()):
        return x, y, None
    first = int(bad.int().argmax())
    return x, y, (x[first].clone(), y[first].clone())


def _bisect(problem: Function, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Neighbours at the end, differences half way and at the end, rounding; (n, d), (n, d), (n,) each."""
    rounding = _rounding(problem, x, y)
    fx, fy = problem.value(x), problem.value(y)
    differences = [(fx - fy).abs()]
    steps = torch.zeros_like(fx, dtype=torch.int64)
    for _ in range(HALVINGS):
        z = x + (y - x) / 2
        going = ~((z == x).all(dim=-1) | (z == y).all(dim=-1))
        if not bool(going.any()):
            break
        fz = problem.value(z)
        # a value that is not finite is the end: what remains is not finite either
        left = ((fx - fz).abs() >= (fy - fz).abs()) | ~fz.isfinite()
        keep_y, keep_x = (going & left).unsqueeze(-1), (going & ~left).unsqueeze(-1)
        x, y = torch.where(keep_x, z, x), torch.where(keep_y, z, y)
        fx, fy = torch.where(keep_x.squeeze(-1), fz, fx), torch.where(keep_y.squeeze(-1), fz, fy)
        differences.append((fx - fy).abs())
        steps = steps + going
    history = torch.stack(differences)
    early = history.gather(0, (steps // 2).unsqueeze(0)).squeeze(0)
    return x, y, early, (fx - fy).abs(), rounding


def _rounding(problem: Function, x: Tensor, y: Tensor) -> Tensor:
    """How far rounding moves a difference of values between x and y, (n,).

    Seen at two points between them, for a jump at x or at y would pass for noise.
    """
    inner = (x + 0.381966 * (y - x), x + 0.618034 * (y - x))
    noise = torch.maximum(value_noise(problem, inner[0]), value_noise(problem, inner[1]))
    size = problem.value(x).abs() + problem.value(y).abs() + value_scale(problem)
    return ROUNDINGS * size + NOISE * noise
