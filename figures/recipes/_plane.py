"""Contours of functions of two variables, with balls and iterates."""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.axes import Axes
from numpy.typing import NDArray

from assumptions import EUCLIDEAN, Norm
from figures.numbers import Numbers, table
from figures.style import Look
from problems import Problem

Window = tuple[float, float, float, float]
"""x from, x to, y from, y to."""


def plane(problem: Problem, window: Window, n: int, key: str) -> dict[str, NDArray[np.float64]]:
    """Tables of the gap on an n by n grid of the window: "across" + key, "up" + key, "height" + key."""
    across = torch.linspace(window[0], window[1], n, dtype=torch.float64)
    up = torch.linspace(window[2], window[3], n, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), dim=-1)
    height = np.round(problem.value(grid).numpy(), 5)
    return {f"across{key}": table(across), f"up{key}": table(up), f"height{key}": table(height)}


def outline(norm: Norm = EUCLIDEAN, n: int = 80) -> NDArray[np.float64]:
    """The unit sphere of a norm in the plane, closed: (n + 1, 2); boxes keep corners if 8 divides n."""
    angle = torch.linspace(0, 2 * np.pi, n + 1, dtype=torch.float64)
    ray = torch.stack([angle.cos(), angle.sin()], dim=-1)
    return table(ray / norm.norm(ray).unsqueeze(-1))


def contours(ax: Axes, numbers: Numbers, key: str, levels: Sequence[float]) -> None:
    """Level lines in grey, axes of equal scale."""
    across, up, height = (numbers[f"{name}{key}"] for name in ("across", "up", "height"))
    ax.contour(across, up, height, levels=levels, colors="0.72", linewidths=_thin(), zorder=0)
    ax.set_aspect("equal")
    ax.grid(False)
    ax.set(xlabel="$x_1$", ylabel="$x_2$")


def walk(
    ax: Axes, x: NDArray[np.float64], shape: NDArray[np.float64], look: Look, label: str | None = None
) -> None:
    """Iterates, (n, 2), joined, and around each but the last a ball of the shape, (m, 2)."""
    for centre in x[:-1]:
        edge = centre + shape
        ax.fill(edge[:, 0], edge[:, 1], facecolor=look.color, alpha=0.08, zorder=1)
        ax.plot(edge[:, 0], edge[:, 1], color=look.color, linewidth=_thin(), alpha=0.7, zorder=2)
    ax.plot(x[:, 0], x[:, 1], label=label, zorder=3, **look._asdict())


def stars(ax: Axes, points: NDArray[np.float64]) -> None:
    """Minimisers, (n, 2)."""
    size = 2.2 * mpl.rcParams["lines.markersize"]
    ax.plot(*points.T, linestyle="", marker="*", markersize=size, color="black", zorder=4)


def _thin() -> float:
    """Half the width of a curve, in the style that is set."""
    return 0.5 * mpl.rcParams["lines.linewidth"]
