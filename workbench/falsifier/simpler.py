"""Candidates simpler than a given one: fewer steps, smaller, rounder."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import floor, log10
from typing import Any

import sympy as sp
import torch

from problems.base import Problem
from workbench.claims import Recurrence
from workbench.falsifier.candidate import Candidate, Tried
from workbench.falsifier.evaluate import matched_again, with_start
from workbench.falsifier.trees import Path, at, field_names, frozen, mapped, numbers, put, sequences, shorter
from workbench.verify.replay import rule_texts
from workbench.verify.rule_text import read_rule
from workbench.well_stated import swept

START = "start"
"""The field of a problem that is its start: it follows x0."""

Lazy = Callable[[], Candidate]
"""Makes a candidate; what cannot be made raises."""


def weight(candidate: Candidate) -> tuple[int, int, int]:
    """What simpler means, in this order: numbers and sizes of the instance, steps, digits."""
    problem = candidate.case.problem
    values = [v for name in _fields(problem) for _, v in numbers(getattr(problem, name))]
    whole = sum(abs(v) for v in values if isinstance(v, int))
    point = list(candidate.x0.tolist())
    if candidate.state is not None:
        point += [v for _, v in numbers(_state(candidate))]
    digits = sum(_digits(v) for v in (*values, *point)) + sum(map(len, rule_texts(candidate.case).values()))
    return problem.d + problem.n_terms + len(values) + whole, candidate.horizon + candidate.k, digits


def simpler(tried: Tried) -> Iterator[Lazy]:
    """Changes of a candidate, the boldest first; not all of them are simpler, nor can all be made."""
    candidate = tried.candidate
    yield from _fewer_steps(tried)
    yield from _smaller(candidate)
    yield from _rounder_problem(candidate)
    yield from _rounder_point(candidate)
    yield from _plainer_rules(candidate)


def settled(candidate: Candidate) -> Candidate:
    """The candidate with x0 as its problem's own start, where the family can be given one."""
    problem = candidate.case.problem
    if candidate.state is not None or START not in field_names(problem):
        return candidate
    return _on(candidate, problem, candidate.x0)


# -- steps and sizes ----------------------------------------------------------------------------------


