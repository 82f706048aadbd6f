"""What ``workbench falsify`` prints."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from workbench.cli.falsify_asked import Asked
from workbench.cli.falsify_search import Search
from workbench.cli.output import console, print_table
from workbench.cli.replay import dropped_text
from workbench.falsifier.candidate import Tried
from workbench.falsifier.search import Falsified
from workbench.falsifier.witness import witness
from workbench.match import Case
from workbench.statement import claim_text, condition_text
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.verify.rule_text import read_rule
from workbench.well_stated import swept

REASONS = 4
"""Reasons why something was not tried, at most; the JSON has all."""
ENTRIES = 6
"""Entries of a start, at most; the JSON has all, with all digits."""


def print_search(question: Asked, search: Search, paths: Mapping[str, Path]) -> None:
    """Verdict, the instance that shows it, the smallest constant that survived, what was tried."""
    out = console()
    for name, text in _lines(question, search, paths):
        out.print(f"{name:12} {text}" if name else "", soft_wrap=True)


def print_mutants(question: Asked, searches: Sequence[Search]) -> None:
    """A row for each mutant."""
    rows = [_mutant_row(search) for search in searches]
    found = sum(search.refuted for search in searches)
    out = console()
    print_table(("mutant", "verdict", "ratio", "tried", "on"), rows, right=("ratio", "tried"), out=out)
    stopped = "; interrupted" if searches[-1].stopped else ""
    mutants = len(question.theorem.mutants)
    out.print(f"\n{question.theorem.id}: {found} of {mutants} mutants refuted, found by search{stopped}")


def _mutant_row(search: Search) -> tuple[str, ...]:
    shown = search.shown
    return (
        search.mutant or "",
        _verdict(search),
        _ratio(shown) if shown is not None else "",
        str(search.found.evaluations),
        repr(shown.candidate.case.problem) if shown is not None else next(iter(search.found.refused), ""),
    )


def _lines(question: Asked, search: Search, paths: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    found, shown = search.found, search.shown
    theorem = shown.candidate.case.theorem if shown is not None else question.theorem
    yield "theorem", question.theorem.id
    if found.dropped is not None:
        yield "without", dropped_text({"dropped": found.dropped, "values": found.values})
    yield "claim", claim_text(theorem)
    for name in ("when", "requires"):
        if condition_text(getattr(theorem, name)):
            yield name, condition_text(getattr(theorem, name))
    yield "", ""
    yield "verdict", _said(search)
    if shown is not None:
        yield from _instance(shown, theorem)
        yield from _certified(shown, found)
    if found.smallest_c is not None:
        yield "smallest c", _constant(search)
    yield "", ""
    yield from _effort(search)
    for name, path in paths.items():
        yield name, f"workbench replay {path}" if name == "witness" else str(path)


def _verdict(search: Search) -> str:
    return "refuted" if search.refuted else "not refuted"


def _said(search: Search) -> str:
    verdict, early = _verdict(search), " before the interruption" if search.stopped else ""
    if search.found.dropped is not None:
        nothing = f"no counterexample was found{early}, which proves nothing"
        needed = "needed: here is a counterexample" if search.refuted else nothing
        return f"{verdict} without {search.found.dropped}: {needed}"
    if search.refuted:
        return verdict
    return f"{verdict}{early}; a search proves nothing" + (
        "" if search.shown is not None else "; nothing could be tried"
    )


def _instance(shown: Tried, theorem: Theorem) -> Iterator[tuple[str, str]]:
    """The case as calls and numbers."""
    candidate = shown.candidate
    yield "problem", repr(candidate.case.problem)
    yield "method", " = ".join(m.__name__ for m in candidate.case.methods)
    numbers = witness(shown)["hyperparameters"]
    for name, rule in candidate.case.rules.items():
        value = f" = {numbers[name]:.6g}" if name in numbers and str(rule) != f"{numbers[name]:.6g}" else ""
        beyond = " (not stated, but `requires` allows it)" if _is_free(candidate.case, name) else ""
        yield name, f"{rule}{value}{beyond}"
    if candidate.state is not None:
        for name, value in candidate.state.items():
            yield f"state {name}", _shortened(value)
    else:
        yield "start", _shortened(candidate.x0.tolist())
    yield "place", _place(shown)
    yield "measured", f"{shown.measured:.10g}"
    yield "bound", f"{shown.bound:.10g}"
    if theorem.kind not in ("exact", "equal"):
        yield "ratio", _ratio(shown)


def _is_free(case: Case, name: str) -> bool:
    """Whether a hyperparameter has a value that the theorem does not state itself."""
    return all(str(case.rules[name]) != str(stated) for stated in swept(case.theorem.parameters[name]))


def _certified(shown: Tried, found: Falsified) -> Iterator[tuple[str, str]]:
    """What the instance certifies of the theorem's assumptions, and where it lies without one of them."""
    case = shown.candidate.case
    for index, certificate in enumerate(case.certificates):
        word = " (declared)" if certificate.status == "declared" else ""
        yield " " if index else "certified", f"{certificate.assumption!r}{word}"
    if found.dropped is None:
        return
    yield "outside", f"{found.dropped} is not certified on it, with whatever constant"
    known = {symbols(n): v for n, v in case.constants.items() if isinstance(v, int | float)}
    for name, text in found.values.items():
        value = read_rule(text).subs(known)
        number = f"{float(value):.6g}" if value.is_number else text  # pyright: ignore[reportArgumentType]
        yield "constant", f"{name} = {text}" + (f" = {number}" if number != text else "")


