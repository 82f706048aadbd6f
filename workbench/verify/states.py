"""The states at which a step claim is tried: those that runs visit, random ones, and those that are given."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.claims import axes_of
from workbench.draws import DrawStream
from workbench.engine import BLOCK
from workbench.match import Case
from workbench.methods.base import Method
from workbench.verify.budget import Budget
from workbench.verify.setting import NotApplicableError, Setting, set_up
from workbench.verify.starts import starts
from workbench.walk import walk

CLOSEST, FARTHEST = -4.0, 2.0
"""log10 of the distance of a random x from the minimiser, in units of the default start's."""

STEPS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
"""The steps of a run whose states are tried, and the last."""


class Pool(NamedTuple):
    """States with their steps. state: fields (rows, ...); k: (rows,) int64."""

    state: Any
    k: Tensor

    def at(self, rows: Tensor | slice) -> "Pool":
        """Some of them."""
        return Pool(type(self.state)(*(f[rows] for f in self.state)), self.k[rows])


def tried_states(case: Case, budget: Budget, seed: int, given: Mapping[str, Any] | None) -> Pool:
    """At most ``budget.states`` of runs and as many random ones; the given one first.

    NotApplicableError where the case applies to none of them.
    """
    pools = [] if given is None else [given_state(case, given)]
    visited = _visited(case, budget, seed)
    kept = torch.linspace(0, len(visited.k) - 1, min(len(visited.k), budget.states)).long()
    pools += [visited.at(kept), _random(case, budget.states, max(budget.steps - 1, 1), seed)]
    return joined(pools)


def joined(pools: list[Pool]) -> Pool:
    """All of them, in order."""
    kind = type(pools[0].state)
    fields = zip(*(p.state for p in pools), strict=True)
    return Pool(kind(*(torch.cat(f) for f in fields)), torch.cat([p.k for p in pools]))


def setting_of(case: Case, pool: Pool) -> Setting:
    """Parameters where every state plays the start; tables reach the step after the last."""
    return set_up(case, pool.state.x, int(pool.k.max()) + 1)


def shaped(tables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tables as methods take them: (batch or 1, K + 1, 1 or the axis of the name)."""
    return {name: t if axes_of(name) else t.unsqueeze(-1) for name, t in tables.items()}


def _method(setting: Setting) -> tuple[Method, dict[str, Tensor]]:
    return setting.methods()[0]


def _visited(case: Case, budget: Budget, seed: int) -> Pool:
    problem = case.problem
    x0 = starts(problem, seed, range(BLOCK))
    length = set_up(case, x0, 1).affordable(BLOCK, budget.steps)
    setting = set_up(case, x0, length)
    method, tables = _method(setting)
    stream = DrawStream(seed, range(BLOCK), method.draws(problem), "cpu")
    with torch.no_grad():
        walked = walk(method, problem, x0, length, stream, shaped(tables))
    steps = sorted({k for k in (*STEPS, length - 1) if k < length})
    pools = []
    for k in steps:
        alive = setting.rows & ((walked.diverged_at < 0) | (walked.diverged_at > k))
        pools.append(Pool(walked.states[k], torch.full((BLOCK,), k)).at(alive))
    return joined(pools)


def _random(case: Case, count: int, last: int, seed: int) -> Pool:
    problem, generator = case.problem, torch.Generator().manual_seed(seed)
    x0 = problem.x0
    centre = problem.x_star if problem.offers("x_star") else x0  # pyright: ignore[reportAttributeAccessIssue]
    unit = float((x0 - centre).norm()) or 1.0
    decades = CLOSEST + (FARTHEST - CLOSEST) * torch.rand(count, 1, generator=generator, dtype=x0.dtype)
    direction = torch.randn(count, problem.d, generator=generator, dtype=x0.dtype)
    x = centre + unit * 10**decades * direction / direction.norm(dim=-1, keepdim=True)
    if not case.methods[0].anywhere:
        x = problem.into_domain(x)
    k = torch.tensor([k for k in STEPS if k <= last])
    pool = Pool(
        set_up(case, x, 1).first_states(seed), k[torch.randint(len(k), (count,), generator=generator)]
    )
    setting = setting_of(case, pool)
    method, _ = _method(setting)
    return Pool(method.random_state(problem, pool.state, generator), pool.k).at(setting.rows)


def given_state(case: Case, fields: Mapping[str, Any]) -> Pool:
    """One state: what is not given is as at a start. NotApplicableError for a field that is none."""
    x = case.problem.x0 if "x" not in fields else torch.tensor(fields["x"], dtype=torch.float64)
    state = set_up(case, x.reshape(1, -1), 1).first_states()
    foreign = sorted(set(fields) - set(state._fields) - {"k"})
    if foreign:
        raise NotApplicableError(
            f"the state has no field {', '.join(foreign)}, but {', '.join(state._fields)}"
        )
    given = {n: torch.as_tensor(v, dtype=getattr(state, n).dtype) for n, v in fields.items() if n != "k"}
    shaped_fields = {n: v.reshape(getattr(state, n).shape) for n, v in given.items()}
    return Pool(state._replace(**shaped_fields), torch.tensor([int(fields.get("k", 0))]))
