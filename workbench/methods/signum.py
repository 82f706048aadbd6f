"""Signum: steps along the signs of the momentum."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method, ones
from workbench.methods.gluon import MomentumPoint, start_of_momentum
from workbench.methods.layer_gradients import GRADIENT_FACTS, averaged, gradient_facts
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import gradient_cost, gradient_draws, stochastic_grad


@dataclass(frozen=True)
class Signum(Method):
    """M = beta M_before + (1 - beta) G; x_next = x - radius_i sign(M), entry by entry; an entry 0 stays.

    G is the stochastic gradient at x, the first M is the first G; radius_i is that of the layer of the entry,
    whatever the norms of the problem's layers. beta = 0: sign-SGD.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum, as in the source. minibatch as in ``Gluon``. ValueError otherwise. Source: Bernstein,
    Wang, Azizzadenesheli, Anandkumar (2018), arXiv:1802.04434.
    """

    radius_i: Number
    beta: Number = 0.0
    minibatch: int = 1
    free: ClassVar[tuple[str, ...]] = ("x", "m")
    facts: ClassVar[tuple[str, ...]] = GRADIENT_FACTS
    source: ClassVar[str] = "arXiv:1802.04434"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """The noise, and the norms of the layers."""
        del options
        return gradient_facts(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise. ValueError for a minibatch larger than the sum."""
        return gradient_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> MomentumPoint:
        """No momentum yet. x0: (*batch, d)."""
        del problem, draw
        return start_of_momentum(x0)

    def step(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> MomentumPoint:
        """state.x: (*batch, d)."""
        m = averaged(self.beta, state.m, stochastic_grad(problem, state.x, draw), state.steps)
        layers = problem.layers
        radius = torch.as_tensor(self.radius_i, dtype=m.dtype, device=m.device)
        radius = radius.expand(*radius.shape[:-1], layers.n_layers)
        length = radius.repeat_interleave(torch.tensor(layers.sizes, device=m.device), dim=-1)
        # torch.sign maps nan to 0, which would turn an undefined gradient into a step of the others
        signs = torch.where(m.isnan().any(dim=-1, keepdim=True), torch.nan, m.sign())
        return MomentumPoint(state.x - length * signs, m, state.steps + 1)

    def cost(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient; every layer."""
        del draw
        one = ones(state.x)
        gradients = gradient_cost(problem, self.minibatch) * one
        return {"grad_calls": gradients, "lmo_calls": problem.layers.n_layers * one}
