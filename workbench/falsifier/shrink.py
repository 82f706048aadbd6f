"""The simplest instance that still does what a found one does."""

from collections.abc import Callable
from math import inf, isnan

from workbench.falsifier.candidate import NOTHING, Candidate, Tried
from workbench.falsifier.simpler import Lazy, settled, simpler, weight

TRIES = 800
"""Changes that are tried at most."""
WITHIN = 1e-3
"""A best one that does not refute may lose so much of its ratio."""
CLEARLY = 1.01
"""A violation stays at least so large, or as large as it was."""

Accept = Callable[[Tried], bool]


def alike(tried: Tried) -> Accept:
    """Whether another candidate shows the same.

    Of a violation: still one beyond rounding, and by at least one per cent where it was. Of an estimate over
    replicates: at least half of what it exceeds 1 by. Of a best one that does not refute: its ratio, up to
    0.1 per cent.
    """

    def accept(other: Tried) -> bool:
        if other.bad:
            return False
        if tried.how == "replicates" and tried.refutes:
            return other.ratio >= 1 + (tried.ratio - 1) / 2
        if tried.refutes:
            return other.refutes and _factor(other) >= min(_factor(tried), CLEARLY)
        return tried.ratio > NOTHING and other.ratio >= (1 - WITHIN) * tried.ratio

    return accept


def _factor(tried: Tried) -> float:
    """measured / bound at the violation; inf where there is none: beside a bound of 0, of an equality."""
    two_sided = tried.candidate.case.theorem.kind in ("exact", "equal")
    plain = not two_sided and tried.bound > 0 and not isnan(tried.measured)
    return tried.measured / tried.bound if plain else inf


def shrink(
    tried: Tried,
    evaluate_one: Callable[[Candidate], Tried],
    accept: Accept | None = None,
    most: int = TRIES,
) -> Tried:
    """The simplest candidate that greedy changes reach, each of which ``accept`` lets pass.

    Again and again until none helps: fewer steps, fewer coordinates, terms and entries, whole numbers lower,
    rounder numbers, a start or a state at 0, 1 and -1, hyperparameters as the theorem states them. Each makes
    the candidate simpler in the order of ``weight``. Deterministic; at most ``most`` tries.
    """
    accept = accept or alike(tried)
    best = _first(tried, evaluate_one, accept)
    changes, index, failed = list(simpler(best)), 0, 0
    for _ in range(most):
        if failed >= len(changes):
            break
        found = _tried(changes[index % len(changes)], best, evaluate_one)
        if found is not None and accept(found):  # go on at the same place of the new list
            best, failed = found, 0
            changes = list(simpler(best))
        else:
            index, failed = index + 1, failed + 1
    return best


def _first(tried: Tried, evaluate_one: Callable[[Candidate], Tried], accept: Accept) -> Tried:
    """With the start in the problem, where that shows the same."""
    try:
        found = evaluate_one(settled(tried.candidate))
    except Exception:
        return tried
    return found if accept(found) else tried


def _tried(change: Lazy, best: Tried, evaluate_one: Callable[[Candidate], Tried]) -> Tried | None:
    """What a change shows; None where it is not simpler, cannot be made or cannot be run."""
    try:
        candidate = change()
        return evaluate_one(candidate) if weight(candidate) < weight(best.candidate) else None
    except Exception:
        return None