def _fewer_steps(tried: Tried) -> Iterator[Lazy]:
    candidate = tried.candidate
    if candidate.state is not None:
        if candidate.k:
            yield lambda: replace(candidate, k=0)
        return
    lengths = {1, 2, 3, tried.k, tried.k + 1, candidate.horizon // 2, candidate.horizon - 1}
    for length in sorted(n for n in lengths if 1 <= n < candidate.horizon):
        yield lambda length=length: replace(candidate, horizon=length)


def _smaller(candidate: Candidate) -> Iterator[Lazy]:
    """Without a coordinate, a term or an entry; whole numbers downwards."""
    problem = candidate.case.problem
    for index in range(problem.d if problem.d > 1 else 0):
        yield lambda index=index: _without_coordinate(candidate, index)
    for name in _fields(problem):
        for path, value in numbers(getattr(problem, name)):
            if isinstance(value, int):
                for less in sorted({1, value // 2, value - 1} - {value}):
                    if 0 <= less < value:
                        yield lambda p=(name, *path), n=less: _changed(candidate, p, n)
    for length in sorted({len(s) for n in _fields(problem) for _, s in sequences(getattr(problem, n))}):
        for index in range(length if length > 1 else 0):
            yield lambda n=length, i=index: _without_entries(candidate, n, i)
    for name in _fields(problem):
        for path, value in sequences(getattr(problem, name)):
            for index in range(len(value)):
                less = (*value[:index], *value[index + 1 :])
                yield lambda p=(name, *path), v=less: _changed(candidate, p, v)


def _without_coordinate(candidate: Candidate, index: int) -> Candidate:
    """Coordinate ``index`` taken out of everything that has one entry for each."""
    problem = candidate.case.problem
    fields = {n: shorter(getattr(problem, n), problem.d, index) for n in _fields(problem)}
    if "d" in fields:
        fields["d"] = problem.d - 1
    kept = [i for i in range(problem.d) if i != index]
    return _on(candidate, _remade(problem, fields), candidate.x0[kept], index)


def _without_entries(candidate: Candidate, length: int, index: int) -> Candidate:
    """An entry taken out of the outermost tuples of this length, as those of terms."""
    problem = candidate.case.problem
    fields = {}
    for name in _fields(problem):
        value = getattr(problem, name)
        if isinstance(value, tuple) and len(value) == length:
            fields[name] = (*value[:index], *value[index + 1 :])
    made = _remade(problem, fields)
    kept = [i for i in range(problem.d) if i != index]
    return _on(candidate, made, candidate.x0[kept] if made.d == problem.d - 1 else candidate.x0, index)


def _changed(candidate: Candidate, path: Path, new: Any) -> Candidate:
    """Another value at one place of the problem; the start is cut to what is left."""
    problem = candidate.case.problem
    name, rest = str(path[0]), path[1:]
    made = _remade(problem, {name: put(getattr(problem, name), rest, new)})
    return _on(candidate, made, candidate.x0[: made.d], made.d if made.d == problem.d - 1 else None)


# -- numbers ------------------------------------------------------------------------------------------


def _rounder_problem(candidate: Candidate) -> Iterator[Lazy]:
    """All numbers of a field, then each, with its mirror image in a symmetric matrix."""
    problem = candidate.case.problem
    for name in _fields(problem):
        value = getattr(problem, name)
        floats = [(p, v) for p, v in numbers(value) if isinstance(v, float)]
        if len(floats) > 1:
            for digits in (0, 1, 2, 3):
                rounded = mapped(value, lambda v, n=digits: _rounded(v, n))
                yield lambda n=name, v=rounded: _changed(candidate, (n,), v)
        for path, number in floats:
            for new in _rounder(number):
                yield lambda n=name, p=path, v=new: _with_mirror(candidate, n, p, v)


def _with_mirror(candidate: Candidate, name: str, path: Path, new: float) -> Candidate:
    value = getattr(candidate.case.problem, name)
    changed = put(value, path, new)
    mirror = (*path[:-2], path[-1], path[-2]) if len(path) > 1 else path
    try:
        symmetric = at(value, mirror) == at(value, path)
    except (IndexError, TypeError, AttributeError):
        symmetric = False
    return _changed(candidate, (name,), put(changed, mirror, new) if symmetric else changed)


def _rounder_point(candidate: Candidate) -> Iterator[Lazy]:
    """The start, or every field of the state."""
    point = tuple(candidate.x0.tolist()) if candidate.state is None else _state(candidate)
    for digits in (0, 1, 2, 3):
        yield lambda n=digits: _at(candidate, mapped(point, lambda v: _rounded(v, n)))
    for path, number in numbers(point):
        for new in _rounder(float(number)):
            yield lambda p=path, v=new: _at(candidate, put(point, p, v))


def _at(candidate: Candidate, point: tuple[Any, ...]) -> Candidate:
    if candidate.state is None:
        return _on(candidate, candidate.case.problem, torch.tensor(point, dtype=torch.float64))
    state = dict(zip(candidate.state, point, strict=True))
    return replace(candidate, state=state, x0=torch.tensor(state["x"], dtype=torch.float64))


def _plainer_rules(candidate: Candidate) -> Iterator[Lazy]:
    """A value that the theorem states; else the factor of the rule rounder, which the search has chosen."""
    case = candidate.case
    for name, rule in case.rules.items():
        if name in case.theorem.options or isinstance(rule, Recurrence):
            continue
        stated = swept(case.theorem.parameters[name])
        if any(str(s) == str(rule) for s in stated):
            continue
        factor, rest = sp.sympify(rule).as_coeff_Mul()
        rounder_factors = _rounder(float(factor)) if factor.is_number else []
        rounder = [sp.nsimplify(v, rational=True) * rest for v in rounder_factors if v]
        for new in (*stated, *rounder):
            fresh = new if new in stated else read_rule(str(new))
            yield lambda n=name, r=fresh: replace(candidate, case=replace(case, rules={**case.rules, n: r}))


def _rounder(number: float) -> list[float]:
    """Plainer numbers than this one, the plainest first."""
    tries = [0.0, 1.0, -1.0, *(_rounded(number, digits) for digits in (0, 1, 2, 3))]
    if number and abs(number) < float("inf"):
        tries.append(float(f"1e{round(log10(abs(number)))}") * (1 if number > 0 else -1))
    fewer = [t for t in dict.fromkeys(tries) if _digits(t) < _digits(number)]
    return sorted(fewer, key=_digits)


def _rounded(number: float | int, digits: int) -> float | int:
    """To so many significant digits, 0: to a whole number. Whole numbers of Python stay as they are."""
    if isinstance(number, int) or not number or not abs(number) < float("inf"):
        return number
    return float(round(number)) if digits == 0 else round(number, digits - 1 - floor(log10(abs(number))))


def _digits(number: float | int) -> int:
    """How long it prints; nothing for 0."""
    return len(repr(number).removesuffix(".0")) if number else 0


# -- putting it together ------------------------------------------------------------------------------


def _fields(problem: Problem) -> list[str]:
    return [name for name in field_names(problem) if name != START]


def _remade(problem: Problem, changes: dict[str, Any]) -> Problem:
    """The problem with other fields, its start the default one."""
    cleared = {START: ()} if START in field_names(problem) else {}
    return replace(problem, **cleared, **changes)  # pyright: ignore[reportArgumentType]


def _on(candidate: Candidate, problem: Problem, x0: torch.Tensor, left_out: int | None = None) -> Candidate:
    """The candidate on another problem, matched again, from x0."""
    if START in field_names(problem) and candidate.state is None:
        default = _remade(problem, {})
        problem = default if torch.equal(default.x0, x0) else with_start(default, x0)
    case = matched_again(candidate.case, problem)
    state = candidate.state
    if state is not None:
        d = candidate.case.problem.d
        cut = (
            [shorter(v, d, left_out) for v in _state(candidate)]
            if left_out is not None
            else _state(candidate)
        )
        state = dict(zip(state, cut, strict=True))
    return replace(candidate, case=case, x0=x0, state=state)


def _state(candidate: Candidate) -> tuple[Any, ...]:
    return tuple(frozen(v) for v in (candidate.state or {}).values())
