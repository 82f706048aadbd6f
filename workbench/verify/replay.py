"""Rerun exactly the refuting case of a witness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any, Protocol

from assumptions import IMPLICATIONS, Implies
from problems.base import Problem
from workbench.match import Case, match
from workbench.theorem import Theorem
from workbench.verify.claim import SUSPECT, Comparison
from workbench.verify.enumeration import judged
from workbench.verify.mean import failing, process_of
from workbench.verify.path import measure_block
from workbench.verify.states import given_state
from workbench.verify.tree import expected, grown

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

    place   where it lies, in words; ``row`` and ``k`` as numbers, None where a witness has none
    table   (k, measured, bound) around the witness, where there are steps around it
    """

    theorem: Theorem
    problem: Problem
    measured: float
    bound: float
    tolerance: float
    place: str
    row: int | None
    k: int | None
    reproduced: bool
    identical: bool
    hyperparameters: dict[str, float]
    table: list[tuple[int, float, float]]


def replay(
    witness: Mapping[str, Any], known: Known, implications: Sequence[Implies] = IMPLICATIONS
) -> Replayed:
    """Rerun what a witness names: its block of runs, its state, its tree of draws or its replicates.

    ValueError if the witness does not fit the theorem or the problem any more.
    """
    case = _case(witness, known, implications)
    if "state" in witness:
        return _state_again(case, witness)
    if "leaves" in witness:
        return _tree_again(case, witness)
    if "replicates" in witness:
        return _process_again(case, witness)
    comparison, _, _ = measure_block(case, witness["horizon"], witness["block"], witness["seed"])
    row, k = witness["row"], witness["k"]
    return _told(case, witness, comparison, row, k, f"step {k}, start {row}")


def _told(
    case: Case, witness: Mapping[str, Any], comparison: Comparison, row: int, k: int, place: str
) -> Replayed:
    """The entry (row, k) of a comparison, and the steps around it."""
    measured, bound = float(comparison.measured[row, k]), float(comparison.bound[row, k])
    steps = range(max(0, k - AROUND), min(comparison.measured.shape[1] - 1, k + AROUND) + 1)
    table = [(j, float(comparison.measured[row, j]), float(comparison.bound[row, j])) for j in steps]
    return Replayed(
        theorem=case.theorem,
        problem=case.problem,
        measured=measured,
        bound=bound,
        tolerance=float(comparison.tolerance[row, k]),
        place=place,
        row=row,
        k=k,
        reproduced=float(comparison.excess[row, k]) > SUSPECT,
        identical=_same((measured, bound), witness),
        hyperparameters=dict(witness["hyperparameters"]),
        table=table,
    )


def _same(found: tuple[float, float], witness: Mapping[str, Any]) -> bool:
    return repr(found) == repr((float(witness["measured"]), float(witness["bound"])))


def _state_again(case: Case, witness: Mapping[str, Any]) -> Replayed:
    found = judged(case, given_state(case, witness["state"]))
    k = int(witness["k"])
    told = _told(case, witness, found.comparison, 0, 0, f"a state at step {k}, all outcomes of one step")
    return replace(told, row=None, k=k, table=[])


def _tree_again(case: Case, witness: Mapping[str, Any]) -> Replayed:
    tree = grown(case, witness["horizon"])
    comparison = failing(tree, case) if case.theorem.kind == "hp" else expected(tree)
    k = witness["k"]
    told = _told(case, witness, comparison, 0, k, f"step {k}, mean over all {len(tree.weights)} runs")
    return replace(told, row=None)


def _process_again(case: Case, witness: Mapping[str, Any]) -> Replayed:
    n, horizon = witness["replicates"], witness["horizon"]
    process = process_of(case, n, horizon, witness["seed"])
    return Replayed(
        theorem=case.theorem,
        problem=case.problem,
        measured=process.mean,
        bound=1.0,
        tolerance=0.0,
        place=f"mean / bound over {n} replicates, log10 of the e-value {process.log_e / log(10):.4g}",
        row=None,
        k=None,
        reproduced=process.refutes,
        identical=_same((process.mean, 1.0), witness),
        hyperparameters=dict(witness["hyperparameters"]),
        table=[],
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
