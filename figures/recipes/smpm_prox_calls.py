"""The multi-proximal family on one sum: its special cases, and minibatches, over proximal calls."""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from figures.drawing import band, bound, curve, entry
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import Array, against, constants, gaussian_rows, key
from figures.style import looks
from problems import Composite, GeneralQuadratic, Problem, Quadratic, QuadraticSum
from workbench import Method, Trace, run
from workbench.methods import MultiProximal, PointSAGA, ProximalPoint, ProxSkip, RandProxMinibatch
from workbench.samplings import AllOrNothing, Nice, Sampling
from workbench.theorems.point_saga import SMOOTH_MEAN

N, D, MU = 16, 4, 1 / 32  # powers of 2: the parts are exact
LOWEST = 1e-10
"""Distances below are not shown."""
RECORD = ("dist", "prox_calls")


class SMPMProxCalls(Recipe):
    """Special cases of the multi-proximal method, each as itself and as the family, over proximal calls."""

    name = "smpm-prox-calls"
    paper = "arXiv:2505.12409"
    status = "re-derived"
    see = "Each special case (line) is the multi-proximal method with a sampling of its own (circles)."
    panels = (1, 2)
    ratio = 0.95

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Left: one sum, split in four ways. Right: Point-SAGA with 1, 4 and all terms, and a bound."""
        replicates, calls = 128 if full else 16, 40 * N if full else 20 * N
        tables: dict[str, Array] = {}
        apart = {}
        for name, (problem, own, family, per_step) in splits().items():
            runs = [
                run(m, problem, steps=int(calls / per_step), replicates=replicates, seed=seed, record=RECORD,
                    keep_state=True)
                for m in (own, family)
            ]  # fmt: skip
            tables |= _distances(name, runs[0]) | _distances(f"{name} family", runs[1])
            one, other = (_iterates(r) for r in runs)
            apart[name] = float((one - other).abs().max())
        problem = split(mean=False, ridge=True)
        c = constants(problem)
        for s in (1, 4, N):
            stepsize = (c["mu_component"] * c["L_max"] * N / s) ** -0.5
            claim = against(
                SMOOTH_MEAN, problem, calls // s, replicates, seed, stepsize=stepsize, minibatch=s
            )
            share = claim.measured / claim.measured[0, 0]
            tables |= {f"s{s}": share, f"s{s} calls": table(claim.trace["prox_calls"][0].numpy())}
            tables[f"s{s} bound"] = claim.bound / claim.measured[0, 0]
        return Numbers(self.name, tables, {"n": N, "apart": apart}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Medians on logarithmic axes; in the right panel the theorem's bound for single terms."""
        left, right = figure.subplots(1, 2)
        for name, look in zip(numbers.facts["apart"], looks(4), strict=True):
            x, y = numbers[f"{name} calls"], np.median(numbers[name], axis=0)
            curve(left, x, y, look._replace(marker=""), name)
            x, y = numbers[f"{name} family calls"], np.median(numbers[f"{name} family"], axis=0)
            some = np.unique(np.linspace(0, (y > LOWEST).sum() - 1, 7).astype(int))
            left.plot(x[some], y[some], "o", markerfacecolor="none", color=look.color)
        left.plot([], [], "o", markerfacecolor="none", color="0.3", label="as multi-proximal")
        left.set(yscale="log", ylim=(LOWEST, 3), xlabel="proximal calls", ylabel=r"$\|x_k - x_\star\| / D_0$")
        for s, look in zip((1, 4, N), looks(3), strict=True):
            band(right, numbers[f"s{s} calls"], numbers[f"s{s}"], look, rf"Point-SAGA, $s = {s}$")
            bound(right, numbers[f"s{s} calls"], numbers[f"s{s} bound"], look=look)
        entry(right, "bounds of the means")
        right.set(yscale="log", xlabel="proximal calls of single terms", ylabel=r"$\Psi_k / \Psi_0$")
        key(left)
        key(right)


def parts() -> tuple[Tensor, Tensor, Tensor]:
    """Rows a_j, (n, d), offsets r_j, (n,), and the centre c of the ridge, (d,): see ``split``."""
    rows = torch.tensor(gaussian_rows(N, D, seed=2, digits=4), dtype=torch.float64)
    offsets = torch.tensor([(-1.0) ** j / 4 for j in range(N)], dtype=torch.float64)
    return rows, offsets, 1 + (offsets @ rows) / N / MU


def split(mean: bool, ridge: bool) -> QuadraticSum:
    """Of f(x) = mean_j (<a_j, x - 1> + r_j)^2 / 2 + mu |x - c|^2 / 2, which is minimal at 1, from 2.

    mean: as one term, or as n. ridge: with the second part, or without.
    """
    rows, offsets, centre = parts()
    hessians = rows[:, :, None] * rows[:, None, :] + ridge * MU * torch.eye(D, dtype=torch.float64)
    linear = rows * (rows.sum(1) - offsets)[:, None] + ridge * MU * centre
    if mean:
        hessians, linear = hessians.mean(0, keepdim=True), linear.mean(0, keepdim=True)
    return QuadraticSum(tuple(tuple(map(tuple, a)) for a in hessians.tolist()), _tuples(linear), (2.0,) * D)


def splits() -> dict[str, tuple[Problem, Method, Method, float]]:
    """Name -> f as a special case splits it, the case, the family as that case, proximal calls a step."""
    rows, offsets, centre = parts()
    ridge = Quadratic((MU,) * D, tuple(centre.tolist()), seed=None)
    squares = tuple(
        GeneralQuadratic(_tuples(a[:, None] * a / N), tuple((1 - r * a / (a @ a)).tolist()))
        for a, r in zip(rows, offsets, strict=True)
    )
    one, two = (1.0,) * D, (2.0,) * D
    by_ridge = Composite(smooth=split(mean=True, ridge=False), terms=(ridge,), minimiser=one, start=two)
    by_square = Composite(smooth=ridge, terms=squares, minimiser=one, start=two)
    step, s, p = (MU * N) ** -0.5, 2, 0.3

    def family(stepsize: float, dual: float, sampling: Sampling) -> Method:
        return MultiProximal(stepsize, dual, sampling)

    minibatch = family(step, 1 / (step * N), Nice(s))
    return {
        "PPM": (split(mean=True, ridge=True), ProximalPoint(step), family(step, 1 / step, Nice(1)), 1),
        "Point-SAGA": (split(mean=False, ridge=True), PointSAGA(step, s), minibatch, s),
        "RandProx": (by_square, RandProxMinibatch(step, s), minibatch, s),
        "ProxSkip": (by_ridge, ProxSkip(1.0, p), family(1.0, p, AllOrNothing(p)), p),
    }


def _tuples(table: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, table.tolist()))


def _iterates(trace: Trace) -> Tensor:
    """(replicates, K + 1, d)."""
    assert trace.x is not None
    return trace.x


def _distances(name: str, trace: Trace) -> dict[str, Array]:
    """Distances over the first one, (replicates, K + 1), and the mean of the proximal calls, (K + 1,)."""
    dist = trace["dist"].numpy()
    return {name: dist / dist[:, :1], f"{name} calls": trace["prox_calls"].numpy().mean(0)}
