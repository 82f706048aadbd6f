"""Search the instance that comes closest to breaking a claim, or breaks it."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from assumptions import IMPLICATIONS, Assumption, Implies
from assumptions.guards import require_dimension, require_seed
from problems.base import Problem
from problems.well_formed import require_well_formed
from workbench.engine import BLOCK
from workbench.falsifier.attempts import FRESH_SEED, Attempts, Keep, Progress, SpentError
from workbench.falsifier.candidate import NOTHING, Tried
from workbench.falsifier.evaluate import MEANS, afresh, evaluate_one
from workbench.falsifier.phases import LIBRARY, SPREAD, library, spread, uphill
from workbench.falsifier.shrink import shrink
from workbench.falsifier.spaces import sources
from workbench.theorem import Theorem
from workbench.verify.pool import one_thread
from workbench.verify.weaken import assumed, dropped_values, without

BUDGET = 20_000
"""Evaluations by default: runs of the method, or states of a step."""
FRESH = 4096
"""Replicates that judge the best of a claim about a mean, at most."""


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
    shrunk      the simplest candidate that does the same; None where there is none
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
            "smallest_c": _finite(self.smallest_c),
            "evaluations": self.evaluations,
            "seed": self.seed,
            "families": self.families,
            "refused": self.refused,
            "dropped": self.dropped,
            "values": self.values,
        }


def tried_json(tried: Tried | None) -> dict[str, Any] | None:
    """A candidate and what it shows, as plain numbers and texts."""
    if tried is None:
        return None
    candidate = tried.candidate
    return {
        "problem": repr(candidate.case.problem),
        "methods": [m.__name__ for m in candidate.case.methods],
        "norm": repr(candidate.case.norm),
        "rules": {name: str(rule) for name, rule in candidate.case.rules.items()},
        "certificates": [repr(c.assumption) for c in candidate.case.certificates],
        "start": candidate.x0.tolist(),
        "state": None if candidate.state is None else dict(candidate.state),
        "horizon": candidate.horizon,
        "k": tried.k,
        "ratio": _finite(tried.ratio),
        "excess": _finite(tried.excess),
        "measured": _finite(tried.measured),
        "bound": _finite(tried.bound),
        "tolerance": _finite(tried.tolerance),
        "how": tried.how,
        "replicates": tried.replicates,
    }


def _finite(number: float | None) -> float | None:
    return number if number is not None and abs(number) < float("inf") else None


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
    nothing. A pure function of its arguments: same seed, same result.

    budget    evaluations: runs of the method, or states of a step claim; the last batch may exceed it
    drop      an assumption to leave out, itself or the name of its class: see ``without``. Its constants are
              tried from the weakest claim to the strongest, each with a share of the budget
    steps     length of the runs; several lengths by default
    keep      is told of each better candidate: what an interrupted search leaves
    progress  is told evaluations done, their budget and what is tried
    simplify  shrink what is found

    ValueError for a budget, steps or a seed that is none, and for an assumption that the theorem does not
    make. NothingToTryError, a ValueError, where the theorem applies to none of the problems or of their
    families.
    """
    require_dimension(budget=budget)
    require_seed(seed)
    if steps is not None:
        require_dimension(steps=steps)
    for problem in problems:
        if not type(problem).__module__.startswith("problems."):
            require_well_formed(problem)
    with one_thread():
        if drop is None:
            attempts = Attempts(theorem, budget, seed, implications, steps, keep, progress)
            return _simplified(_searched(attempts, problems), simplify)
        return _simplified(
            _dropped(theorem, problems, drop, budget, seed, implications, steps, keep, progress), simplify
        )


def _dropped(
    theorem: Theorem,
    problems: Sequence[Problem],
    drop: str | type[Assumption],
    budget: int,
    seed: int,
    implications: Sequence[Implies],
    steps: int | None,
    keep: Keep | None,
    progress: Progress | None,
) -> Falsified:
    """The search without an assumption, its constants from the weakest claim to the strongest."""
    kind = assumed(theorem, drop) if isinstance(drop, str) else drop
    choices = dropped_values(theorem, kind)[::-1]
    found: list[Falsified] = []
    spent = 0
    for place, values in enumerate(choices):
        share = max(1, (budget - spent) // (len(choices) - place))
        attempts = Attempts(without(theorem, kind, values), share, seed, implications, steps, keep, progress)
        result = _searched(attempts, problems)
        texts = {name: str(value) for name, value in values.items()}
        spent += result.evaluations
        found.append(replace(result, evaluations=spent, dropped=kind.__name__, values=texts))
        if result.refuted or spent >= budget:
            break
    return max(found, key=lambda f: f.best.rank if f.best else (False, NOTHING, NOTHING))


def _searched(attempts: Attempts, problems: Sequence[Problem]) -> Falsified:
    """All phases, until the claim is refuted or the budget spent."""
    if attempts.theorem.kind == "slope":
        attempts.refuse("a claim about a slope is not searched: no finite run refutes a rate")
        return _told(attempts)
    found, whole = sources(problems), attempts.budget
    reserve = min(FRESH, whole // 5) if attempts.theorem.kind in MEANS else 0
    attempts.budget -= reserve
    with suppress(SpentError):
        members = library(attempts, problems, int(LIBRARY * attempts.budget))
        families = spread(attempts, found, int(SPREAD * attempts.budget))
        if not attempts.families:
            raise NothingToTryError(_nothing(attempts, problems))
        uphill(attempts, members, families)
    if attempts.theorem.kind in MEANS and attempts.best is not None:
        attempts.best = attempts.judged(attempts.best, max(reserve, BLOCK))
    return _told(attempts)


def _nothing(attempts: Attempts, problems: Sequence[Problem]) -> str:
    why = "; ".join(f"{reason} ({n} times)" for reason, n in attempts.refused.most_common(3))
    bare = sorted({p.family for p in problems if not type(p).space})
    spaces = f"; without a space, so that only members were tried: {', '.join(bare)}" if bare else ""
    return f"{attempts.theorem.id}: nothing to try on {len(problems)} problems: {why or 'no problem'}{spaces}"


def _told(attempts: Attempts) -> Falsified:
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
    )


def _simplified(found: Falsified, wanted: bool) -> Falsified:
    """With the simplest candidate that does the same; what was sampled is judged once more on other draws."""
    if found.best is None or not wanted:
        return found
    shrunk = shrink(found.best, evaluate_one)
    if shrunk.how == "replicates":
        shrunk = afresh(shrunk, found.seed + 2 * FRESH_SEED, FRESH)
    kept = shrunk if shrunk.refutes or not found.best.refutes else found.best
    return replace(found, shrunk=kept)
