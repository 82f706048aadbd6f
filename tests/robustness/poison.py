"""A problem one of whose oracles returns what is no number."""

import dataclasses
import math
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from problems import Problem

ORACLES = (
    *("value", "grad", "gap", "nearest_star", "f_star", "x_star"),
    *("prox", "brox", "brox_step", "conjugate", "hvp", "lmo"),
    *("part_grad", "part_value", "part_grads", "batch_grad", "batch_change", "batch_prox"),
    *("star_grads", "dual_star"),
)
"""Everything of a problem that returns numbers, but for bounds on errors of these."""

ERRORS = ("gap_cancellation", "oracle_error")
"""Bounds on errors: nan counts as none, which makes a claim stricter."""


@dataclasses.dataclass
class Doses:
    """How often something poisoned was handed out, and the modules that asked for it."""

    given: int = 0
    readers: set[str] = dataclasses.field(default_factory=set)


def poisoned(
    problem: Problem, oracle: str, bad: float = math.nan, *, spared: bool = False
) -> tuple[Any, Doses]:
    """The same problem, but for one oracle, which returns ``bad`` in every entry, and a count of it.

    spared: at its start and at its minimiser it answers as before, so that the first look finds nothing.
    """
    doses = Doses()
    kind = type(problem)
    clean_points = [problem.x0] if spared else []
    if spared and problem.offers("x_star"):
        clean_points.append(problem.x_star)  # pyright: ignore[reportAttributeAccessIssue]

    def give(_: Any) -> Any:
        clean = getattr(problem, oracle)
        if clean is None:
            return None
        if callable(clean):

            def ask(*a: Any, **options: Any) -> Any:
                doses.readers.add(sys._getframe(1).f_globals["__name__"])
                return _spoilt(clean(*a, **options), _bad_rows(a, clean_points), bad, doses)

            return ask
        return clean if spared else _spoilt(clean, None, bad, doses)

    bad_kind = type(f"Bad{kind.__name__}", (kind,), {oracle: property(give), "__module__": __name__})
    made = object.__new__(bad_kind)
    fields = {f.name for f in dataclasses.fields(problem)}  # pyright: ignore[reportArgumentType]
    made.__dict__.update({n: v for n, v in vars(problem).items() if n in fields and n != oracle})
    return made, doses


def _bad_rows(arguments: tuple[Any, ...], clean_points: list[Tensor]) -> Tensor | None:
    """Which of the points in the first argument are poisoned, (*batch,); None for all."""
    points = next((a for a in arguments if isinstance(a, Tensor)), None)
    if points is None or not clean_points:
        return None
    bad = torch.ones(points.shape[:-1], dtype=torch.bool)
    for clean in clean_points:
        if points.shape[-1:] == clean.shape:
            bad &= ~(points == clean).all(-1)
    return bad


def _spoilt(found: Any, rows: Tensor | None, bad: float, doses: Doses) -> Any:
    """Every tensor of numbers in what was returned."""
    spoil: Callable[[Any], Any] = lambda part: _spoilt(part, rows, bad, doses)  # noqa: E731
    if isinstance(found, Tensor):
        if not found.is_floating_point():
            return found
        where = torch.ones(found.shape, dtype=torch.bool)
        if rows is not None and rows.shape == found.shape[: rows.dim()]:
            where = rows.reshape(rows.shape + (1,) * (found.dim() - rows.dim())).expand(found.shape)
        doses.given += int(where.sum())
        return torch.where(where, bad, found)
    if isinstance(found, float):
        doses.given += 1
        return bad
    if isinstance(found, tuple) and hasattr(found, "_fields"):
        return type(found)(*map(spoil, found))
    if dataclasses.is_dataclass(found) and not isinstance(found, type):
        parts = {f.name: spoil(getattr(found, f.name)) for f in dataclasses.fields(found) if f.init}
        return dataclasses.replace(found, **parts)
    return found
