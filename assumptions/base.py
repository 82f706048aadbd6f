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

from assumptions.region import EVERYWHERE, Region
from assumptions.specification import Specified

EPS = torch.finfo(torch.float64).eps

CheckVerdict = Literal["not refuted", "refuted", "undefined"]


class Function(Protocol):
    """What an assumption may ask of a problem. x: (*batch, d)."""

    @property
    def d(self) -> int:
        """Dimension of x."""
        ...

    @property
    def x0(self) -> Tensor:
        """The default start, (d,)."""
        ...

    def offers(self, name: str) -> bool:
        """True if the oracle of this name may be called."""
        ...

    def value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,)."""
        ...

    def grad(self, x: Tensor) -> Tensor:
        """A subgradient at x, the gradient where there is one; (*batch, d)."""
        ...


class Sides(NamedTuple):
    """lhs <= rhs, both >= 0, shape (*batch,); ``resolution`` is the rounding error of lhs - rhs.

    Where an inequality is one for each layer or term, a last axis counts these.
    """

    lhs: Tensor
    rhs: Tensor
    resolution: Tensor


@dataclass(frozen=True)
class Check:
    """What a check or a search found about an assumption.

    verdict: "refuted", "not refuted" at any of so many ``points``, or "undefined" where it could not be told
    and nothing was refuted. ratio: the largest lhs / rhs seen. ``witness``: the worst points, each (d,).
    """

    assumption: "Assumption"
    verdict: CheckVerdict
    ratio: float
    witness: tuple[Tensor, ...]
    points: int

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.assumption!r}: {self.verdict} on {self.points} points, ratio {self.ratio:.6g}"


def require_problem(problem: Function) -> None:
    """TypeError unless ``problem`` is an object that can say which oracles it offers."""
    if isinstance(problem, type) or not callable(getattr(problem, "offers", None)):
        raise TypeError(f"problem must be an object such as Huber(), got {problem!r}")


class Assumption(Specified, ABC):
    """A statement about a function, constants as fields of a frozen dataclass.

    ``sense`` says for each constant which way the statement grows stronger: -1 if a smaller
    constant says more (L), +1 if a larger one does (mu). Each constant name has one meaning in the
    whole project.

    ``derived`` names numbers that follow from the constants, attributes that claims may use like them.

    ``needs`` names the oracles and facts that a problem must offer, beside value and grad; ``instead``
    says what serves where one is missing.
    """

    sense: ClassVar[Mapping[str, int]] = {}
    derived: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    instead: ClassVar[str] = ""

    @classmethod
    def constants(cls) -> tuple[str, ...]:
        """Names of the constants, in order."""
        return tuple(cls.sense)

    @classmethod
    def lacking(cls, problem: Function) -> str:
        """What the problem would have to offer, for people; empty if nothing is missing."""
        missing = [name for name in cls.needs if not problem.offers(name)]
        if not missing:
            return ""
        hint = f"; {cls.instead}" if cls.instead else ""
        return f"{cls.__name__} needs {', '.join(missing)}, which {problem!r} does not offer{hint}"

    @classmethod
    def require(cls, problem: Function) -> None:
        """TypeError for what is no problem, and for one that lacks something: what, and what would help."""
        require_problem(problem)
        lacking = cls.lacking(problem)
        if lacking:
            raise TypeError(lacking)

    @classmethod
    @abstractmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """Points to try the statement on, about n tuples: what ``check`` and ``estimate`` take."""

    @abstractmethod
    def check(self, problem: Function, *points: Tensor) -> Check:
        """Worst case over the given points, each (*batch, d)."""

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """Smallest constants consistent with the points, named ``_seen``; none where there is no constant.

        Several constants that trade against each other come with their whole front. TypeError for an option
        that the class does not have.
        """
        del problem, points
        if cls.constants():
            raise TypeError(f"{cls.__name__} does not say how {', '.join(cls.constants())} are estimated")
        if options:
            raise TypeError(f"{cls.__name__}.estimate has no options, got {', '.join(sorted(options))}")
        return {}

    @abstractmethod
    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """Search in ``region`` for a violation, with at most ``budget`` evaluations of the ratio."""

    def implied_by(self, other: "Assumption") -> bool:
        """True if ``other`` is of the same class and geometry and says at least as much."""
        if type(self) is not type(other):
            return False
        for field in dataclasses.fields(self):  # pyright: ignore[reportArgumentType]
            mine, theirs = getattr(self, field.name), getattr(other, field.name)
            if field.name in self.sense:
                ours, others = _entries(mine), _entries(theirs)
                if ours.shape != others.shape:
                    return False
                if not bool(((others - ours) * self.sense[field.name] >= 0).all()):
                    return False
            elif mine != theirs:
                return False
        return True


def _entries(constant: Any) -> Tensor:
    """A constant, or one per layer, as a tensor."""
    return torch.as_tensor(constant, dtype=torch.float64)


@dataclass(frozen=True)
class Certificate:
    """An assumption that a problem has, why, where, and on whose word.

    proof: why it holds, in words. region: where it does, everywhere by default.
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
