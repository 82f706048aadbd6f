"""The horizontal axis of a run: steps, or what was spent."""

from torch import Tensor

from figures.restored import problem_of
from problems import Problem
from workbench import Trace
from workbench.quantities import COSTS

UNITS = {"k": "step $k$", "passes": "passes over the data", "seconds": "seconds", **COSTS}
"""Unit -> label of an axis."""


def axis_label(cost: str) -> str:
    """Of a unit."""
    return UNITS.get(cost, cost.replace("_", " "))


def spent(trace: Trace, cost: str, problem: Problem | None = None) -> Tensor:
    """What each replicate had spent before each recorded step, (replicates, n).

    cost: "k", "passes" (gradients of terms by their number) or a unit of ``trace.costs``. ValueError for
    another.
    """
    rows = len(trace.diverged_at)
    if cost == "k":
        return trace.k.double().expand(rows, -1)
    if cost == "passes" and "grad_calls" in trace.costs:
        return trace.costs["grad_calls"].double() / problem_of(trace, problem).n_terms
    if cost not in trace.costs:
        passes = ["passes"] if "grad_calls" in trace.costs else []
        known = ", ".join(["k", *passes, *sorted(trace.costs)])
        raise ValueError(f"cost must be one of {known}, of which this run has a record, got {cost!r}")
    return trace.costs[cost].double()
