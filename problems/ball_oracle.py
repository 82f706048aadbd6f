"""Problems that can be minimised over balls: exactly where they know how, else by a conic solver."""

from abc import abstractmethod

from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from problems.ball_step import BallStep
from problems.conic_form import ConicForm
from problems.oracle_guards import positive_step, require_norm_fits


class BallOracle(ConicForm):
    """Offers ``brox_step`` and ``brox``. A subclass writes ``_ball_step``.

    ``offers_brox(norm)`` says in which norms ``_ball_step`` is exact up to rounding, |s| at most
    1e-12 radius above the radius; Euclidean alone unless overridden. In other norms a problem that
    writes itself for a conic solver (``conic``) is solved to that solver's tolerance.
    """

    @abstractmethod
    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Minimise over {z : |z - x| <= t}; t: (*batch, 1) or (), checked. Only for norms it knows."""

    def brox_step(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> BallStep:
        """argmin of f over {z : |z - x| <= radius}, the minimiser nearest to x if one is in the ball.

        x: (*batch, d). radius > 0: a float or (*batch, 1). Where several points minimise, one of them.
        ValueError for a radius of another shape or sign and for a norm that is none on R^d; SolverError
        where no solver finishes.
        """
        t = positive_step(x, self.d, radius=radius)
        require_norm_fits(self, norm)
        if self.offers_brox(norm):
            return self._ball_step(x, t, norm)
        from problems.conic import conic_step  # a conic solver takes a second to import

        return conic_step(self, x, t, norm)

    def brox(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """``brox_step(x, radius, norm).point``, (*batch, d)."""
        return self.brox_step(x, radius, norm).point
