"""Drop-Muon: what it costs to reach a gradient norm, over the law that chooses the layers."""

import dataclasses
import math

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from assumptions import Lp
from figures.drawing import bound, curve, entry
from figures.evaluate import sides
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import key
from figures.style import looks
from problems import LayerSum, SpectralQuadratic
from workbench import Trace, run
from workbench.layer_costs import layer_cost, optimal_rpt, total_cost
from workbench.layer_laws import LayerLaw, from_marginals
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.theorems.drop_muon import SQUARES

CONSTANTS = {"hardest last": (1.0, 2.0, 3.0, 4.0), "hardest first": (4.0, 3.0, 2.0, 1.0)}
"""L_i of four layers, in two orders."""
COSTS = (1.0, 1.0, 1.0, 1.0)
EPS = 1.0
"""The level of the mean of sum_i g_i^2, in units of a first gap of 1."""
DEPTHS = (0.0, 1.0, 1.5)
DEEPEST = 1.5
"""Of which the right panel shows runs."""


class DropMuonCost(Recipe):
    """Drop-Muon: cost to reach a gradient norm against the law of layers, predicted and measured."""

    name = "drop-muon-cost"
    paper = "arXiv:2510.02239"
    status = "re-derived"
    see = (
        "Where the last layer is hardest, p_i = i/b (depth 1) is the optimal law and costs 5/8 of a full "
        "update; where the first is hardest, nothing beats updating every layer (depth 0)."
    )
    panels = (1, 2)
    ratio = 0.85

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Laws p_i = (i / b)^depth of randomised progressive training, for both orders of the constants."""
        replicates = 2048 if full else 256
        depths = np.linspace(0, DEEPEST, 25 if full else 7)
        fine = np.linspace(0, DEEPEST, 121)
        tables = {"depth": table(depths), "fine": table(fine)}
        for i, L_i in enumerate(CONSTANTS.values()):
            problem = layered(L_i)
            tables[f"predicted{i}"] = table([predicted_cost(progressive(s), L_i) for s in fine.tolist()])
            tables[f"measured{i}"] = table(
                [measured_cost(progressive(s), problem, L_i, replicates, seed) for s in depths.tolist()]
            )
            best = optimal_rpt(L_i, COSTS)
            tables[f"optimal{i}"] = table(best.probabilities(len(L_i)))
            tables[f"least{i}"] = table([predicted_cost(best, L_i)])
        problem, L_i = layered(CONSTANTS["hardest last"]), CONSTANTS["hardest last"]
        for i, depth in enumerate(DEPTHS):
            law = progressive(depth)
            trace = _runs(law, problem, L_i, 400 if full else 50, replicates, seed)
            stated = {**SQUARES.parameters, "law": law}
            claim = sides(trace, dataclasses.replace(SQUARES, parameters=stated, mutants=(), tight=()))
            # the bound grows with the first gap, which all the layers share evenly
            tables |= {
                f"spent{i}": table(trace["cost"].mean(0)[1:]),
                f"squares{i}": _means(trace).max(axis=1),
                f"bound{i}": table(claim.bound[0, 1:] / len(L_i)),
            }
        facts = {
            "orders": list(CONSTANTS),
            "L_i": list(CONSTANTS.values()),
            "eps": EPS,
            "depths": list(DEPTHS),
        }
        return Numbers(self.name, tables, facts, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Left: cost over the depth of the law, predicted dashed, the optimum ringed. Right: runs."""
        left, right = figure.subplots(1, 2)
        for i, (order, look) in enumerate(zip(numbers.facts["orders"], looks(2), strict=True)):
            bound(left, numbers["fine"], numbers[f"predicted{i}"], "predicted" if i == 1 else None)
            dots = look._replace(linestyle="")
            curve(left, numbers["depth"], numbers[f"measured{i}"], dots, order)
            at = numbers[f"predicted{i}"].argmin()
            ring = {"marker": "o", "fillstyle": "none", "color": "black", "linestyle": "", "zorder": 4}
            size = 2.6 * float(left.get_lines()[-1].get_markersize())
            label = "optimal" if i == 1 else None
            left.plot(numbers["fine"][at], numbers[f"least{i}"][0], markersize=size, label=label, **ring)
        left.set(
            xlabel=r"depth $s$ of the law $p_i = (i/b)^s$",
            ylabel=rf"layers passed to $\Sigma g_i^2 = {EPS:g}$",
            yscale="log",
        )
        left.set_yticks([20, 30, 50, 100], ["20", "30", "50", "100"])
        left.minorticks_off()
        for i, (depth, look) in enumerate(zip(numbers.facts["depths"], looks(5)[2:], strict=True)):
            name = {0.0: "all layers", 1.0: "optimal, $s = 1$"}.get(depth, f"$s = {depth:g}$")
            curve(right, numbers[f"spent{i}"], numbers[f"squares{i}"], look, name)
            bound(right, numbers[f"spent{i}"], numbers[f"bound{i}"], look=look)
        entry(right, "bounds")
        right.set(xscale="log", yscale="log", xlabel="layers passed", ylabel="mean of $g_i^2$, worst layer")
        right.set(xlim=(4, None), ylim=(None, 12))
        key(left, ncols=2)
        key(right, ncols=2)


