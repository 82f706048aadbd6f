"""Several steps of a block, taken one after the other and looked at together.

Whether a state is finite, what a step costs and the errors that its oracles state are found for all steps of
a stretch at once: as if they were one batch, (steps * batch, ...).
"""

import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from problems.base import Problem
from workbench.draws import CHUNK, DrawStream
from workbench.methods.base import Method

MOST_ROWS = 2**12
"""Rows of a stretch, steps times replicates; what is made of them, such as a row of margins, is larger."""

MOST_BYTES = 2**21
"""Size of the states of a stretch, unless one alone is larger: they should stay in the cache."""


class Stretch(NamedTuple):
    """Steps k, ..., k + n - 1.

    old      states before each step, fields (n, batch, ...); rows that are lost stay as they last were finite
    new      what ``step`` returned, fields (n, batch, ...)
    draws    fields (n, batch, ...)
    alive    rows finite before each step and after the last one, (n + 1, batch); None where all are
    last     the state after the last step, its lost rows as in ``old``, fields (batch, ...)
    times    when each step was done
    """

    old: Any
    new: Any
    draws: SimpleNamespace
    alive: Tensor | None
    last: Any
    times: list[float]


class Course(NamedTuple):
    """What is walked: a method whose scheduled hyperparameters are ``tables``, (batch or 1, K + 1, ...)."""

    method: Method
    problem: Problem
    draws: DrawStream
    tables: Mapping[str, Tensor]

    def at(self, k: int) -> Method:
        """The method of step k."""
        return self.method.with_values({name: t[:, k] for name, t in self.tables.items()})

    def draw(self, k: int, now: Method) -> SimpleNamespace:
        """The draws of step k; spaces are those of the first step where nothing changes."""
        return self.draws.at(k, now.draws(self.problem) if self.tables else self.draws.spaces)

    def over(self, k: int, n: int, rows: int) -> Method:
        """The method of steps k, ..., k + n - 1 as one batch: hyperparameters (n * rows, ...)."""
        fixed = {name: getattr(self.method, name) for name in self.method.fields()}
        tensors = {name: v[None] for name, v in fixed.items() if isinstance(v, Tensor) and v.dim() == 2}
        tensors |= {name: t[:, k : k + n].transpose(0, 1) for name, t in self.tables.items()}
        wide = {name: v.expand(n, rows, -1).reshape(n * rows, -1) for name, v in tensors.items()}
        return self.method.with_values(wide)


def length(state: Any) -> int:
    """How many steps from a state, fields (batch, ...), are looked at together."""
    size = sum(f.nbytes for f in state)
    return max(1, min(CHUNK, MOST_ROWS // len(state.x), MOST_BYTES // max(size, 1)))


def stride(course: Course, state: Any, k: int, n: int) -> Stretch | None:
    """n steps from a state that is finite; None if one of them led to a number that is not."""
    states, draws, times = [state], [], []
    now = course.at(k)
    try:
        for step in range(k, k + n):
            now = course.at(step) if course.tables else now
            draw = course.draw(step, now)
            states.append(now.step(course.problem, states[-1], draw))
            draws.append(draw)
            times.append(time.perf_counter())
    except Exception:
        # a step need not stand a state that is not finite; all else is an error
        if all(all_finite(each) for each in states):
            raise
        return None
    old, new = _old_and_new(states)
    if not all_finite(new):
        return None
    return Stretch(old, new, _stacked_draws(draws), None, states[-1], times)


def careful(course: Course, state: Any, k: int, n: int, alive: Tensor) -> Stretch:
    """n steps, rows that are not finite any more frozen; ``alive``: those that are, (batch,)."""
    old, new, draws, flags, times = [], [], [], [alive], []
    for step in range(k, k + n):
        now = course.at(step)
        draw = course.draw(step, now)
        found = now.step(course.problem, state, draw)
        alive = alive & finite(found)
        old.append(state)
        new.append(found)
        draws.append(draw)
        flags.append(alive)
        state = kept_where(alive, found, state)
        times.append(time.perf_counter())
    return Stretch(stacked(old), stacked(new), _stacked_draws(draws), torch.stack(flags), state, times)


def spent(course: Course, s: Stretch, k: int) -> tuple[dict[str, Tensor], Tensor]:
    """What each step cost, unit -> (n, batch), lost rows nothing, and the errors stated, (n, batch)."""
    n, rows = s.new.x.shape[:2]
    method, old = course.over(k, n, rows), _as_batch(s.old)
    draws = SimpleNamespace(**{name: v.flatten(0, 1) for name, v in vars(s.draws).items()})
    costs = {unit: c.reshape(n, rows) for unit, c in method.cost(course.problem, old, draws).items()}
    if s.alive is not None:
        costs = {unit: torch.where(s.alive[:-1], c, torch.zeros_like(c)) for unit, c in costs.items()}
    stated = method.x_error(course.problem, old, _as_batch(s.new))
    return costs, torch.as_tensor(stated, dtype=s.new.x.dtype, device=s.new.x.device).expand(
        n * rows
    ).reshape(n, rows)


# -- states -----------------------------------------------------------------------------------------


def stacked(states: Sequence[Any]) -> Any:
    """One state with a leading axis."""
    if len(states) == 1:
        return type(states[0])(*(f[None] for f in states[0]))
    return type(states[0])(*map(torch.stack, zip(*states, strict=True)))


def all_finite(state: Any) -> bool:
    """Whether every number is finite. A sum is quick, and not finite if a term is not; it may overflow."""
    fields = [f for f in state if f.is_floating_point()]
    return all(bool(f.sum().isfinite()) or bool(f.isfinite().all()) for f in fields)


def finite(state: Any) -> Tensor:
    """Whether every number of a row is finite, (batch,)."""
    fields = [f for f in state if f.is_floating_point()]
    return torch.stack([torch.isfinite(f).reshape(f.shape[0], -1).all(1) for f in fields]).all(0)


def as_rows(flags: Tensor, like: Tensor, axes: int = 1) -> Tensor:
    """Flags of the leading axes, ready to broadcast against ``like``."""
    return flags.reshape(*flags.shape, *([1] * (like.dim() - axes)))


def kept_where(alive: Tensor, new: Any, old: Any) -> Any:
    """``new`` in the rows that are alive, else ``old``."""
    return type(new)(*(torch.where(as_rows(alive, n), n, o) for n, o in zip(new, old, strict=True)))


def blanked(alive: Tensor, state: Any) -> Any:
    """nan in the rows that are not alive; whole numbers stay."""
    return type(state)(
        *(torch.where(as_rows(alive, f), f, torch.nan) if f.is_floating_point() else f for f in state)
    )


def _old_and_new(states: list[Any]) -> tuple[Any, Any]:
    """All states but the last, all but the first, as two views of one stack."""
    if len(states) == 2:
        return stacked(states[:1]), stacked(states[1:])
    both = stacked(states)
    return type(both)(*(f[:-1] for f in both)), type(both)(*(f[1:] for f in both))


def _as_batch(state: Any) -> Any:
    return type(state)(*(f.flatten(0, 1) for f in state))


def _stacked_draws(draws: list[SimpleNamespace]) -> SimpleNamespace:
    return SimpleNamespace(**{name: torch.stack([vars(d)[name] for d in draws]) for name in vars(draws[0])})
