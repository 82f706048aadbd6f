"""Rerun exactly the refuting case of a witness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import Any, Protocol

import torch

from assumptions import IMPLICATIONS, Implies
from problems.base import Problem
from workbench.claims import free_symbols
from workbench.match import Case, match
from workbench.theorem import Theorem
from workbench.verify.claim import SUSPECT, Comparison
from workbench.verify.enumeration import judged
from workbench.verify.mean import failing, process_of
from workbench.verify.path import measure, measure_block
from workbench.verify.rule_text import read_rule
from workbench.verify.setting import NotApplicableError
from workbench.verify.states import given_state
from workbench.verify.tree import expected, grown
from workbench.verify.weaken import assumed, without
from workbench.well_stated import swept

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
    """What the rerun of a theorem on a problem gave. ``reproduced``: the same violation, beyond rounding.

    measured, bound  at the witness; tolerance: what rounding could do there
    identical    True if both are those of the witness, digit by digit
    hyperparameters  of the method, as numbers
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
    """Rerun what a witness names: its block of runs, start, state, tree of draws or replicates.

    A witness that a search found names also what was ``dropped``, an assumption with the ``values`` of its
    constants, and may give a hyperparameter of which ``requires`` speaks another value than the theorem
    does. Where it says that it does not ``refute``, the same numbers are what is to be reproduced.

    ValueError if the witness does not fit the theorem or the problem any more.
    """
    case = case_of(witness, known, implications)
    try:
        return _again(case, witness)
    except NotApplicableError as error:
        raise ValueError(f"{case.theorem.id} does not apply to the witness any more: {error}") from None


def _again(case: Case, witness: Mapping[str, Any]) -> Replayed:
    if "state" in witness:
        return _state_again(case, witness)
    if "leaves" in witness:
        return _tree_again(case, witness)
    if "replicates" in witness:
        return _process_again(case, witness)
    if "start" in witness:
        return _start_again(case, witness)
    comparison, _, _ = measure_block(case, witness["horizon"], witness["block"], witness["seed"])
    row, k = witness["row"], witness["k"]
    return _told(case, witness, comparison, row, k, f"step {k}, start {row}")


def _start_again(case: Case, witness: Mapping[str, Any]) -> Replayed:
    start = torch.tensor([witness["start"]], dtype=torch.float64)
    if start.shape[1:] != (case.problem.d,):
        raise ValueError(f"the start has {start.shape[-1]} numbers, {case.problem!r} takes {case.problem.d}")
    comparison, _, _ = measure(case, start, witness["horizon"], witness["seed"], witness["replicate"])
    k = int(witness["k"])
    told = _told(case, witness, comparison, 0, k, f"step {k} from the start {tuple(witness['start'])!r}")
    return replace(told, row=None)


def _told(
    case: Case, witness: Mapping[str, Any], comparison: Comparison, row: int, k: int, place: str
) -> Replayed:
    """The entry (row, k) of a comparison, and the steps around it."""
    measured, bound = float(comparison.measured[row, k]), float(comparison.bound[row, k])
    identical = _same((measured, bound), witness)
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
        reproduced=float(comparison.excess[row, k]) > SUSPECT if _refutes(witness) else identical,
        identical=identical,
        hyperparameters=dict(witness["hyperparameters"]),
        table=table,
    )


def _refutes(witness: Mapping[str, Any]) -> bool:
    """False of the closest that a search came to a violation; all other witnesses are violations."""
    return bool(witness.get("refutes", True))


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
    identical = _same((process.mean, 1.0), witness)
    return Replayed(
        theorem=case.theorem,
        problem=case.problem,
        measured=process.mean,
        bound=1.0,
        tolerance=0.0,
        place=f"mean / bound over {n} replicates, log10 of the e-value {process.log_e / log(10):.4g}",
        row=None,
        k=None,
        reproduced=process.refutes if _refutes(witness) else identical,
        identical=identical,
        hyperparameters=dict(witness["hyperparameters"]),
        table=[],
    )


def case_of(witness: Mapping[str, Any], known: Known, implications: Sequence[Implies] = IMPLICATIONS) -> Case:
    """The case that a witness names. ValueError where there is none any more."""
    try:
        theorem = known.theorem(witness["theorem"])
        problem = known.problem(witness["problem"])
        wanted = (witness["norm"], witness["methods"], witness["certificates"])
        rules, mutant = witness["rules"], witness["mutant"]
    except KeyError as error:
        raise ValueError(f"not a witness: the field {error} is missing") from None
    theorem = _weakened(_mutated(theorem, mutant), witness)
    cases = match(theorem, problem, implications)
    if isinstance(cases, str):
        raise ValueError(f"{theorem.id} does not apply to {problem!r} any more: {cases}")
    alike = [c for c in cases if _names(c) == wanted]
    for case in alike:
        if rule_texts(case) == rules:
            return case
    searched = alike[0] if alike and "dropped" in witness else None
    if searched is not None and set(rules) == set(searched.rules) and _free(searched, rules):
        return replace(searched, rules=_with_free(searched, rules))
    raise ValueError(
        f"the witness does not fit {theorem.id} on {problem!r} any more: rules or certificates changed"
    )


def rule_texts(case: Case) -> dict[str, str]:
    """The rules of a case as a witness names them."""
    return {name: str(rule) for name, rule in case.rules.items()}


def _names(case: Case) -> tuple[str, list[str], list[str]]:
    return (
        repr(case.norm),
        [m.__name__ for m in case.methods],
        [repr(c.assumption) for c in case.certificates],
    )


def _mutated(theorem: Theorem, why: str | None) -> Theorem:
    if why is None:
        return theorem
    mutants = [m for m in theorem.mutants if m.why == why]
    if not mutants:
        raise ValueError(f"{theorem.id} has no mutant {why!r} any more")
    return theorem.mutated(mutants[0])


def _weakened(theorem: Theorem, witness: Mapping[str, Any]) -> Theorem:
    """The theorem without the assumption that the witness says was dropped."""
    name = witness.get("dropped")
    if name is None:
        return theorem
    values = {constant: read_rule(text) for constant, text in witness.get("values", {}).items()}
    return without(theorem, assumed(theorem, name), values)


def _stated(case: Case, rules: Mapping[str, str]) -> dict[str, Any]:
    """The rules of the theorem that print like these, by name."""
    every = [(name, value) for name, rule in case.theorem.parameters.items() for value in swept(rule)]
    # of two that print alike, the first
    return {name: value for name, value in reversed(every) if str(value) == rules.get(name)}


def _free(case: Case, rules: Mapping[str, str]) -> bool:
    """True if all that differs from the theorem is a hyperparameter of which its ``requires`` speaks."""
    asked = {s.name for s in free_symbols(case.theorem.requires)}
    return set(rules) - set(_stated(case, rules)) <= asked - set(case.theorem.options)


def _with_free(case: Case, rules: Mapping[str, str]) -> dict[str, Any]:
    stated = _stated(case, rules)
    return {name: stated[name] if name in stated else read_rule(text) for name, text in rules.items()}
