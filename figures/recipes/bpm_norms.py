"""BPM in norms that are not Euclidean: boxes, ellipses, and what is lost with them."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from assumptions import EUCLIDEAN, Lp, Weighted
from figures.drawing import bound, curve
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._ends import ended, falling
from figures.recipes._plane import contours, outline, plane, stars, walk
from figures.style import looks
from problems import MaxAffine
from workbench import run
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import VALLEY
from workbench.theorems.gruntkowska_richtarik2025 import SLOPE_RATE

RADIUS = 0.5
SHORT = 0.3
"""Radius of the runs in three norms."""
BOX = Lp(math.inf)
ELLIPSE = Weighted((0.6, 1.6))
KINKED = MaxAffine(d=2, pieces=6, seed=4, start=(3.0, 2.0))
SLOPE_NORMS = {"1": Lp(1.0), "2": EUCLIDEAN, "inf": BOX}
"""Of the ball; the subgradient is measured in the dual one."""


class BPMNorms(Recipe):
    """BPM in boxes and ellipses: iterates, distances that grow in boxes, dual norms that do not."""

    name = "bpm-norms"
    paper = "arXiv:2510.00823"
    status = "re-derived"
    see = (
        "In boxes a step may lead away from the minimiser, in the max norm and in the Euclidean one; the gap "
        "and the dual norm of the subgradient fall in every norm, the latter below one bound."
    )
    panels = (2, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Runs on the valley (x - 3 y)^2 + (x^2 + y^2) / 100, and one in ellipses on a kinked function."""
        n = 161 if full else 81
        tables = plane(VALLEY, (-0.75, 2.25, -0.6, 2.6), n, "0") | plane(
            KINKED, (-1.6, 4.6, -2.1, 3.6), n, "1"
        )
        boxes = run(BPM(RADIUS, BOX), VALLEY, steps=8, seed=seed, keep_state=True)
        circles = run(BPM(RADIUS), VALLEY, steps=8, seed=seed, record=("dist",))
        kinked = run(BPM(RADIUS, ELLIPSE), KINKED, steps=20, seed=seed, keep_state=True)
        assert boxes.x is not None
        assert kinked.x is not None
        tables |= {"walk0": ended(table(boxes.x[0])), "box": RADIUS * outline(BOX)}
        tables |= {"walk1": ended(table(kinked.x[0])), "ellipse": RADIUS * outline(ELLIPSE)}
        tables |= {"star0": table(VALLEY.x_star[None]), "star1": table(KINKED.x_star[None])}
        tables["max of boxes"] = table(boxes["dist"][0])
        tables["length of boxes"] = table(EUCLIDEAN.norm(boxes.x[0] - VALLEY.x_star))
        tables["length of circles"] = table(circles["dist"][0])
        facts = {"radius": RADIUS, "short": SHORT, "problems": [repr(VALLEY), repr(KINKED)]}
        return Numbers(self.name, tables | _dual_norms(seed), facts | {"ellipse": repr(ELLIPSE)}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Above: boxes, ellipses. Below: distances, dual norms."""
        (boxes, ellipses), (distances, slopes) = figure.subplots(2, 2)
        first, *_ = looks(1)
        contours(boxes, numbers, "0", (np.linspace(0.25, 6.5, 8) ** 2).tolist())
        top = float(numbers["height1"].max())
        contours(ellipses, numbers, "1", (top * np.linspace(0.02, 1, 9)).tolist())
        for i, (ax, shape) in enumerate(((boxes, "box"), (ellipses, "ellipse"))):
            walk(ax, numbers[f"walk{i}"], numbers[shape], first)
            stars(ax, numbers[f"star{i}"])
        boxes.set_title(r"boxes ($\ell_\infty$)")
        ellipses.set_title(r"ellipses (weighted $\ell_2$)")
        _distances(distances, numbers)
        _slopes(slopes, numbers)


def _dual_norms(seed: int) -> dict[str, NDArray[np.float64]]:
    """Of the subgradients in the norms of ``SLOPE_NORMS``; the bound, gap0 over k radii, is the same in all.

    In the l_1 norm by a conic solver, in the others exactly.
    """
    tables = {}
    for p, norm in SLOPE_NORMS.items():
        trace = run(BPM(SHORT, norm), VALLEY, steps=9, seed=seed, record=("gap", "slope"))
        tables |= {f"slope {p}": table(trace["slope"][0]), f"gap {p}": table(trace["gap"][0])}
        if p != "1":
            tables["bound"] = table(sides(trace, SLOPE_RATE).bound[0])
    return tables


def _distances(ax: Axes, numbers: Numbers) -> None:
    """Distance to the minimiser of runs in boxes and in circles."""
    rows = {
        "max of boxes": r"boxes, $\ell_\infty$",
        "length of boxes": r"boxes, $\ell_2$",
        "length of circles": r"circles, $\ell_2$",
    }
    for (name, label), look in zip(rows.items(), looks(3), strict=True):
        curve(ax, np.arange(len(numbers[name])), numbers[name], look, label)
    ax.set(xlabel="step $k$", ylabel=r"distance to $x_\star$")
    ax.legend()


def _slopes(ax: Axes, numbers: Numbers) -> None:
    """Dual norms of the subgradients, below gap0 / (k t)."""
    k = np.arange(len(numbers["bound"]))
    for p, look in zip(SLOPE_NORMS, looks(3), strict=True):
        label = r"$\ell_\infty$" if p == "inf" else rf"$\ell_{p}$"
        curve(ax, k, falling(numbers[f"slope {p}"]), look, f"{label} balls")
    bound(ax, k, numbers["bound"], "bound")
    ax.set(yscale="log", ylim=(3e-4, 200), xlabel="step $k$", ylabel="dual norm of $g_k$")
    ax.legend()
