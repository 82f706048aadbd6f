"""SPPM and SGD over stepsizes, on interpolated sums of quartics and of hyperbolic cosines."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.drawing import band, bound, curve
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import against, gaussian_rows, key, stepsize_of
from figures.style import looks
from problems import LinkSum
from workbench import run
from workbench.methods import SGD
from workbench.theorems.sppm_interpolation import L0L1, LOCAL0

LINKS = (("quartic", "quartic terms"), ("cosh", "cosh terms"))
OVERFLOW = 1e30
"""Stands for what is no float; the curve leaves the panel at the top."""


class SPPMStepsizes(Recipe):
    """SPPM and SGD over six decades of stepsizes, on sums without a smoothness constant."""

    name = "sppm-stepsizes"
    paper = "arXiv:2502.03401"
    status = "re-derived"
    see = (
        "SGD diverges beyond a stepsize; the longer the steps of SPPM, the smaller its gap, below its bound."
    )
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Over the first gap: the one at step K, and SPPM's mean of K gaps with its bound."""
        d, replicates, steps = 8, 256 if full else 32, 400 if full else 150
        scales = np.logspace(-2, 4, 25 if full else 9)
        tables = {"scale": table(scales)}
        for link, _ in LINKS:
            problem = LinkSum(link, gaussian_rows(20, d, seed=1), start=(0.5,) * d)
            found = {"sppm": [], "sgd": [], "average": [], "bound": []}
            for scale in scales:
                rules = {"stepsize": float(scale) / LOCAL0, "minibatch": 1}
                claim = against(L0L1, problem, steps, replicates, seed, **rules)
                gap = claim.trace["gap"].numpy()
                sgd = run(
                    SGD(stepsize_of(claim.trace)), problem, steps=steps, replicates=replicates, seed=seed
                )["gap"]
                found["sppm"].append(gap[:, -1] / gap[0, 0])
                found["sgd"].append(np.nan_to_num(sgd[:, -1].numpy() / gap[0, 0], nan=np.inf))
                found["average"].append(claim.measured[:, -1].mean() / gap[0, 0])
                found["bound"].append(claim.bound[-1] / gap[0, 0])
            tables |= {f"{link} {name}": table(rows) for name, rows in found.items()}
        return Numbers(self.name, tables, {"steps": steps, "replicates": replicates}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """A panel for each sum: gaps at the end over the stepsize in units of 1 / L."""
        axes = figure.subplots(1, 2, sharey=True)
        for ax, (link, title) in zip(axes, LINKS, strict=True):
            _panel(ax, numbers, link)
            ax.text(0.03, 0.04, title, transform=ax.transAxes)
            ax.set_ylabel(f"gap / first gap, step {numbers.facts['steps']}")
            key(ax, ncols=2)


def _panel(ax: Axes, numbers: Numbers, link: str) -> None:
    x, (first, second, third) = numbers["scale"], looks(3)
    curve(ax, x, numbers[f"{link} average"], third, "SPPM, mean of steps")
    bound(ax, x, numbers[f"{link} bound"], "its bound")
    for name, look, label in (("sppm", first, "SPPM"), ("sgd", second, "SGD")):
        rows = np.nan_to_num(numbers[f"{link} {name}"].T, posinf=OVERFLOW).clip(max=OVERFLOW)
        band(ax, x, rows, look, label)
    ax.set(xscale="log", yscale="log", ylim=(1e-7, 1e3), xlabel=r"stepsize $\gamma \, L_0 e^{L_1 D_0}$")
