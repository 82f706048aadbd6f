"""What recipes draw with: curves, bounds, bands, legends."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike, NDArray

from figures.style import Look

BOUND: dict[str, Any] = {"color": "0.25", "linestyle": (0, (6, 2)), "zorder": 1}
THIN = 0.75
"""Width of what is promised over that of what is measured."""


def curve(ax: Axes, x: ArrayLike, y: ArrayLike, look: Look, label: str | None = None, **more: Any) -> None:
    """A measured curve; about eight markers, which tell it from others in grey."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    every = max(1, int(np.isfinite(y).sum()) // 8)
    ax.plot(x, y, label=label, **{"markevery": every, **look._asdict(), **more})


def bound(ax: Axes, x: ArrayLike, y: ArrayLike, label: str | None = None, **more: Any) -> None:
    """What a theorem promises: dashed, grey, below the measured curves."""
    style = {**BOUND, "linewidth": thin(), **more}
    ax.plot(np.asarray(x, dtype=float), np.asarray(y, dtype=float), label=label, **style)


def thin() -> float:
    """Width of bounds and of lines that mark something, in points, at the venue that is drawn for."""
    return THIN * mpl.rcParams["lines.linewidth"]


def band(ax: Axes, x: ArrayLike, rows: NDArray[np.float64], look: Look, label: str | None = None) -> None:
    """Median of the rows, (replicates, n), and the band from the 10th to the 90th percentile."""
    low, middle, high = np.nanquantile(rows, (0.1, 0.5, 0.9), axis=0)
    ax.fill_between(np.asarray(x, dtype=float), low, high, color=look.color, alpha=0.2, linewidth=0)
    curve(ax, x, middle, look, label)


def positive(y: ArrayLike) -> NDArray[np.float64]:
    """For a logarithmic axis: nan where not above 0."""
    y = np.asarray(y, dtype=float)
    return np.where(y > 0, y, np.nan)
