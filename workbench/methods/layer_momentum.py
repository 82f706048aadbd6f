"""Momentum, and a step of a given length in each layer: what such methods share."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method
from workbench.methods.layer_gradients import GRADIENT_FACTS, averaged, gradient_facts, over_layers, step_cost
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import gradient_cost, gradient_draws, no_steps, stochastic_grad


class MomentumPoint(NamedTuple):
    """The iterate and the momentum of the last step. x, m: (*batch, d); steps: taken so far, int64 (*batch,).

    Before the first step m is 0 and counts for nothing.
    """

    x: Tensor
    m: Tensor
    steps: Tensor


def start_of_momentum(x0: Tensor) -> MomentumPoint:
    """No step taken. x0: (*batch, d)."""
    return MomentumPoint(x0, torch.zeros_like(x0), no_steps(x0))


@dataclass(frozen=True)
class LayerMomentum(Method):
    """M = beta M_before + (1 - beta) G, G the stochastic gradient at x, the first M the first G; then a step.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum. minibatch: an integer >= 1, terms of a sum (at most n_terms), or draws of a noise.
    ValueError otherwise.
    """

    radius_i: Number
    beta: Number = 0.0
    minibatch: int = 1
    free: ClassVar[tuple[str, ...]] = ("x", "m")
    facts: ClassVar[tuple[str, ...]] = GRADIENT_FACTS

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
        """Terms or noise. ValueError for a radius_i or a minibatch that does not fit."""
        over_layers(problem.layers, self.radius_i, problem.x0)
        return gradient_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Any:
        """No momentum yet. x0: (*batch, d)."""
        del problem, draw
        return start_of_momentum(x0)

    def momentum(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> Tensor:
        """The next M. state.x: (*batch, d)."""
        return averaged(self.beta, state.m, stochastic_grad(problem, state.x, draw), state.steps)

    def cost(self, problem: Problem, state: Any, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient; every layer."""
        del draw
        return step_cost(problem, state.x, gradient_cost(problem, self.minibatch))
