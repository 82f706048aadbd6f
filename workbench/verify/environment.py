"""From a case and a block of starts to numbers: parameters by rule, a run, and the claim's symbols."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from assumptions import Norm
from problems.base import Problem
from workbench.claims import axes_of, free_symbols
from workbench.engine import run
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.methods.base import Method, Point
from workbench.quantity import Quantity, Reading
from workbench.theorem import Theorem
from workbench.trace import Trace
from workbench.walk import Memory

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})

_WALKS = Memory()
"""Units of one problem follow each other: its walks serve all theorems on the same method and rule."""

X_ERROR = "error of x"
"""Recorded beside what the claim asks for: bound on the distance of each iterate from the exact one."""

_X_ERROR = Quantity(X_ERROR, r"\epsilon_k", lambda r: r.x_error, lambda _, error: torch.zeros_like(error))


@dataclass(frozen=True)
class Numbers:
    """What a claim is evaluated on; all tables (batch or 1, K + 1 or 1, *axes).

    values       symbol -> value
    sizes        symbol -> value with the numbers that cancelled in it
    resolutions  symbol of a quantity -> how far its value can be from the exact one
    lost         (batch, K + 1): the state at k is not finite
    """

    values: dict[str, Tensor]
    sizes: dict[str, Tensor]
    resolutions: dict[str, Tensor]
    x: Tensor
    lost: Tensor
    steps: int
    method: Method


def facts(problem: Problem, steps: int) -> dict[str, Tensor]:
    """The facts that a claim may name; (1, 1), k (1, steps + 1), those of layers (1, 1, layers)."""
    layers = problem.layers
    numbers = {
        "d": problem.d,
        "n_terms": problem.n_terms,
        "n_clients": problem.n_clients,
        "n_layers": layers.n_layers,
        "K": steps,
    }
    table = {name: torch.full((1, 1), float(value), dtype=torch.float64) for name, value in numbers.items()}
    table["k"] = torch.arange(steps + 1, dtype=torch.float64)[None]
    for name, values in (("rho_i", layers.rho_i), ("size_i", layers.sizes)):
        table[name] = torch.tensor([[values]], dtype=torch.float64)
    return table


def constants(case: Case) -> dict[str, Tensor]:
    """Certified constants, and what the methods know of themselves on the problem; (1, 1, *axes).

    ValueError where the options do not fit the problem.
    """
    own = [kind.known(case.problem, case.options) for kind in reversed(case.methods)]
    merged = {name: value for known in own for name, value in known.items()}
    values = {n: torch.as_tensor(v, dtype=torch.float64) for n, v in {**merged, **case.constants}.items()}
    return {name: v.reshape(1, 1, *v.shape) for name, v in values.items()}


def at_start(theorem: Theorem, problem: Problem, x0: Tensor) -> dict[str, Tensor]:
    """Quantities at the start under their names q0, for parameter rules and ``requires``; (batch, 1)."""
    used = [*theorem.rules, theorem.requires]
    wanted = {theorem.meaning(s.name).base for e in used for s in free_symbols(e)}
    reading = Reading(problem, None, Point(x0[:, None]), theorem.geometry, torch.zeros(x0.shape[0], 1))
    quantities = theorem.all_quantities
    return {f"{n}0": quantities[n].read(reading) for n in sorted(wanted & set(quantities))}


def solve_rules(rules: Mapping[str, Any], known: dict[str, Tensor], steps: int) -> dict[str, Tensor]:
    """Evaluate rules in the order of their dependence; (batch or 1, K + 1 or 1, axes of the name).

    A rule of a name in _i that is the same for all layers is repeated for each. ValueError for rules that
    depend on each other in a circle.
    """
    solved: dict[str, Tensor] = {}
    waiting = dict(rules)
    while waiting:
        ready = [n for n, rule in waiting.items() if not {s.name for s in free_symbols(rule)} & set(waiting)]
        if not ready:
            raise ValueError(f"parameter rules depend on each other in a circle: {sorted(waiting)}")
        for name in ready:
            value = Evaluator({**known, **solved}, steps)(waiting.pop(name), axes_of(name))
            by_layer = axes_of(name) == "i" and "size_i" in known
            solved[name] = value.expand(*value.shape[:2], known["size_i"].shape[-1]) if by_layer else value
    return solved


def make_method(
    kind: type[Method], solved: Mapping[str, Tensor], norm: Norm, options: Mapping[str, Any] = NO_OPTIONS
) -> tuple[Method, dict[str, Tensor]]:
    """The method with its hyperparameters and, if it has one, the norm; tables of what changes with k.

    Constant over replicates and steps: a float (an int where the field is one). Else (batch, 1); for
    names in _i and _j (batch or 1, layers or clients).
    ValueError where the method rejects a value, at whatever step.
    """
    annotations = {f.name: f.type for f in dataclasses.fields(kind)}  # pyright: ignore[reportArgumentType]
    fixed: dict[str, Any] = {"norm": norm} if kind.has_norm() else {}
    fixed |= {name: options[name] for name in kind.options}
    tables: dict[str, Tensor] = {}
    for name in (n for n in kind.fields() if n not in kind.options):
        value = solved[name]
        first = value[:, 0] if axes_of(name) else value[:, :1]
        if value.shape[1] > 1:
            tables[name] = value
        fixed[name] = first if axes_of(name) or value.shape[0] > 1 else float(first)
        if annotations[name] in (int, "int"):
            if not isinstance(fixed[name], float) or fixed[name] != round(fixed[name]):
                raise ValueError(f"{kind.__name__}.{name} must be an integer, its rule gives {fixed[name]}")
            fixed[name] = round(fixed[name])
    for name, table in tables.items():
        used = table[:, :-1]  # no step is taken at k = K
        values = used.flatten(0, 1) if axes_of(name) else used.reshape(-1, 1)
        kind(**{**fixed, name: values})
    return kind(**fixed), tables


def valid_rows(case: Case, solved: Mapping[str, Tensor], rows: int) -> tuple[Tensor, str]:
    """Replicates whose hyperparameters the methods accept, (rows,), and what was said of another."""
    said = ""

    def accepted(one_row: Mapping[str, Tensor]) -> bool:
        nonlocal said
        try:
            for kind in case.methods:
                make_method(kind, one_row, case.norm, case.options)[0].draws(case.problem)
        except ValueError as error:
            said = str(error)
            return False
        return True

    if accepted(solved):
        return torch.ones(rows, dtype=torch.bool), said
    each = [{n: v[row : row + 1] if v.shape[0] > 1 else v for n, v in solved.items()} for row in range(rows)]
    return torch.tensor([accepted(one_row) for one_row in each]), said


def borrowed(value: Tensor, valid: Tensor) -> Tensor:
    """Values of a table with those of replicates that are not valid replaced by a valid one's."""
    if value.shape[0] == 1 or bool(valid.all()):
        return value
    index = torch.where(valid, torch.arange(len(valid)), int(valid.to(torch.int8).argmax()))
    return value[index]


