"""Any run against any theorem: what was measured over what is promised, in one call."""

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from assumptions import Assumption
from figures.costs import axis_label, spent
from figures.drawing import BEYOND, BOUND, LOFTY, below, bound, curve, lost_note, positive, spread
from figures.evaluate import Schedule, Sides, sides
from figures.legend import bound_text, measured_text
from figures.stacked import StackedFigure
from figures.style import Look, looks, styled
from problems import Problem
from workbench import Theorem, Trace
from workbench.statement import EXPECTATIONS

RATIO = 0.55
"""Height over width of a new figure."""
NEW = "neurips"
"""Its style, where none is asked for."""
MEANS = ("mean", "step")
"""Kinds of claims of which the mean of the replicates is drawn."""


def over(
    trace: Trace,
    theorem: Theorem,
    *,
    ax: Axes | None = None,
    style: str | None = None,
    cost: str = "k",
    look: Look | None = None,
    label: str | None = None,
    problem: Problem | None = None,
    certificate: Assumption | Sequence[Assumption] = (),
    schedule: Schedule | None = None,
) -> Axes:
    """Draw both sides of a theorem's claim along a run: measured in colour, the bound dashed.

    Of several replicates the median with a band from the 10th to the 90th percentile; where the claim is
    about a mean, the mean of the runs with that band. Steps of which the claim does not speak are left out;
    what has diverged leaves the panel at its top, and the legend says how many runs have. The bounds after
    the first of a panel have the colour of their curve and its marker, hollow.

    ax        where to draw; without it a new figure
    style     of a new figure, "neurips" if not said: save it with
              ``write(ax.figure, Path("mine"), ("pdf",), "neurips")`` of ``figures``
    cost      the horizontal axis: "k", "passes", or a unit of ``trace.costs``; of replicates their mean
    label     of what is measured, before its formula
    problem, certificate, schedule: as ``figures.evaluate.sides`` takes them; a run with a schedule needs it

    ValueError where the theorem does not speak of the run, for a cost that the run did not have, a style that
    there is not, and for both a style and a panel.
    """
    found = sides(trace, theorem, problem=problem, certificate=certificate, schedule=schedule)
    along = spent(trace, cost, problem).mean(0)
    with drawing_on(ax, style) as chosen:
        draw_sides(chosen, along.numpy(), found, look or next_look(chosen), label)
        if ax is None:
            chosen.set(xlabel=axis_label(cost), yscale="log" if _spans_decades(found) else "linear")
            if float(found.measured.nan_to_num(0.0, posinf=np.inf).max()) > _top(found):
                chosen.set_ylim(top=_top(found))
        chosen.legend()
    return chosen


@contextlib.contextmanager
def drawing_on(ax: Axes | None, style: str | None = None) -> Iterator[Axes]:
    """The axes; without them, those of a new figure. Inside are the settings of the figure's venue.

    ValueError for axes with a style: theirs is that of their figure.
    """
    if ax is not None and style is not None:
        raise ValueError(
            f"style {style!r} is for a new figure, and ax is there already: leave one of them out"
        )
    figure = None if ax is None else ax.figure
    if ax is not None and not isinstance(figure, StackedFigure):
        yield ax
        return
    chosen = figure.style if isinstance(figure, StackedFigure) else style or NEW
    with styled(chosen) as venue:
        yield ax or StackedFigure((1, 1), RATIO, venue.two, venue.size, chosen).subplots()


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
    text = _text(found) if label is None else f"{label}: {_text(found)}"
    summary = np.nanmean if theorem.kind in MEANS else np.nanmedian
    top = _top(found)
    if len(measured) > 1:
        spread(ax, x, measured, look, BEYOND * top)
    curve(ax, x, below(summary(measured, axis=0), BEYOND * top), look, text)
    lone: dict[str, Any] = {"marker": "_", "markersize": 10} if len(x) == 1 else {}
    own = (
        look if lone == {} and any(line.get_zorder() == BOUND["zorder"] for line in ax.get_lines()) else None
    )
    bound(ax, x, summary(promised, axis=0), bound_text(theorem), own, **lone)


def _top(found: Sides) -> float:
    """Of the panel, where what is measured leaves the bounds far below."""
    return LOFTY * float(found.bound.abs().nan_to_num(0.0).max())


def _text(found: Sides) -> str:
    """The formula of what is measured; where the claim is about a mean, of how many runs."""
    rows = len(found.measured)
    notes = [f"{rows} runs" if rows > 1 else "one run"] if found.theorem.kind in EXPECTATIONS else []
    return ", ".join([measured_text(found.theorem), *notes, *lost_note(found.measured.isinf().any(1))])


def next_look(ax: Axes) -> Look:
    """The first look that no curve of the axes has."""
    drawn = [line for line in ax.get_lines() if line.get_zorder() != BOUND["zorder"]]
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
