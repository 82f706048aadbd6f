"""The hyperparameters of a run as a claim sees them, and whether they are those of a theorem."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from problems import Problem
from workbench import Method
from workbench.claims import axes_of, free_symbols
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.verify.environment import solve_rules

CLOSE = 1e-9
"""Relative difference up to which a hyperparameter is the one that a rule gives."""


def named_fields(case: Case) -> set[str]:
    """Hyperparameters of which the claim or its conditions speak: it holds for any values of them.

    The others enter by the theorem's rule alone.
    """
    t = case.theorem
    names = {s.name for e in (t.measured, t.bound, t.when, t.requires) for s in free_symbols(e)}
    return {name for name in names if t.meaning(name).kind == "field"}


def of_method(method: Method, problem: Problem, schedule: Mapping[str, Any], steps: int) -> dict[str, Tensor]:
    """Name -> values, (replicates or 1, steps + 1 or 1, *axes of the name).

    schedule: as ``run`` takes it. ValueError for a name that is no number of the method, or a wrong shape.
    """
    names = [name for name in method.fields() if name not in method.options]
    unknown = sorted(set(schedule) - set(names))
    if unknown:
        raise ValueError(
            f"schedule names {unknown[0]!r}, numbers of {type(method).__name__}: {', '.join(names)}"
        )
    sizes = {"i": problem.layers.n_layers, "j": problem.n_clients}
    found = {}
    for name in names:
        axes = tuple(sizes[axis] for axis in axes_of(name))
        if name in schedule:
            found[name] = _scheduled(name, schedule[name], axes, steps)
            continue
        value = torch.as_tensor(getattr(method, name), dtype=torch.float64)
        if not axes:
            found[name] = value.reshape(-1, 1)
        else:
            rows = value.shape[0] if value.dim() > len(axes) else 1
            found[name] = value.expand(rows, *axes)[:, None]
    return found


def _scheduled(name: str, given: Any, axes: tuple[int, ...], steps: int) -> Tensor:
    table = given if isinstance(given, Tensor) else given(torch.arange(steps + 1, dtype=torch.float64))
    table = torch.as_tensor(table, dtype=torch.float64)
    whole = table[None] if table.dim() == 1 + len(axes) else table
    if whole.dim() != 2 + len(axes) or whole.shape[1:] != (steps + 1, *axes):
        wanted = (steps + 1, *axes)
        raise ValueError(f"schedule of {name} must have shape {wanted}, got {tuple(table.shape)}")
    return whole


def require_rules(case: Case, known: Mapping[str, Tensor], own: Mapping[str, Tensor], steps: int) -> None:
    """ValueError unless the hyperparameters that the claim does not name are those of the case's rules."""
    rules = case.number_rules
    free = {name: value for name, value in known.items() if name not in rules}
    for name, right in solve_rules(rules, free, steps).items():
        value = own[name]
        one, two = torch.broadcast_tensors(value, right)
        used = slice(None, -1) if one.shape[1] > 1 else slice(None)  # no step is taken at k = K
        one, two = one[:, used], two[:, used]
        if bool(((one - two).abs() <= CLOSE * two.abs()).all()):
            continue
        varies = right.shape[1] > 1 and value.shape[1] == 1
        hint = "; give the schedule of the run, which a trace does not keep, as schedule=" if varies else ""
        raise ValueError(
            f"{case.theorem.id} takes {name} = {rules[name]}, which starts with {float(two.flatten()[0]):.6g}"
            f"; the run had {float(one.flatten()[0]):.6g}{hint}"
        )


def require_true(case: Case, known: Mapping[str, Tensor], steps: int) -> None:
    """ValueError where the condition of the theorem does not hold on some replicate at some step.

    Hyperparameters count as rounded: 1 / L that was typed may exceed that of the certified L by a digit.
    """
    fields = {name for name in case.theorem.fields if name in known}
    for factor in (1, 1 - CLOSE, 1 + CLOSE):
        moved = {name: value * factor if name in fields else value for name, value in known.items()}
        holds = Evaluator(moved, steps)(case.theorem.requires)
        if bool(holds[:, : max(1, steps if holds.shape[1] > 1 else 1)].all()):
            return
    names = sorted(s.name for s in free_symbols(case.theorem.requires) if s.name in known)
    values = ", ".join(f"{n} = {float(known[n].flatten()[0]):.6g}" for n in names if n not in ("k", "K"))
    raise ValueError(f"{case.theorem.id} requires {case.theorem.requires}, and here {values}")