def run_case(
    case: Case,
    method: Method,
    tables: Mapping[str, Tensor],
    x0: Tensor,
    steps: int,
    seed: int,
    read: bool = True,
    first: int = 0,
) -> Trace:
    """One block from replicate ``first`` on, every iterate kept; with ``read``, what the claim asks for."""
    return run(
        method,
        case.problem,
        x0,
        steps=steps,
        first=first,
        seed=seed,
        quantities={**case.theorem.quantities, X_ERROR: _X_ERROR},
        record=(*(used_quantities(case) if read else ()), X_ERROR),
        schedule=tables,
        norm=case.norm,
        keep_state=True,
        memory=_WALKS,
    )


def numbers(case: Case, trace: Trace, solved: Mapping[str, Tensor]) -> Numbers:
    """Everything that the claim's symbols stand for on this run."""
    assert trace.x is not None
    assert isinstance(trace.method, Method)
    known = {**facts(case.problem, trace.steps), **constants(case), **solved}
    lost = (trace.diverged_at[:, None] >= 0) & (torch.arange(trace.steps + 1) >= trace.diverged_at[:, None])
    return named(case, known, readings(trace), trace.x, lost, trace.method)


Readings = Mapping[str, tuple[Tensor, Tensor, Tensor]]
"""Quantity -> what was read, its resolution, the size of what cancelled in it; each (batch, K + 1, *axes)."""


def readings(trace: Trace) -> Readings:
    """What the run recorded."""
    return {n: (trace.quantities[n], trace.resolutions[n], trace.cancelled[n]) for n in trace.quantities}


def named(
    case: Case, known: Mapping[str, Tensor], read: Readings, x: Tensor, lost: Tensor, method: Method
) -> Numbers:
    """The numbers of a claim by its symbols. known: what is known in advance; x: (batch, K + 1, d)."""
    values = dict(known)
    sizes = {name: v.abs() for name, v in values.items()}
    resolutions: dict[str, Tensor] = {}
    for name, meaning in case.theorem.uses.items():
        if meaning.kind != "quantity":
            continue
        if meaning.base == "gap" and "gap" not in read:
            now, error, cancelled = read["value"]
            now = now - case.problem.f_lower  # pyright: ignore[reportAttributeAccessIssue]
        else:
            now, error, cancelled = read[meaning.base]
        values[name] = _at(now, meaning.when)
        # an error bound that overflowed or is nan excuses nothing
        resolutions[name] = _at(error.nan_to_num(nan=0.0, posinf=0.0), meaning.when)
        sizes[name] = values[name].abs() + _at(cancelled, meaning.when)
    return Numbers(values, sizes, resolutions, x, lost, x.shape[1] - 1, method)


def used_quantities(case: Case) -> dict[str, Quantity]:
    """The quantities that the claim speaks of; the value where f_star is not known and a gap is asked."""
    bases = {m.base for m in case.theorem.uses.values() if m.kind == "quantity"}
    if not case.problem.offers("f_star") and "gap" in bases:
        bases = (bases - {"gap"}) | {"value"}
    return {name: case.theorem.all_quantities[name] for name in sorted(bases)}


def _at(table: Tensor, when: str) -> Tensor:
    if when == "start":
        return table[:, :1]
    if when == "next":
        return torch.cat([table[:, 1:], torch.full_like(table[:, :1], torch.nan)], 1)
    return table
