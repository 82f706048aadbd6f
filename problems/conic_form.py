"""Problems that may write themselves for a conic solver."""

from typing import Any

from problems.base import Problem


class ConicForm(Problem):
    """A subclass overrides ``conic`` where f is an expression of cvxpy."""

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of ``cp`` (the module cvxpy); z: a variable of shape (d,).

        A problem with a domain adds ``conic_constraints(z, cp)``, a list, and ``into_domain(x)``.
        NotImplementedError where f cannot be written for a conic solver.
        """
        raise NotImplementedError(f"{self!r} is not written for a conic solver")
