"""Stochastic methods on one problem, over what they cost: passes over the data."""

import numpy as np
import torch
from matplotlib.figure import Figure

from figures.drawing import band
from figures.numbers import Numbers, table
from figures.recipe import Recipe
from figures.recipes._stochastic import constants, gaussian_rows, key, over_cost
from figures.style import looks
from problems import QuadraticSum
from workbench import Method, run
from workbench.methods import PAGE, SAGA, SGD, SPPM, SVRG, LooplessSVRG


class StochasticCosts(Recipe):
    """Gap over passes: SGD and SPPM reach a neighbourhood, methods that reduce the variance go on."""

    name = "stochastic-costs"
    paper = ""
    status = "own"
    see = "SGD and SPPM are fast and stop; SVRG, SAGA, loopless SVRG and PAGE are slower and do not stop."
    ratio = 0.7

    def compute(self, full: bool = False, seed: int = 0) -> Numbers:
        """Least squares, single terms; a proximal step on a term counts as one of its gradients."""
        problem = least_squares(96 if full else 64)
        n, replicates, passes = problem.n_terms, 16, 40 if full else 30
        grid = np.linspace(0, passes, 2 * passes + 1)
        tables = {"passes": table(grid)}
        for name, (method, per_step) in _methods(problem).items():
            steps = int(1.3 * passes * n / per_step)
            trace = run(method, problem, steps=steps, replicates=replicates, seed=seed, record=("gap",))
            zero = 0 * trace["gap"]
            cost = trace.costs.get("grad_calls", zero) + trace.costs.get("prox_calls", zero)
            gap = (trace["gap"] / trace["gap"][:, :1]).numpy()
            tables[name] = over_cost(cost.numpy(), gap, grid * n)
        return Numbers(self.name, tables, {"n": n}, full, seed)

    def draw(self, numbers: Numbers, figure: Figure) -> None:
        """Medians and bands on a logarithmic axis."""
        ax = figure.subplots()
        names = [name for name in numbers.tables if name != "passes"]
        for name, look in zip(names, looks(len(names)), strict=True):
            band(ax, numbers["passes"], numbers[name], look, name)
        ax.set(yscale="log", xlabel="passes over the data", ylabel="gap / first gap")
        key(ax, ncols=3)


def least_squares(n: int, d: int = 8, mu: float = 0.05) -> QuadraticSum:
    """(<a_j, x> - b_j)^2 / 2 + mu |x|^2 / 2 with noise in b_j: the terms disagree at the minimiser."""
    rows = torch.tensor(gaussian_rows(n, d, seed=6), dtype=torch.float64)
    noise = torch.randn(n, dtype=torch.float64, generator=torch.Generator().manual_seed(7))
    targets = rows.sum(1) + 0.3 * noise
    hessians = rows[:, :, None] * rows[:, None, :] + mu * torch.eye(d, dtype=torch.float64)
    linear = rows * targets[:, None]
    return QuadraticSum(
        tuple(tuple(map(tuple, a)) for a in hessians.tolist()),
        tuple(map(tuple, linear.tolist())),
        start=(3.0,) * d,
    )


def _methods(problem: QuadraticSum) -> dict[str, tuple[Method, float]]:
    """Name -> method, and gradients or proximal steps of terms per step, on average."""
    n, L = problem.n_terms, constants(problem)["L_max"]
    step = 1 / (6 * L)
    return {
        "SGD": (SGD(step), 1),
        "SPPM": (SPPM(step), 1),
        "SVRG": (SVRG(step, n), 3),
        "L-SVRG": (LooplessSVRG(step, 1 / n), 3),
        "SAGA": (SAGA(step), 1),
        "PAGE": (PAGE(2 / (9 * L), 1 / n), 3),
    }
