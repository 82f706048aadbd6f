"""Inexact linear minimisation: how the best radius and momentum of the bound move with the error."""

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from figures.drawing import bound, curve
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.style import looks
from workbench.expressions import Evaluator
from workbench.theorems.inexact_lmo import STOCHASTIC

HORIZON = 1e5
"""Steps k of the bound."""
ROUNDS, SIDE, SHRINK = 10, 25, 3.0
"""Of the search for a minimum: grids of SIDE x SIDE points, each SHRINK times smaller than the one before."""
EXPONENTS = {"radius": -0.25, "alpha": 0.5}
"""Leading order in 1 + delta."""


class InexactLMOCoupling(Recipe):
    """Inexact LMO: radius and momentum that minimise the bound, over the error of the oracle."""

    name = "inexact-lmo-coupling"
    paper = "arXiv:2510.19933"
    status = "re-derived"
    see = (
        "As the error delta grows the best radius falls and the best weight alpha of the new gradient rises: "
        "the weight beta of the old momentum falls; notes that say larger momentum mean alpha."
    )
    panels = (1, 3)
    ratio = 1.0

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Minimisers of the bound of inexact-lmo/stochastic, one layer, gap0 = L = rho sigma = 1."""
        deltas = np.linspace(0, 0.8, 81 if full else 17)
        best = {
            name: table(values)
            for name, values in zip(("radius", "alpha", "error"), minimised(deltas), strict=True)
        }
        return Numbers(self.name, {"delta": table(deltas), **best}, {"k": HORIZON}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Radius, alpha and error over that of the exact oracle; dashed, the leading order."""
        axes = figure.subplots(1, 3)
        delta = numbers["delta"]
        labels = {"radius": "radius / exact", "alpha": r"$\alpha$ / exact", "error": "bound / exact"}
        for ax, (name, label), look in zip(axes, labels.items(), looks(3), strict=True):
            curve(ax, delta, numbers[name] / numbers[name][0], look)
            bound(ax, delta, leading(name, delta), "leading order" if name == "radius" else None)
            ax.set(xlabel=r"error $\delta$ of the oracle", ylabel=label)
        axes[0].set_yticks([0.85, 0.9, 0.95, 1.0])
        axes[0].legend(loc="upper right")
        axes[2].set_yscale("log")
        axes[2].set_yticks([1, 2, 5], ["1", "2", "5"])
        axes[2].minorticks_off()


def leading(name: str, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leading order of a minimiser, or of the bound at it, over that at delta = 0."""
    return (1 + delta) ** 0.25 / (1 - delta) if name == "error" else (1 + delta) ** EXPONENTS[name]


def error_bound(delta: Tensor, radius: Tensor, alpha: Tensor) -> Tensor:
    """The bound on the mean of |grad f|_*, with (a, b) = (1 - delta, 1 + delta). All (n,)."""
    one = torch.ones(1, 1, dtype=torch.float64)
    single = one[..., None]
    env = {"k": HORIZON * one, "gap0": one, "beta": (1 - alpha)[:, None]}
    env |= {"L_i": single, "rho_i": single, "sigma_i": single}
    layers = {"a_i": 1 - delta, "b_i": 1 + delta, "radius_i": radius}
    env |= {name: value[:, None, None] for name, value in layers.items()}
    # of one layer: a radius E|grad f|_* on average is at most the bound
    return Evaluator(env, 0)(STOCHASTIC.bound)[:, 0] / ((1 - delta) * radius)


def minimised(deltas: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Radius, alpha and bound at the minimum for each delta, by grids that close in on it; each (n,)."""
    delta = torch.from_numpy(deltas)
    middle = torch.tensor([-8.0, -5.0], dtype=torch.float64).expand(len(delta), 2)
    half = torch.tensor([6.0, 4.99], dtype=torch.float64)
    unit = torch.linspace(-1, 1, SIDE, dtype=torch.float64)
    grid = torch.cartesian_prod(unit, unit)
    lowest = torch.zeros_like(delta)
    for _ in range(ROUNDS):
        points = middle[:, None] + half * grid
        radius, alpha = points.exp().clamp(max=1 - 1e-9).flatten(0, 1).unbind(-1)
        values = error_bound(delta.repeat_interleave(len(grid)), radius, alpha).reshape(len(delta), -1)
        lowest, at = values.min(1)
        middle = points[torch.arange(len(delta)), at]
        half = half / SHRINK
    return *(middle[:, i].exp().numpy() for i in (0, 1)), lowest.numpy()
