"""The Polyak-Lojasiewicz inequality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import OneConstant, Sides
from assumptions.minimisers import gap_above
from assumptions.norms import EUCLIDEAN, Norm, require_norm
from assumptions.rounding import NOISE, gradient_noise, gradient_rounding


@dataclass(frozen=True)
class PL(OneConstant):
    """2 mu_pl (f(x) - f_star) <= |grad f(x)|_*^2 for all x.

    mu_pl: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: gradients are
    measured in its dual. The problem must know f_star, else TypeError.
    """

    mu_pl: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"mu_pl": 1}
    arity: ClassVar[int] = 1
    needs: ClassVar[tuple[str, ...]] = ("f_star",)
    instead: ClassVar[str] = "a lower bound of f is not enough"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu_pl=self.mu_pl)
        require_norm(self.norm)
        object.__setattr__(self, "mu_pl", float(self.mu_pl))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """2 mu_pl (f(x) - f_star) and |grad f(x)|_*^2. x: (*batch, d)."""
        (x,) = points
        gap, gap_error = gap_above(problem, x)
        g = problem.grad(x)
        size = self.norm.dual(g)
        with torch.no_grad():
            moved = gradient_rounding(problem, x, self.norm, g) + NOISE * gradient_noise(
                problem, x, self.norm, g
            )
            resolution = 2 * self.mu_pl * gap_error + moved * (2 * size + moved)
        return Sides(2 * self.mu_pl * gap, size.square(), resolution)
