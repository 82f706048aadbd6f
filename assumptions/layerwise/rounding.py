"""How far each layer of the gradient moves when the point is known up to a small error."""

import math
from functools import lru_cache

import torch
from torch import Tensor

from assumptions.base import Assumption, Function
from assumptions.layers import Layers
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.norms import EUCLIDEAN
from assumptions.region import EVERYWHERE
from assumptions.rounding import directions
from assumptions.smooth import Smooth


@lru_cache(maxsize=64)
def reach_i(layers: Layers) -> tuple[float, ...]:
    """For each layer a c with |Z|_i <= c |Z|_2: the root of the sum of |E|_i^2 over unit matrices E.

    |Z|_i <= sum_kl |z_kl| |E_kl|_i and Cauchy's inequality. Too large by the root of the size at most.
    """
    reach = []
    for norm, size in zip(layers.norms, layers.sizes, strict=True):
        units = norm.norm(torch.eye(size, dtype=torch.float64))
        reach.append(float(units.norm()))
    return tuple(reach)


def layer_gradient_change(
    problem: Function, layers: Layers, x: Tensor, dual_i: Tensor, error: Tensor
) -> Tensor:
    """How far |grad_i f|_{i*} moves where x moves by ``error`` in the Euclidean norm, (*batch, n_layers).

    x: (*batch, d). dual_i: |grad_i f(x)|_{i*}, (*batch, n_layers). error: (*batch,). The smallest of what
    is certified everywhere (``Smooth``, ``LayerSmooth``, ``CoupledSmooth``, ``LocalLayerL0L1``); else
    probed in three directions, with |e|_{i*} <= rho_i |e|_2.
    """
    everywhere = [c.assumption for c in getattr(problem, "certified", ()) if c.region == EVERYWHERE]
    moved = error.unsqueeze(-1) * x.new_tensor(reach_i(layers))
    rho = x.new_tensor(layers.rho_i)
    known = [_allowed(a, moved, rho, dual_i, error) for a in everywhere]
    bounds = [bound for bound in known if bound is not None]
    if not bounds:
        return _probed(problem, layers, x, error) * rho
    change = bounds[0]
    for bound in bounds[1:]:
        change = torch.minimum(change, bound)
    # one that says nothing at any layer leaves the probe
    return torch.where(change < math.inf, change, _probed(problem, layers, x, error) * rho)


def _allowed(
    assumption: Assumption, moved: Tensor, rho: Tensor, dual_i: Tensor, error: Tensor
) -> Tensor | None:
    """What an assumption says of the change; None if nothing, inf where the move is too long for it."""
    match assumption:
        case Smooth(L=L, norm=norm) if norm == EUCLIDEAN:
            return L * error.unsqueeze(-1) * rho
        case LayerSmooth(L_i=L_i):
            return moved * moved.new_tensor(L_i)
        case CoupledSmooth(h=h):
            return moved @ moved.new_tensor(h)
        case LocalLayerL0L1(L0_i=L0_i, L1_i=L1_i):
            L0, L1 = moved.new_tensor(L0_i), moved.new_tensor(L1_i)
            near = (moved * L1 <= 1).all(dim=-1, keepdim=True)
            return torch.where(near, (L0 + L1 * dual_i) * moved, math.inf)
    return None


def _probed(problem: Function, layers: Layers, x: Tensor, error: Tensor) -> Tensor:
    """The largest change of each layer in the Euclidean norm, x moved in three directions."""
    g = problem.grad(x)
    length = error.unsqueeze(-1) / x.shape[-1] ** 0.5
    moves = [problem.grad(x + length * signs) - g for signs in directions(x.shape[-1], x)]
    return torch.stack([layers.length_i(move) for move in moves]).amax(dim=0)
