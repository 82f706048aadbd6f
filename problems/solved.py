"""Problems whose minimiser is computed, with certified errors."""

from abc import abstractmethod

from torch import Tensor

from problems.base import Problem
from problems.optimum import Optimum


class SolvedProblem(Problem):
    """A strongly convex problem: its one minimiser was computed, and how wrong it can be is proved."""

    @property
    @abstractmethod
    def _optimum(self) -> Optimum:
        """The minimiser found, with its certificate."""

    @property
    def x_star(self) -> Tensor:
        """The minimiser to ``x_star_error``, (d,)."""
        return self._optimum.x

    @property
    def f_star(self) -> float:
        """An upper bound of inf f, off by at most ``f_star_error``."""
        return self._optimum.f_star

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """|grad|^2 / (2 mu) at the point found, plus rounding."""
        return self._optimum.f_star_error

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """|grad| / mu at the point found."""
        return self._optimum.x_error

    @property
    def unique_star(self) -> bool:
        """True: f is strongly convex."""
        return True
