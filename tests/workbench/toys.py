"""Small problems, methods and claims with known faults, for the tests of the core."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, EVERYWHERE, Ball, Certificate, Convex, Norm, Region, Smooth
from problems.base import Problem
from workbench import Source, Theorem
from workbench.draws import Coin, Gaussian, Index, Space, Subset
from workbench.methods import GradientDescent, Method, Point
from workbench.verify import Budget, judge_unit
from workbench.verify.plan import Unit

OURS = Source("a test", "DERIVED")
SHORT = Budget("test", steps=20, starts=8)


@dataclass(frozen=True)
class Parabola(Problem):
    """f = L_true |x|^2 / 2 + shift, with a declared L that may be wrong and faults on request."""

    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    L_true: float = 1.0
    L: float = 1.0
    shift: float = 0.0
    nan_beyond: float = float("inf")
    region: Region = EVERYWHERE
    start: tuple[float, ...] = (1.0,)
    f_star: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "f_star", self.shift)

    @property
    def x0(self) -> Tensor:
        return torch.tensor(self.start * self.d if len(self.start) == 1 else self.start, dtype=torch.float64)

    @property
    def x_star(self) -> Tensor:
        return torch.zeros(self.d, dtype=torch.float64)

    @property
    def unique_star(self) -> bool:
        return True

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        return torch.zeros_like(x)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        return (
            Certificate(Convex(), "by hand", self.region),
            Certificate(Smooth(self.L), "by hand", self.region),
        )

    def value(self, x: Tensor) -> Tensor:
        v = self.L_true * x.square().sum(-1) / 2 + self.shift
        return torch.where(x.norm(dim=-1) > self.nan_beyond, torch.nan, v)

    def grad(self, x: Tensor) -> Tensor:
        return self.L_true * x


def gd(**fields: Any) -> Theorem:
    """A claim about gradient descent with step 1/(2L), to be filled in."""
    from workbench import symbols

    L = symbols("L")
    base = {
        "id": "test/claim",
        "title": "a claim",
        "source": OURS,
        "method": GradientDescent,
        "parameters": {"stepsize": 1 / (2 * L)},
        "assumes": (Convex, Smooth),
    }
    return Theorem(**{**base, **fields})


def verdict(theorem: Theorem, problem: Problem, budget: Budget = SHORT) -> Any:
    """The one record of a theorem on a problem."""
    (record,) = judge_unit(Unit(theorem, problem, budget, 0, ""))
    return record


@dataclass(frozen=True)
class Overflow(Method):
    """x_next = 0.9 x, inf from the step at which a counter kept in the state reaches the row's limit.

    ``limit``: a float or (*batch, 1), in steps; nan never comes.
    """

    limit: float | Tensor

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> "Counted":
        return Counted(x0, torch.zeros(x0.shape[0], dtype=torch.int64), x0.new_zeros(x0.shape[0]))

    def step(self, problem: Problem, state: "Counted", draw: SimpleNamespace) -> "Counted":
        made = state.made + 1
        over = made[:, None] >= torch.as_tensor(self.limit)
        return Counted(torch.where(over, torch.inf, 0.9 * state.x), made, state.x.norm(dim=-1))

    def cost(self, problem: Problem, state: "Counted", draw: SimpleNamespace) -> dict[str, Tensor]:
        return {"grad_calls": torch.ones_like(state.size)}


class Counted(NamedTuple):
    """x: (*batch, d); steps made and a norm, (*batch,)."""

    x: Tensor
    made: Tensor
    size: Tensor


@dataclass(frozen=True)
class Noisy(Method):
    """x_next = x - stepsize (g + noise) if heads, a coordinate set to 0 if tails; every kind of draw."""

    stepsize: float | Tensor = 0.1
    p: float | Tensor = 0.5

    def draws(self, problem: Problem) -> dict[str, Space]:
        d = problem.d
        return {"coin": Coin(self.p), "which": Index(d), "some": Subset(d, min(2, d)), "noise": Gaussian(d)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Point:
        return Point(x0 + draw.noise)

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        heads = state.x - self.stepsize * (problem.grad(state.x) + draw.noise)
        heads = heads.scatter_add(-1, draw.some, torch.full_like(draw.some, 0.01, dtype=torch.float64))
        return Point(torch.where(draw.coin, heads, state.x.scatter(-1, draw.which, 0.0)))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> dict[str, Tensor]:
        return {"grad_calls": draw.coin[:, 0].double()}


__all__ = [
    "OURS",
    "SHORT",
    "Ball",
    "Counted",
    "Noisy",
    "Overflow",
    "Parabola",
    "gd",
    "verdict",
]