def _place(shown: Tried) -> str:
    candidate = shown.candidate
    if shown.how == "state":
        return f"one step from this state, at k = {shown.k}, all outcomes"
    if shown.how == "tree":
        return f"step {shown.k}, mean over all {shown.replicates} runs of {candidate.horizon} steps"
    if shown.how == "replicates":
        return f"mean / bound over {shown.replicates} replicates of {candidate.horizon} steps (an estimate)"
    return f"step {shown.k} of {candidate.horizon}"


def _ratio(shown: Tried) -> str:
    """measured / bound at the place that is shown; where the bound is not positive there is none.

    1 where only rounding takes it beyond.
    """
    if not shown.bound > 0:
        return "none"
    ratio = shown.measured / shown.bound
    rounding = shown.how != "replicates" and not shown.refutes and not shown.bad
    return f"{min(ratio, 1.0) if rounding else ratio:.8g}"


def _constant(search: Search) -> str:
    c = search.found.smallest_c
    assert c is not None
    best = search.found.best
    estimate = " (an estimate)" if best is not None and best.how == "replicates" else ""
    if search.refuted:
        return f"at least {c:.8g}{estimate}: measured <= c bound is false for every c below it"
    tried = f"in {search.found.evaluations} evaluations"
    return f"{c:.8g}{estimate}: measured <= c bound survived for every c above it, {tried}"


def _effort(search: Search) -> Iterator[tuple[str, str]]:
    found = search.found
    families = len(found.families)
    where = f" on {families} famil{'y' if families == 1 else 'ies'}" if families else ""
    yield "tried", f"{found.evaluations} evaluations{where}, seed {found.seed}"
    reasons = list(found.refused.items())
    for index, (reason, count) in enumerate(reasons[:REASONS]):
        yield "not tried" if index == 0 else " ", f"{'once' if count == 1 else f'{count} times'}: {reason}"
    if len(reasons) > REASONS:
        yield " ", f"{len(reasons) - REASONS} more reasons in the JSON"


def _shortened(value: object) -> str:
    if isinstance(value, list | tuple):
        entries = [_shortened(v) for v in value[:ENTRIES]] + (["..."] if len(value) > ENTRIES else [])
        return f"({', '.join(entries)}{',' if len(value) == 1 else ''})"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
