"""Several runs on one axis of cost: methods, stepsizes, seeds."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from assumptions.guards import require_positive
from figures.costs import axis_label, spent
from figures.drawing import band, curve, positive
from figures.over import drawing_on
from figures.style import Look, looks
from workbench import Trace
from workbench.quantities import SHARED


def compare(
    traces: Mapping[str, Trace] | Sequence[Trace],
    quantity: str = "gap",
    cost: str = "k",
    *,
    first: float | None = None,
    ax: Axes | None = None,
    log: bool = True,
) -> Axes:
    """Draw a quantity of several runs against their cost; of replicates the median with a 10-90 % band.

    traces   by label, or in a row: then each is called by its method
    cost     "k", "passes", or a unit of ``trace.costs`` that all have; of replicates their mean
    first    > 0: a star where the quantity is first at most this, of replicates the median; none where it is
             never so
    log      the vertical axis; what is not above 0 is left out

    ValueError for no run, a quantity or a cost that a run did not record, or one with several numbers a step.
    """
    named = dict(traces) if isinstance(traces, Mapping) else _by_method(traces)
    if not named:
        raise ValueError("traces must hold at least one run, got none")
    if first is not None:
        require_positive(first=first)
    along = {label: spent(trace, cost).mean(0).numpy() for label, trace in named.items()}
    tables = {label: _table(trace, quantity) for label, trace in named.items()}
    with drawing_on(ax) as chosen:
        for (label, rows), look in zip(tables.items(), looks(len(tables)), strict=True):
            _draw(chosen, along[label], positive(rows) if log else rows, look, label)
            if first is not None:
                _star(chosen, along[label], np.median(rows, axis=0), first, look)
        if first is not None:
            chosen.axhline(first, color="0.6", linewidth=0.6, zorder=0)
        chosen.set(xlabel=axis_label(cost), ylabel=_quantity_label(next(iter(named.values())), quantity))
        chosen.set_yscale("log" if log else "linear")
        chosen.legend()
    return chosen


def _draw(ax: Axes, x: NDArray[np.float64], rows: NDArray[np.float64], look: Look, label: str) -> None:
    if len(rows) > 1:
        band(ax, x, rows, look, label)
    else:
        curve(ax, x, rows[0], look, label)


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
    return values.double().numpy()


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
