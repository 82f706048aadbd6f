"""BPM beside the proximal point method and normalised gradient descent, all from one start."""

import numpy as np
from matplotlib.figure import Figure

from figures.drawing import bound, curve
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._ends import falling
from figures.style import looks
from problems import LogSumExp, MaxAffine, Problem
from workbench import run
from workbench.methods import BPM, NormalisedGradientDescent, ProximalPoint
from workbench.theorems.gruntkowska2025 import COUNT, PRODUCT

SHARE = 1 / 10
"""Radius over the distance of the start."""
LABELS = ("BPM", "proximal point", "normalised GD")
PANELS = ("log-sum-exp", "max of affine functions")


class BPMMethods(Recipe):
    """BPM, the proximal point method and normalised gradient descent: gap against k from one start."""

    name = "bpm-methods"
    paper = "arXiv:2502.02002"
    status = "re-derived"
    see = (
        "With the same first step, BPM reaches a gap of 0 after finitely many steps, the proximal point "
        "method slows down on the smooth function, and normalised gradient descent stalls at its radius."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """A smooth and a nonsmooth function; the stepsize of the proximal point method is that of step 0."""
        d = 12 if full else 4
        problems = (LogSumExp(d=d, terms=2 * d, seed=seed), MaxAffine(d=3, pieces=8, seed=seed + 1))
        tables, facts = {}, {"problems": [repr(p) for p in problems], "share": SHARE}
        found = [_compared(problem, 60 if full else 40, seed) for problem in problems]
        for i, (columns, _, _) in enumerate(found):
            tables |= {f"{name}{i}": table(column) for name, column in columns.items()}
        facts |= {"stepsizes": [stepsize for _, stepsize, _ in found], "K": [K for _, _, K in found]}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Gap over the gap of the start, logarithmic; a curve falls out of the axes where the gap is 0."""
        axes = figure.subplots(1, 2, sharey=True)
        for i, ax in enumerate(axes):
            k = np.arange(len(numbers[f"bpm{i}"]))
            for name, label, look in zip(("bpm", "ppm", "ngd"), LABELS, looks(3), strict=True):
                gap = numbers[f"{name}{i}"]
                curve(ax, k, falling(gap / gap[0]), look, label)
            gap0 = numbers[f"bpm{i}"][0]
            bound(ax, k, numbers[f"bound{i}"] / gap0, "bound for BPM")
            ax.set(yscale="log", ylim=(2e-5, 2), xlabel="step $k$", title=PANELS[i])
            ax.set_ylabel(r"gap$(x_k)$ / gap$(x_0)$")
            ax.label_outer()
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)


def _compared(problem: Problem, steps: int, seed: int) -> tuple[dict[str, list[float]], float, float]:
    """Gaps of the three methods and the bound of ``PRODUCT``, (steps + 1,); the stepsize; K of ``COUNT``.

    A step of the proximal point method has the length stepsize |g|: with stepsize = radius / |g_1|, g_1 the
    multiplier's subgradient of BPM's first step, both take the same first step.
    """
    radius = SHARE * float(run(BPM(1.0), problem, steps=1, record=("dist",))["dist"][0, 0])
    bpm = run(BPM(radius), problem, steps=steps, seed=seed, record=("gap", "dist", "slope"))
    stepsize = radius / float(bpm["slope"][0, 1])
    others = (ProximalPoint(stepsize), NormalisedGradientDescent(radius))
    ppm, ngd = (run(method, problem, steps=steps, seed=seed, record=("gap",)) for method in others)
    gaps = {name: trace["gap"][0].tolist() for name, trace in (("bpm", bpm), ("ppm", ppm), ("ngd", ngd))}
    K = float(sides(bpm, COUNT).bound[0, -1])
    return {**gaps, "bound": sides(bpm, PRODUCT).bound[0].tolist()}, stepsize, K
