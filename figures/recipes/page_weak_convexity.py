"""PAGE on weakly convex terms: steps of its theorems and gradients spent, from convex to nonconvex."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from figures.drawing import bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import against, key, stepsize_of, until
from figures.style import looks
from problems import QuadraticSum
from workbench.theorems.li2021 import PL_RATE
from workbench.theorems.page_weakly_convex import WEAKLY_CONVEX_PL

EPS = 1e-2
MU = 1 / 16
THEOREMS = {"weak": WEAKLY_CONVEX_PL, "any": PL_RATE}
TEXTS = {"weak": r"step for $\tau$-weakly convex terms", "any": "step for any terms"}


def pairs(n: int, tau: float) -> QuadraticSum:
    """n terms (x^2 + c_j y^2) / 2, c_j = -tau and tau + 2 mu by turns: L_max = L_avg = 1, mu = 1/16."""
    c = (-tau, tau + 2 * MU)
    return QuadraticSum(tuple(((1.0, 0.0), (0.0, c[j % 2])) for j in range(n)), start=(0.25, 1.0))


class PAGEWeakConvexity(Recipe):
    """PAGE from convex to nonconvex terms: the step for weakly convex ones, while it is the longer one."""

    name = "page-weak-convexity"
    paper = "arXiv:2509.00737"
    status = "re-derived"
    see = "Up to some tau the step for weakly convex terms is the longer one; there PAGE needs fewer passes."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """n terms, p = 1 / n: stepsizes on a fine grid of tau, runs on a coarse one."""
        n, replicates = (256, 32) if full else (128, 8)
        rules = {"p": 1 / n, "minibatch": 1, "replacement": False}
        taus = np.geomspace(2e-3, 0.35, 9 if full else 5)
        fine = np.geomspace(2e-3, 0.35, 33 if full else 13)
        tables = {"tau": table(taus), "fine": table(fine)}
        for name, theorem in THEOREMS.items():
            steps = [against(theorem, pairs(n, float(tau)), 1, 1, seed, **rules) for tau in fine]
            tables[f"{name} stepsize"] = table([stepsize_of(claim.trace) for claim in steps])
            found = [until(theorem, pairs(n, float(tau)), EPS, replicates, seed, **rules) for tau in taus]
            tables[name] = table([spent for _, spent in found]) / n
            tables[f"{name} bound"] = table([1 + (3 - 2 / n) * promised / n for promised, _ in found])
        return Numbers(self.name, tables, {"n": n, "mu": MU, "eps": EPS}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: stepsizes over tau. Right: passes over the data until the gap is small."""
        left, right = figure.subplots(1, 2)
        for name, look in zip(THEOREMS, looks(2), strict=True):
            curve(left, numbers["fine"], numbers[f"{name} stepsize"], look, TEXTS[name])
            curve(right, numbers["tau"], numbers[name].mean(1), look, TEXTS[name])
            bound(right, numbers["tau"], numbers[f"{name} bound"], look=look)
        entry(right, "from the bounds")
        left.set(
            xscale="log", yscale="log", xlabel=r"weak convexity $\tau / L$", ylabel=r"stepsize $\gamma L$"
        )
        left.set_yticks([0.02, 0.05, 0.1, 0.2], ["0.02", "0.05", "0.1", "0.2"])
        left.yaxis.set_minor_formatter(NullFormatter())
        right.set(xscale="log", yscale="log", xlabel=r"weak convexity $\tau / L$")
        right.set_ylabel(rf"passes to ${numbers.facts['eps']:g}$ of the gap")
        key(left)
        key(right)
