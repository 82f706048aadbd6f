"""Balls in one dimension are intervals, whatever the norm."""

from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from problems.base import Problem


def half_length(t: Tensor, norm: Norm, x: Tensor) -> Tensor:
    """The Euclidean length of a step of norm t on the real line: t / |1|. Shapes as t.

    x: (*batch, 1), for its dtype and device; the batch may be empty.
    """
    return t if norm == EUCLIDEAN else t / norm.norm(x.new_ones(1))


def integers_within(x: Tensor, t: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """base = round(x), and the integers a, b with {base + a, ..., base + b} = those in [x - t, x + t].

    a > b where there is none. x: (*batch, 1); t: (*batch, 1) or (). x - base is exact (Sterbenz), so a step
    from an integer to an integer costs no rounding.
    """
    base = x.round()
    offset = x - base
    return base, (offset - t).ceil(), (offset + t).floor()


def fits_line(problem: Problem, norm: Norm) -> bool:
    """True for a norm on R^1 and a problem of one variable: all norms are multiples of |.|."""
    return problem.d == 1 and norm.fits(1)