def layered(L_i: tuple[float, ...]) -> LayerSum:
    """Quadratics with these constants, spectral and Euclidean in turn, each with the gap 1 at the start.

    g_i^2 = 2 L_i there, the most that a gap of 1 allows.
    """
    parts = []
    for i, L in enumerate(L_i):
        half, side = L / 2, math.sqrt(2 / L)
        if i % 2:
            parts.append(SpectralQuadratic(((L,),), 2, norm=Lp(2), start=(side, 0.0)))
        else:
            parts.append(SpectralQuadratic(((half, 0.0), (0.0, half)), 2, start=(side, 0.0, 0.0, side)))
    return LayerSum(tuple(parts))


def progressive(depth: float, b: int = 4) -> LayerLaw:
    """p_i = (i / b)^depth: at 0 every layer is updated, at 1 the first one is drawn uniformly."""
    return from_marginals(tuple(((i + 1) / b) ** depth for i in range(b)))


def predicted_cost(law: LayerLaw, L_i: tuple[float, ...]) -> float:
    """Of drop-muon/squares from a gap of 1, until the mean of sum_i g_i^2 is at most ``EPS``."""
    return 2 / EPS * total_cost(law, L_i, COSTS)


def measured_cost(
    law: LayerLaw, problem: LayerSum, L_i: tuple[float, ...], replicates: int, seed: int
) -> float:
    """Mean cost until the mean over steps of sum_i g_i^2 is at most ``EPS``, from the worst start of gap 1.

    In these starts one layer alone is away from its minimum. The layers do not act on each other, so one run
    from all of them at once shows each. RuntimeError where the steps do not suffice.
    """
    p = law.probabilities(len(L_i))
    steps = math.ceil(1.3 * 2 / EPS * max(L / chance for L, chance in zip(L_i, p, strict=True)))
    trace = _runs(law, problem, L_i, steps, replicates, seed)
    needed = 1 + int((_means(trace) > EPS * (1 + 1e-9)).sum(axis=0).max())
    if needed > steps:
        raise RuntimeError(f"{steps} steps were too few for {law!r}")
    return float(trace["cost"].mean(dim=0)[needed])


def _runs(
    law: LayerLaw, problem: LayerSum, L_i: tuple[float, ...], steps: int, replicates: int, seed: int
) -> Trace:
    """Lengths g_i / L_i."""
    return run(
        AdaptiveDropMuon(torch.tensor([L_i], dtype=torch.float64), 0.0, law),
        problem,
        steps=steps,
        replicates=replicates,
        seed=seed,
        record=("gradnorm_i", "gap", "cost"),
        quantities={"cost": layer_cost(COSTS)},
    )


def _means(trace: Trace) -> NDArray[np.float64]:
    """Means over the steps before k = 1, 2, ... and over replicates of g_i^2, (steps, layers)."""
    squares = trace["gradnorm_i"].square().mean(dim=0)[:-1].cumsum(dim=0).numpy()
    return squares / np.arange(1, len(squares) + 1)[:, None]
