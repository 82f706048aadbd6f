"""Inexact linear minimisation: learning rate by steps of the orthogonaliser."""

import dataclasses

import matplotlib as mpl
import numpy as np
import torch
from matplotlib.figure import Figure

from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes.orthogonalisers import polar_express, quintic
from problems import LayerSum, SpectralQuadratic
from workbench import run
from workbench.methods.inexact_gluon import InexactGluon
from workbench.orthogonal import Orthogonaliser
from workbench.theorems.inexact_lmo import RATE

FAMILIES = {"Newton-Schulz": quintic, "Polar Express": polar_express}
MOST = 8
"""Steps of the orthogonaliser, at most."""
SPREAD = 1e-3
"""Least over largest singular value of the start."""
CERTAIN = 2.0
"""Learning rates below this lower f at every step."""


class InexactLMOHeatmap(Recipe):
    """Inexact Muon: final gradient norm over the learning rate and the steps of the orthogonaliser."""

    name = "inexact-lmo-heatmap"
    paper = "arXiv:2510.19933"
    status = "re-derived"
    see = (
        "Left of the line theory promises that f falls at every step, and it does; at the learning rate 1 of "
        "theory six steps of Polar Express are as good as eight, and Newton-Schulz never gets there."
    )
    panels = (1, 2)
    ratio = 0.85

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """InexactGluon with offset_i = L_i / rate: learning rate 1 is the one of the theorems."""
        steps = 200 if full else 25
        rates = 2.0 ** np.linspace(-3, 2, 21 if full else 11)
        problem = layered(seed)
        tables = {"rate": table(rates), "steps": table(range(1, MOST + 1))}
        for i, family in enumerate(FAMILIES.values()):
            cells = [final(problem, family(q), rates, steps) for q in range(1, MOST + 1)]
            tables[f"final{i}"] = table([cell for cell, _ in cells])
            tables[f"rises{i}"] = table([rise for _, rise in cells])
            claims = [promised(problem, family(q), steps) for q in range(1, MOST + 1)]
            tables[f"least{i}"], tables[f"bound{i}"] = (table(side) for side in zip(*claims, strict=True))
        facts = {"families": list(FAMILIES), "k": steps, "certain": CERTAIN}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """One map for each orthogonaliser, on one scale; a line where f need not fall any more."""
        axes = figure.subplots(1, 2, sharey=True)
        rates, steps = numbers["rate"], numbers["steps"]
        maps = [np.log10(numbers[f"final{i}"]) for i in range(len(axes))]
        low = min(m.min() for m in maps)
        for ax, found, name in zip(axes, maps, numbers.facts["families"], strict=True):
            scale = {"cmap": "cividis", "vmin": low, "vmax": 0.0}
            ax.pcolormesh(np.log2(rates), steps, found, rasterized=True, **scale)
            edge = np.log2(numbers.facts["certain"])
            ax.axvline(edge, color="black", linewidth=1.8)  # seen on light cells, the dashes on dark ones
            ax.axvline(edge, color="white", linestyle=(0, (6, 2)), linewidth=1.0)
            best = np.log2(rates[found.argmin(1)])
            size = 2.4 * float(mpl.rcParams["lines.markersize"])
            star = {"marker": "*", "markersize": size, "color": "white", "markeredgecolor": "black"}
            ax.plot(best, steps, linestyle="", markeredgewidth=0.4, **star)
            ax.set(title=name, xlabel="learning rate", ylabel="orthogonaliser steps", yticks=[2, 4, 6, 8])
            ax.set_xticks([-3, -2, -1, 0, 1, 2], ["1/8", "1/4", "1/2", "1", "2", "4"])
            ax.grid(False)
            ax.label_outer()
        label = r"$\log_{10}$ of $\sum_i\, g_i$, last / first"
        figure.colorbar(axes[0].collections[0], ax=list(axes), extend="max", label=label)


def layered(seed: int) -> LayerSum:
    """|X_i - B_i|^2 / 2 of two layers, whose first gradients have singular values down to ``SPREAD``."""
    generator = torch.Generator().manual_seed(seed)
    return LayerSum(tuple(_square(m, n, generator) for m, n in ((6, 8), (8, 4))))


def _square(m: int, n: int, generator: torch.Generator) -> SpectralQuadratic:
    left, right = (
        torch.linalg.qr(torch.randn(k, k, dtype=torch.float64, generator=generator))[0] for k in (m, n)
    )
    r = min(m, n)
    sizes = torch.logspace(0, float(np.log10(SPREAD)), r, dtype=torch.float64)
    start = (left[:, :r] * sizes) @ right[:, :r].T
    eye = tuple(tuple(float(i == j) for j in range(m)) for i in range(m))
    return SpectralQuadratic(eye, n, start=tuple(start.flatten().tolist()))


def _constants(problem: LayerSum) -> torch.Tensor:
    """L_i: the ranks, as the Hessian is the identity."""
    return torch.tensor([problem.layers.rho_i], dtype=torch.float64).square()


def final(
    problem: LayerSum, orthogonaliser: Orthogonaliser, rates: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Last over first sum_i g_i, and by how much f rose in one step at most, for each learning rate."""
    offset = _constants(problem) / torch.from_numpy(rates)[:, None]
    method = InexactGluon(offset, 0.0, orthogonaliser)
    trace = run(method, problem, steps=steps, replicates=len(rates), record=("gradnorm_i", "gap"))
    sums, gap = trace["gradnorm_i"].sum(-1), trace["gap"]
    return table(sums[:, -1] / sums[:, 0]), table(gap.diff(dim=1).amax(1).clamp(min=0) / gap[:, 0])


def promised(problem: LayerSum, orthogonaliser: Orthogonaliser, steps: int) -> tuple[float, float]:
    """Least sum_i g_i at learning rate 1, and the bound of inexact-gluon/rate; both over the first."""
    method = InexactGluon(_constants(problem), 0.0, orthogonaliser)
    trace = run(method, problem, steps=steps, record=("gradnorm_i", "gap"))
    start = float(trace["gradnorm_i"][0, 0].sum())
    rules = {**RATE.parameters, "orthogonaliser": orthogonaliser}
    found = sides(trace, dataclasses.replace(RATE, parameters=rules, mutants=(), tight=()))
    return float(found.measured[0, -1]) / start, float(found.bound[0, -1]) / start
