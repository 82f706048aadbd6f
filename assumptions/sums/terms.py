"""The terms of a sum: what inequalities about each of them, and about all together, share."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.inequality import EntryInequality, Inequality
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import NOISE, ROUNDINGS, gradient_noise

AT_ONCE = 2**20
"""About as many floats exist at once: what stays in the cache is faster."""
COPIES = 16
"""Gradients of all terms that are held together while rounding is judged."""


class FiniteSum(Function, Protocol):
    """f is the mean of its terms. x: (*batch, d)."""

    @property
    def n_terms(self) -> int:
        """How many terms."""
        ...

    def part_values(self, x: Tensor) -> Tensor:
        """Every f_j(x), (*batch, n_terms)."""
        ...

    def part_grads(self, x: Tensor) -> Tensor:
        """Every grad f_j(x), (*batch, n_terms, d)."""
        ...


@dataclass(frozen=True)
class Terms:
    """All terms as one function of x, (*batch, 1, d): the last axis but one is that of the terms.

    What is written for one function, its rounding included, then speaks of each term.
    """

    problem: FiniteSum

    @property
    def d(self) -> int:
        """Dimension."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """The start, (d,)."""
        return self.problem.x0

    def offers(self, name: str) -> bool:
        """What the sum offers is said of f, not of its terms: values and gradients alone."""
        return name in ("value", "grad")

    def value(self, x: Tensor) -> Tensor:
        """f_j(x), (*batch, n_terms). At the start, (d,), the largest |f_j|: the size of what may round."""
        if x.dim() == 1:
            return self.problem.part_values(x).abs().amax()
        return self.problem.part_values(x.squeeze(-2))

    def grad(self, x: Tensor) -> Tensor:
        """grad f_j(x), (*batch, n_terms, d)."""
        return self.problem.part_grads(x.squeeze(-2))


def terms_of(problem: Function) -> FiniteSum:
    """The problem as a sum; ``require`` has seen to it that it is one."""
    return cast(FiniteSum, problem)


def by_rows(sides: Callable[..., Sides], problem: Function, *points: Tensor) -> Sides:
    """``sides(*points)`` in chunks of rows, so that about ``AT_ONCE`` floats exist at once.

    points: each (*batch, d); sides gets (rows, d) and returns (rows, ...), whatever broadcasts to it.
    """
    points = torch.broadcast_tensors(*points)
    batch, d = points[0].shape[:-1], points[0].shape[-1]
    rows = max(1, AT_ONCE // (COPIES * terms_of(problem).n_terms * d))
    chunks = zip(*(p.reshape(-1, d).split(rows) for p in points), strict=True)
    parts = [torch.broadcast_tensors(*sides(*chunk)) for chunk in chunks]
    return Sides(*(torch.cat(side).reshape(batch + side[0].shape[1:]) for side in zip(*parts, strict=True)))


class TermInequality(EntryInequality):
    """An inequality about one function, said of each term: a subclass says which by ``of_one``."""

    needs: ClassVar[tuple[str, ...]] = ("part_values", "part_grads")
    instead: ClassVar[str] = "a mean of terms offers the values and gradients of each"

    @abstractmethod
    def of_one(self) -> Inequality:
        """The inequality, about one function."""

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides for every term, (*batch, n_terms). Points: each (*batch, d)."""
        one, terms = self.of_one(), Terms(terms_of(problem))
        return by_rows(lambda *rows: one.sides(terms, *(p.unsqueeze(-2) for p in rows)), problem, *points)


class Change(NamedTuple):
    """Vectors, one per term, (rows, n_terms, d), and how far rounding moves each, (rows, n_terms)."""

    vectors: Tensor
    rounding: Tensor


def part_gradients(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> Change:
    """grad f_j(x) and its rounding in the dual norm: 64 roundings of itself and its noise. x: (rows, d)."""
    g = terms_of(problem).part_grads(x)
    with torch.no_grad():
        noise = gradient_noise(Terms(terms_of(problem)), x.unsqueeze(-2), norm, g)
        return Change(g, ROUNDINGS * norm.dual(g).nan_to_num(nan=0.0, posinf=0.0) + NOISE * noise)


def gradient_change(problem: Function, x: Tensor, y: Tensor, norm: Norm = EUCLIDEAN) -> Change:
    """grad f_j(x) - grad f_j(y) and its rounding. x, y: (rows, d)."""
    at_x, at_y = part_gradients(problem, x, norm), part_gradients(problem, y, norm)
    return Change(at_x.vectors - at_y.vectors, at_x.rounding + at_y.rounding)


def less_mean(change: Change) -> Change:
    """The same less its mean over the terms: f_j becomes h_j = f_j - f."""
    mean = change.vectors.mean(dim=-2, keepdim=True)
    return Change(change.vectors - mean, change.rounding + change.rounding.mean(dim=-1, keepdim=True))


def root_mean_square(sizes: Tensor) -> Tensor:
    """Over the last axis: (*batch, n) -> (*batch,)."""
    return EUCLIDEAN.norm(sizes) / math.sqrt(sizes.shape[-1])
