"""``workbench run --until "gap<=1e-6"``: the first step at which a quantity is that small, and its cost."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import Tensor

from assumptions import EUCLIDEAN
from problems import Problem
from workbench.cli.output import console, plain, print_table
from workbench.engine import RECORD, lacking
from workbench.methods import Method
from workbench.quantities import SHARED
from workbench.trace import Trace

COLUMNS = ("smallest", "median", "largest")


class Goal(NamedTuple):
    """The quantity ``name`` is at most ``below``."""

    name: str
    below: float

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.name} <= {self.below:g}"


class Reached(NamedTuple):
    """The first recorded step of each replicate at the goal, and what was spent; inf where never."""

    goal: Goal
    k: Tensor
    costs: dict[str, Tensor]


def goal(text: str) -> Goal:
    """The goal written as NAME<=NUMBER. ValueError for anything else."""
    name, sign, number = (part.strip() for part in text.partition("<="))
    try:
        below = float(number)
    except ValueError:
        below = math.nan
    if not (name and sign and math.isfinite(below)):
        raise ValueError(f"until must be a quantity and a finite number such as 'gap<=1e-6', got {text!r}")
    return Goal(name, below)


def recorded(
    wanted: Goal, record: list[str] | None, method: Method, problem: Problem, norm: Any
) -> list[str] | None:
    """Names to record: those asked for, or those of a run that asks for none, and that of the goal."""
    norm = norm or getattr(method, "norm", EUCLIDEAN)
    if record is None:
        record = [name for name in RECORD if not lacking(SHARED[name], problem, norm)]
    return record if wanted.name in record else [*record, wanted.name]


def reached(trace: Trace, wanted: Goal) -> Reached:
    """ValueError for a quantity that has several numbers at a step."""
    k = trace.first(wanted.name, wanted.below)
    units = [*trace.costs]
    if "grad_calls" in units and trace.problem.n_terms > 1:  # pyright: ignore[reportAttributeAccessIssue]
        units.insert(units.index("grad_calls") + 1, "passes")
    return Reached(wanted, k, {unit: trace.spent(unit, k) for unit in units})


def print_reached(trace: Trace, found: Reached) -> None:
    """Range and median over all replicates; one that never reached the goal counts as the last."""
    out, rows = console(), len(found.k)
    out.print("")
    never = int(found.k.isinf().sum())
    if never:
        who = f"by {never} of {rows} replicates " if rows > 1 else ""
        out.print(f"{found.goal} was never reached {who}in {trace.steps} steps", soft_wrap=True)
    if never == rows:
        return
    of = f"of {rows} replicates; " if rows > 1 else ""
    out.print(f"first recorded step with {found.goal}, {of}spent before it:\n", soft_wrap=True)
    tables = {"k": found.k, **found.costs}
    columns = COLUMNS if rows > 1 else ("at",)
    lines = [(name, *_shown(values)) for name, values in tables.items()]
    print_table(("", *columns), lines, right=columns)


def _shown(values: Tensor) -> Iterator[str]:
    chosen = [values[0]] if len(values) == 1 else [values.min(), values.median(), values.max()]
    return ("never" if math.isinf(v) else f"{float(v):.6g}" for v in chosen)


def document(found: Reached) -> dict[str, Any]:
    """Lists have one entry for each replicate, null where the goal was never reached."""

    def listed(values: Tensor) -> list[Any]:
        return [None if math.isinf(v) else plain(v) for v in values.tolist()]

    return {
        "quantity": found.goal.name,
        "below": found.goal.below,
        "k": [None if k is None else int(k) for k in listed(found.k)],
        "costs": {unit: listed(spent) for unit, spent in found.costs.items()},
    }
