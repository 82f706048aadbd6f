"""Search the instance that comes closest to breaking a claim, or breaks it."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from assumptions import IMPLICATIONS, Assumption, Implies
from assumptions.guards import require_dimension
from problems.base import Problem
from problems.well_formed import require_well_formed
from workbench.engine import BLOCK, require_draw_seed
from workbench.falsifier.attempts import Attempts, Keep, Progress, SpentError
from workbench.falsifier.candidate import NOTHING, Tried, finite, tried_json
from workbench.falsifier.confirm import FRESH, confirmed
from workbench.falsifier.evaluate import MEANS, evaluate_one
from workbench.falsifier.phases import LIBRARY, SPREAD, library, spread, uphill
from workbench.falsifier.shrink import alike, shrink
from workbench.falsifier.spaces import sources
from workbench.theorem import Theorem
from workbench.verify.pool import one_thread
from workbench.verify.run import require_problems
from workbench.verify.weaken import assumed, dropped_values, satisfies, without

BUDGET = 20_000
"""Evaluations by default: runs of the method, or states of a step."""

Begin = Callable[[Theorem, int, type[Assumption] | None], Attempts]
"""Makes the bookkeeping of one search: on a claim, with a budget, outside an assumption."""


class NothingToTryError(ValueError):
    """The theorem applies to none of the problems, nor to a member of their families."""


@dataclass(frozen=True, eq=False)
class Falsified:
    """What a search has found.

    verdict     "refuted", or "none found": which proves nothing
    best        the candidate closest to breaking the claim; None where nothing could be tried
    smallest_c  the largest ratio seen: measured <= c bound survived for every c above it; None where there
                is no ratio. For a claim about a mean that no tree of draws decides it is an estimate
    families    label -> how often it was tried; refused: reason -> how often nothing could be
    dropped     name of the assumption left out, and what stood for its constants
    shrunk      the simplest candidate that does the same, ``confirmed``; the best one, ``confirmed``, where
                that breaks the claim and the simplest does not. None where there is none
    stopped     interrupted: what it had until then, not simplified
    """

    theorem: Theorem
    verdict: str
    best: Tried | None
    smallest_c: float | None
    evaluations: int
    seed: int
    families: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    dropped: str | None = None
    values: dict[str, str] = field(default_factory=dict)
    shrunk: Tried | None = None
    stopped: bool = False

    @property
    def refuted(self) -> bool:
        """True if a counterexample was found."""
        return self.verdict == "refuted"

    def to_json(self) -> dict[str, Any]:
        """Plain numbers and texts; numbers that are not finite as None."""
        return {
            "theorem": self.theorem.id,
            "verdict": self.verdict,
            "best": tried_json(self.best),
            "shrunk": tried_json(self.shrunk),
            "smallest_c": finite(self.smallest_c),
            "evaluations": self.evaluations,
            "seed": self.seed,
            "families": self.families,
            "refused": self.refused,
            "dropped": self.dropped,
            "values": self.values,
            "interrupted": self.stopped,
        }


def falsify(
    theorem: Theorem,
    problems: Sequence[Problem],
    *,
    budget: int = BUDGET,
    seed: int = 0,
    drop: str | type[Assumption] | None = None,
    steps: int | None = None,
    implications: Sequence[Implies] = IMPLICATIONS,
    keep: Keep | None = None,
    progress: Progress | None = None,
    simplify: bool = True,
) -> Falsified:
    """Search a problem, a start and hyperparameters with measured > bound, or as close to it as may be.

    In this order: the problems given; quasi-random points of their families' spaces; ascent from the best.
    Stops at the first violation beyond rounding. A claim about a mean is judged on draws that have chosen
    nothing. A pure function of its arguments: same seed, same result. Ctrl-C ends it with what it has.

    budget    evaluations: runs of the method, or states of a step claim; the last batch may exceed it
    drop      an assumption to leave out, itself or the name of its class: see ``without``. Problems that
              certify it, with whatever constant, are not tried. Its constants are tried from the weakest
              claim to the strongest, each with a share of the budget
    steps     length of the runs; several lengths by default
    keep      is told of each better candidate
    progress  is told evaluations done, their budget and what is tried
    simplify  shrink what is found

    TypeError for what is no theorem or no list of problems; ValueError for a budget, steps or a seed that is
    none, and for an assumption that the theorem does not make. NothingToTryError, a ValueError, where the
    theorem applies to none of the problems or of their families.
    """
    if not isinstance(theorem, Theorem):
        raise TypeError(f"theorem must be a Theorem object, got {theorem!r}")
    problems = require_problems(problems)
    require_dimension(budget=budget)
    require_draw_seed(seed)
    if steps is not None:
        require_dimension(steps=steps)
    for problem in problems:
        if not type(problem).__module__.startswith("problems."):
            require_well_formed(problem)
    kind = assumed(theorem, drop) if isinstance(drop, str) else drop

    def begin(claim: Theorem, share: int, outside: type[Assumption] | None) -> Attempts:
        return Attempts(claim, share, seed, implications, steps, keep, progress, outside)

    with one_thread():
        if kind is None:
            found = _searched(begin(theorem, budget, None), problems)
        else:
            found = _dropped(theorem, problems, kind, budget, begin)
        return _simplified(found, kind, implications) if simplify else found


def _dropped(
    theorem: Theorem, problems: Sequence[Problem], kind: type[Assumption], budget: int, begin: Begin
) -> Falsified:
    """The search outside an assumption, its constants from the weakest claim to the strongest."""
    choices = dropped_values(theorem, kind)[::-1]
    found: list[Falsified] = []
    nothing: NothingToTryError | None = None
    spent = 0
    for place, values in enumerate(choices):
        share = max(1, (budget - spent) // (len(choices) - place))
        try:
            result = _searched(begin(without(theorem, kind, values), share, kind), problems)
        except NothingToTryError as error:
            nothing = error
            continue
        texts = {name: str(value) for name, value in values.items()}
        spent += result.evaluations
        found.append(replace(result, dropped=kind.__name__, values=texts))
        if result.refuted or result.stopped or spent >= budget:
            break
    if nothing is not None and not found:
        raise nothing
    best = max(found, key=lambda f: f.best.rank if f.best else (False, NOTHING, NOTHING))
    return replace(best, evaluations=spent, stopped=found[-1].stopped)


def _searched(attempts: Attempts, problems: Sequence[Problem]) -> Falsified:
    """All phases, until the claim is refuted, the budget spent or the search interrupted."""
    try:
        _search(attempts, problems)
    except KeyboardInterrupt:
        return _told(attempts, stopped=True)
    return _told(attempts, stopped=False)


def _search(attempts: Attempts, problems: Sequence[Problem]) -> None:
    if attempts.theorem.kind == "slope":
        attempts.refuse("a claim about a slope is not searched: no finite run refutes a rate")
        return
    found, whole = sources(problems), attempts.budget
    reserve = min(FRESH, whole // 5) if attempts.theorem.kind in MEANS else 0
    attempts.budget -= reserve
    with suppress(SpentError):
        members = library(attempts, problems, max(1, int(LIBRARY * attempts.budget)))
        room = int((SPREAD - LIBRARY) * attempts.budget)
        families = spread(attempts, found, max(int(SPREAD * attempts.budget), attempts.spent + room))
        if not attempts.families:
            raise NothingToTryError(_nothing(attempts, problems))
        uphill(attempts, members, families)
    if attempts.theorem.kind in MEANS:
        attempts.conclude(max(reserve, BLOCK))


def _nothing(attempts: Attempts, problems: Sequence[Problem]) -> str:
    outside = f"{attempts.outside.__name__} is certified" if attempts.outside else ""
    first = sorted(attempts.refused.most_common(), key=lambda r: not outside or not r[0].startswith(outside))
    why = "; ".join(f"{reason} ({n} times)" for reason, n in first[:3])
    bare = sorted({p.family for p in problems if not type(p).space})
    spaces = f"; without a space, so that only members were tried: {', '.join(bare)}" if bare else ""
    return f"{attempts.theorem.id}: nothing to try on {len(problems)} problems: {why or 'no problem'}{spaces}"


def _told(attempts: Attempts, stopped: bool) -> Falsified:
    best = attempts.best
    ratio = best.ratio if best is not None and best.ratio > NOTHING else None
    return Falsified(
        theorem=attempts.theorem,
        verdict="refuted" if attempts.refuted else "none found",
        best=best,
        smallest_c=ratio,
        evaluations=attempts.spent,
        seed=attempts.seed,
        families=dict(attempts.families),
        refused=dict(Counter(attempts.refused).most_common()),
        stopped=stopped,
    )


def _simplified(
    found: Falsified, outside: type[Assumption] | None, implications: Sequence[Implies]
) -> Falsified:
    """With the simplest candidate that does the same, judged once more; as it is where that is interrupted.

    outside: an assumption that the simplest one must not certify either.
    """
    best = found.best
    if best is None or found.stopped:
        return found
    same = alike(best)

    def accept(tried: Tried) -> bool:
        return same(tried) and not (outside and satisfies(tried.candidate.case, outside, implications))

    try:
        kept = confirmed(shrink(best, evaluate_one, accept), found.seed)
        if best.refutes and not kept.refutes:
            kept = confirmed(best, found.seed)
    except KeyboardInterrupt:
        return replace(found, stopped=True)
    seen = [t.ratio for t in (best, kept) if t.ratio > NOTHING]
    return replace(found, shrunk=kept, smallest_c=max(seen, default=None))
