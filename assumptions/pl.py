"""The Polyak-Lojasiewicz inequality."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, cast

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_positive
from assumptions.inequality import Inequality, Sides
from assumptions.norms import EUCLIDEAN, Norm, norm_option, require_norm
from assumptions.rounding import ROUNDINGS, VISIBLE, gradient_rounding


class FunctionWithInfimum(Function, Protocol):
    """A function whose infimum is known. x: (*batch, d)."""

    @property
    def f_star_error(self) -> float: ...

    def gap(self, x: Tensor) -> Tensor: ...

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class PL(Inequality):
    """2 mu_pl (f(x) - f_star) <= |grad f(x)|_*^2 for all x.

    mu_pl: finite, > 0, units of f per squared unit of x. ValueError otherwise. norm: gradients are
    measured in its dual. The problem must know f_star, else TypeError.
    """

    mu_pl: float
    norm: Norm = EUCLIDEAN
    sense: ClassVar[Mapping[str, int]] = {"mu_pl": 1}
    arity: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_positive(mu_pl=self.mu_pl)
        require_norm(self.norm)
        object.__setattr__(self, "mu_pl", float(self.mu_pl))

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """2 mu_pl (f(x) - f_star) and |grad f(x)|_*^2. x: (*batch, d)."""
        (x,) = points
        gap, gap_error = _gap(problem, x)
        size = self.norm.dual(problem.grad(x))
        with torch.no_grad():
            moved = gradient_rounding(problem, x, self.norm)
            resolution = 2 * self.mu_pl * gap_error + moved * (2 * size + moved)
        return Sides(2 * self.mu_pl * gap, size.square(), resolution)

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, float]:
        """mu_pl_seen = min of |grad f(x)|_*^2 / (2 (f(x) - f_star)).

        points: x, (*batch, d). norm: Norm = EUCLIDEAN. Points whose gap is rounding alone are left
        out; inf if none is left.
        """
        norm = norm_option(options)
        (x,) = points
        gap, gap_error = _gap(problem, x)
        kept = ~(gap <= VISIBLE * gap_error)
        if not bool(kept.any()):
            return {"mu_pl_seen": float("inf")}
        return {"mu_pl_seen": float((norm.dual(problem.grad(x))[kept].square() / (2 * gap[kept])).min())}


def _gap(problem: Function, x: Tensor) -> tuple[Tensor, Tensor]:
    """f(x) - f_star cut at 0, and its error: rounding of what it subtracts, and that of f_star."""
    if not problem.offers("f_star"):
        raise TypeError(f"PL needs f_star, which {problem!r} does not offer")
    known = cast(FunctionWithInfimum, problem)
    gap = known.gap(x)
    with torch.no_grad():
        error = ROUNDINGS * (gap.abs() + known.gap_cancellation(x, gap)) + known.f_star_error
    return gap.clamp(min=0), error
