"""What a search found as a witness: plain data that ``workbench replay`` reruns digit by digit."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from workbench.falsifier.attempts import FRESH_SEED
from workbench.falsifier.candidate import Candidate, Tried
from workbench.falsifier.evaluate import MEANS, afresh, evaluate_one
from workbench.falsifier.search import FRESH
from workbench.match import Case
from workbench.verify.place import described, hyperparameters
from workbench.verify.replay import rule_texts
from workbench.verify.rule_text import read_rule
from workbench.verify.setting import set_up
from workbench.verify.states import given_state, setting_of


def witness(
    tried: Tried,
    *,
    mutant: str | None = None,
    dropped: str | None = None,
    values: Mapping[str, Any] | None = None,
    file: str | None = None,
) -> dict[str, Any]:
    """A ``confirmed`` candidate in the fields that ``verify.replay`` reads.

    mutant: why the theorem of the case is false, if it is a mutant; dropped, values: the assumption that it
    lacks, and what stands for its constants, as expressions that print; file: the user's, if it is from one.
    """
    candidate = tried.candidate
    case = candidate.case
    return {
        **described(case, candidate.seed, candidate.horizon),
        **_where(tried),
        "k": tried.k,
        "measured": tried.measured,
        "bound": tried.bound,
        "tolerance": tried.tolerance,
        "hyperparameters": _hyperparameters(tried),
        "refutes": tried.refutes,
        "mutant": mutant,
        "dropped": dropped,
        "values": {name: str(value) for name, value in (values or {}).items()},
        "file": file,
    }


def confirmed(tried: Tried, seed: int) -> Tried:
    """The candidate judged once more and alone, with its rules as they print.

    What was sampled is judged by replicates that chose neither it nor what it was simplified from. seed: of
    the search.
    """
    alone = dataclasses.replace(tried, candidate=replayable(tried.candidate))
    found = alone if tried.how == "replicates" else evaluate_one(alone.candidate)
    return afresh(found, seed + 2 * FRESH_SEED, FRESH)


def replayable(candidate: Candidate) -> Candidate:
    """The candidate with the rules that the search chose as their texts say them: equal, but for rounding."""
    return dataclasses.replace(candidate, case=_as_printed(candidate.case))


def _as_printed(case: Case) -> Case:
    rules = dict(case.rules)
    for name, text in rule_texts(case).items():
        swept = case.theorem.parameters[name]
        stated = swept if isinstance(swept, tuple) else (swept,)
        rules[name] = next((s for s in stated if str(s) == text), None)
        if rules[name] is None:
            rules[name] = read_rule(text)
    return dataclasses.replace(case, rules=rules)


def _where(tried: Tried) -> dict[str, Any]:
    """The fields by which a replay knows what to rerun."""
    candidate = tried.candidate
    x0 = candidate.x0.tolist()
    if candidate.state is not None:
        return {"state": {**candidate.state, "k": candidate.k}}
    if candidate.case.theorem.kind not in MEANS:
        return {"start": x0, "replicate": candidate.replicate}
    return {"leaves" if tried.how == "tree" else "replicates": tried.replicates, "x0": x0}


def _hyperparameters(tried: Tried) -> dict[str, float]:
    candidate = tried.candidate
    case = candidate.case
    if candidate.state is None:
        setting = set_up(case, candidate.x0[None], candidate.horizon)
    else:
        setting = setting_of(case, given_state(case, {**candidate.state, "k": candidate.k}))
    return hyperparameters(setting.solved, 0, tried.k)
