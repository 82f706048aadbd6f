"""SPPM on similar terms: how near it comes, against stepsize and similarity; SVRP comes all the way."""

import dataclasses

import numpy as np
import torch
from matplotlib.figure import Figure

from figures.drawing import band, bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import Array, Measured, against, constants, key
from figures.style import looks
from problems import QuadraticSum
from workbench.theorems.sppm_similarity import SIMILAR, SNAPSHOT, SNAPSHOT_STEPS

MU = 1.0
DELTAS = (0.25, 0.5, 1.0)
SHARES = (0.02, 0.1, 0.25)
"""Stepsizes of the left panel in units of mu / delta^2; below 1/3."""


def similar(delta: float, n: int = 12, d: int = 3, seed: int = 3) -> QuadraticSum:
    """Hessians I + E_j with |E_j| = delta and mean 0, linear parts of length 1 and mean 0: minimal at 0.

    The terms come in pairs +E, -E, with linear parts that are independent of them; x0 = 1.
    """
    generator = torch.Generator().manual_seed(seed)
    half = torch.randn(n // 2, d, d, dtype=torch.float64, generator=generator)
    half = half + half.mT
    half = half / torch.linalg.matrix_norm(half, 2)[:, None, None]
    shift = torch.randn(n // 2, d, dtype=torch.float64, generator=generator)
    shift = shift / shift.norm(dim=1, keepdim=True)
    hessians = torch.cat([MU * torch.eye(d) + delta * half, MU * torch.eye(d) - delta * half])
    return QuadraticSum(
        tuple(tuple(map(tuple, a)) for a in hessians.tolist()),
        tuple(map(tuple, torch.cat([shift, -shift]).tolist())),
    )


class SPPMSimilarity(Recipe):
    """SPPM falls to a neighbourhood as large as its stepsize, with similar terms for longer stepsizes."""

    name = "sppm-similarity"
    paper = "arXiv:2502.03401"
    status = "re-derived"
    see = "SPPM stops at a distance proportional to the stepsize, below its bound; SVRP goes on."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Left: three stepsizes, and SVRP. Right: means over replicates and the last half of the steps."""
        replicates, steps = 512 if full else 64, 600 if full else 200
        problem, tables = similar(DELTAS[1]), {}
        c = constants(problem)
        for i, share in enumerate(SHARES):
            rules = {"stepsize": share * c["mu"] / c["delta"] ** 2, "minibatch": 1}
            tables |= _sides(f"sppm{i}", against(SIMILAR, problem, steps, replicates, seed, **rules))
        svrp = against(SNAPSHOT, problem, steps, replicates, seed, stepsize=SNAPSHOT_STEPS[1], p=1 / 12)
        tables["svrp"] = table(svrp.trace["dist"].numpy() ** 2)
        for i, delta in enumerate(DELTAS):
            tables |= _neighbourhoods(i, delta, 12 if full else 6, replicates, seed, full)
        facts = {"shares": list(SHARES), "deltas": list(DELTAS), "sigma_star": c["sigma_star"], "mu": c["mu"]}
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: squared distance over k. Right: where it ends over the stepsize, for three similarities."""
        left, right = figure.subplots(1, 2)
        facts = numbers.facts
        for i, (share, look) in enumerate(zip(facts["shares"], looks(3), strict=True)):
            k = 1 + np.arange(len(numbers[f"sppm{i} bound"]))
            band(left, k, numbers[f"sppm{i}"], look, rf"$\gamma = {share:g}\,\mu / \delta^2$")
            bound(left, k, numbers[f"sppm{i} bound"], look=look)
        band(left, np.arange(numbers["svrp"].shape[1]), numbers["svrp"], looks(4)[3], "SVRP")
        left.set(yscale="log", ylim=(1e-6, None), xlabel="step $k$", ylabel=r"$\|x_k - x_\star\|^2$")
        for i, (delta, look) in enumerate(zip(facts["deltas"], looks(3), strict=True)):
            x = numbers[f"gamma{i}"]
            curve(right, x, numbers[f"near_seen{i}"], look, rf"$\delta = {delta:g}\,\mu$")
            bound(right, x, numbers[f"near_bound{i}"], look=look)
        entry(right, "bounds of the means")
        right.set(
            xscale="log",
            yscale="log",
            xlabel=r"stepsize $\gamma\mu$",
            ylabel=r"$\|x_k - x_\star\|^2$, late $k$",
        )
        key(left)
        key(right)


def _sides(name: str, claim: Measured) -> dict[str, Array]:
    """Squared distances of x_1, ..., x_K, (replicates, K), and bounds, (K,): the claim at k is of k + 1."""
    return {name: claim.measured[:, :-1], f"{name} bound": claim.bound[:-1]}


def _neighbourhoods(
    i: int, delta: float, points: int, replicates: int, seed: int, full: bool
) -> dict[str, Array]:
    """Where runs from the minimiser end, and their bound, for stepsizes up to 0.3 mu / delta^2, at most 1."""
    problem = dataclasses.replace(similar(delta), start=tuple(similar(delta).x_star.tolist()))
    c = constants(problem)
    gammas = np.logspace(-1.7, np.log10(min(0.3 * c["mu"] / c["delta"] ** 2, 1.0)), points)
    seen, bounds = [], []
    for gamma in gammas:
        steps = int((8 if full else 4) / gamma)
        claim = against(SIMILAR, problem, steps, replicates, seed, stepsize=float(gamma), minibatch=1)
        seen.append(claim.measured[:, steps // 2 : -1].mean())
        bounds.append(claim.bound[-2])
    return {f"gamma{i}": gammas, f"near_seen{i}": table(seen), f"near_bound{i}": table(bounds)}
