"""Normalised stochastic gradient descent with momentum, layer by layer."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch

from problems.base import Problem
from workbench.methods.layer_gradients import over_layers
from workbench.methods.layer_momentum import LayerMomentum, MomentumPoint


@dataclass(frozen=True)
class NormalisedSGD(LayerMomentum):
    """M = beta M_before + (1 - beta) G; X_i_next = X_i - radius_i M_i / |M_i|_2.

    G is the stochastic gradient at X, the first M is the first G. A layer with M_i = 0 stays. Lengths are
    Euclidean, whatever the norms of the problem's layers. One layer: normalised SGD with momentum.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum, that of Cutkosky and Mehta. minibatch as in ``Gluon``. ValueError otherwise. Source:
    Cutkosky, Mehta (2020), arXiv:2002.03305, Algorithm 1, in each layer.
    """

    source: ClassVar[str] = "arXiv:2002.03305"

    def step(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> MomentumPoint:
        """state.x: (*batch, d)."""
        m = self.momentum(problem, state, draw)
        radii = over_layers(problem.layers, self.radius_i, m).split(1, dim=-1)
        moves = []
        for part, length in zip(m.split(list(problem.layers.sizes), dim=-1), radii, strict=True):
            size = torch.linalg.vector_norm(part, dim=-1, keepdim=True)
            moves.append(length * part / torch.where(size == 0, 1.0, size))
        return MomentumPoint(state.x - torch.cat(moves, dim=-1), m, state.steps + 1)
