"""The cheapest law of Drop-Muon, found by running it: which layers should a step update?

f(X) = f_1(X_1) + f_2(X_2) + f_3(X_3), quadratics in the spectral, the Euclidean and the largest-entry norm
with constants L = (1, 2, 4). A step costs 1 for every layer that backpropagation passes. For each law of
randomised progressive training on a grid, p = (p_1, p_2, 1) with p_1 <= p_2, Drop-Muon runs until the mean
of sum_i g_i^2 over its steps is at most EPS, from the worst start of gap 1. Measured and predicted costs are
shown beside each other, and the best law of either beside ``optimal_rpt``.
"""

import itertools
import math

import torch

from assumptions import Lp
from problems import LayerSum, SpectralQuadratic
from workbench import run
from workbench.layer_costs import layer_cost, optimal_rpt, total_cost
from workbench.layer_laws import RPT, Full, LayerLaw, from_marginals
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon

L = (1.0, 2.0, 4.0)
COSTS = (1.0, 1.0, 1.0)
EPS = 0.25
REPLICATES = 512

PROBLEM = LayerSum(
    (
        SpectralQuadratic(((0.5, 0.0), (0.0, 0.5)), 2, start=(2**0.5, 0.0, 0.0, 2**0.5)),
        SpectralQuadratic(((2.0,),), 2, norm=Lp(2), start=(1.0, 0.0)),
        SpectralQuadratic(((2.0,),), 2, norm=Lp(float("inf")), start=(0.5**0.5, 0.5**0.5)),
    )
)
"""Each layer starts where its gap is 1 and g_i^2 = 2 L_i, the most that a gap of 1 allows."""


def measured_cost(law: LayerLaw, replicates: int = REPLICATES) -> float:
    """Mean cost until the mean of sum_i g_i^2 is at most EPS, from the worst of three starts.

    In these starts one layer has the gap 1 and the others are at their minimum. The layers do not act on each
    other, so that one run, in which all three start away from it, shows what happens from each start.
    """
    p = law.probabilities(len(L))
    predicted = 2 / EPS * max(constant / chance for constant, chance in zip(L, p, strict=True))
    steps = math.ceil(1.25 * predicted)
    method = AdaptiveDropMuon(torch.tensor([L], dtype=torch.float64), 0.0, law)
    trace = run(
        method,
        PROBLEM,
        steps=steps,
        replicates=replicates,
        record=("gradnorm_i", "cost"),
        quantities={"cost": layer_cost(COSTS)},
    )
    squares = trace["gradnorm_i"].square().mean(dim=0)[:-1].cumsum(dim=0)
    means = squares / torch.arange(1, steps + 1, dtype=torch.float64)[:, None]
    # the means fall, for g_i does; rounding must not cost a step
    needed = 1 + int((means > EPS * (1 + 1e-9)).sum(dim=0).max())
    if needed > steps:
        raise RuntimeError(f"{steps} steps were too few for {law!r}")
    return float(trace["cost"].mean(dim=0)[needed])


def grid(parts: int) -> list[RPT]:
    """p_1 <= p_2 in multiples of 1 / parts, p_3 = 1."""
    shares = [m / parts for m in range(1, parts + 1)]
    return [from_marginals((*pair, 1.0)) for pair in itertools.combinations_with_replacement(shares, 2)]


def swept(parts: int, replicates: int = REPLICATES) -> list[tuple[RPT, float, float]]:
    """Each law of the grid with its measured and its predicted cost."""
    return [(law, measured_cost(law, replicates), 2 / EPS * total_cost(law, L, COSTS)) for law in grid(parts)]


def shown(law: LayerLaw) -> str:
    """The p_i."""
    return "(" + ", ".join(f"{p:.3f}" for p in law.probabilities(len(L))) + ")"


def main() -> None:
    """The table and the best laws."""
    rows = swept(8)
    print(f"{'p':>21} {'measured':>9} {'predicted':>10}")
    for law, measured, predicted in sorted(rows, key=lambda row: row[1]):
        print(f"{shown(law):>21} {measured:9.1f} {predicted:10.1f}")
    best, best_cost, _ = min(rows, key=lambda row: row[1])
    optimal = optimal_rpt(L, COSTS)
    print(f"best measured {shown(best)}: {best_cost:.1f}")
    print(f"optimal_rpt   {shown(optimal)}: {2 / EPS * total_cost(optimal, L, COSTS):.1f} predicted")
    print(f"all layers    {shown(Full())}: {measured_cost(Full()):.1f}")


if __name__ == "__main__":
    main()
