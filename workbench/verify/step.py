"""Judge a claim about one step: E[measured | state] <= bound, exactly, at many states."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import torch

from problems.ball_newton import SolverError
from workbench.match import Case
from workbench.verify.ascent import climbed
from workbench.verify.budget import Budget
from workbench.verify.certificates import bad_facts
from workbench.verify.enumeration import (
    FEWEST,
    Judged,
    chunks,
    judged,
    outcomes_of,
    require_room,
    state_fields,
)
from workbench.verify.outcome import Outcome
from workbench.verify.path import summed_up
from workbench.verify.place import found_at
from workbench.verify.setting import NotApplicableError
from workbench.verify.states import Pool, setting_of, tried_states

CLIMBERS, CLIMB = 16, 4
"""States from which the search for worse ones starts: at most so many, and a quarter of those that fit.

None where no more than the fewest fit: the state or its outcomes are too large for a search.
"""


def judge_step(case: Case, budget: Budget, seed: int, state: Mapping[str, Any] | None = None) -> Outcome:
    """The claim at visited, random and given states, and at worse ones found from the worst of them."""
    pool = tried_states(case, budget, seed, state)
    method, _ = setting_of(case, pool.at(slice(0, 1))).methods()[0]
    room = require_room(case, method, pool, budget.pairs)
    size = outcomes_of(method.draws(case.problem))
    pool = _thinned(pool, room)
    outcome, tightness = _over(case, pool, size, seed)
    climbers = min(CLIMBERS, room // CLIMB, len(tightness)) if room > FEWEST else 0
    best = tightness.topk(climbers).indices
    best = best[tightness[best] > 0]
    if len(best) and not outcome.bad_certificate:
        outcome = outcome.merged(_climbed(case, pool.at(best), size, budget, seed))
    return outcome


def _climbed(case: Case, pool: Pool, size: float, budget: Budget, seed: int) -> Outcome:
    """What worse states show; nothing where the climb leads out of what a solver or the rules can take."""
    try:
        return _over(case, climbed(case, pool, budget.ascent), size, seed)[0]
    except (SolverError, NotApplicableError):
        return Outcome()


def _thinned(pool: Pool, room: int) -> Pool:
    """As many states as there is room for, the first among them: one that was given stands there."""
    return pool.at(torch.linspace(0, len(pool.k) - 1, min(room, len(pool.k))).long())


def _over(case: Case, pool: Pool, size: float, seed: int) -> tuple[Outcome, torch.Tensor]:
    """What all states of a pool show, and the tightness of each."""
    outcome, tightness = Outcome(), []
    for part in chunks(pool, size):
        found = judged(case, part)
        bad = bad_facts(case, found.numbers, found.comparison.excess.expand(-1, 2), found.x)
        place = partial(_place, case, part, found, seed)
        outcome = outcome.merged(
            summed_up(found.comparison, place, replicates=len(part.k), steps=1, bad=bad), added=True
        )
        tightness.append(found.comparison.tightness[:, 0])
    return outcome, torch.cat(tightness)


def _place(case: Case, pool: Pool, found: Judged, seed: int, row: int, column: int) -> dict[str, Any] | None:
    k, solved = int(pool.k[row]), found.setting.solved
    state = {"row": row, "state": state_fields(pool, row)}
    return found_at(case, found.comparison, (row, column), solved, k, seed=seed, horizon=1, **state)
