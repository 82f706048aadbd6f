"""Several runs on one axis of cost: methods, stepsizes, seeds."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf

import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from assumptions.guards import require_positive
from figures.costs import axis_label, spent
from figures.drawing import BEYOND, LOFTY, band, below, curve, lost_note, positive
from figures.over import drawing_on
from figures.style import Look, looks
from problems import Problem
from workbench import Trace
from workbench.quantities import SHARED

NORMLESS = ("gap", "value")
"""Shared quantities that no norm enters."""


def compare(
    traces: Mapping[str, Trace] | Sequence[Trace],
    quantity: str = "gap",
    cost: str = "k",
    *,
    first: float | None = None,
    ax: Axes | None = None,
    style: str | None = None,
    log: bool = True,
    problem: Problem | None = None,
) -> Axes:
    """Draw a quantity of several runs against their cost; of replicates the median with a 10-90 % band.

    traces   by label, or in a row: then each is called by its method. A replicate that has diverged counts as
             larger than all others, and the legend says how many have
    cost     "k", "passes", or a unit of ``trace.costs`` that all have; of replicates their mean
    first    > 0: a star where the quantity is first at most this, of replicates the median; none where it is
             never so
    ax       where to draw; without it a new figure, in the ``style``, "neurips" if not said
    log      the vertical axis; what is not above 0 is left out
    problem  for "passes" of saved runs, whose problem cannot be made again from its text

    TypeError for what are no runs. ValueError for no run, a quantity or a cost that a run did not record, a
    quantity with several numbers a step, or one that was measured in several norms.
    """
    named = _named(traces)
    if first is not None:
        require_positive(first=first)
    _require_one_norm(named, quantity)
    along = {label: spent(trace, cost, problem).mean(0).numpy() for label, trace in named.items()}
    tables = {label: _table(trace, quantity) for label, trace in named.items()}
    top = _top(tables.values(), log)
    with drawing_on(ax, style) as chosen:
        for (label, rows), look in zip(tables.items(), looks(len(tables)), strict=True):
            text = ", ".join([label, *lost_note(named[label].diverged_at >= 0)])
            rows = below(rows, BEYOND * top)
            _draw(chosen, along[label], positive(rows) if log else rows, look, text)
            if first is not None:
                _star(chosen, along[label], np.median(rows, axis=0), first, look)
        if first is not None:
            chosen.axhline(first, color="0.6", linewidth=0.6, zorder=0)
        chosen.set(xlabel=axis_label(cost), ylabel=_quantity_label(next(iter(named.values())), quantity))
        chosen.set_yscale("log" if log else "linear")
        if np.isfinite(top) and ax is None:
            chosen.set_ylim(top=top)
        chosen.legend()
    return chosen


def _top(tables: Iterable[NDArray[np.float64]], log: bool) -> float:
    """Of the panel, where a run leaves the others far behind or diverges; else inf."""
    tables = [np.abs(rows) for rows in tables]
    first = max(float(rows[:, 0].max()) for rows in tables)
    most = max(float(np.nanmax(rows)) for rows in tables)
    return inf if most <= LOFTY * first or not 0 < first < inf else (LOFTY if log else 2.0) * first


def _draw(ax: Axes, x: NDArray[np.float64], rows: NDArray[np.float64], look: Look, label: str) -> None:
    if len(rows) > 1:
        band(ax, x, rows, look, label)
    else:
        curve(ax, x, rows[0], look, label)


def _named(traces: Mapping[str, Trace] | Sequence[Trace]) -> dict[str, Trace]:
    """Runs by their labels."""
    if isinstance(traces, Trace) or not isinstance(traces, Mapping | Sequence):
        raise TypeError(f"traces must be runs by label or in a row, got {traces!r}")
    for trace in traces.values() if isinstance(traces, Mapping) else traces:
        if not isinstance(trace, Trace):
            raise TypeError(f"traces must be what run() returns or Trace.load() reads, got {trace!r}")
    named = dict(traces) if isinstance(traces, Mapping) else _by_method(traces)
    if not named:
        raise ValueError("traces must hold at least one run, got none")
    return named


def _require_one_norm(named: Mapping[str, Trace], quantity: str) -> None:
    """ValueError where a distance or a gradient norm was measured in several norms."""
    norms = {label: str(trace.norm) for label, trace in named.items()}
    if quantity in SHARED and quantity not in NORMLESS and len({*norms.values()}) > 1:
        said = ", ".join(f"{label}: {norm}" for label, norm in norms.items())
        raise ValueError(
            f"quantity {quantity!r} was measured in several norms, and cannot be compared: {said}"
        )


def _by_method(traces: Sequence[Trace]) -> dict[str, Trace]:
    """Named by their methods. ValueError where two are called the same."""
    named = {str(trace.method): trace for trace in traces}
    if len(named) < len(traces):
        raise ValueError("two runs have the same method: give traces as {label: trace}")
    return named


def _table(trace: Trace, quantity: str) -> NDArray[np.float64]:
    """(replicates, n)."""
    if quantity not in trace.quantities:
        known = ", ".join(sorted(trace.quantities)) or "none"
        raise ValueError(
            f"quantity {quantity!r} was not recorded by the run of {trace.method} (recorded: {known}); "
            f"run(..., record=({quantity!r},)) does"
        )
    values = trace.quantities[quantity]
    if values.dim() != 2:
        raise ValueError(
            f"quantity {quantity!r} has {values.shape[2:].numel()} numbers at each step, not one"
        )
    lost = (trace.diverged_at[:, None] >= 0) & (trace.k >= trace.diverged_at[:, None])
    return torch.where(lost & values.isnan(), torch.inf, values.double()).numpy()


def _star(ax: Axes, x: NDArray[np.float64], values: NDArray[np.float64], below: float, look: Look) -> None:
    small = values <= below
    if small.any():
        at = int(small.argmax())
        size = 2.5 * float(ax.get_lines()[-1].get_markersize())
        ax.plot([x[at]], [below], linestyle="none", marker="*", markersize=size, color=look.color, zorder=4)


def _quantity_label(trace: Trace, quantity: str) -> str:
    """From the LaTeX of the quantity, shared or the method's."""
    known = {**getattr(trace.method, "quantities", {}), **SHARED}
    text = getattr(known.get(quantity), "latex", None)
    return quantity if text is None else f"${text}$"
