"""Gluon with constant radii: the average gradient norm over the radius, and what its theorems promise."""

import numpy as np
import torch
from matplotlib.figure import Figure

from figures.drawing import bound, curve, entry
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import key
from figures.style import looks
from problems import GaussianNoise, LayerSum, Noisy, Problem, SpectralQuadratic
from workbench import Theorem, run
from workbench.methods.gluon import Gluon
from workbench.theorems.gluon_stochastic import CONSTANT, SMOOTH

NOISE = 2.0
"""sigma of the noise of all layers together."""
ALPHAS = (0.1, 0.5)
"""Weights of the new gradient under noise."""


class GluonRadiusSweep(Recipe):
    """Gluon: average gradient norm over the radius, with the theorem's bound and the best radius of each."""

    name = "gluon-radius-sweep"
    paper = "arXiv:2505.13416"
    status = "re-derived"
    see = (
        "Too short a radius does not arrive, too long a one overshoots; without noise the bound is attained "
        "and its best radius is the best one, under noise it is shorter, and both grow with alpha."
    )
    panels = (1, 2)
    ratio = 0.85

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """One run per radius, the same in every layer; under noise the mean of repeats."""
        radii = np.geomspace(2.0**-9, 2.0, 41 if full else 21)
        steps, repeats = (400, 64) if full else (100, 3)
        plain = layered()
        tables = {"radius": table(radii)}
        tables["measured"], tables["bound"] = sweep(CONSTANT, plain, radii, 1.0, steps, 1, seed)
        noisy = Noisy(plain, GaussianNoise(NOISE))
        for i, alpha in enumerate(ALPHAS):
            found = sweep(SMOOTH, noisy, radii, alpha, steps, repeats, seed)
            tables[f"measured{i}"], tables[f"bound{i}"] = found
        facts = {"problem": repr(plain), "noise": NOISE, "alphas": list(ALPHAS), "steps": steps}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: without noise. Right: with noise, two weights of the new gradient. Stars: the best radii."""
        left, right = figure.subplots(1, 2, sharey=True)
        some = looks(3)
        labels = [rf"$\alpha = {alpha:g}$" for alpha in numbers.facts["alphas"]]
        rows = [(left, "", "no noise", some[0])]
        rows += [(right, str(i), label, some[i + 1]) for i, label in enumerate(labels)]
        for ax, which, label, look in rows:
            radius, measured, promised = (numbers[n] for n in ("radius", f"measured{which}", f"bound{which}"))
            curve(ax, radius, measured, look, label)
            bound(ax, radius, promised, look=look, zorder=3)
            for values, face in ((measured, look.color), (promised, "white")):
                ax.plot(
                    radius[values.argmin()],
                    values.min(),
                    marker="*",
                    markersize=2.6 * float(ax.get_lines()[0].get_markersize()),
                    color=look.color,
                    markerfacecolor=face,
                    linestyle="",
                    zorder=4,
                )
        top = 3 * numbers["measured"].max()
        for ax in (left, right):
            ax.set(xscale="log", yscale="log", xlabel="radius $t$ of every layer")
            ax.set_ylim(numbers["measured"].min() / 2, top)
            ax.set_ylabel(r"mean of $\sum_i\, \|\nabla_i f\|_{i*}$")
            ax.label_outer()
            entry(ax, "bound" if ax is left else "bounds")
            key(ax, ncols=3)


def layered() -> LayerSum:
    """Two quadratics of matrices in the spectral norm, with conditions 8 and 4."""
    diagonals = (1.0, 0.5, 0.25, 0.125), (2.0, 1.0, 0.5)
    hessians = [tuple(tuple(a * (i == j) for j in range(len(q))) for i, a in enumerate(q)) for q in diagonals]
    return LayerSum((SpectralQuadratic(hessians[0], 5), SpectralQuadratic(hessians[1], 3)))


def sweep(
    theorem: Theorem,
    problem: Problem,
    radii: np.ndarray,
    alpha: float,
    steps: int,
    repeats: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of the theorem after the steps, over the radius: (radii,), means of the repeats.

    Both are about sum_i t g_i on average; one t for all layers, so it cancels.
    """
    each = torch.from_numpy(radii).repeat_interleave(repeats)
    method = Gluon(each[:, None].expand(-1, problem.layers.n_layers), 1 - alpha)
    trace = run(
        method,
        problem,
        steps=steps,
        replicates=len(each),
        seed=seed,
        record=("gradnorm_i", "gap"),
    )
    found = sides(trace, theorem)
    last = [(side[:, -1] / each).reshape(-1, repeats).mean(1) for side in (found.measured, found.bound)]
    return table(last[0]), table(last[1])
