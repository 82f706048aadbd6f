"""Strong convexity alone: the squared distance falls like k^-2, with stepsizes that fall like 1 / k."""

import numpy as np
from matplotlib.figure import Figure

from figures.drawing import band, bound
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import Array, Measured, against, gaussian_rows, key
from figures.style import looks
from problems import AbsAffine, AbsSum, Composite
from workbench.samplings import Nice
from workbench.theorems.multi_proximal_strong import STRONG_MEAN, falling, k
from workbench.theorems.point_saga import KINKS_MEAN

N, D, MU = 8, 4, 0.25


class SMPMSlope(Recipe):
    """Terms with kinks and strong convexity: the multi-proximal method and Point-SAGA against slope -2."""

    name = "smpm-slope"
    paper = "arXiv:2505.12409"
    status = "re-derived"
    see = "The squared distance stays below the bound, which falls with slope -2, and falls at least as fast."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Terms |<a_j, x> - b_j| and mu |x - c|^2 / 2, one drawn a step; half have their kink at x_star."""
        replicates, steps = 128 if full else 32, 4000 if full else 1000
        rows = gaussian_rows(N, D, seed=5)
        signs = tuple(0.5 * (-1.0) ** j if j % 2 else (-1.0) ** (j // 2) for j in range(N))
        residuals = tuple(0.0 if j % 2 else signs[j] / 4 for j in range(N))
        terms = tuple(AbsAffine(a, -r) for a, r in zip(rows, residuals, strict=True))
        duals = tuple(tuple(s * e for e in a) for a, s in zip(rows, signs, strict=True))
        composite = Composite.around((0.0,) * D, duals, terms=terms, mu_g=N * MU, start=(4.0,) * D)
        mean = AbsSum(rows, signs, MU, residuals, start=(4.0,) * D)
        runs = {
            "smpm": against(
                STRONG_MEAN, composite, steps, replicates, seed, stepsize=falling(k), sampling=Nice(1)
            ),
            "saga": against(KINKS_MEAN, mean, steps, replicates, seed, minibatch=1),
        }
        tables = {name: t for run, claim in runs.items() for name, t in _sides(run, claim).items()}
        return Numbers(self.name, {"k": _recorded(steps), **tables}, {"mu": MU, "n": N}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Both axes logarithmic; a line of slope -2."""
        axes = figure.subplots(1, 2, sharey=True)
        x = numbers["k"]
        names = {"smpm": "multi-proximal, one term", "saga": "Point-SAGA"}
        for ax, (name, text), look in zip(axes, names.items(), looks(2), strict=True):
            band(ax, x, numbers[name], look, text)
            limit = numbers[f"{name} bound"]
            bound(ax, x, limit, "bound, slope $-2$")
            ax.set(xscale="log", yscale="log", xlabel="step $k$")
            ax.set_ylabel(r"$\|x_k - x_\star\|^2$")
            key(ax)


def _recorded(steps: int) -> Array:
    """Steps from 1 on, evenly spread in logarithms."""
    return table(np.unique(np.geomspace(1, steps, 60).round()))


def _sides(name: str, claim: Measured) -> dict[str, Array]:
    """Squared distances, (replicates, steps shown), and their bound, (steps shown,)."""
    shown = _recorded(len(claim.bound) - 1).astype(int)
    return {name: claim.measured[:, shown], f"{name} bound": claim.bound[shown]}
