"""What stochastic recipes share: theorems on replicates of a run, slopes, curves over costs, data, keys."""

import dataclasses
import math
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from figures.evaluate import sides
from figures.numbers import table
from problems import Problem
from workbench.match import match
from workbench.theorem import Theorem
from workbench.trace import Trace
from workbench.verify.environment import run_case
from workbench.verify.setting import set_up

Array = NDArray[np.float64]


class Measured(NamedTuple):
    """measured: (replicates, K + 1). bound: (K + 1,), the theorem's own expression. trace: the runs."""

    measured: Array
    bound: Array
    trace: Trace


def against(
    theorem: Theorem, problem: Problem, steps: int, replicates: int, seed: int, **rules: Any
) -> Measured:
    """Both sides of a mean claim with a deterministic bound, on runs from the start of the problem.

    rules: of the method's fields, in place of the theorem's; of a sweep that is left open the first value, of
    certificates the first too. ValueError where the theorem does not apply, NotApplicableError where its
    ``requires`` excludes the rules.
    """
    stated = dataclasses.replace(theorem, parameters={**theorem.parameters, **rules}, mutants=(), tight=())
    cases = match(stated, problem)
    if isinstance(cases, str):
        raise ValueError(f"{theorem.id} does not apply to {problem!r}: {cases}")
    setting = set_up(cases[0], problem.x0[None], steps)
    method, schedule = setting.methods()[0]
    trace = run_case(cases[0], method, schedule, setting.x0.expand(replicates, -1), steps, seed)
    both = sides(trace, stated, schedule=schedule).whole
    return Measured(table(both.measured), table(both.bound[0]), trace)


def until(
    theorem: Theorem,
    problem: Problem,
    share: float,
    replicates: int,
    seed: int,
    unit: str = "grad_calls",
    **rules: Any,
) -> tuple[float, Array]:
    """Steps after which a geometric bound is below ``share`` of measured_0, and what runs spend until there.

    Returns the steps and (replicates,) of the unit. The bound is c q^k from k = 1 on; RuntimeError where a
    replicate is not there when the bound is.
    """
    start = against(theorem, problem, 3, 1, seed, **rules)
    level = share * start.measured[0, 0]
    promised = 1 + math.ceil(math.log(start.bound[1] / level) / math.log(start.bound[1] / start.bound[2]))
    claim = against(theorem, problem, promised, replicates, seed, **rules)
    first = first_below(claim.measured, level)
    if not np.isfinite(first).all():
        raise RuntimeError(f"{promised} steps were too few for {theorem.id} on {problem!r}")
    return promised, claim.trace[unit].numpy()[np.arange(replicates), first.astype(int)]


def constants(problem: Problem) -> dict[str, float]:
    """The certified constants by name; of two certificates of one name the later."""
    return {n: getattr(c.assumption, n) for c in problem.certified for n in c.assumption.constants()}


def stepsize_of(trace: Trace) -> float:
    """Of the method that was run; AttributeError for one that has none."""
    return float(trace.method.stepsize)  # pyright: ignore[reportAttributeAccessIssue]


def slope(x: ArrayLike, y: ArrayLike) -> float:
    """Exponent of y = c x^a, by least squares in logarithms. x, y > 0, one length."""
    return float(np.polyfit(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)), 1)[0])


def first_below(values: ArrayLike, level: float) -> Array:
    """First index along the last axis at which a value is at most ``level``, inf if none is; (...,)."""
    small = np.asarray(values, float) <= level
    return np.where(small.any(-1), small.argmax(-1), np.inf)


def over_cost(cost: Array, values: Array, grid: ArrayLike) -> Array:
    """Values of the last step that each point of the grid pays for, (replicates, points).

    cost: (replicates, n), nondecreasing, from 0. values: the same shape.
    """
    paid = [np.searchsorted(spent, np.asarray(grid, float), side="right") - 1 for spent in cost]
    return table([row[index] for row, index in zip(values, paid, strict=True)])


def gaussian_rows(n: int, d: int, seed: int, digits: int = 6) -> tuple[tuple[float, ...], ...]:
    """n rows of length about 1, Gaussian directions, rounded to so many binary digits after the point."""
    rows = torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    rows = rows / rows.norm(dim=1, keepdim=True)
    return tuple(map(tuple, ((rows * 2**digits).round() / 2**digits).tolist()))


def key(ax: Axes, ncols: int = 1, **more: Any) -> None:
    """The legend above the panel, which is free whatever the width of the figure."""
    above: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2}
    ax.legend(**{**above, "ncols": ncols, "handlelength": 1.9, "columnspacing": 1.0, **more})
