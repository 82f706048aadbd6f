"""BPM in the plane: contours, balls and iterates."""

import numpy as np
from matplotlib.figure import Figure

from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._ends import ended
from figures.recipes._plane import contours, outline, plane, stars, walk
from figures.style import looks
from problems import DoubleWell, MaxAffine, Problem
from workbench import run
from workbench.methods import BPM

KINKED = MaxAffine(d=2, pieces=6, seed=4, start=(3.0, 2.0))
WELL_STARTS = ((3.2, 2.2), (-2.6, 1.4), (0.3, -0.45))
WELL_RADIUS = 1.0
"""The smallest radius for which the double well is ball-convex."""


class BPMBalls(Recipe):
    """BPM in the plane: on a convex function with kinks, and on a ball-convex one that is not convex."""

    name = "bpm-balls"
    paper = "arXiv:2502.02002"
    status = "re-derived"
    see = (
        "Each step goes to the edge of its ball until a minimiser is inside; where the function is not "
        "convex, balls that are large enough see past the hill to the circle of minimisers."
    )
    panels = (1, 2)
    ratio = 1.1

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Runs that end, the gap on a grid, the minimisers."""
        n = 161 if full else 81
        x0 = np.asarray(KINKED.start)
        star = KINKED.x_star.numpy()
        radius = float(np.linalg.norm(x0 - star)) / 5
        middle, half = (x0 + star) / 2, 0.75 * float(np.abs(x0 - star).max()) + radius
        window = (middle[0] - half, middle[0] + half, middle[1] - half, middle[1] + half)
        tables = plane(KINKED, window, n, "0") | plane(DoubleWell(d=2), (-3.8, 4.4, -3.9, 4.3), n, "1")
        tables |= {"circle": outline(), "walk0": _walked(KINKED, radius, seed), "star0": table(star[None])}
        for i, start in enumerate(WELL_STARTS):
            tables[f"walk{i + 1}"] = _walked(DoubleWell(d=2, start=start), WELL_RADIUS, seed)
        tables["star1"] = outline()
        problems = [repr(KINKED), repr(DoubleWell(d=2))]
        return Numbers(self.name, tables, {"radii": [radius, WELL_RADIUS], "problems": problems}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: convex with kinks. Right: the double well, from three starts."""
        left, right = figure.subplots(1, 2)
        look, *_ = looks(1)
        radii, circle = numbers.facts["radii"], numbers["circle"]
        top = float(numbers["height0"].max())
        contours(left, numbers, "0", (top * np.linspace(0.02, 1, 10)).tolist())
        walk(left, numbers["walk0"], radii[0] * circle, look)
        stars(left, numbers["star0"])
        contours(right, numbers, "1", [0.25, 0.9, 4, 25, 81, 196, 400, 676])
        right.plot(*numbers["star1"].T, color="black", zorder=1)
        for i, look in enumerate(looks(len(WELL_STARTS))):
            walk(right, numbers[f"walk{i + 1}"], radii[1] * circle, look)
        left.set_title("convex, with kinks")
        right.set_title("ball-convex, not convex")


def _walked(problem: Problem, radius: float, seed: int) -> np.ndarray:
    """Iterates of BPM until they rest, (n, 2)."""
    trace = run(BPM(radius), problem, steps=40, seed=seed, record=("gap",), keep_state=True)
    assert trace.x is not None
    return ended(table(trace.x[0]))
