"""What a search found, judged once more and alone, on draws that have chosen nothing."""

import dataclasses

from workbench.falsifier.attempts import FRESH_SEED
from workbench.falsifier.candidate import Candidate, Tried
from workbench.falsifier.evaluate import afresh, evaluate_one
from workbench.match import Case
from workbench.verify.replay import rule_texts
from workbench.verify.rule_text import read_rule
from workbench.well_stated import swept

FRESH = 4096
"""Replicates that judge what a search found for a claim about a mean, at most."""


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
        stated = swept(case.theorem.parameters[name])
        rules[name] = next((s for s in stated if str(s) == text), None)
        if rules[name] is None:
            rules[name] = read_rule(text)
    return dataclasses.replace(case, rules=rules)
