"""A case at given starts: what is known in advance, parameters by rule, and to which starts it applies."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.draws import STREAM_INIT, DrawStream
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.methods.base import Method
from workbench.verify.environment import (
    at_start,
    borrowed,
    constants,
    facts,
    make_method,
    solve_rules,
    valid_rows,
)

FLOATS = 2**26
"""Numbers that the states of a block of runs may hold."""


class NotApplicableError(Exception):
    """The parameter rules or ``requires`` exclude all starts; says why."""


class UnknownStartError(NotApplicableError):
    """What the parameter rules or ``requires`` speak of is nan at a start in the domain."""


@dataclass(frozen=True)
class Setting:
    """Parameters of a case from starts x0, (batch, d), for ``horizon`` steps.

    known   facts, constants and quantities at the start; (batch or 1, K + 1 or 1, *axes)
    solved  the hyperparameters that are numbers, same shape
    rows    (batch,) starts to which the case applies; the others borrow values of one that it does
    """

    case: Case
    x0: Tensor
    horizon: int
    known: dict[str, Tensor]
    solved: dict[str, Tensor]
    rows: Tensor

    def first_states(self, seed: int = 0, first: int = 0) -> Any:
        """States with which runs of the first method start, (batch, ...), from replicate ``first`` on."""
        method, _ = self.methods()[0]
        spaces = method.draws(self.case.problem)
        stream = DrawStream(seed, range(first, first + self.x0.shape[0]), spaces, "cpu")
        with torch.no_grad():
            return method.init(self.case.problem, self.x0, stream.at(0, spaces, STREAM_INIT))

    def affordable(self, rows: int, steps: int) -> int:
        """Steps, at most ``steps`` and at least 1, whose states of so many rows fit into memory."""
        return max(1, min(steps, FLOATS // (rows * numbers_in(self.first_states()))))

    def methods(self) -> list[tuple[Method, dict[str, Tensor]]]:
        """Each method of the case, with the tables of what changes with k."""
        return [make_method(m, self.solved, self.case.norm, self.case.options) for m in self.case.methods]


def numbers_in(state: Any) -> int:
    """Numbers in one row of a state."""
    return sum(field[0].numel() for field in state)


def set_up(case: Case, x0: Tensor, horizon: int, wanted: Tensor | None = None) -> Setting:
    """The setting. wanted: starts that count, (batch,), or all.

    NotApplicableError if none is left; UnknownStartError if something asked for is nan at one of them.
    """
    problem, requires = case.problem, case.theorem.requires
    count = torch.ones(x0.shape[0], dtype=torch.bool) if wanted is None else wanted
    try:
        own = constants(case)
    except ValueError as error:
        raise NotApplicableError(str(error)) from None
    started = at_start(case.theorem, problem, x0)
    known = {**facts(problem, horizon), **own, **started}
    solved = solve_rules(case.number_rules, known, horizon)
    required = Evaluator({**known, **solved}, horizon)(requires).expand(x0.shape[0], -1)
    inside = problem.contains(x0) | all(m.anywhere for m in case.methods)
    if not bool((inside & count).any()):
        raise NotApplicableError("its start is outside the domain")
    _require_known(started, x0, inside & count)
    x0, count = borrowed(x0, inside), count & inside
    rows = required[:, : max(1, horizon if required.shape[1] > 1 else 1)].all(1) & count
    if not bool(rows.any()):
        raise NotApplicableError(f"requires {requires}")
    valid, error = valid_rows(case, solved, len(rows))
    rows = rows & valid
    if not bool(rows.any()):
        raise NotApplicableError(f"the parameter rules give no valid method: {error}")
    solved = {name: borrowed(value, valid) for name, value in solved.items()}
    return Setting(case, x0, horizon, known, solved, rows)


def _require_known(started: dict[str, Tensor], x0: Tensor, asked: Tensor) -> None:
    """UnknownStartError naming the first quantity that is nan where it is asked for, (batch,)."""
    for name, value in started.items():
        lost = value.flatten(1).isnan().any(1) & asked & x0.isfinite().all(-1)
        if bool(lost.any()):
            row = int(lost.nonzero()[0])
            raise UnknownStartError(f"{name} is nan at the start {x0[row].tolist()}")
