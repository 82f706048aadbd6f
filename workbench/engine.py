"""Run a method on a problem, replicates in blocks, and measure afterwards."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import require_dimension
from assumptions.norms import require_norm
from problems.ball_oracle import BallOracle
from problems.base import Problem
from workbench.draws import DrawStream
from workbench.measure import measuring, read_walk
from workbench.methods.base import Method
from workbench.quantities import SHARED
from workbench.quantity import Quantity, as_quantity
from workbench.stretch import as_rows
from workbench.trace import Trace
from workbench.walk import Memory, require_room, starts, walk

BLOCK = 64
"""Replicates that run together: matrix products differ in the last digits between batch sizes, so a
witness reruns its whole block."""

RECORD = ("gap", "dist", "gradnorm")
"""Quantities recorded where none are named."""

Schedule = Mapping[str, Tensor | Callable[[Tensor], Tensor]]


def run(
    method: Method,
    problem: Problem,
    x0: Tensor | None = None,
    *,
    steps: int,
    replicates: int | None = None,
    first: int = 0,
    seed: int = 0,
    record: Sequence[str] | None = None,
    every: int = 1,
    schedule: Schedule | None = None,
    quantities: Mapping[str, Quantity | Callable[..., Tensor]] | None = None,
    norm: Norm | None = None,
    device: str = "cpu",
    keep_state: bool = False,
    memory: Memory | None = None,
) -> Trace:
    """Run ``method`` for ``steps`` steps and record quantities.

    x0: (d,) or (replicates, d); the problem's start by default. 0 <= seed < 2**63. ``first``: the number of
    the first replicate; a replicate's draws depend on its number alone. ``schedule``
    gives hyperparameters that change with k: a function of the tensor 0..steps, or a table
    (steps + 1,) or (replicates, steps + 1); for names ending in _i or _j with that axis last.
    ``record`` names quantities: shared, the method's, or further ones given in ``quantities``;
    ``RECORD`` by default, less those that need a fact that the problem lacks; asked for, such a
    quantity is an error. ``norm`` is that of distances, steps and dual gradient norms; by default the
    method's if it has one, else Euclidean. ``every`` thins the record (measured after the run, in one pass;
    the last step is always kept). ``memory`` keeps walks for runs that are asked for again.

    A replicate whose state becomes non-finite is frozen: nan from then on, step in ``diverged_at``.
    Raises ValueError for a bad argument, such as more recorded steps than memory holds, and TypeError for one
    of another type or a missing oracle, before step 0.
    """
    norm = _require_runnable(method, problem, norm)
    require_dimension(steps=steps, every=every)
    require_draw_seed(seed)
    start = starts(problem, x0, replicates, device, method.anywhere)
    rows = start.shape[0]
    require_room(steps, every, min(rows, BLOCK) * problem.d)
    known = {n: as_quantity(n, q) for n, q in {**SHARED, **method.quantities, **(quantities or {})}.items()}
    chosen = _chosen(known, problem, record, norm)
    if every > 1 and any(q.every_step for q in chosen.values()):
        whole = ", ".join(name for name, q in chosen.items() if q.every_step)
        raise ValueError(f"every must be 1 to record {whole}, which needs every step, got {every!r}")
    tables = _tables(method, schedule, steps, rows)
    # a bad value of a late step fails here, not there; no step is taken at k = K
    method.with_values(measuring(method, {name: t[:, :-1] for name, t in tables.items()}))
    tables = _with_valid_end(method, tables)
    parts = []
    with torch.no_grad():
        for block in (range(low, min(low + BLOCK, rows)) for low in range(0, rows, BLOCK)):
            cut = slice(block.start, block.stop)
            part = method.with_values(_rows(method, cut, rows, device))
            parts.append(
                _run_block(
                    part,
                    problem,
                    start[cut].clone(),
                    steps,
                    DrawStream(
                        seed, range(first + block.start, first + block.stop), part.draws(problem), device
                    ),
                    {n: (t[cut] if t.shape[0] == rows else t).to(device) for n, t in tables.items()},
                    chosen,
                    every,
                    norm,
                    keep_state,
                    memory,
                )
            )
    common = {"method": method, "problem": problem, "steps": steps, "seed": seed, "norm": norm}
    return Trace.joined(parts, **common, scheduled=tuple(tables))


def require_draw_seed(seed: int) -> None:
    """ValueError unless ``seed`` is an integer in [0, 2**63): those for which there are draws."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise ValueError(f"seed must be an integer in [0, 2**63), got {seed!r}")


def _require_runnable(method: Method, problem: Problem, norm: Norm | None) -> Norm:
    """The norm to measure in. TypeError or ValueError, before any work, where the two do not fit."""
    if not isinstance(method, Method):
        raise TypeError(f"method must be an object such as BPM(radius=0.5), got {method!r}")
    if isinstance(problem, str | type):
        raise TypeError(f"problem must be an object such as Huber(), got {problem!r}")
    missing = [name for name in method.needs if not problem.offers(name)]
    if missing:
        raise TypeError(
            f"{type(method).__name__} needs {', '.join(missing)}, which {problem!r} does not offer"
        )
    if method.unfit(problem):
        raise TypeError(f"{method!r} does not fit {problem!r}: {method.unfit(problem)}")
    method.check_shapes()
    own_norm: Norm = getattr(method, "norm", EUCLIDEAN)
    norm = norm or own_norm
    for each in (norm, own_norm):
        require_norm(each)
        if not each.fits(problem.d):
            raise ValueError(f"norm must be a norm in dimension {problem.d}, got {each!r}")
    if "brox" in method.needs and not (isinstance(problem, BallOracle) or problem.offers_brox(own_norm)):
        raise TypeError(
            f"{problem!r} minimises over Euclidean balls only, {method!r} needs those of {own_norm!r}"
        )
    return norm


