"""How an inexact oracle changes the best radius and the best momentum: by the bound, and as measured.

The oracle is off by delta: (a, b) = (1 - delta, 1 + delta) in inexact-lmo/stochastic. First table: the bound
of that theorem on the mean of |grad f|_*, minimised over the radius and alpha = 1 - beta, the weight of the
new gradient. As delta grows the best radius falls and the best alpha rises: beta falls. Second table: steps
with ``Rescaled(1 - delta, 1 + delta)`` on a noisy quadratic, the best radius and alpha of a grid. There alpha
goes the other way: the bound is about the worst oracle of that size, this is one of them.

    python docs/examples/inexact_lmo.py [--json]
"""

import json
import math
import sys
from collections.abc import Callable

import sympy as sp
import torch

from problems import LayerSum, Noisy, SpectralQuadratic
from problems.noise.gaussian import GaussianNoise
from workbench import run
from workbench.methods.gluon import Gluon
from workbench.orthogonal.rescaled import Rescaled
from workbench.symbols import layer_sum, symbols
from workbench.theorems.inexact_lmo import STOCHASTIC

DELTAS = (0.0, 0.2, 0.4, 0.6)
STEPS, REPEATS = 200, 8
RADII = tuple(0.02 * 2 ** (i / 2) for i in range(6))
ALPHAS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)

EYE = ((1.0, 0.0), (0.0, 1.0))
PROBLEM = Noisy(LayerSum((SpectralQuadratic(EYE, 2), SpectralQuadratic(EYE, 3))), GaussianNoise(6.0))


def error_bound(steps: float = 1e5) -> Callable[[float, float, float], float]:
    """(delta, radius, alpha) -> bound on the mean of |grad f|_* for one layer, gap0 = L = rho sigma = 1."""
    delta, radius, alpha = symbols("delta radius alpha")
    stated = {"k": sp.Float(steps), "gap0": 1, "L_i": 1, "rho_i": 1, "sigma_i": 1, "beta": 1 - alpha}
    stated |= {"a_i": 1 - delta, "b_i": 1 + delta, "radius_i": radius}
    # of one layer: a radius E|grad f|_* on average is at most the bound
    one = STOCHASTIC.bound.replace(layer_sum, lambda e: e) / ((1 - delta) * radius)
    return sp.lambdify((delta, radius, alpha), one.subs({symbols(n): v for n, v in stated.items()}), "math")


def lowest(f: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is lowest, by golden sections of [low, high]."""
    ratio = (math.sqrt(5) - 1) / 2
    for _ in range(80):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        low, high = (low, right) if f(left) < f(right) else (left, high)
    return (low + high) / 2


def by_bound() -> list[dict[str, float]]:
    """For each delta the radius and alpha that minimise the bound, and the bound there."""
    bound, rows = error_bound(), []
    for delta in DELTAS:

        def best_radius(log_alpha: float, delta: float = delta) -> float:
            return lowest(lambda t: bound(delta, math.exp(t), math.exp(log_alpha)), -16, 0)

        def at(log_alpha: float, delta: float = delta) -> float:
            return bound(delta, math.exp(best_radius(log_alpha)), math.exp(log_alpha))

        log_alpha = lowest(at, -10, -0.01)
        radius = math.exp(best_radius(log_alpha))
        rows.append({"delta": delta, "radius": radius, "alpha": math.exp(log_alpha), "error": at(log_alpha)})
    return rows


def measured(steps: int = STEPS, repeats: int = REPEATS) -> list[dict[str, float]]:
    """For each delta the best radius and alpha of the grid, and the mean of sum_i |grad_i f|_{i*} there."""
    grid = torch.cartesian_prod(*(torch.tensor(axis, dtype=torch.float64) for axis in (RADII, ALPHAS)))
    cells = grid.repeat_interleave(repeats, dim=0)
    rows = []
    for delta in DELTAS:
        radius_i = cells[:, :1].expand(-1, PROBLEM.layers.n_layers)
        method = Gluon(radius_i, 1 - cells[:, 1:], orthogonaliser=Rescaled(1 - delta, 1 + delta))
        trace = run(method, PROBLEM, steps=steps, replicates=len(cells), record=("gradnorm_i",))
        means = trace["gradnorm_i"].sum(-1)[:, :-1].mean(1).reshape(len(grid), repeats).mean(1)
        best = int(means.argmin())
        radius, alpha = grid[best].tolist()
        rows.append({"delta": delta, "radius": radius, "alpha": alpha, "error": float(means[best])})
    return rows


def show(title: str, rows: list[dict[str, float]]) -> None:
    """A table."""
    print(title)
    print(f"{'delta':>7} {'radius':>11} {'alpha':>11} {'error':>9}")
    for row in rows:
        print(f"{row['delta']:7.1f} {row['radius']:11.4g} {row['alpha']:11.4g} {row['error']:9.4g}")


def main() -> None:
    """Both sweeps."""
    found = {"bound": by_bound(), "measured": measured()}
    if "--json" in sys.argv[1:]:
        print(json.dumps(found))
        return
    show("Minimisers of the bound, K = 1e5, gap0 = L = rho sigma = 1", found["bound"])
    show(f"Best of a grid on a noisy quadratic, {STEPS} steps, {REPEATS} runs each", found["measured"])


if __name__ == "__main__":
    main()
