"""What an assumption is: an inequality about a function, with three verbs.

check     the worst ratio lhs / rhs over given points, a verdict and a witness
estimate  the smallest constants consistent with given points, named ``_seen``
refute    an adversarial search for a violating pair
"""

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, Protocol, Self

import torch
from torch import Tensor

from assumptions.guards import require_points, require_positive
from assumptions.specification import Specified

EPS = torch.finfo(torch.float64).eps

CheckVerdict = Literal["not refuted", "refuted", "undefined"]


class Function(Protocol):
    """What an assumption may ask of a problem. x: (*batch, d)."""

    @property
    def d(self) -> int: ...

    @property
    def x0(self) -> Tensor: ...

    def offers(self, name: str) -> bool: ...

    def value(self, x: Tensor) -> Tensor: ...

    def grad(self, x: Tensor) -> Tensor: ...


class Sides(NamedTuple):
    """lhs <= rhs, both >= 0, shape (*batch,); ``resolution`` is the rounding error of lhs - rhs."""

    lhs: Tensor
    rhs: Tensor
    resolution: Tensor


@dataclass(frozen=True)
class Check:
    """What a check or a search found. ``witness`` is the worst tuple of points, each (d,)."""

    assumption: "Assumption"
    verdict: CheckVerdict
    ratio: float
    witness: tuple[Tensor, ...]
    points: int

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.assumption!r}: {self.verdict} on {self.points} points, ratio {self.ratio:.6g}"


class Assumption(Specified, ABC):
    """A statement about a function, constants as fields of a frozen dataclass.

    ``sense`` says for each constant which way the statement grows stronger: -1 if a smaller
    constant says more (L), +1 if a larger one does (mu). Each constant name has one meaning in the
    whole project.
    """

    sense: ClassVar[Mapping[str, int]] = {}

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """Names of the constants, in order."""
        return tuple(cls.sense)

    @abstractmethod
    def check(self, problem: Function, *points: Tensor) -> Check:
        """Worst case over the given points, each (*batch, d)."""

    @classmethod
    @abstractmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """Smallest constants consistent with the points, named ``_seen``."""

    @abstractmethod
    def refute(self, problem: Function, budget: int = 20_000, seed: int = 0) -> Check:
        """Search for a violation with at most ``budget`` evaluations of the ratio."""

    def implied_by(self, other: "Assumption") -> bool:
        """True if ``other`` is of the same class and geometry and says at least as much."""
        if type(self) is not type(other):
            return False
        for field in dataclasses.fields(self):  # pyright: ignore[reportArgumentType]
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in self.sense:
                if not (theirs - mine) * self.sense[field.name] >= 0:
                    return False
            elif mine != theirs:
                return False
        return True


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
        violated = ~(lhs <= rhs + resolution) | ~lhs.isfinite()
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
        from assumptions.search import ascend

        return ascend(self, problem, budget=budget, seed=seed)


@dataclass(frozen=True)
class Everywhere(Specified):
    """The whole space."""

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,)."""
        return torch.ones(x.shape[:-1], dtype=torch.bool, device=x.device)


@dataclass(frozen=True)
class Ball(Specified):
    """The Euclidean ball {x: |x - center| <= radius}; a certificate may hold only there.

    center: a non-empty tuple of finite numbers; radius: finite, > 0. ValueError otherwise.
    """

    center: tuple[float, ...]
    radius: float

    def __post_init__(self) -> None:
        """An empty ball would make any certificate true."""
        require_positive(radius=self.radius)
        if not isinstance(self.center, tuple) or not self.center:
            raise ValueError(f"center must be a non-empty tuple of numbers, got {self.center!r}")
        if not all(abs(c) < float("inf") for c in self.center):
            raise ValueError(f"center must have finite entries, got {self.center!r}")

    def contains(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns bool (*batch,). ValueError if d is not that of the center."""
        require_points(x, len(self.center))
        return (x - x.new_tensor(self.center)).norm(dim=-1) <= self.radius


Region = Everywhere | Ball
EVERYWHERE = Everywhere()


@dataclass(frozen=True)
class Certificate:
    """An assumption that a problem has, why, where, and on whose word.

    ``status`` is "certified" (proved beside the problem) or "declared" (the user says so; verdicts
    then read "if the declared constants hold"). ``steps`` lists the implications that led here.
    """

    assumption: Assumption
    proof: str
    region: Region = EVERYWHERE
    status: Literal["certified", "declared"] = "certified"
    steps: tuple[str, ...] = ()

    def then(self, assumption: Assumption, proof: str) -> Self:
        """The same certificate after one implication."""
        steps = (*self.steps, f"{self.assumption!r} => {assumption!r}: {proof}")
        return dataclasses.replace(self, assumption=assumption, proof=proof, steps=steps)
