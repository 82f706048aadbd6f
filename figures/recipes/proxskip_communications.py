"""ProxSkip: communications until a distance, against the condition number and the probability of a round."""

import numpy as np
from matplotlib.figure import Figure

from figures.drawing import bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import Array, key, until
from figures.style import looks
from problems import Composite, Consensus, Indicator, Quadratic
from workbench.theorems.proxskip import MEAN, L_f

EPS = 1e-3
"""Of the start's Lyapunov function, |x - x_star|^2 + (stepsize / p)^2 |h - h_star|^2."""


def consensus(kappa: float, d: int = 6) -> Composite:
    """Two clients that must agree on d coordinates; curvatures from 1 / kappa to 1, opposite centres.

    The minimiser is 0, where the gradients of the clients cancel and are not 0.
    """
    half = tuple(np.geomspace(1 / kappa, 1.0, d).tolist())
    centre = tuple((-1.0) ** i for i in range(d))
    clients = Quadratic((*half, *half), (*centre, *(-c for c in centre)), seed=None)
    duals = tuple(a * c for a, c in zip(half, centre, strict=True))
    return Composite(
        smooth=clients,
        terms=(Indicator(within=Consensus(copies=2, block=d)),),
        minimiser=(0.0,) * (2 * d),
        duals=((*duals, *(-u for u in duals)),),
        start=(1.0,) * (2 * d),
    )


class ProxSkipCommunications(Recipe):
    """Rounds of communication that ProxSkip needs: the root of the condition number, with the right p."""

    name = "proxskip-communications"
    paper = "arXiv:2505.12409"
    status = "re-derived"
    see = (
        "Rounds grow like the root of kappa with p = kappa^(-1/2), like kappa with p = 1; other p cost more."
    )
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Left: over kappa with p = 1 and p = kappa^(-1/2). Right: over p for one kappa."""
        replicates = 64 if full else 16
        kappas = np.geomspace(4, 1024 if full else 256, 9 if full else 4)
        rules = (("always", lambda _: 1.0), ("seldom", lambda kappa: kappa**-0.5))
        tables = {"kappa": table(kappas)}
        for name, rule in rules:
            found = [rounds(float(kappa), rule(float(kappa)), replicates, seed) for kappa in kappas]
            tables |= _sides(name, found)
        kappa = 400.0 if full else 64.0
        ps = np.geomspace(0.02 if full else 0.04, 1.0, 13 if full else 7)
        found = [rounds(kappa, float(p), replicates, seed) for p in ps]
        return Numbers(
            self.name,
            {**tables, "p": table(ps), **_sides("p", found)},
            {"kappa": kappa, "eps": EPS},
            full,
            seed,
        )

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Both axes logarithmic; dashed, from the theorem."""
        left, right = figure.subplots(1, 2, sharey=True)
        x = numbers["kappa"]
        texts = {"always": "$p = 1$", "seldom": r"$p = \kappa^{-1/2}$"}
        for (name, text), look in zip(texts.items(), looks(2), strict=True):
            curve(left, x, numbers[f"{name} seen"].mean(1), look, text)
            bound(left, x, numbers[f"{name} bound"], look=look)
        entry(left, "from the bound")
        p, kappa, look = numbers["p"], numbers.facts["kappa"], looks(3)[2]
        curve(right, p, numbers["p seen"].mean(1), look, rf"$\kappa = {kappa:g}$")
        bound(right, p, numbers["p bound"], look=look)
        right.axvline(kappa**-0.5, color="0.6", linewidth=0.8, zorder=0, label=r"$\kappa^{-1/2}$")
        left.set(xscale="log", yscale="log", xlabel=r"condition number $\kappa = L / \mu$")
        for ax in (left, right):
            ax.set_ylabel(rf"rounds to ${EPS:g}$ of the start")
        right.set(xscale="log", xlabel="probability $p$ of a round")
        key(left)
        key(right)


def rounds(kappa: float, p: float, replicates: int, seed: int) -> tuple[Array, float]:
    """Communications of each replicate until EPS, and p times the steps after which the bound is there."""
    rules = {"stepsize": 1 / L_f, "p": p}
    promised, spent = until(MEAN, consensus(kappa), EPS, replicates, seed, "communications", **rules)
    return spent, p * promised


def _sides(name: str, found: list[tuple[Array, float]]) -> dict[str, Array]:
    return {
        f"{name} seen": table([seen for seen, _ in found]),
        f"{name} bound": table([limit for _, limit in found]),
    }
