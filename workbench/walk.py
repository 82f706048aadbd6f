"""The only loop: where it starts, a block of replicates, step by step, and a memory of what was walked."""

import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_points
from problems.base import Problem
from workbench.draws import STREAM_INIT, DrawStream
from workbench.methods.base import Method
from workbench.stretch import Course, Stretch, blanked, careful, finite, length, spent, stride

RECORDED = 400
"""Bytes that a recorded step takes beside its numbers, at least: a named tuple and the tensors in it."""


class Walk(NamedTuple):
    """What a block leaves behind; rows that stopped being finite are nan from ``diverged_at`` on.

    kept         recorded steps, the last one always
    states       one per recorded step, fields (batch, ...)
    before       the iterate one step before each recorded step (of step 0: itself); None where every step is
                 recorded
    stated       errors that the oracles stated until then, added up, (batch, len(kept))
    reach        largest |x| until then, (batch, len(kept))
    costs        spent until then, unit -> (batch, len(kept))
    seconds      since the start, (len(kept),)
    diverged_at  (batch,), -1 where never
    """

    kept: list[int]
    states: list[Any]
    before: list[Tensor] | None
    stated: Tensor
    reach: Tensor
    costs: dict[str, Tensor]
    seconds: Tensor
    diverged_at: Tensor


def starts(
    problem: Problem, x0: Tensor | None, replicates: int | None, device: str, anywhere: bool
) -> Tensor:
    """One start per replicate, (replicates, d) in float64, on the device. ValueError for what is none."""
    require_device(device)
    start = problem.x0 if x0 is None else x0
    require_points(start, problem.d, "x0")
    if start.dim() > 2:
        raise ValueError(f"x0 must be (d,) or (replicates, d), got {tuple(start.shape)}")
    if not bool(torch.isfinite(start).all()):
        raise ValueError("x0 must be finite")
    start = torch.atleast_2d(start).detach().to(device, torch.float64)
    rows = start.shape[0] if replicates is None else replicates
    require_dimension(replicates=rows)
    if start.shape[0] not in (1, rows):
        raise ValueError(
            f"x0 has {start.shape[0]} rows for {rows} replicates; (d,) or (replicates, d) is accepted"
        )
    start = start.expand(rows, -1)
    if not anywhere and not bool(problem.contains(start).all()):
        raise ValueError(f"x0 is outside the domain of {problem!r}")
    return start


