"""The noise of stochastic gradients: an added law, or the choice of a term; its moments and its draws."""

from collections.abc import Iterator
from typing import Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.moments.e_value import STAKES
from assumptions.norms import EUCLIDEAN, Lp
from assumptions.rounding import ROUNDINGS
from assumptions.sums.terms import by_rows, less_mean, part_gradients, terms_of

AT_ONCE = 2**22
"""Floats of one chunk of draws."""


class Noise(Protocol):
    """The law of an additive noise in R^d, made from uniforms in [0, 1)."""

    def width(self, d: int) -> int:
        """Uniforms that one draw takes."""
        ...

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """The noise n(x), (*batch, d). u: (*batch, width(d)) in [0, 1); x: (*batch, d)."""
        ...

    def moment(self, p: float, d: int) -> float:
        """E |n|_2^p, an upper bound; inf where there is none."""
        ...

    def outcomes(self, d: int) -> tuple[Tensor, Tensor] | None:
        """Uniforms that give each value of the noise, and their probabilities; None if it is not finite."""
        ...


class Noisy(Function, Protocol):
    """A problem whose stochastic gradient is its gradient plus a draw of ``noise``."""

    @property
    def noise(self) -> Noise:
        """The law of the noise."""
        ...


def exact_moment(problem: Function, x: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """(E |n(x)|_2^p)^(1/p) and its rounding, (*batch,) each; TypeError where it must be drawn."""
    if problem.offers("noise"):
        listed = cast(Noisy, problem).noise.outcomes(problem.d)
        if listed is None:
            raise TypeError(
                f"the outcomes of the noise of {problem!r} cannot be listed: use check, refute, estimate"
            )
        values, probabilities = (t.to(x) for t in listed)
        root = Lp(p).norm(EUCLIDEAN.norm(values) * probabilities ** (1 / p)).expand(x.shape[:-1])
        return root, ROUNDINGS * root
    lhs, _, rounding = by_rows(lambda rows: _mean_moment(problem, rows, p), problem, x)
    return lhs, rounding


def _mean_moment(problem: Function, x: Tensor, p: float) -> Sides:
    vectors, rounding = less_mean(part_gradients(problem, x))
    power, share = Lp(p), vectors.shape[-2] ** (-1 / p)
    lhs = share * power.norm(EUCLIDEAN.norm(vectors))
    # Minkowski's inequality: roundings of the terms add up in the same mean
    return Sides(lhs, lhs, share * power.norm(rounding) + ROUNDINGS * lhs.detach())


def is_sum(problem: Function) -> bool:
    """Whether f is a mean of several terms: choosing one of them is noise."""
    return problem.offers("part_grads") and terms_of(problem).n_terms > 1


def is_drawn(problem: Function) -> bool:
    """Whether the noise is an added law whose outcomes cannot be listed."""
    return problem.offers("noise") and cast(Noisy, problem).noise.outcomes(problem.d) is None


def floats_of_draw(problem: Function) -> int:
    """Floats of one draw: its uniforms, its vector or its bets."""
    return max(cast(Noisy, problem).noise.width(problem.d), problem.d, len(STAKES))


def draw_lengths(problem: Function, x: Tensor, each: int, seed: int) -> Iterator[tuple[slice, Tensor]]:
    """|n|_2 of ``each`` draws at every row of x, (points, d): slices of rows and (rows, draws), in chunks."""
    noise, generator = cast(Noisy, problem).noise, torch.Generator().manual_seed(seed)
    width, size = noise.width(problem.d), floats_of_draw(problem)
    at_once = min(each, max(1, AT_ONCE // size))
    rows = max(1, AT_ONCE // (at_once * size))
    with torch.no_grad():
        for start in range(0, x.shape[0], rows):
            chunk = x[start : start + rows].unsqueeze(-2)
            for done in range(0, each, at_once):
                shape = (chunk.shape[0], min(at_once, each - done))
                u = torch.rand(*shape, width, dtype=torch.float64, generator=generator).to(x)
                drawn = noise.draw(u, chunk.expand(*shape, problem.d))
                yield slice(start, start + rows), EUCLIDEAN.norm(drawn)
