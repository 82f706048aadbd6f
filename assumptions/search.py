"""Adversarial search: ascent on the ratio lhs / rhs of an inequality."""

from typing import ClassVar, NamedTuple, Protocol

import torch
from torch import Tensor

from assumptions.base import Check, Function, Sides
from assumptions.guards import require_dimension, require_seed
from assumptions.region import EVERYWHERE, Region, require_region
from assumptions.sampling import in_domain, sample_points

STEPS = 40
"""Evaluations of one restart."""
BATCH = 64
"""Tuples of points that climb at once."""

Points = tuple[Tensor, ...]


class Climbable(Protocol):
    """An inequality, as the search sees it."""

    arity: ClassVar[int]
    """Number of points."""

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """lhs, rhs and their resolution."""
        ...

    def admissible(self, problem: Function, *points: Tensor) -> Points:
        """The points, moved to where the inequality speaks of them."""
        ...

    def check(self, problem: Function, *points: Tensor) -> Check:
        """The verdict at given points."""
        ...


def ascend(
    assumption: Climbable,
    problem: Function,
    budget: int = 20_000,
    seed: int = 0,
    region: Region = EVERYWHERE,
) -> Check:
    """Climb the ratio from sampled points, then ``check`` the sampled and the best points.

    budget: >= 1, at most this many evaluations of the ratio (points times steps) while searching;
    ``check`` alone judges what was found. Restarts take turns: Adam on log(lhs / rhs), where the
    ratio has a gradient in the points; bisection, where there are two points; and random local
    search. Only points of ``region`` count, and of the domain of the problem (``contains``); ValueError if
    no point is left. The same for the same seed.
    """
    require_dimension(budget=budget)
    require_region(region)
    require_seed(seed)
    hill = _Hill(assumption, problem, region)
    tried: list[Points] = []
    restart = 0
    while budget > 0:
        batch = min(BATCH, budget)
        steps = min(STEPS, budget // batch)
        # one more point than needed: the second sets the length of the moves even if arity is 1
        stream = (1_000_003 * seed + restart) % 2**63
        start = sample_points(problem, batch, assumption.arity + 1, seed=stream, region=region)
        length = (start[1] - start[0]).norm(dim=-1, keepdim=True) / 10
        start = start[: assumption.arity]
        climb = _LADDERS[restart % len(_LADDERS)]
        if (climb is _adam and not hill.has_gradient(start)) or (
            climb is _bisect and (assumption.arity != 2 or steps < 3)
        ):
            climb = _local
        tried += [start, climb(hill, start, length, steps, stream)]
        budget -= batch * steps
        restart += 1
    points = tuple(torch.cat(column) for column in zip(*tried, strict=True))
    points = assumption.admissible(problem, *points)
    inside = hill.inside(points)
    if not bool(inside.any()):
        raise ValueError(f"none of the points tried lies in the domain of {problem!r} and in {region!r}")
    return assumption.check(problem, *(p[inside] for p in points))


def require_sides(assumption: object, sides: object) -> Sides:
    """TypeError unless ``sides`` is what a class of assumptions must return."""
    if not isinstance(sides, Sides):
        raise TypeError(
            f"{type(assumption).__name__}.sides must return Sides(lhs, rhs, resolution), got {sides!r}"
        )
    return sides


class _Hill(NamedTuple):
    """What is climbed."""

    assumption: Climbable
    problem: Function
    region: Region

    def score(self, points: Points) -> tuple[Tensor, Tensor]:
        """log(lhs / rhs), and the same as a merit: -inf where rounding or the domain makes it void."""
        points = self.assumption.admissible(self.problem, *points)
        lhs, rhs, resolution = require_sides(self.assumption, self.assumption.sides(self.problem, *points))
        score = lhs.log() - rhs.log()
        with torch.no_grad():
            resolution = resolution.nan_to_num(nan=0.0, posinf=0.0)
            violated = ~(lhs <= rhs + resolution) | ~lhs.isfinite()
            violated = violated & ~rhs.isinf()
            visible = violated | (torch.maximum(lhs, rhs) > 10 * resolution)
            climbing = score.nan_to_num(nan=torch.inf, posinf=torch.inf).clamp(min=0)
            merit = torch.where(violated, climbing, score)
            merit = torch.where(visible & self.inside(points), merit, -torch.inf)
        return score, merit.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)

    def inside(self, points: Points) -> Tensor:
        """Rows of which all points lie in the region and where the problem is defined: bool (n,)."""
        return torch.stack([in_domain(self.problem, p.detach(), self.region) for p in points]).all(dim=0)

    def has_gradient(self, points: Points) -> bool:
        """True if the ratio can be differentiated in the points: some oracles leave torch."""
        first = tuple(p[:1].clone().requires_grad_() for p in points)
        try:
            with torch.enable_grad():
                sides = self.assumption.sides(self.problem, *first)
                lhs, rhs, _ = require_sides(self.assumption, sides)
        except RuntimeError:  # torch refuses to hand a tensor with history to numpy
            return False
        return lhs.requires_grad or rhs.requires_grad


