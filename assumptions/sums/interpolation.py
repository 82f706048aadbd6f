"""Terms that are all stationary at the minimisers of their mean."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.inequality import EntryInequality, Points, Sides
from assumptions.minimisers import minimiser_error, nearest_minimiser
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import NOISE, directions, gradient_rounding
from assumptions.sums.terms import Terms, by_rows, part_gradients, terms_of


@dataclass(frozen=True)
class Interpolation(EntryInequality):
    """grad f_j(y) = 0 for every minimiser y of f and all terms j. No constants.

    A point is projected on the set of minimisers first, or replaced by ``x_star`` where the problem does not
    project. The ratio is nan where nothing is wrong and inf where something is, for the right side is 0.
    """

    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("part_grads", "x_star")

    def admissible(self, problem: Function, *points: Tensor) -> Points:
        """The nearest minimiser, (*batch, d)."""
        (x,) = points
        return (nearest_minimiser(problem, x),)

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """|grad f_j(y)| and 0 for every term, (*batch, n_terms), y the minimiser nearest to x, (*batch, d).

        Rounding: y and the data that it satisfies are known to 64 roundings, and y to ``x_star_error``. y is
        projected twice: the first time leaves roundings of x, which may be far larger, the second those of y.
        """
        return by_rows(
            lambda x: self._sides(problem, nearest_minimiser(problem, nearest_minimiser(problem, x))),
            problem,
            *points,
        )

    def _sides(self, problem: Function, y: Tensor) -> Sides:
        gradients, rounding = part_gradients(problem, y)
        terms, column = Terms(terms_of(problem)), y.unsqueeze(-2)
        with torch.no_grad():
            rounding = rounding + gradient_rounding(terms, column)
            error = minimiser_error(problem)
            if error > 0:
                # each coordinate moves by the whole error, so that few directions see every term
                moves = [terms.grad(column + error * s) - gradients for s in directions(y.shape[-1], y)]
                rounding = rounding + NOISE * EUCLIDEAN.norm(torch.stack(moves)).amax(dim=0)
        lhs = EUCLIDEAN.norm(gradients)
        return Sides(lhs, torch.zeros_like(lhs), rounding)
