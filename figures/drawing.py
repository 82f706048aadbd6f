"""What recipes draw with: curves, bounds, bands, legends."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from figures.style import Look

BOUND: dict[str, Any] = {"color": "0.25", "linestyle": (0, (6, 2)), "zorder": 1}
LOFTY = 1e3
"""A panel ends at so many times the largest bound, or value at the start, where a run leaves all behind."""
BEYOND = 10.0
"""Curves are drawn up to so many times the end of the panel."""
QUANTILES = (0.1, 0.9)
"""Of a band."""
EVERY = (0.1, 0.3)
"""Hollow markers: the first one, and the distance between them, in diagonals of the panel."""
THIN = 0.75
"""Width of what is promised over that of what is measured."""


def curve(ax: Axes, x: ArrayLike, y: ArrayLike, look: Look, label: str | None = None, **more: Any) -> None:
    """A measured curve; about eight markers, which tell it from others in grey."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    every = max(1, int(np.isfinite(y).sum()) // 8)
    ax.plot(x, y, label=label, **{"markevery": every, **look._asdict(), **more})


def bound(
    ax: Axes, x: ArrayLike, y: ArrayLike, label: str | None = None, look: Look | None = None, **more: Any
) -> None:
    """What a theorem promises: dashed, grey, below the measured curves.

    look: of the curve that it is about, where there are several: in its colour, with its marker, hollow.
    """
    style = {**BOUND, "linewidth": thin(), **({} if look is None else _hollow(look)), **more}
    ax.plot(np.asarray(x, dtype=float), np.asarray(y, dtype=float), label=label, **style)


def entry(ax: Axes, label: str, **style: Any) -> None:
    """A line in the legend alone: dashed like a bound, or as the style says."""
    bound(ax, [np.nan], [np.nan], label, **style)


def _hollow(look: Look) -> dict[str, Any]:
    size = 0.8 * mpl.rcParams["lines.markersize"]
    face = {"markerfacecolor": "white", "markersize": size, "markeredgewidth": thin()}
    return {"color": look.color, "marker": look.marker, "markevery": EVERY, **face}


def thin() -> float:
    """Width of bounds and of lines that mark something, in points, at the venue that is drawn for."""
    return THIN * mpl.rcParams["lines.linewidth"]


def band(ax: Axes, x: ArrayLike, rows: NDArray[np.float64], look: Look, label: str | None = None) -> None:
    """Median of the rows, (replicates, n), and the band from the 10th to the 90th percentile."""
    spread(ax, x, rows, look)
    curve(ax, x, np.nanmedian(rows, axis=0), look, label)


def spread(ax: Axes, x: ArrayLike, rows: NDArray[np.float64], look: Look, top: float = np.inf) -> None:
    """The band alone, up to ``top``."""
    low, high = np.nanquantile(below(rows, top), QUANTILES, axis=0)
    ax.fill_between(np.asarray(x, dtype=float), low, high, color=look.color, alpha=0.2, linewidth=0)


def lost_note(lost: Tensor) -> list[str]:
    """For a legend, how many of the runs have diverged, (replicates,); nothing where none has."""
    n, rows = int(lost.sum()), len(lost)
    return [] if n == 0 else ["diverged" if rows == 1 else f"{n} of {rows} diverged"]


def below(y: ArrayLike, top: float) -> NDArray[np.float64]:
    """At most ``top``; what has diverged, and is inf, leaves a panel whose limit is lower."""
    return np.minimum(np.asarray(y, dtype=float), top)


def positive(y: ArrayLike) -> NDArray[np.float64]:
    """For a logarithmic axis: nan where not above 0."""
    y = np.asarray(y, dtype=float)
    return np.where(y > 0, y, np.nan)
