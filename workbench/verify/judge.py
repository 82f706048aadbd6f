"""Judge one case, each kind of claim by its own means."""

from collections.abc import Callable, Mapping
from typing import Any

from workbench.match import Case
from workbench.verify.attempt import attempted
from workbench.verify.budget import Budget
from workbench.verify.mean import judge_mean
from workbench.verify.outcome import Outcome
from workbench.verify.path import judge_path
from workbench.verify.slope import judge_slope
from workbench.verify.step import judge_step

JUDGES: Mapping[str, Callable[[Case, Budget, int], Outcome]] = {
    "path": judge_path,
    "exact": judge_path,
    "equal": judge_path,
    "step": judge_step,
    "mean": judge_mean,
    "hp": judge_mean,
    "slope": judge_slope,
}


def judge(case: Case, budget: Budget, seed: int, state: Mapping[str, Any] | None = None) -> Outcome:
    """What the budget finds. state: of a step claim, fields of a state that must be among those tried."""
    if state is not None:
        return attempted(lambda: judge_step(case, budget, seed, state))
    return attempted(lambda: JUDGES[case.theorem.kind](case, budget, seed))
