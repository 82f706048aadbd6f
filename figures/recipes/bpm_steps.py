"""The staircase of BPM: squared distances fall by the squared radius, and end."""

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullLocator

from figures.drawing import bound, curve, positive
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._ends import falling
from figures.style import looks
from problems import MaxAffine, Quadratic, WeightedL1
from workbench import Recurrence, run, symbols
from workbench.methods import BPM
from workbench.theorems.gruntkowska2025 import COUNT, PRODUCT

assert isinstance(PRODUCT.bound, Recurrence)
STAIRS = replace(
    PRODUCT,
    title="Squared distances stay below dist0^2 less the squared radii, until that is 0",
    measured=symbols("dist") ** 2,
    bound=replace(PRODUCT.bound, value="s"),
    mutants=(),
    tight=(),
)
"""The other half of the recursion in ``PRODUCT``."""
LABELS = (r"weighted $\ell_1$", "max of affine", "quadratic")
RATIO = 1e-3
"""Of the weights of one coordinate and the next: so small that each step serves one coordinate."""


class BPMSteps(Recipe):
    """BPM's staircase: squared distance and gap against k, with their bounds and the last step K."""

    name = "bpm-steps"
    paper = "arXiv:2502.02002"
    status = "re-derived"
    see = (
        "Squared distances fall by at least the squared radius; one function takes every step that theory "
        "allows and ends at K = ceil(D_0^2 / t^2) exactly, others end before."
    )
    panels = (1, 2)

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Three problems, radii in one proportion to the distance of the start: one staircase for all."""
        d = 12 if full else 6
        ladder = WeightedL1(weights=tuple(RATIO**i for i in range(d)), start=(1.01,) * d)
        spectrum = tuple(np.geomspace(1e-3, 1.0, d).tolist())
        problems = (ladder, MaxAffine(d=3, pieces=8, seed=seed + 1), Quadratic(spectrum, seed=seed))
        tables, radii, K = {}, [], []
        for i, problem in enumerate(problems):
            dist0 = float(run(BPM(1.0), problem, steps=1, record=("dist",))["dist"][0, 0])
            radius = 1.0 if i == 0 else dist0 / (d * 1.01**2) ** 0.5
            trace = run(BPM(radius), problem, steps=d + 3, seed=seed, record=("gap", "dist"))
            gap0, stairs = float(trace["gap"][0, 0]), sides(trace, STAIRS)
            tables |= {
                f"square{i}": table(trace["dist"][0] ** 2 / dist0**2),
                f"gap{i}": table(trace["gap"][0] / gap0),
                f"stairs{i}": table(stairs.bound[0].clamp(min=0) / dist0**2),
                f"bound{i}": table(sides(trace, PRODUCT).bound[0] / gap0),
            }
            radii.append(radius / dist0)
            K.append(float(sides(trace, COUNT).bound[0, -1]))
        facts = {"K": K, "radii over dist0": radii, "problems": [repr(p) for p in problems]}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: squared distance. Right: gap, logarithmic. The dotted line is K."""
        left, right = figure.subplots(1, 2)
        k = np.arange(len(numbers["square0"]))
        bound(left, k, numbers["stairs0"], "bound", drawstyle="steps-post")
        bound(right, k, positive(numbers["bound0"]), drawstyle="steps-post")
        for i, (label, look) in enumerate(zip(LABELS, looks(3), strict=True)):
            curve(left, k, numbers[f"square{i}"], look, label, drawstyle="steps-post")
            curve(right, k, falling(numbers[f"gap{i}"]), look, drawstyle="steps-post")
        left.set(xlabel="step $k$", ylabel=r"dist$^2(x_k)$ / dist$^2(x_0)$")
        right.set(yscale="log", xlabel="step $k$", ylabel=r"gap$(x_k)$ / gap$(x_0)$")
        _decades(right, min(float(g[g > 0].min()) for g in (numbers[f"gap{i}"] for i in range(3))))
        for ax in (left, right):
            _last(ax, numbers.facts["K"][0])
        figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=2)


def _decades(ax: Axes, lowest: float) -> None:
    """From 1 down to what is below the lowest value, five ticks or so: every gap that is not 0 is seen."""
    decades = 1 - int(np.floor(np.log10(lowest)))
    ax.set(ylim=(10.0**-decades, 10 ** (decades / 40)))
    ax.set_yticks(10.0 ** -np.arange(0, decades, -(-decades // 5)))
    ax.yaxis.set_minor_locator(NullLocator())


def _last(ax: Axes, K: float) -> None:
    """A dotted line at the step at which theory ends the run, named at the top."""
    ax.axvline(K, color="0.25", linestyle=":", linewidth=0.9, zorder=1)
    ax.text(K, 0.98, f" $K = {K:.0f}$", transform=ax.get_xaxis_transform(), va="top", ha="left")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
