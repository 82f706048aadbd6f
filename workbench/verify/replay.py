"""Rerun exactly the refuting case of a witness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from assumptions import IMPLICATIONS, Implies
from problems.base import Problem
from workbench.match import Case, match
from workbench.theorem import Theorem
from workbench.verify.claim import SUSPECT
from workbench.verify.judge import measure_block

AROUND = 3
"""Steps shown before and after the witness."""


class Known(Protocol):
    """Where theorems and problems are found by their text identity."""

    def theorem(self, theorem_id: str) -> Theorem:
        """The theorem with this id."""
        ...

    def problem(self, specification: str) -> Problem:
        """The problem that prints like this."""
        ...


@dataclass(frozen=True)
class Replayed:
    """What the rerun gave. ``reproduced``: the same violation, beyond rounding.

    ``table`` lists (k, measured, bound) around the witness.
    """

    theorem: Theorem
    problem: Problem
    measured: float
    bound: float
    tolerance: float
    row: int
    k: int
    reproduced: bool
    identical: bool
    hyperparameters: dict[str, float]
    table: list[tuple[int, float, float]]


def replay(
    witness: Mapping[str, Any], known: Known, implications: Sequence[Implies] = IMPLICATIONS
) -> Replayed:
    """Rerun the block of a witness and compare at its entry.

    ValueError if the witness does not fit the theorem or the problem any more.
    """
    case = _case(witness, known, implications)
    comparison, _, _ = measure_block(case, witness["horizon"], witness["block"], witness["seed"])
    row, k = witness["row"], witness["k"]
    measured, bound = float(comparison.measured[row, k]), float(comparison.bound[row, k])
    steps = range(max(0, k - AROUND), min(witness["horizon"], k + AROUND) + 1)
    table = [(j, float(comparison.measured[row, j]), float(comparison.bound[row, j])) for j in steps]
    return Replayed(
        theorem=case.theorem,
        problem=case.problem,
        measured=measured,
        bound=bound,
        tolerance=float(comparison.tolerance[row, k]),
        row=row,
        k=k,
        reproduced=float(comparison.excess[row, k]) > SUSPECT,
        identical=repr((measured, bound)) == repr((float(witness["measured"]), float(witness["bound"]))),
        hyperparameters=dict(witness["hyperparameters"]),
        table=table,
    )


def _case(witness: Mapping[str, Any], known: Known, implications: Sequence[Implies]) -> Case:
    try:
        theorem = known.theorem(witness["theorem"])
        problem = known.problem(witness["problem"])
        wanted = (witness["norm"], witness["methods"], witness["rules"], witness["certificates"])
        mutant = witness["mutant"]
    except KeyError as error:
        raise ValueError(f"not a witness: the field {error} is missing") from None
    if mutant is not None:
        mutants = [m for m in theorem.mutants if m.why == mutant]
        if not mutants:
            raise ValueError(f"{theorem.id} has no mutant {mutant!r} any more")
        theorem = theorem.mutated(mutants[0])
    cases = match(theorem, problem, implications)
    if isinstance(cases, str):
        raise ValueError(f"{theorem.id} does not apply to {problem!r} any more: {cases}")
    for case in cases:
        rules = {name: str(rule) for name, rule in case.rules.items()}
        certificates = [repr(c.assumption) for c in case.certificates]
        if (repr(case.norm), [m.__name__ for m in case.methods], rules, certificates) == wanted:
            return case
    raise ValueError(
        f"the witness does not fit {theorem.id} on {problem!r} any more: rules or certificates changed"
    )
