"""Judge a claim about one step: E[measured | state] <= bound, exactly, at many states."""

from collections.abc import Mapping
from typing import Any

import torch

from problems.ball_newton import SolverError
from workbench.match import Case
from workbench.verify.ascent import climbed
from workbench.verify.budget import Budget
from workbench.verify.certificates import bad_certificate, bad_minimum
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
from workbench.verify.place import described, hyperparameters
from workbench.verify.setting import NotApplicableError
from workbench.verify.states import Pool, setting_of, tried_states

CLIMBERS, CLIMB = 16, 4
"""States from which the search for worse ones starts: at most so many, and a quarter of those that fit.

None where no more than the fewest fit: the state or its outcomes are too large for a search.
"""


def judge_step(case: Case, budget: Budget, seed: int, state: Mapping[str, Any] | None = None) -> Outcome:
    """The claim at visited, random and given states, and at worse ones found from the worst of them."""
    try:
        pool = tried_states(case, budget, seed, state)
        method, _ = setting_of(case, pool.at(slice(0, 1))).methods()[0]
        room = require_room(case, method, pool, budget.pairs)
        size = outcomes_of(method.draws(case.problem))
        pool = _thinned(pool, room, state is not None)
        outcome, tightness = _over(case, pool, size, seed)
        climbers = min(CLIMBERS, room // CLIMB, len(tightness)) if room > FEWEST else 0
        best = tightness.topk(climbers).indices
        best = best[tightness[best] > 0]
        if len(best) and not outcome.bad_certificate:
            outcome = outcome.merged(_climbed(case, pool.at(best), size, budget, seed))
    except SolverError as error:
        return Outcome(obstacle=f"a solver stopped: {error}")
    except NotApplicableError as error:
        return Outcome(not_applicable=str(error))
    return outcome


def _climbed(case: Case, pool: Pool, size: float, budget: Budget, seed: int) -> Outcome:
    """What worse states show; nothing where the climb leads out of what a solver or the rules can take."""
    try:
        return _over(case, climbed(case, pool, budget.ascent), size, seed)[0]
    except (SolverError, NotApplicableError):
        return Outcome()


def _thinned(pool: Pool, room: int, first: bool) -> Pool:
    """As many states as there is room for; the first is kept where it was given."""
    rows = torch.linspace(0 if first else 0.0, len(pool.k) - 1, min(room, len(pool.k))).long()
    return pool.at(rows)


def _over(case: Case, pool: Pool, size: float, seed: int) -> tuple[Outcome, torch.Tensor]:
    """What all states of a pool show, and the tightness of each."""
    outcome, tightness = Outcome(), []
    for part in chunks(pool, size):
        found = judged(case, part)
        bad = bad_minimum(case, found.numbers)
        bad = bad or bad_certificate(case, found.x, found.comparison.excess.expand(-1, 2))
        place = _Place(case, part, found, seed)
        outcome = outcome.merged(
            summed_up(found.comparison, place, replicates=len(part.k), steps=1, bad=bad), added=True
        )
        tightness.append(found.comparison.tightness[:, 0])
    return outcome, torch.cat(tightness)


class _Place:
    """Describes a state, enough to judge it again."""

    def __init__(self, case: Case, pool: Pool, found: Judged, seed: int) -> None:
        self.case, self.pool, self.found, self.seed = case, pool, found, seed

    def __call__(self, row: int) -> dict[str, Any] | None:
        c = self.found.comparison
        if not bool(c.asked[row, 0]):
            return None
        return {
            **described(self.case, self.seed, 1),
            "k": int(self.pool.k[row]),
            "row": row,
            "measured": float(c.measured[row, 0]),
            "bound": float(c.bound[row, 0]),
            "tolerance": float(c.tolerance[row, 0]),
            "hyperparameters": hyperparameters(self.found.setting.solved, row, int(self.pool.k[row])),
            "state": state_fields(self.pool, row),
        }
