"""Problems made of others, and what these say of where f is finite and continuous."""

from abc import abstractmethod

from assumptions import EVERYWHERE, closure
from problems.base import Problem


class Composite(Problem):
    """A problem made of ``parts``; it is finite where they are, and reads their files."""

    @property
    @abstractmethod
    def parts(self) -> tuple[Problem, ...]:
        """The problems that this one is made of."""

    def _require_parts(self, *parts: object) -> None:
        """TypeError unless all are Problems, ValueError if one has noise."""
        for part in parts:
            if not isinstance(part, Problem):
                raise TypeError(f"{type(self).__name__} is made of Problems, got {part!r}")
            if part.offers("noise"):
                raise ValueError(f"noise comes last, as in Noisy({type(self).__name__}(...)); got {part!r}")

    @property
    def files(self) -> tuple[str, ...]:
        """Those of the parts, each once."""
        return tuple(dict.fromkeys(file for part in self.parts for file in part.files))


class OfOne(Composite):
    """Made of one problem, term by term. A subclass is a dataclass with a field ``problem``."""

    problem: Problem

    @property
    def parts(self) -> tuple[Problem, ...]:
        """The one."""
        return (self.problem,)

    @property
    def n_terms(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Those of the inner problem."""
        return self.problem.n_terms

    @property
    def n_clients(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Those of the inner problem."""
        return self.problem.n_clients


def everywhere(problem: Problem) -> set[str]:
    """Names of the assumptions that hold on the whole space, implications included."""
    return {type(c.assumption).__name__ for c in closure(problem.certified) if c.region == EVERYWHERE}


def has_domain(problem: Problem) -> bool:
    """True if f may be infinite somewhere: the problem says itself where it is defined."""
    if isinstance(problem, Composite):
        return any(has_domain(part) for part in problem.parts)
    return type(problem).contains is not Problem.contains and "Continuous" not in everywhere(problem)


def is_continuous(problem: Problem) -> bool:
    """True if f is proved or declared to be continuous on the whole space; a finite convex function is."""
    known = everywhere(problem)
    return "Continuous" in known or ("Convex" in known and not has_domain(problem))
