"""Units of work: which theorem on which problem, and the identity of each."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from problems.base import Problem
from problems.well_formed import IllFormedError
from workbench.parts import Mutant
from workbench.theorem import Theorem
from workbench.verify.budget import DEFAULT, Budget, of_mutant


def _content_hash(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


@dataclass(frozen=True)
class Unit:
    """One piece of work: a theorem on a problem, or a mutant on its instance.

    budget: how far it is tried. seed: of its draws. code: the hash of the sources that will make its records.
    """

    theorem: Theorem
    problem: Problem
    budget: Budget
    seed: int
    code: str
    mutant: Mutant | None = None

    @property
    def state(self) -> Mapping[str, Any] | None:
        """Of a step claim, the state that must be among those tried."""
        if self.mutant:
            return self.mutant.state
        return next((t.state for t in self.theorem.tight if t.on == self.problem), None)

    @property
    def key(self) -> str:
        """Identity: specification, budget, seed and sources."""
        parts = {
            "theorem": self.theorem.id,
            "problem": repr(self.problem),
            "mutant": self.mutant.why if self.mutant else None,
            "budget": repr(self.budget),
            "seed": self.seed,
            "code": self.code,
            "files": [_content_hash(path) for path in self.problem.files],
        }
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def label(self) -> str:
        """A line for progress."""
        name = f"{self.theorem.id} ({self.mutant.why})" if self.mutant else self.theorem.id
        return f"{name} on {self.problem!r}"


def plan(
    theorems: Iterable[Theorem],
    problems: Sequence[Problem],
    *,
    budget: Budget = DEFAULT,
    seed: int = 0,
    mutants: bool = True,
    code: str = "",
) -> list[Unit]:
    """Every unit, theorem by theorem: all problems (one per family if the budget says so), then mutants.

    The instances on which a theorem is known to be tight are always among its problems.
    """
    units = []
    for theorem in theorems:
        chosen = _one_per_family(problems) if budget.first_only else list(problems)
        chosen += [t.on for t in theorem.tight if t.on not in chosen]
        units += [Unit(theorem, problem, budget, seed, code) for problem in chosen]
        for mutant in theorem.mutants if mutants else ():
            short = of_mutant(mutant.steps)
            units.append(Unit(theorem, mutant.on, short, seed, code, mutant))
    return units


def _one_per_family(problems: Sequence[Problem]) -> list[Problem]:
    first: dict[str, Problem] = {}
    for problem in problems:
        first.setdefault(problem.family, problem)
    return list(first.values())


def require_distinct(problems: Sequence[Problem]) -> None:
    """IllFormedError for two different problems that print alike."""
    known: dict[str, Problem] = {}
    for problem in problems:
        other = known.setdefault(repr(problem), problem)
        if other is not problem and other != problem:
            raise IllFormedError(f"two different problems print as {problem!r}; that text is their identity")
