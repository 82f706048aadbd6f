"""The only loop: a block of replicates, step by step, and a memory of walks that are asked for again."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from problems.base import Problem
from workbench.draws import STREAM_INIT, DrawStream
from workbench.methods.base import Method


class Walk(NamedTuple):
    """What a block leaves behind; rows that stopped being finite are nan from ``diverged_at`` on.

    states       one per step 0..K, fields (batch, ...)
    stated       error that the oracles state for each step, (batch, K + 1)
    costs        what each step spent, unit -> (batch,); nothing at step 0
    seconds      since the start, at each step
    diverged_at  (batch,), -1 where never
    """

    states: list[Any]
    stated: Tensor
    costs: list[dict[str, Tensor]]
    seconds: list[float]
    diverged_at: Tensor


def walk(
    method: Method,
    problem: Problem,
    x0: Tensor,
    steps: int,
    draws: DrawStream,
    tables: Mapping[str, Tensor],
) -> Walk:
    """Run one block from x0: (batch, d); ``tables`` as in ``Memory.walk``."""

    def at(k: int) -> Method:
        return method.with_values({name: t[:, k] for name, t in tables.items()})

    started = time.perf_counter()
    state = at(0).init(problem, x0, draws.at(0, at(0).draws(problem), STREAM_INIT))
    alive = _finite(state)
    diverged_at = torch.where(alive, -1, 0)
    states, costs, seconds = [_blanked(alive, state)], [{}], [0.0]
    stated = x0.new_zeros(x0.shape[0], steps + 1)
    whole = bool(alive.all())
    for k in range(steps):
        now = at(k)
        draw = draws.at(k, now.draws(problem))
        spent = now.cost(problem, state, draw)
        new = now.step(problem, state, draw)
        stated[:, k + 1] = now.x_error(problem, state, new)
        if whole and _all_finite(new):
            # nothing to freeze, which spares the copies
            costs.append({u: c.cpu() for u, c in spent.items()})
            state = new
            states.append(new)
        else:
            costs.append({u: torch.where(alive, c, torch.zeros_like(c)).cpu() for u, c in spent.items()})
            finite = _finite(new)
            diverged_at = torch.where(alive & ~finite, k + 1, diverged_at)
            alive = alive & finite
            whole = bool(alive.all())
            state = type(new)(
                *(torch.where(as_rows(alive, n), n, o) for n, o in zip(new, state, strict=True))
            )
            states.append(_blanked(alive, new))
        seconds.append(time.perf_counter() - started)
    return Walk(states, stated, costs, seconds, diverged_at)


class Memory:
    """Walks of the last blocks, for the next theorem about the same method, problem and rule.

    limit: bytes kept; the oldest walks go first. A walk is a pure function of what it is asked for: the
    method's class and hyperparameters, the problem (this very object), start, seed, rows and tables.
    """

    def __init__(self, limit: int = 2**27) -> None:
        self.limit = limit
        self._kept: OrderedDict[str, tuple[Walk, int, Any]] = OrderedDict()

    def walk(
        self,
        method: Method,
        problem: Problem,
        x0: Tensor,
        steps: int,
        draws: DrawStream,
        tables: Mapping[str, Tensor],
    ) -> Walk:
        """As ``walk``. tables: hyperparameters that change with k, (batch or 1, K + 1, 1 or an axis)."""
        key = _key(method, problem, x0, steps, draws, tables)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        done = walk(method, problem, x0, steps, draws, tables)
        size = sum(f.nbytes for state in done.states for f in state)
        self._kept[key] = (done, size, (method, problem))
        while len(self._kept) > 1 and sum(size for _, size, _ in self._kept.values()) > self.limit:
            self._kept.popitem(last=False)
        return done


def _key(
    method: Method, problem: Problem, x0: Tensor, steps: int, draws: DrawStream, tables: Mapping[str, Tensor]
) -> str:
    """Identity of a walk. Method and problem are kept beside it, so that their ids stay their own."""
    kind = type(method)
    fields = {name: value for name, value in vars(method).items() if not name.startswith("_")}
    parts: list[Any] = [id(kind), id(kind.step), id(problem), steps, x0.device, x0]
    parts += [draws.seed, draws.replicates]
    parts += [x for name, value in sorted(fields.items()) for x in (name, value)]
    parts += [x for name, table in sorted(tables.items()) for x in (name, table)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(tuple(part.shape)).encode() if isinstance(part, Tensor) else repr(part).encode())
        digest.update(part.cpu().numpy().tobytes() if isinstance(part, Tensor) else b"|")
    return digest.hexdigest()


def _all_finite(state: Any) -> bool:
    """Whether every number of every row is finite: 0 times a finite number is 0."""
    return all(bool(torch.isfinite(f).all()) for f in state if f.is_floating_point())


def _finite(state: Any) -> Tensor:
    """Whether every number of a row is finite, (batch,)."""
    fields = [f for f in state if f.is_floating_point()]
    return torch.stack([torch.isfinite(f).reshape(f.shape[0], -1).all(1) for f in fields]).all(0)


def as_rows(flags: Tensor, like: Tensor, axes: int = 1) -> Tensor:
    """Flags of the leading axes, ready to broadcast against ``like``."""
    return flags.reshape(*flags.shape, *([1] * (like.dim() - axes)))


def _blanked(alive: Tensor, state: Any) -> Any:
    """nan in the rows that are not alive; whole numbers stay."""
    return type(state)(
        *(torch.where(as_rows(alive, f), f, torch.nan) if f.is_floating_point() else f for f in state)
    )
