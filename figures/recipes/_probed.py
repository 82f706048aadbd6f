"""What figures of probes share: which layers they show, and how these are drawn."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import xarray
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike

from figures.style import Look, looks
from workbench.probes.fits.judgement import VERDICTS
from workbench.probes.fits.layer_path import LayerPath, layer_paths

FEW, MANY = 3, 12
"""Layers with a curve of their own, and layers in a list of all of them."""
NAME = 20
"""Letters of a name, the last ones where it has more."""
DECADES = 30.0
"""On an axis that spans a smaller factor 2 and 5 are ticks, as 1 is."""


def facts_of(result: xarray.Dataset) -> dict[str, object]:
    """What was trained and probed, as far as the result says it."""
    said = ("network", "optimizer", "batch", "level", "dtype", "steps_taken", "estimator", "norms")
    return {name: _plain(result.attrs[name]) for name in said if name in result.attrs}


def _plain(value: object) -> object:
    return value.item() if isinstance(value, np.generic) else str(value)


# -- which layers -----------------------------------------------------------------------------------


def paths_of(result: xarray.Dataset) -> dict[int, LayerPath]:
    """The layers that moved, by their number."""
    return {i: path for i, path in enumerate(layer_paths(result)) if path.n}


def few_of(result: xarray.Dataset, count: int = FEW) -> list[int]:
    """So many layers from first to last, matrices and convolutions where there are enough of them."""
    moved = [*paths_of(result)]
    shapes = result["shape"].values if "shape" in result.coords else [""] * result.sizes["layer"]
    matrices = [i for i in moved if "x" in str(shapes[i])]
    return spread(matrices if len(matrices) >= count else moved, count)


def spread(items: Sequence[int], count: int) -> list[int]:
    """At most so many, evenly from the first to the last."""
    at = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[i] for i in at]


def short(name: str) -> str:
    """A name as a label: without ".weight", its end where it is long."""
    name = name.removesuffix(".weight")
    cut = name if len(name) <= NAME else "\N{HORIZONTAL ELLIPSIS}" + name[1 - NAME :]
    return cut.replace("$", r"\$")


# -- how they are drawn -----------------------------------------------------------------------------


def look_of(verdict: str) -> Look:
    """Of a verdict, the same in every figure."""
    return looks(len(VERDICTS))[VERDICTS.index(verdict)]


def listed(
    ax: Axes, names: Sequence[str], verdicts: Sequence[str], values: ArrayLike, low_high: ArrayLike
) -> None:
    """A row for each layer, the first on top: a value with its interval, marked by the verdict.

    values: (n,). low_high: (n, 2); an end that is not finite is not drawn.
    """
    values, ends = np.asarray(values, float), np.asarray(low_high, float)
    rows = np.arange(len(names))
    for verdict in VERDICTS:
        here = np.array([each == verdict for each in verdicts])
        if here.any():
            look = look_of(verdict)._replace(linestyle="")
            low, high = np.where(np.isfinite(ends[here]), ends[here], values[here, None]).T
            ax.hlines(rows[here], low, high, color=look.color, linewidth=mpl.rcParams["lines.linewidth"])
            ax.plot(values[here], rows[here], label=verdict, **look._asdict())
    ax.set_yticks(rows, [short(name) for name in names])
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(visible=False, axis="y")


def log_ticks(axis: Axis) -> None:
    """Few ticks with plain numbers for a logarithmic axis whose limits are set."""
    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < DECADES * low else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_formatter(NullFormatter())
