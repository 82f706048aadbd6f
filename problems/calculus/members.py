"""Problems made of others, and what these say of where f is finite and continuous."""

from abc import abstractmethod

from assumptions import EVERYWHERE, closure
from problems.base import Problem


class MadeOf(Problem):
    """A problem made of ``members``; it is finite where they are, and reads their files."""

    @property
    @abstractmethod
    def members(self) -> tuple[Problem, ...]:
        """The problems that this one is made of."""

    def _require_members(self, *members: object) -> None:
        """TypeError unless all are Problems, ValueError if one has noise."""
        for member in members:
            if not isinstance(member, Problem):
                raise TypeError(f"{type(self).__name__} is made of Problems, got {member!r}")
            if member.offers("noise"):
                raise ValueError(f"noise comes last, as in Noisy({type(self).__name__}(...)); got {member!r}")

    @property
    def files(self) -> tuple[str, ...]:
        """Those of the members, each once."""
        return tuple(dict.fromkeys(file for member in self.members for file in member.files))


class OfOne(MadeOf):
    """Made of one problem, term by term. A subclass is a dataclass with a field ``problem``."""

    problem: Problem

    @property
    def members(self) -> tuple[Problem, ...]:
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
    if isinstance(problem, MadeOf):
        return any(has_domain(member) for member in problem.members)
    return type(problem).contains is not Problem.contains and "Continuous" not in everywhere(problem)


def is_continuous(problem: Problem) -> bool:
    """True if f is proved or declared to be continuous on the whole space; a finite convex function is."""
    known = everywhere(problem)
    return "Continuous" in known or ("Convex" in known and not has_domain(problem))
