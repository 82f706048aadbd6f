"""Judge a claim about every run: runs in blocks, both sides of the claim at every step."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from workbench.engine import BLOCK
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.trace import Trace
from workbench.verify.attempt import attempted
from workbench.verify.budget import Budget
from workbench.verify.certificates import bad_facts
from workbench.verify.claim import SUSPECT, Comparison, asked_where, at_next, compare
from workbench.verify.environment import X_ERROR, Numbers, numbers, run_case
from workbench.verify.outcome import Outcome
from workbench.verify.place import found_at
from workbench.verify.setting import NotApplicableError, Setting, set_up
from workbench.verify.starts import starts

ROUNDINGS = 8
"""Errors of one run that a difference of two iterates may hold."""


def judge_path(case: Case, budget: Budget, seed: int) -> Outcome:
    """All horizons and blocks of the budget."""
    horizons = budget.horizons if case.horizon_only else (budget.steps,)
    outcome = Outcome()
    for horizon in horizons:
        for block in range((budget.starts + BLOCK - 1) // BLOCK):
            asked = min(BLOCK, budget.starts - block * BLOCK)
            found = attempted(partial(judge_block, case, horizon, block, seed, asked))
            outcome = outcome.merged(replace(found, replicates=block * BLOCK + asked))
    return outcome


def judge_block(case: Case, horizon: int, block: int, seed: int, asked: int = BLOCK) -> Outcome:
    """One block at one horizon; the first ``asked`` replicates of it count."""
    comparison, found, setting = measure_block(case, horizon, block, seed, asked)

    def place(row: int, k: int) -> dict[str, Any] | None:
        start = {"block": block, "row": row, "x0": setting.x0[row].tolist()}
        return found_at(case, comparison, (row, k), setting.solved, k, seed=seed, horizon=horizon, **start)

    bad = bad_facts(case, found, comparison.excess)
    return summed_up(comparison, place, replicates=asked, steps=horizon, bad=bad)


Place = Callable[[int, int], dict[str, Any] | None]
"""Describes the entry (row, column) of a comparison."""


def summed_up(comparison: Comparison, place: Place, *, replicates: int, steps: int, bad: str) -> Outcome:
    """Counts, and the worst and the tightest entry."""
    excess, tightness = comparison.excess, comparison.tightness
    # a violation by a number says more than one by nan
    by_number = torch.where(comparison.measured.isnan(), -torch.inf, excess)
    worst = int((by_number if bool((by_number > SUSPECT).any()) else excess).argmax())
    tight = int(tightness.argmax())
    return Outcome(
        checked=int(comparison.compared.sum()),
        undecided=int((comparison.asked & (comparison.tolerance == torch.inf)).sum()),
        violations=int((excess > SUSPECT).sum()),
        undefined=int(comparison.undefined.sum()),
        replicates=replicates,
        steps=steps,
        excess=float(excess.flatten()[worst]),
        worst=place(*divmod(worst, excess.shape[1])),
        tightness=float(tightness.flatten()[tight]),
        tight=place(*divmod(tight, excess.shape[1])),
        bad_certificate=bad,
    )


def measure_block(
    case: Case, horizon: int, block: int, seed: int, asked: int = BLOCK
) -> tuple[Comparison, Numbers, Setting]:
    """Run a whole block and compare both sides on its first ``asked`` replicates.

    A pure function of its arguments; the block is run whole whatever is asked, for its last digits
    depend on the batch.
    """
    x0 = starts(case.problem, seed, range(block * BLOCK, (block + 1) * BLOCK))
    return measure(case, x0, horizon, seed, first=block * BLOCK, asked=asked)


def measure(
    case: Case, x0: Tensor, horizon: int, seed: int, first: int = 0, asked: int | None = None
) -> tuple[Comparison, Numbers, Setting]:
    """Run from the starts x0, (batch, d), and compare both sides on the first ``asked`` of them, or on all.

    first: the number of the first replicate, which decides its draws.
    """
    count = x0.shape[0] if asked is None else asked
    setting = set_up(case, x0, horizon, torch.arange(x0.shape[0]) < count)
    traces = [
        run_case(case, method, tables, setting.x0, horizon, seed, read=index == 0, first=first)
        for index, (method, tables) in enumerate(setting.methods())
    ]
    found = numbers(case, traces[0], setting.solved)
    _require_monotone(case, found)
    if case.theorem.kind == "equal":
        return _same_iterates(case, traces, found, setting.rows), found, setting
    return compare(case, found, setting.rows), found, setting


def _require_monotone(case: Case, found: Numbers) -> None:
    """A lower bound of f may stand for f_star only if a larger gap0 makes the bound weaker."""
    if case.problem.offers("f_star") or "gap0" not in found.values:
        return
    larger = {**found.values, "gap0": 1.5 * found.values["gap0"] + 1}
    now, then = (Evaluator(v, found.steps)(case.theorem.bound) for v in (found.values, larger))
    if bool((then < now).any()):
        raise NotApplicableError("the bound falls as gap0 grows: a lower bound of f cannot stand for f_star")


def _same_iterates(case: Case, traces: list[Trace], found: Numbers, rows: Tensor) -> Comparison:
    """Kind equal: the distance of the iterates after step k against zero, up to the error of both runs."""
    one, two = (t.x for t in traces)
    assert one is not None
    assert two is not None
    both_lost = ~one.isfinite().all(-1) & ~two.isfinite().all(-1)
    errors = [t[X_ERROR].nan_to_num(nan=0.0, posinf=0.0) for t in traces]
    tolerance = ROUNDINGS * (errors[0] + errors[1])
    lost = at_next(found.lost)
    asked = asked_where(case, found, lost) & rows[:, None] & ~at_next(both_lost)
    asked[:, -1] = False
    return Comparison(
        measured=at_next((one - two).norm(dim=-1)),
        bound=torch.zeros(one.shape[:2], dtype=one.dtype),
        tolerance=at_next(tolerance).clamp(min=torch.finfo(one.dtype).tiny),
        asked=asked,
        lost=lost,
    )