def require_device(device: str) -> None:
    """ValueError unless torch can hold and read float64 numbers there."""
    try:
        torch.zeros(1, dtype=torch.float64, device=device).item()
    except (RuntimeError, TypeError, AssertionError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(
            f"device must be 'cpu', or 'cuda' where torch has it, got {device!r}: {why}"
        ) from None


def require_room(steps: int, every: int, numbers: int) -> None:
    """ValueError where the recorded steps, each of so many numbers, cannot fit into the machine's memory."""
    recorded = -(-steps // every) + 1
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if steps >= 2**63:
        raise ValueError(f"steps must be below 2**63, got {steps}")
    if recorded * (8 * numbers + RECORDED) > memory:
        raise ValueError(
            f"steps={steps} with every={every} records {recorded} steps, which do not fit into the "
            f"{memory / 2**30:.3g} GiB of this machine; take fewer steps, or a larger every"
        )


def walk(
    method: Method,
    problem: Problem,
    x0: Tensor,
    steps: int,
    draws: DrawStream,
    tables: Mapping[str, Tensor],
    every: int = 1,
) -> Walk:
    """Run one block from x0: (batch, d); every N-th step is recorded, and the last.

    tables: hyperparameters that change with k, (batch or 1, K + 1, 1 or an axis). Steps are taken many at a
    time; where that leads to a number that is not finite they are taken again, one by one.
    """
    course = Course(method, problem, draws, tables)
    record = _Record(steps, every)
    first = course.at(0)
    state = first.init(problem, x0, draws.at(0, first.draws(problem), STREAM_INIT))
    alive = finite(state)
    record.start(blanked(alive, state), alive)
    k = 0
    while k < steps:
        n = min(length(state), steps - k)
        done = stride(course, state, k, n) if bool(alive.all()) else None
        done = done or careful(course, state, k, n, alive)
        record.add(course, done, k)
        state, k = done.last, k + n
        alive = alive if done.alive is None else done.alive[-1]
    return record.walk()


class _Record:
    """The recorded steps so far, and totals over all steps, (batch,)."""

    def __init__(self, steps: int, every: int) -> None:
        self.began = time.perf_counter()
        self.steps, self.every, self.thin = steps, every, every > 1

    def start(self, state: Any, alive: Tensor) -> None:
        """Step 0."""
        self.diverged_at = torch.where(alive, -1, 0)
        self.states, self.before, self.seconds = [state], [state.x], [0.0]
        self.zero = torch.zeros_like(state.x[:, 0])
        self.reach, self.stated = state.x.norm(dim=-1).nan_to_num(0.0), self.zero
        self.costs: dict[str, Tensor] = {}
        self.tables = [({}, self.zero[None], self.reach[None])]

    def add(self, course: Course, s: Stretch, k: int) -> None:
        """Steps k + 1, ..., k + n."""
        n = len(s.times)
        places = list(range(-(k + 1) % self.every, n, self.every))
        if k + n == self.steps and self.steps % self.every:
            places.append(n - 1)
        self.seconds += [s.times[i] - self.began for i in places]
        after = None if s.alive is None else s.alive[1:]
        for i in places:
            # a view would keep the whole stretch
            state = type(s.new)(*(f[i].clone() if self.thin else f[i] for f in s.new))
            self.states.append(state if after is None else blanked(after[i], state))
            if self.thin:
                self.before.append(s.old.x[i].clone())
        size = s.new.x.norm(dim=-1)
        if s.alive is not None and after is not None:
            lost = s.alive[:-1] & ~after
            self.diverged_at = torch.where(lost.any(0), k + 1 + lost.int().argmax(0), self.diverged_at)
            size = torch.where(after, size, 0.0)
        costs, stated = spent(course, s, k)
        self._total(places, costs, stated, size)

    def _total(self, places: list[int], costs: dict[str, Tensor], stated: Tensor, size: Tensor) -> None:
        """Continue the totals and the largest |x|, and keep them at the recorded steps."""
        running: dict[str, Tensor] = {}
        for unit in {**self.costs, **costs}:
            before = self.costs.get(unit, self.zero)[None]
            spent = costs[unit].to(before) if unit in costs else before.expand(len(size), -1) * 0
            running[unit] = torch.cat([before, spent]).cumsum(0)[1:]
        errors = torch.cat([self.stated[None], stated]).cumsum(0)[1:]
        reach = torch.cat([self.reach[None], size]).cummax(0).values[1:]
        self.costs = {unit: total[-1] for unit, total in running.items()}
        self.stated, self.reach = errors[-1], reach[-1]
        kept = {unit: total[places] for unit, total in running.items()}
        self.tables.append((kept, errors[places], reach[places]))

    def walk(self) -> Walk:
        """All of it."""
        nothing = [{u: torch.zeros_like(stated) for u in self.costs} for _, stated, _ in self.tables]
        costs = [{**zeros, **kept} for zeros, (kept, _, _) in zip(nothing, self.tables, strict=True)]
        rest = [self.steps] if self.steps % self.every else []
        return Walk(
            [*range(0, self.steps + 1, self.every), *rest],
            self.states,
            self.before if self.thin else None,
            torch.cat([stated for _, stated, _ in self.tables]).mT,
            torch.cat([reach for _, _, reach in self.tables]).mT,
            {unit: torch.cat([each[unit] for each in costs]).mT.cpu() for unit in self.costs},
            torch.tensor(self.seconds, dtype=torch.float64),
            self.diverged_at,
        )


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
        every: int = 1,
    ) -> Walk:
        """As ``walk``."""
        key = _key(method, problem, x0, (steps, every), draws, tables)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        done = walk(method, problem, x0, steps, draws, tables, every)
        size = sum(f.nbytes for state in done.states for f in state)
        self._kept[key] = (done, size, (method, problem))
        while len(self._kept) > 1 and sum(size for _, size, _ in self._kept.values()) > self.limit:
            self._kept.popitem(last=False)
        return done


def _key(
    method: Method,
    problem: Problem,
    x0: Tensor,
    counts: tuple[int, int],
    draws: DrawStream,
    tables: Mapping[str, Tensor],
) -> str:
    """Identity of a walk. Method and problem are kept beside it, so that their ids stay their own."""
    kind = type(method)
    fields = {name: value for name, value in vars(method).items() if not name.startswith("_")}
    parts: list[Any] = [id(kind), id(kind.step), id(problem), counts, x0.device, x0]
    parts += [draws.seed, draws.replicates]
    parts += [x for name, value in sorted(fields.items()) for x in (name, value)]
    parts += [x for name, table in sorted(tables.items()) for x in (name, table)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(repr(tuple(part.shape)).encode() if isinstance(part, Tensor) else repr(part).encode())
        digest.update(part.cpu().numpy().tobytes() if isinstance(part, Tensor) else b"|")
    return digest.hexdigest()
