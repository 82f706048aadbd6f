"""What inequalities about the parts of f + g + sum_j h_j share: where they are tried, and subgradients."""

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Check, Function
from assumptions.inequality import Inequality
from assumptions.norms import EUCLIDEAN
from assumptions.region import EVERYWHERE, Region
from assumptions.rounding import NOISE, ROUNDINGS, gradient_noise
from assumptions.sampling import sample_points
from assumptions.search import ascend

STEPSIZE = 1.0
"""Of the proximal points that stand for subgradients: with u = x - prox(x), u is a subgradient at prox(x)."""


class SplitParts(Protocol):
    """What an assumption may ask of the parts; shapes as in ``problems.composite.parts``."""

    @property
    def n(self) -> int:
        """Terms h_j."""
        ...

    def smooth_value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,). x: (*batch, d)."""
        ...

    def smooth_grad(self, x: Tensor) -> Tensor:
        """grad f(x), (*batch, d)."""
        ...

    def prox(self, x: Tensor, stepsize: float) -> Tensor:
        """prox_{stepsize g}(x), (*batch, d)."""
        ...

    def term_prox(self, y: Tensor, stepsize: float) -> Tensor:
        """prox_{stepsize h_j}(y_j) of every term. y: (*batch, n, d), as returned."""
        ...

    def term_prox_error(self, y: Tensor, stepsize: float, result: Tensor) -> Tensor:
        """Bound on the error of a ``result`` of ``term_prox``, (*batch, n)."""
        ...


def parts_of(problem: Function) -> SplitParts:
    """The parts; ``require`` has seen to it that there are some."""
    return cast(Any, problem).parts


@dataclass(frozen=True)
class Apart:
    """The space of a problem, its parts, and nothing of where the whole is finite.

    Parts are defined everywhere, or speak through proximal points that are; a sum with the indicator of a
    point is finite at that point alone.
    """

    problem: Function

    @property
    def d(self) -> int:
        """Dimension."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """The start, (d,)."""
        return self.problem.x0

    @property
    def x_star(self) -> Tensor:
        """The minimiser, (d,), where the problem offers it."""
        return cast(Any, self.problem).x_star

    @property
    def parts(self) -> SplitParts:
        """Those of the problem."""
        return parts_of(self.problem)

    def offers(self, name: str) -> bool:
        """Parts and minimiser, where the problem has them."""
        return name in ("parts", "x_star") and self.problem.offers(name)

    def value(self, x: Tensor) -> Tensor:
        """0: finite everywhere. (*batch,)."""
        return x.new_zeros(x.shape[:-1])

    def grad(self, x: Tensor) -> Tensor:
        """0. Shapes (*batch, d)."""
        return torch.zeros_like(x)


@dataclass(frozen=True)
class SmoothView(Apart):
    """f alone, as a function."""

    def value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,)."""
        return self.parts.smooth_value(x)

    def grad(self, x: Tensor) -> Tensor:
        """Its gradient, (*batch, d)."""
        return self.parts.smooth_grad(x)


class PartsInequality(Inequality):
    """An inequality about parts of f + g + sum_j h_j, said of the whole space."""

    needs: ClassVar[tuple[str, ...]] = ("parts",)
    instead: ClassVar[str] = "a Composite, a problem with prox or a mean with batch_prox has parts"

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """Points of the whole space, as ``sample_points``."""
        cls.require(problem)
        return sample_points(Apart(problem), n, cls.arity, seed=seed, region=region)

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """As ``Inequality.refute``, over the whole space."""
        self.require(problem)
        return ascend(self, Apart(problem), budget=budget, seed=seed, region=region)


class GradientPair(NamedTuple):
    """grad f(x) - grad f(y) and its rounding: (*batch, d) and (*batch,)."""

    change: Tensor
    rounding: Tensor


def smooth_change(problem: Function, x: Tensor, y: Tensor, L: float | None = None) -> GradientPair:
    """Of the smooth part. Rounding: 64 roundings of both gradients, their noise, L times 64 of both points.

    Without an L, the change itself over the distance stands for it.
    """
    view = SmoothView(problem)
    gx, gy = view.grad(x), view.grad(y)
    with torch.no_grad():
        sizes, points = EUCLIDEAN.norm(gx) + EUCLIDEAN.norm(gy), EUCLIDEAN.norm(x) + EUCLIDEAN.norm(y)
        noise = gradient_noise(view, x, g=gx) + gradient_noise(view, y, g=gy)
        distance = EUCLIDEAN.norm(x - y)
        slope = EUCLIDEAN.norm(gx - gy) / torch.where(distance == 0, 1.0, distance) if L is None else L
        return GradientPair(gx - gy, ROUNDINGS * (sizes + slope * points) + NOISE * noise)


class Graph(NamedTuple):
    """Two points of the graph of a subdifferential: changes of point and subgradient, and their error.

    point, slope: p_x - p_y and u_x - u_y, (*batch, rows, d). rounding: of either, (*batch, rows).
    """

    point: Tensor
    slope: Tensor
    rounding: Tensor


def term_graph(problem: Function, x: Tensor, y: Tensor) -> Graph:
    """For every h_j: p = prox_{h_j}(x) and u = x - p in dh_j(p), and the same at y. (*batch, n, d)."""
    parts = parts_of(problem)
    tables = [p.unsqueeze(-2).expand(*p.shape[:-1], parts.n, p.shape[-1]) for p in (x, y)]
    proxes = [parts.term_prox(t, STEPSIZE) for t in tables]
    with torch.no_grad():
        errors = [parts.term_prox_error(t, STEPSIZE, p) for t, p in zip(tables, proxes, strict=True)]
    return _graph(tables, proxes, errors[0] + errors[1])


def prox_graph(problem: Function, x: Tensor, y: Tensor) -> Graph:
    """The same for g, (*batch, 1, d)."""
    parts = parts_of(problem)
    tables = [p.unsqueeze(-2) for p in (x, y)]
    proxes = [parts.prox(p, STEPSIZE).unsqueeze(-2) for p in (x, y)]
    return _graph(tables, proxes, x.new_zeros(()))


def _graph(tables: list[Tensor], proxes: list[Tensor], stated: Tensor) -> Graph:
    (x, y), (p, q) = tables, proxes
    with torch.no_grad():
        size = EUCLIDEAN.norm(x) + EUCLIDEAN.norm(y) + EUCLIDEAN.norm(p) + EUCLIDEAN.norm(q)
        rounding = ROUNDINGS * size + stated
    return Graph(p - q, (x - y) - (p - q), rounding)