def _adam(hill: _Hill, start: Points, length: Tensor, steps: int, seed: int) -> Points:
    """The best points on a path of Adam, whose steps have about the given length per entry."""
    del seed
    points = best = tuple(p.clone() for p in start)
    best_merit = torch.full_like(length.squeeze(-1), -torch.inf)
    first, second = ([torch.zeros_like(p) for p in points] for _ in range(2))
    for step in range(1, steps + 1):
        leaves = tuple(p.clone().requires_grad_() for p in points)
        with torch.enable_grad():
            score, merit = hill.score(leaves)
            finite = torch.where(score.isfinite(), score, 0.0).sum()
            grads = torch.autograd.grad(finite, leaves, allow_unused=True, materialize_grads=True)
        best, best_merit = _better(points, merit, best, best_merit)
        moved = []
        for i, (p, grad) in enumerate(zip(points, grads, strict=True)):
            # per-row units, so that Adam's memory does not depend on the scale of the pair
            g = (grad * length).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
            first[i] = 0.8 * first[i] + 0.2 * g
            second[i] = 0.95 * second[i] + 0.05 * g.square()
            mean, square = first[i] / (1 - 0.8**step), second[i] / (1 - 0.95**step)
            moved.append(p + length * mean / (square.sqrt() + 1e-30))
        points = tuple(moved)
    return best


def _bisect(hill: _Hill, start: Points, length: Tensor, steps: int, seed: int) -> Points:
    """The best pair met on halving each pair again and again, on the side of the larger merit.

    If lhs obeys the triangle inequality and rhs is proportional to |x - y|, some half is at least as
    bad as the whole: this closes in on kinks, where a gradient of the ratio sees nothing.
    """
    del length, seed
    pair = best = start
    _, best_merit = hill.score(start)
    for _ in range((steps - 1) // 2):
        middle = pair[0] + (pair[1] - pair[0]) / 2
        halves = (pair[0], middle), (middle, pair[1])
        merits = [hill.score(half)[1] for half in halves]
        pair, _ = _better(halves[0], merits[0], halves[1], merits[1])
        best, best_merit = _better(pair, torch.maximum(*merits), best, best_merit)
    return best


def _local(hill: _Hill, start: Points, length: Tensor, steps: int, seed: int) -> Points:
    """The best points of a random walk that moves only uphill, by 10^-3 to 10 lengths."""
    generator = torch.Generator().manual_seed(seed)
    best = start
    best_merit = torch.full_like(length.squeeze(-1), -torch.inf)
    points = start
    for _ in range(steps):
        _, merit = hill.score(points)
        best, best_merit = _better(points, merit, best, best_merit)
        factor = torch.rand(length.shape, dtype=torch.float64, generator=generator)
        size = length * (10.0 ** (4 * factor - 3)).to(length)
        noise = (torch.randn(p.shape, dtype=torch.float64, generator=generator) for p in best)
        points = tuple(p + size * z.to(p) for p, z in zip(best, noise, strict=True))
    return best


def _better(points: Points, merit: Tensor, best: Points, best_merit: Tensor) -> tuple[Points, Tensor]:
    """Row by row, whichever has the larger merit."""
    wins = merit > best_merit
    kept = tuple(torch.where(wins.unsqueeze(-1), p, b) for p, b in zip(points, best, strict=True))
    return kept, torch.where(wins, merit, best_merit)


_LADDERS = (_adam, _bisect, _local)
