"""What is known of the minimum: the nearest minimiser, the distance to it, the gap above it."""

import math
from typing import Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import ROUNDINGS


class FunctionWithMinimum(Function, Protocol):
    """A function whose minimum is known. x: (*batch, d)."""

    @property
    def f_star_error(self) -> float:
        """Bound on the error of f_star."""
        ...

    @property
    def x_star_error(self) -> float:
        """Bound on the Euclidean distance from x_star to a minimiser."""
        ...

    @property
    def x_star(self) -> Tensor:
        """A minimiser, (d,)."""
        ...

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser nearest to x in a norm, (*batch, d)."""
        ...

    def gap(self, x: Tensor) -> Tensor:
        """f(x) - f_star, (*batch,)."""
        ...

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Size of the numbers subtracted in the gap, (*batch,)."""
        ...


def nearest_minimiser(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
    """The minimiser nearest to x, (*batch, d); ``x_star`` where the problem does not project."""
    known = cast(FunctionWithMinimum, problem)
    if problem.offers("nearest_star"):
        return known.nearest_star(x, norm)
    return known.x_star.to(x).expand_as(x)


def minimiser_error(problem: Function, norm: Norm = EUCLIDEAN) -> float:
    """Bound of |y - exact| for a y from ``nearest_minimiser``, beside roundings of y.

    The error is known in the Euclidean norm; |e| <= sum |e_i| |basis_i| <= |e|_2 (sum |basis_i|^2)^(1/2).
    """
    error = cast(FunctionWithMinimum, problem).x_star_error
    if norm == EUCLIDEAN or error == 0:
        return error
    lengths = norm.norm(torch.eye(problem.d, dtype=torch.float64))
    return error * math.sqrt(float(lengths.square().sum()))


def distance(problem: Function, x: Tensor, norm: Norm = EUCLIDEAN) -> tuple[Tensor, Tensor]:
    """|x - nearest minimiser| and its error, (*batch,) each. x: (*batch, d)."""
    y = nearest_minimiser(problem, x, norm)
    with torch.no_grad():
        error = ROUNDINGS * (norm.norm(x) + norm.norm(y)) + minimiser_error(problem, norm)
    return norm.norm(x - y), error


def gap_above(problem: Function, x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) - f_star cut at 0, and its error: rounding of what it subtracts, and that of f_star; (*batch,)."""
    known = cast(FunctionWithMinimum, problem)
    gap = known.gap(x)
    with torch.no_grad():
        error = ROUNDINGS * (gap.abs() + known.gap_cancellation(x, gap)) + known.f_star_error
    return gap.clamp(min=0), error
