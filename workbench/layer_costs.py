"""What Drop-Muon costs under a law of layers, and the cheapest law of randomised progressive training.

A step costs c_0, and c_i for every layer i that backpropagation passes: all from the first updated one on.
With exact gradients, lengths g_i / L_i and smooth layers, drop-muon/squares gives sum_i E g_i^2 <= eps, on
average, once k >= (2 gap0 / eps) max_i L_i / p_i. Total costs below are in units of 2 gap0 / eps.
"""

import itertools
import math
from fractions import Fraction

from torch import Tensor

from assumptions.guards import as_float, as_floats
from workbench.layer_laws import RPT, LayerLaw, from_marginals
from workbench.methods.layer_draws import reached, require_law
from workbench.quantity import Quantity, Reading
from workbench.samplings import Sampling


def reach(law: LayerLaw | Sampling, n: int) -> tuple[float, ...]:
    """P(backpropagation passes layer i), one for each of n layers; of an RPT law, p_i.

    The outcomes of the law are listed: ValueError or TypeError where it does not fit, or has too many.
    """
    require_law(law)
    if isinstance(law, RPT):
        return law.probabilities(n)
    active, weights = law.space(n).outcomes()
    return tuple((weights[:, None] * reached(active)).sum(dim=0).tolist())


def cost_per_step(law: LayerLaw | Sampling, c_i: tuple[float, ...], c_0: float = 0.0) -> float:
    """c_0 + sum_i c_i P(layer i is passed), the mean cost of a step. Costs: finite, >= 0; else ValueError."""
    c_i, c_0 = _costs(c_i, c_0)
    return c_0 + math.fsum(c * r for c, r in zip(c_i, reach(law, len(c_i)), strict=True))


def total_cost(
    law: LayerLaw | Sampling, L_i: tuple[float, ...], c_i: tuple[float, ...], c_0: float = 0.0
) -> float:
    """max_i (L_i / p_i) times the mean cost of a step, in units of 2 gap0 / eps; inf where a p_i is 0.

    L_i > 0, as many as c_i; ValueError otherwise.
    """
    L_i, c_i = _constants(L_i, c_i)
    p = law.probabilities(len(L_i))
    if min(p) == 0:
        return math.inf
    return max(L / chance for L, chance in zip(L_i, p, strict=True)) * cost_per_step(law, c_i, c_0)


def optimal_rpt(L_i: tuple[float, ...], c_i: tuple[float, ...], c_0: float = 0.0) -> RPT:
    """The RPT law of least ``total_cost``: p_i = max(L_1, ..., L_i) / max L for i < b, p_b = 1.

    It does not hang on the costs, which are checked alone: finite, >= 0; L_i > 0, as many. ValueError
    otherwise. Where every c_i > 0 it is the only one. Where c_1 > 0, to update all layers always is as cheap
    if and only if L_1 is the largest. No other law of layers is cheaper: to update the rest of what
    backpropagation passes anyway costs nothing.

    Proof: take t >= max_i L_i / p_i, and r_i = t p_i, so that r_b = t. The cost is c_0 r_b + sum_i c_i r_i,
    over all non-decreasing r with r_i >= L_i. The least of them, r_i = max(L_1, ..., L_i), is the cheapest,
    and any other one costs more if every c_i > 0.
    """
    L_i, c_i = _constants(L_i, c_i)
    _costs(c_i, c_0)
    highest = list(itertools.accumulate(L_i, max))
    p = tuple(float(Fraction(L) / Fraction(highest[-1])) for L in highest[:-1])
    return from_marginals((*p, 1.0))


def layer_cost(c_i: tuple[float, ...], c_0: float = 0.0) -> Quantity:
    """c_0 k + sum_i c_i (steps that passed layer i), as a quantity of the methods of Drop-Muon.

    Costs: finite, >= 0. ValueError otherwise, and for a problem with another number of layers.
    """
    c_i, c_0 = _costs(c_i, c_0)

    def read(r: Reading) -> Tensor:
        passed = r.state.reached.to(r.x)
        if passed.shape[-1] != len(c_i):
            raise ValueError(f"c_i must have one entry for each of {passed.shape[-1]} layers, got {c_i!r}")
        return c_0 * r.state.steps.to(r.x) + passed @ r.x.new_tensor(c_i)

    return Quantity("cost of backpropagation until step k", r"C_k", read, unit="1", nonnegative=True)


# -- guards -----------------------------------------------------------------------------------------


def _costs(c_i: tuple[float, ...], c_0: float) -> tuple[tuple[float, ...], float]:
    """As floats. ValueError unless finite and >= 0, at least one layer."""
    costs, base = as_floats("c_i", c_i), as_float("c_0", c_0)
    if not costs or not all(0 <= c < math.inf for c in costs):
        raise ValueError(f"c_i must hold finite numbers >= 0, one for each layer, got {c_i!r}")
    if not 0 <= base < math.inf:
        raise ValueError(f"c_0 must be finite and >= 0, got {c_0!r}")
    return costs, base


def _constants(L_i: tuple[float, ...], c_i: tuple[float, ...]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """As floats. ValueError unless L_i is finite and > 0, one for each entry of c_i."""
    constants, costs = as_floats("L_i", L_i), as_floats("c_i", c_i)
    if not constants or not all(0 < L < math.inf for L in constants):
        raise ValueError(f"L_i must hold finite numbers > 0, one for each layer, got {L_i!r}")
    if len(costs) != len(constants):
        raise ValueError(f"c_i must have one entry for each of {len(constants)} layers, got {c_i!r}")
    return constants, costs