def lacking(quantity: Quantity, problem: Problem, norm: Norm) -> list[str]:
    """What a quantity needs and the problem does not offer."""
    if "nearest_star" in quantity.needs and not problem.offers_dist(norm):
        return ["nearest_star"]
    return [need for need in quantity.needs if not problem.offers(need)]


def _chosen(
    known: Mapping[str, Quantity], problem: Problem, record: Sequence[str] | None, norm: Norm
) -> dict[str, Quantity]:
    """ValueError for a name that is unknown or cannot be read; TypeError for what holds no names."""
    if isinstance(record, str) or not isinstance(record, Iterable | None):
        text = (record,) if isinstance(record, str) else RECORD
        raise TypeError(f"record must be a tuple of names such as {text!r}, got {record!r}")
    chosen: dict[str, Quantity] = {}
    for name in RECORD if record is None else record:
        if not isinstance(name, str) or name not in known:
            raise ValueError(f"record names {name!r}, known quantities: {', '.join(sorted(known))}")
        missing = lacking(known[name], problem, norm)
        if not missing:
            chosen[name] = known[name]
        elif record is not None:
            raise ValueError(f"{name} needs {', '.join(missing)}, which {problem!r} does not offer")
    return chosen


def _tables(method: Method, schedule: Schedule | None, steps: int, rows: int) -> dict[str, Tensor]:
    """Scheduled hyperparameters, (rows or 1, steps + 1, 1 or the axis of the name)."""
    tables: dict[str, Tensor] = {}
    for name, rule in (schedule or {}).items():
        if name not in method.fields():
            raise ValueError(
                f"schedule names {name!r}, fields of {type(method).__name__}: {', '.join(method.fields())}"
            )
        k = torch.arange(steps + 1, dtype=torch.float64)
        given = rule if isinstance(rule, Tensor) else torch.as_tensor(rule(k))
        table = given if name.endswith(("_i", "_j")) else given[..., None]
        table = table[None] if table.dim() == 2 else table
        if table.dim() != 3 or table.shape[:2] not in ((1, steps + 1), (rows, steps + 1)):
            raise ValueError(
                f"schedule of {name} must have shape ({steps + 1},) or ({rows}, {steps + 1}) "
                f"(names in _i and _j: one axis more), got {tuple(given.shape)}"
            )
        tables[name] = table
    return tables


def _with_valid_end(method: Method, tables: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tables; where the method rejects the values at k = K, those of K - 1 stand for them."""
    try:
        method.with_values(measuring(method, tables))
    except ValueError:
        return {name: torch.cat([t[:, :-1], t[:, -2:-1]], 1) for name, t in tables.items()}
    return tables


def _rows(method: Method, block: slice, rows: int, device: str) -> dict[str, Tensor]:
    """Hyperparameters that are tensors, those that differ by replicate cut to a block."""
    values = {name: getattr(method, name) for name in method.fields()}
    tensors = {name: v for name, v in values.items() if isinstance(v, Tensor)}
    for name, value in tensors.items():
        if value.dim() > 1 and (value.dim() > 2 or value.shape[0] not in (1, rows)):
            raise ValueError(f"{name} has shape {tuple(value.shape)} for {rows} replicates")
    cut = {n: v[block] if v.dim() > 1 and v.shape[0] == rows else v for n, v in tensors.items()}
    return {name: value.to(device) for name, value in cut.items()}


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
    memory: Memory | None,
) -> Trace:
    walked = (memory.walk if memory else walk)(method, problem, x0, steps, draws, tables, every)
    reading = read_walk(problem, method, walked, tables, norm)
    diverged_at, kept = walked.diverged_at, torch.tensor(walked.kept)
    lost = ((diverged_at >= 0)[:, None] & (kept.to(x0.device) >= diverged_at[:, None])).cpu()
    # a reader need not pass nan on: torch.sign(nan) is 0
    values = {name: q.read(reading) for name, q in quantities.items()}
    values = {n: torch.where(as_rows(lost.to(v.device), v, 2), torch.nan, v) for n, v in values.items()}
    return Trace(
        method=method,
        problem=problem,
        steps=steps,
        seed=draws.seed,
        norm=norm,
        k=kept,
        quantities={name: v.cpu() for name, v in values.items()},
        resolutions={name: q.error(reading, values[name]).cpu() for name, q in quantities.items()},
        cancelled={name: q.cancelled(reading, values[name]).cpu() for name, q in quantities.items()},
        costs={**walked.costs, "seconds": walked.seconds.expand(x0.shape[0], -1)},
        diverged_at=diverged_at.cpu(),
        x=reading.x.cpu() if keep_state else None,
    )
