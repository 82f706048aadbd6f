"""BPM on a maximum of affine functions: gap and distance, with the bounds of its theorems."""

import numpy as np
from matplotlib.figure import Figure

from figures.drawing import bound, curve, entry, positive, thin
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from problems import MaxAffine
from workbench import run
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import COUNT, DISTANCE, PRODUCT

SHARES = (0.1, 0.2, 0.4)
"""Radii over the distance of the start."""
FLOOR = 1e-3
"""Lowest gap shown, over that of the start; a run that has ended falls through it."""


class BPMGap(Recipe):
    """BPM ends after finitely many steps: gap and squared distance, with the bounds of its theorems."""

    name = "bpm-gap"
    paper = "arXiv:2502.02002"
    status = "re-derived"
    see = (
        "Each step gains at least radius^2 in squared distance; the gap falls to 0 before the dotted line, "
        "where theory says that it must."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Runs with three radii from one start, until the step by which theory promises the end.

        Tables gap_i, gap_bound_i (k = 0..K), dist_sq_i, dist_sq_bound_i (k = 1..K), relative to those of the
        start, and ends: the promised number of steps.
        """
        problem = MaxAffine(d=20 if full else 4, pieces=40 if full else 8, seed=seed + 1)
        first = run(BPM(radius=1.0), problem, steps=1)
        dist0, gap0 = float(first["dist"][0, 0]), float(first["gap"][0, 0])
        tables, ends = {}, []
        for i, share in enumerate(SHARES):
            trace = run(BPM(radius=share * dist0), problem, steps=int(np.ceil(1 / share**2)))
            gap, dist = sides(trace, PRODUCT), sides(trace, DISTANCE)
            ends.append(float(sides(trace, COUNT).bound[0, -1]))
            tables |= {
                f"gap_{i}": table(trace["gap"][0] / gap0),
                f"gap_bound_{i}": table(gap.bound[0] / gap0),
                f"dist_sq_{i}": table(dist.measured[0, :-1] / dist0**2),
                f"dist_sq_bound_{i}": table(dist.bound[0, :-1] / dist0**2),
            }
        tables["ends"] = table(ends)
        return Numbers(self.name, tables, {"shares": list(SHARES), "problem": repr(problem)}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: gap, falling to 0, and dotted the step at which it must be 0. Right: squared distance."""
        left, right = figure.subplots(1, 2)
        shares = numbers.facts["shares"]
        for i, (share, look) in enumerate(zip(shares, looks(len(shares)), strict=True)):
            gap, dist = numbers[f"gap_{i}"], numbers[f"dist_sq_{i}"]
            k = np.arange(len(gap))
            until = 2 + int(np.flatnonzero(gap > 0)[-1])
            curve(left, k[1:until], np.maximum(gap[1:until], FLOOR / 10), look)
            bound(left, k, positive(numbers[f"gap_bound_{i}"]), look=look)
            left.axvline(numbers["ends"][i], color=look.color, linestyle=":", linewidth=thin())
            curve(right, k[1:], dist, look, rf"$t = {share:g}\,D_0$")
            bound(right, k[1:], numbers[f"dist_sq_bound_{i}"], look=look)
        left.set(xscale="log", yscale="log", xlabel="step $k$", ylabel=r"gap$(x_k)$ / gap$(x_0)$")
        left.set_ylim(FLOOR, 2)
        right.set(xscale="log", xlabel="step $k$", ylabel=r"dist$^2(x_k)$ / dist$^2(x_0)$")
        right.set_xlim(left.get_xlim())
        entry(right, "bounds")
        entry(right, "end, at the latest", linestyle=":")
        right.legend(loc="upper right")
