"""What is known of one theorem without faith: bound, rate, best found by search, exact worst case."""

from collections.abc import Iterable, Sequence
from typing import Any

from problems import Problem
from workbench.algebra.published import PUBLISHED
from workbench.algebra.summary import Summary, summary
from workbench.falsifier.search import NothingToTryError, falsify
from workbench.statement import claim_text, condition_text, rules_text
from workbench.theorem import Theorem
from workbench.worst_case import WorstCase, worst_case

STEPS = (1, 2, 5)
"""Lengths of the chains whose worst case is computed."""


def row(theorem: Theorem, problems: Sequence[Problem], budget: int, seed: int) -> dict[str, Any]:
    """Everything on one theorem as plain data."""
    algebra = summary(theorem)
    return {
        "theorem": theorem.id,
        "title": theorem.title,
        "kind": theorem.kind,
        "status": theorem.source.status,
        "source": theorem.source.paper,
        "claim": claim_text(theorem),
        "statement": statement(theorem),
        "rate": _different(str(rate) for rate, _ in algebra.rates),
        "steps": _different(str(k) for rate, k in algebra.rates if rate.kind not in ("none", "constant")),
        "units": str(algebra.units),
        "tight": max((x.tightness for x in theorem.tight), default=None),
        "search": _search(theorem, problems, budget, seed),
        "exact": _exact(theorem, algebra),
        "published": _published(theorem),
        "identities": [i.name for i in algebra.identities if i.holds],
        "proof": [line for proof in algebra.multipliers for line in proof.lines()]
        or ([] if algebra.rational is None else algebra.rational.lines()),
    }


def statement(theorem: Theorem) -> list[str]:
    """The texts that decide what a row speaks of: a kept row of another statement is made anew."""
    rules = [f"{name} = {text}" for name, text in rules_text(theorem).items()]
    assumed = [a.__name__ for a in theorem.assumes]
    conditions = [condition_text(theorem.requires), condition_text(theorem.when)]
    return [claim_text(theorem), *rules, *assumed, *conditions, *(repr(x) for x in theorem.tight)]


def _different(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _search(theorem: Theorem, problems: Sequence[Problem], budget: int, seed: int) -> dict[str, Any]:
    try:
        found = falsify(theorem, problems, budget=budget, seed=seed, simplify=False)
    except NothingToTryError as error:
        return {"verdict": "nothing to try", "reason": str(error).splitlines()[0]}
    if found.stopped:  # half a search is no row
        raise KeyboardInterrupt
    best = found.best
    return {
        "verdict": found.verdict,
        "ratio": found.to_json()["smallest_c"],
        "evaluations": found.evaluations,
        "problem": "" if best is None else repr(best.candidate.case.problem),
        "reason": next(iter(found.refused), "") if best is None else "",
    }


def _exact(theorem: Theorem, algebra: Summary) -> dict[str, Any]:
    """The chain, of all swept rules and lengths, that comes closest to the bound, or why there is none.

    A refuted one comes first. ``share``: of the bound, of its square root where both sides were squared.
    ``by_steps``: length -> the largest share over the rules. ``relaxed``: the conditions are necessary only,
    so that the share bounds the worst case from above. ``failed``: why some rules have no worst case.
    """
    if algebra.outside:
        return {"outside": algebra.outside}
    found: list[WorstCase] = []
    failed: dict[str, int] = {}
    for steps in STEPS:
        each = [_worst(theorem, steps, i, failed) for i in range(len(theorem.variants()))]
        longer = [w for w in each if w is not None and w.steps == steps]
        found += longer
        if not longer:
            break
    if not found:
        return {"outside": f"none of its programmes could be solved: {'; '.join(failed)}"}
    worst = max(found, key=lambda w: (w.verdict == "refuted", w.ratio))
    lengths = sorted({w.steps for w in found})
    by_steps = {str(n): max(share(w) for w in found if w.steps == n) for n in lengths}
    more = {"share": share(worst), "by_steps": by_steps, "relaxed": worst.lower is None, "failed": [*failed]}
    kept = ("steps", "values", "upper", "lower", "bound", "ratio", "squared", "verdict", "reason")
    document = worst.to_json()
    return {**{name: document[name] for name in kept}, **more}


def share(worst: WorstCase) -> float:
    """Worst case / bound, of the two sides themselves."""
    return worst.ratio**0.5 if worst.squared else worst.ratio


def _worst(theorem: Theorem, steps: int, parameter: int, failed: dict[str, int]) -> WorstCase | None:
    """None where this rule lies outside: unbounded, not enumerated, excluded by ``requires``; counted."""
    try:
        return worst_case(theorem, steps=steps, parameter=parameter)
    except (ValueError, ArithmeticError) as error:
        failed[str(error)] = failed.get(str(error), 0) + 1
        return None


def _published(theorem: Theorem) -> dict[str, Any] | None:
    known = PUBLISHED.get(theorem.id)
    if known is None:
        return None
    if known.check is not None and not known.check():
        raise AssertionError(f"{theorem.id}: what is said of its published form does not hold")
    proof = known.proof.says if known.proof else theorem.proof
    return {"form": known.form, "where": known.where, "better": known.better, "proof": proof}
