"""Signum: steps along the signs of the momentum."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch

from problems.base import Problem
from workbench.methods.layer_gradients import over_layers
from workbench.methods.layer_momentum import LayerMomentum, MomentumPoint


@dataclass(frozen=True)
class Signum(LayerMomentum):
    """M = beta M_before + (1 - beta) G; x_next = x - radius_i sign(M), entry by entry; an entry 0 stays.

    G is the stochastic gradient at x, the first M is the first G; radius_i is that of the layer of the entry,
    whatever the norms of the problem's layers. beta = 0: sign-SGD.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum, as in the source. minibatch as in ``Gluon``. ValueError otherwise. Source: Bernstein,
    Wang, Azizzadenesheli, Anandkumar (2018), arXiv:1802.04434.
    """

    source: ClassVar[str] = "arXiv:1802.04434"

    def step(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> MomentumPoint:
        """state.x: (*batch, d)."""
        m = self.momentum(problem, state, draw)
        length = problem.layers.per_entry(over_layers(problem.layers, self.radius_i, m))
        # torch.sign maps nan to 0, which would turn an undefined gradient into a step of the others
        signs = torch.where(m.isnan().any(dim=-1, keepdim=True), torch.nan, m.sign())
        return MomentumPoint(state.x - length * signs, m, state.steps + 1)
