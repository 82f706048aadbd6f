"""The phases of a search: members of the library, points of the families' spaces, then uphill."""

import warnings
from collections.abc import Sequence

import torch
from scipy.stats import qmc

from problems.base import Problem
from workbench.engine import BLOCK
from workbench.falsifier.attempts import HORIZONS, Attempts, Entry, Point, weight
from workbench.falsifier.candidate import NOTHING, Tried
from workbench.falsifier.climb import climbed_starts
from workbench.falsifier.encode import Source
from workbench.falsifier.evaluate import MEANS, evaluate, evaluate_states
from workbench.falsifier.evolve import evolved
from workbench.falsifier.spaces import is_large
from workbench.verify.ascent import climbed
from workbench.verify.states import given_state

LIBRARY, SPREAD = 0.3, 0.6
"""Shares of the budget after which the first and the second phase end."""
ROUNDS, HALVED = 4, 4
"""The sources are halved after so many rounds, again and again, to at least so many."""
PATIENCE = 4
"""A source that gave nothing to try so many times is left out."""
SUMMITS = 4
"""Entries from which the last phase goes uphill."""
CLIMB, CLIMBERS = 15, 8
"""Steps of an ascent, and from how many starts or states."""


def library(attempts: Attempts, problems: Sequence[Problem], end: int) -> list[Entry]:
    """Each problem with its first case, large ones last; then all further cases while there is budget."""
    waiting = []
    for problem in sorted(problems, key=is_large):
        try:
            cases = attempts.cases(problem)
        except Exception as error:
            attempts.refuse(error)
            continue
        waiting.append([(case, problem.family) for case in cases])
    entries, turn = [], 0
    while any(waiting) and attempts.spent < end and not attempts.refuted:
        for cases in waiting:
            if cases and attempts.spent < end and not attempts.refuted:
                case, label = cases.pop(0)
                point = Point(None, (), horizon=_horizon(attempts, turn))
                entries.append(attempts.on(case, point, label))
        turn += 1
    return [entry for entry in entries if entry is not None]


def spread(attempts: Attempts, sources: Sequence[Source], end: int) -> dict[Source, list[Entry]]:
    """Quasi-random points of every source, in turn; the worse half of them is left out now and then."""
    points = {
        s: qmc.Sobol(s.width + 2, rng=attempts.seed + place, bits=30) for place, s in enumerate(sources)
    }
    found: dict[Source, list[Entry]] = {s: [] for s in sources}
    failed = dict.fromkeys(sources, 0)
    left, turn = list(sources), 0
    while left and attempts.spent < end and not attempts.refuted:
        for source in left:
            if attempts.spent >= end or attempts.refuted:
                break
            *u, choice, moved = points[source].random(1)[0].tolist()
            entry = attempts.at(Point(source, tuple(u), choice, moved, _horizon(attempts, turn)))
            if entry is not None:
                found[source].append(entry)
                found[source].sort(key=_rank, reverse=True)
            elif not found[source]:
                failed[source] += 1
        turn += 1
        left = [s for s in left if found[s] or failed[s] < PATIENCE]
        if turn % ROUNDS == 0 and len(left) > HALVED:
            left.sort(
                key=lambda s: _rank(found[s][0]) if found[s] else (False, NOTHING, NOTHING), reverse=True
            )
            left = left[: max(HALVED, len(left) // 2)]
    return {s: entries for s, entries in found.items() if entries}


def uphill(attempts: Attempts, members: list[Entry], families: dict[Source, list[Entry]]) -> None:
    """From the best entries: ascent in the start or the state, and evolution in the family's parameters."""
    members = sorted(members, key=_rank, reverse=True)
    for entry in members[:SUMMITS]:
        climb(attempts, entry)
    best_first = sorted(families.values(), key=lambda entries: _rank(entries[0]), reverse=True)
    for place, entries in enumerate(best_first[:SUMMITS]):
        if attempts.refuted:
            return
        runs = (attempts.budget - attempts.spent) // (min(SUMMITS, len(best_first)) - place)
        climb(attempts, entries[0])
        best = evolved(attempts, entries, runs, attempts.seed + place)
        climb(attempts, best)


def climb(attempts: Attempts, entry: Entry) -> None:
    """The best start or state of an entry, and what lies around it, moved uphill."""
    tried = entry.tried
    needed = weight(tried.candidate.case) * CLIMBERS * (CLIMB + 1)
    if attempts.refuted or attempts.spent + needed > attempts.budget:
        return
    try:
        found = _from_state(tried) if tried.candidate.state is not None else _from_starts(entry)
    except Exception as error:  # autograd cannot follow every family
        attempts.refuse(error)
        return
    attempts.spent += needed if found else 1
    if found:
        attempts.offer(max(found, key=lambda t: t.rank))


def _from_starts(entry: Entry) -> list[Tried]:
    candidate = entry.tried.candidate
    case = candidate.case
    if case.theorem.kind in MEANS or case.theorem.kind != "path":
        return []
    centre = candidate.x0 - entry.starts[0]
    x0 = centre + entry.starts[:CLIMBERS]
    with warnings.catch_warnings():  # a rule that is the same for all starts is read as a number
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad")
        x0 = climbed_starts(case, x0, candidate.horizon, candidate.seed, CLIMB)
    return evaluate(case, _inside(case.problem, x0)[:BLOCK], candidate.horizon, candidate.seed)


def _horizon(attempts: Attempts, turn: int) -> int | None:
    """Of a claim about a mean one length after the other; else the usual."""
    return HORIZONS[turn % len(HORIZONS)] if attempts.theorem.kind in MEANS else None


def _inside(problem: Problem, x0: torch.Tensor) -> torch.Tensor:
    return problem.into_domain(x0) if bool(problem.contains(problem.x0)) else x0


def _from_state(tried: Tried) -> list[Tried]:
    candidate = tried.candidate
    assert candidate.state is not None
    pool = climbed(candidate.case, given_state(candidate.case, {**candidate.state, "k": candidate.k}), CLIMB)
    return evaluate_states(candidate.case, pool)


def _rank(entry: Entry) -> tuple[bool, float, float]:
    return entry.tried.rank
