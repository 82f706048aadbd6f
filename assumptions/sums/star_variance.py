"""The gradients of the terms at a minimiser of their mean."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast

from torch import Tensor

from assumptions.base import Function
from assumptions.guards import require_nonnegative
from assumptions.inequality import OneConstant, Sides
from assumptions.norms import EUCLIDEAN
from assumptions.rounding import ROUNDINGS
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.terms import root_mean_square


class SumWithKinks(Function, Protocol):
    """A sum that names a subgradient of each term at ``x_star``, their mean 0; (n_terms, d)."""

    @property
    def star_grads(self) -> Tensor:
        """g_j at x_star, one row for each term."""
        ...


@dataclass(frozen=True)
class StarVariance(OneConstant):
    """(mean_j |grad f_j(y)|_2^2)^(1/2) <= sigma_star for every minimiser y of f.

    sigma_star: finite, >= 0, units of the gradient. ValueError otherwise; 0 is interpolation. A point is
    projected on the set of minimisers first, or replaced by ``x_star`` where the problem does not project.
    Where terms have kinks, the gradients are the subgradients ``star_grads`` at ``x_star``, (n_terms, d), of
    mean 0: the inequality is then said of this one selection.
    """

    sigma_star: float
    sense: ClassVar[Mapping[str, int]] = {"sigma_star": -1}
    arity: ClassVar[int] = 1
    instead: ClassVar[str] = "a sum with kinks names subgradients at x_star as star_grads"

    def __post_init__(self) -> None:
        """The constant as a float."""
        require_nonnegative(sigma_star=self.sigma_star)
        object.__setattr__(self, "sigma_star", float(self.sigma_star))

    @classmethod
    def lacking(cls, problem: Function) -> str:
        """Nothing where subgradients at a minimiser are named; else gradients of the terms and ``x_star``."""
        if problem.offers("star_grads"):
            return ""
        missing = [name for name in Interpolation.needs if not problem.offers(name)]
        names = ", ".join(missing)
        said = f"{cls.__name__} needs {names}, which {problem!r} does not offer; {cls.instead}"
        return said if missing else ""

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """The root mean square at the minimiser nearest to x, and sigma_star. x: (*batch, d).

        Rounding: that of each gradient, what 64 roundings and ``x_star_error`` of the minimiser do to it.
        """
        (x,) = points
        if problem.offers("star_grads"):
            sizes = EUCLIDEAN.norm(cast(SumWithKinks, problem).star_grads.to(x))
            lhs = root_mean_square(sizes).expand(x.shape[:-1])
            return self._against(lhs, ROUNDINGS * lhs)
        sizes, _, rounding = Interpolation().entry_sides(problem, x)
        return self._against(root_mean_square(sizes), root_mean_square(rounding))

    def _against(self, lhs: Tensor, rounding: Tensor) -> Sides:
        rhs = lhs.new_full(lhs.shape, self.sigma_star)
        return Sides(lhs, rhs, rounding + ROUNDINGS * rhs)
