"""Any run against any theorem: what was measured over what is promised, in one call."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from assumptions import Assumption
from figures.costs import axis_label, spent
from figures.drawing import BOUND, bound, curve, positive
from figures.evaluate import Schedule, Sides, sides
from figures.legend import bound_text, measured_text
from figures.stacked import StackedFigure
from figures.style import Look, looks, styled
from problems import Problem
from workbench import Theorem, Trace

QUANTILES = (0.1, 0.9)
RATIO = 0.55
"""Height over width of a new figure."""


def over(
    trace: Trace,
    theorem: Theorem,
    *,
    ax: Axes | None = None,
    cost: str = "k",
    look: Look | None = None,
    label: str | None = None,
    problem: Problem | None = None,
    certificate: Assumption | Sequence[Assumption] = (),
    schedule: Schedule | None = None,
) -> Axes:
    """Draw both sides of a theorem's claim along a run: measured in colour, the bound dashed.

    Of several replicates the median with a band from the 10th to the 90th percentile; where the claim is
    about a mean, the mean with that band. Steps of which the claim does not speak are left out.

    ax        where to draw; without it a new figure, in the style of NeurIPS: save it with
              ``write(ax.figure, Path("mine"), ("pdf",), "neurips")`` of ``figures``
    cost      the horizontal axis: "k", "passes", or a unit of ``trace.costs``
    label     of what is measured, before its formula
    problem, certificate, schedule: as ``figures.evaluate.sides`` takes them

    ValueError where the theorem does not speak of the run, and for a cost that the run did not have.
    """
    found = sides(trace, theorem, problem=problem, certificate=certificate, schedule=schedule)
    along = spent(trace, cost, problem).mean(0)
    with drawing_on(ax) as chosen:
        draw_sides(chosen, along.numpy(), found, look or next_look(chosen), label)
        if ax is None:
            chosen.set(xlabel=axis_label(cost), yscale="log" if _spans_decades(found) else "linear")
        chosen.legend()
    return chosen


@contextlib.contextmanager
def drawing_on(ax: Axes | None) -> Iterator[Axes]:
    """The axes; without them, those of a new figure. Inside are the settings of the figure's venue."""
    figure = None if ax is None else ax.figure
    if ax is not None and not isinstance(figure, StackedFigure):
        yield ax
        return
    style = figure.style if isinstance(figure, StackedFigure) else "neurips"
    with styled(style) as venue:
        yield ax or StackedFigure((1, 1), RATIO, venue.two, venue.size, style).subplots()


def draw_sides(ax: Axes, x: NDArray[np.float64], found: Sides, look: Look, label: str | None = None) -> None:
    """The two sides at the costs or steps x, (n,). ValueError where the claim is silent at every step."""
    measured, promised = found.measured.numpy(), found.bound.numpy()
    asked = (~np.isnan(measured)).any(0) & (~np.isnan(promised)).any(0)
    theorem = found.theorem
    if not asked.any():
        raise ValueError(
            f"{theorem.id} says nothing at any recorded step of this run: all are outside its domain"
        )
    x, measured, promised = x[asked], measured[:, asked], promised[:, asked]
    text = measured_text(theorem) if label is None else f"{label}: {measured_text(theorem)}"
    summary = np.nanmean if theorem.kind in ("mean", "step") else np.nanmedian
    if len(measured) > 1:
        low, high = np.nanquantile(measured, QUANTILES, axis=0)
        ax.fill_between(x, low, high, color=look.color, alpha=0.2, linewidth=0)
    curve(ax, x, summary(measured, axis=0), look, text)
    lone: dict[str, Any] = {"marker": "_", "markersize": 10} if len(x) == 1 else {}
    bound(ax, x, summary(promised, axis=0), bound_text(theorem), **lone)


def next_look(ax: Axes) -> Look:
    """The first look that no curve of the axes has."""
    drawn = [line for line in ax.get_lines() if line.get_color() != BOUND["color"]]
    return looks(len(drawn) + 1)[-1]


def _spans_decades(found: Sides) -> bool:
    """True if both sides are above 0 somewhere, and one of them over more than a factor of 10."""
    ratios = []
    for side in (found.measured, found.bound):
        values = positive(side.numpy())
        values = values[np.isfinite(values)]
        if not len(values):
            return False
        ratios.append(values.max() / values.min())
    return max(ratios) > 10
