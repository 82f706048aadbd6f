"""The only loop: run a method on a problem, replicates in blocks, and measure afterwards."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import require_dimension, require_points
from problems.base import Problem
from workbench.draws import STREAM_INIT, DrawStream
from workbench.methods.base import Method
from workbench.quantities import SHARED, Quantity, Reading, as_quantity
from workbench.trace import Trace

BLOCK = 64
"""Replicates that run together: matrix products differ in the last digits between batch sizes, so a
witness reruns its whole block."""

EPS = torch.finfo(torch.float64).eps

Schedule = Mapping[str, Tensor | Callable[[Tensor], Tensor]]


def run(
    method: Method,
    problem: Problem,
    x0: Tensor | None = None,
    *,
    steps: int,
    replicates: int | None = None,
    seed: int = 0,
    record: Sequence[str] = ("gap", "dist", "gradnorm"),
    every: int = 1,
    schedule: Schedule | None = None,
    norm: Norm = EUCLIDEAN,
    device: str = "cpu",
    keep_state: bool = False,
) -> Trace:
    """Run ``method`` for ``steps`` steps and record quantities.

    x0: (d,) or (replicates, d); the problem's start by default. ``schedule`` gives hyperparameters
    that change with k: a function of the tensor 0..steps, or a table (steps + 1,) or
    (replicates, steps + 1). ``record`` names quantities, shared or the method's; those that need a
    fact that the problem lacks are left out when they are the default, an error when asked for.
    ``every`` thins the record (measured after the run, in one pass).

    A replicate whose state becomes non-finite is frozen: nan from then on, step in ``diverged_at``.
    Raises ValueError for a bad argument and TypeError for a missing oracle, before step 0.
    """
    require_dimension(steps=steps, every=every)
    missing = [name for name in method.needs if not problem.offers(name)]
    if missing:
        raise TypeError(
            f"{type(method).__name__} needs {', '.join(missing)}, which {problem!r} does not offer"
        )
    start = problem.x0 if x0 is None else x0
    require_points(start, problem.d, "x0")
    if not bool(torch.isfinite(start).all()):
        raise ValueError("x0 must be finite")
    start = torch.atleast_2d(start).to(device)
    rows = start.shape[0] if replicates is None else replicates
    require_dimension(replicates=rows)
    if start.shape[0] not in (1, rows):
        raise ValueError(
            f"x0 has {start.shape[0]} rows for {rows} replicates; (d,) or (replicates, d) is accepted"
        )
    start = start.expand(rows, -1)
    if not bool(problem.contains(start).all()):
        raise ValueError(f"x0 is outside the domain of {problem!r}")
    quantities = _chosen(method, problem, record, norm)
    tables = _tables(method, schedule, steps, rows)
    blocks = [range(low, min(low + BLOCK, rows)) for low in range(0, rows, BLOCK)]
    parts = []
    with torch.no_grad():
        for block in blocks:
            chosen = slice(block.start, block.stop)
            parts.append(
                _run_block(
                    method.with_values(_rows(method, chosen, rows)),
                    problem,
                    start[chosen].clone(),
                    steps,
                    DrawStream(seed, block, method.draws(problem), device),
                    {name: t[chosen] if t.shape[0] == rows else t for name, t in tables.items()},
                    quantities,
                    every,
                    norm,
                    keep_state,
                )
            )
    return Trace.joined(parts, method=method, problem=problem, steps=steps, seed=seed, norm=norm)


def _chosen(method: Method, problem: Problem, record: Sequence[str], norm: Norm) -> dict[str, Quantity]:
    known = {name: as_quantity(name, q) for name, q in {**SHARED, **method.quantities}.items()}
    chosen: dict[str, Quantity] = {}
    for name in record:
        if name not in known:
            raise ValueError(f"record names {name!r}, known quantities: {', '.join(sorted(known))}")
        lacking = [need for need in known[name].needs if not problem.offers(need)]
        if "nearest_star" in known[name].needs and not problem.offers_dist(norm):
            lacking = ["nearest_star"]
        if not lacking:
            chosen[name] = known[name]
        elif tuple(record) != ("gap", "dist", "gradnorm"):
            raise ValueError(f"{name} needs {', '.join(lacking)}, which {problem!r} does not offer")
    return chosen


def _tables(method: Method, schedule: Schedule | None, steps: int, rows: int) -> dict[str, Tensor]:
    tables: dict[str, Tensor] = {}
    for name, rule in (schedule or {}).items():
        if name not in method.fields():
            raise ValueError(f"schedule names {name!r}, fields of {type(method).__name__}: {method.fields()}")
        k = torch.arange(steps + 1, dtype=torch.float64)
        table = torch.atleast_2d(rule if isinstance(rule, Tensor) else torch.as_tensor(rule(k)))
        if table.shape not in ((1, steps + 1), (rows, steps + 1)):
            raise ValueError(
                f"schedule of {name} must have shape ({steps + 1},) or ({rows}, {steps + 1}), "
                f"got {tuple(table.shape)}"
            )
        tables[name] = table
    return tables


def _rows(method: Method, chosen: slice, rows: int) -> dict[str, Tensor]:
    """Hyperparameters that differ by replicate, cut to a block."""
    values = {name: getattr(method, name) for name in method.fields()}
    tensors = {name: v for name, v in values.items() if isinstance(v, Tensor) and v.dim() > 1}
    for name, value in tensors.items():
        if value.shape[0] not in (1, rows):
            raise ValueError(f"{name} has {value.shape[0]} rows for {rows} replicates")
    return {name: v[chosen] for name, v in tensors.items() if v.shape[0] == rows}


def _run_block(
    method: Method,
    problem: Problem,
    x0: Tensor,
    steps: int,
    draws: DrawStream,
    tables: Mapping[str, Tensor],
    quantities: Mapping[str, Quantity],
    every: int,
    norm: Norm,
    keep_state: bool,
) -> Trace:
    def at(k: int) -> Method:
        return method.with_values({name: t[:, k : k + 1] for name, t in tables.items()})

    started = time.perf_counter()
    state = at(0).init(problem, x0, draws.at(0, STREAM_INIT))
    states, costs = [state], [{}]
    alive = torch.ones(x0.shape[0], dtype=torch.bool, device=x0.device)
    diverged_at = torch.full((x0.shape[0],), -1)
    seconds = [0.0]
    for k in range(steps):
        now, draw = at(k), draws.at(k)
        spent = now.cost(problem, state, draw)
        new = now.step(problem, state, draw)
        finite = torch.stack([torch.isfinite(f).flatten(1).all(1) for f in new if f.is_floating_point()]).all(
            0
        )
        diverged_at[alive & ~finite] = k + 1
        alive = alive & finite
        state = type(new)(*(_where(alive, n, o) for n, o in zip(new, state, strict=True)))
        states.append(type(new)(*(_where(alive, n, _blank(n)) for n in new)))
        costs.append({unit: torch.where(alive, c, 0 * c) for unit, c in spent.items()})
        seconds.append(time.perf_counter() - started)
    kept = sorted({*range(0, steps + 1, every), steps})
    whole = type(states[0])(*(torch.stack([s[i] for s in states], 1) for i in range(len(states[0]))))
    table_method = method.with_values(_measuring(method, tables))
    reading = Reading(problem, table_method, whole, norm, _x_error(problem, method, whole.x))
    thin = torch.tensor(kept)
    if every > 1:
        reading = Reading(
            problem,
            method.with_values(_measuring(method, {n: t[:, thin] for n, t in tables.items()})),
            type(whole)(*(f[:, thin] for f in whole)),
            norm,
            reading.x_error[:, thin],
        )
    values = {name: q.read(reading) for name, q in quantities.items()}
    return Trace(
        method=method,
        problem=problem,
        steps=steps,
        seed=draws.seed,
        norm=norm,
        k=thin,
        quantities=values,
        resolutions={name: q.resolution(reading, values[name]) for name, q in quantities.items()},
        cancelled={name: q.cancelled(reading, values[name]) for name, q in quantities.items()},
        costs=_cumulative(costs, seconds, x0.shape[0], kept),
        diverged_at=diverged_at,
        x=reading.state.x if keep_state else None,
    )


def _where(alive: Tensor, new: Any, old: Any) -> Any:
    return torch.where(alive.reshape(-1, *([1] * (new.dim() - 1))), new, old)


def _blank(field: Tensor) -> Tensor:
    return torch.full_like(field, torch.nan) if field.is_floating_point() else field


def _measuring(method: Method, tables: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Hyperparameters as quantities see them: (batch, K + 1 or 1, 1)."""
    fixed = {name: getattr(method, name) for name in method.fields()}
    shaped = {n: v[:, None] for n, v in fixed.items() if isinstance(v, Tensor) and v.dim() == 2}
    return {**shaped, **{name: table[..., None] for name, table in tables.items()}}


def _x_error(problem: Problem, method: Method, x: Tensor) -> Tensor:
    """Rounding of the steps so far, and the stated error of the oracles; (batch, K + 1)."""
    size = x.norm(dim=-1).nan_to_num(0.0).cummax(1).values
    if problem.offers("x_star"):
        size = size + problem.x_star.norm()  # pyright: ignore[reportAttributeAccessIssue]
    k = torch.arange(x.shape[1], dtype=x.dtype, device=x.device)
    stated = sum(problem.oracle_errors.get(name, 0.0) for name in method.needs)
    return (8 + k) * EPS * size + stated * (k > 0)


def _cumulative(costs: list[Any], seconds: list[float], rows: int, kept: list[int]) -> dict[str, Tensor]:
    units = dict.fromkeys(unit for spent in costs for unit in spent)
    zero = torch.zeros(rows, dtype=torch.float64)
    table = {u: torch.stack([spent.get(u, zero) for spent in costs], 1).cumsum(1)[:, kept] for u in units}
    table["seconds"] = torch.tensor(seconds, dtype=torch.float64)[kept].expand(rows, -1)
    return table
