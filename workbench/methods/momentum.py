"""What methods with a momentum buffer that starts at 0 share: the state, facts, costs, quantities."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method
from workbench.methods.layer_gradients import DIRECTION_FACTS, direction_facts, over_layers, step_cost
from workbench.methods.stochastic_gradient import gradient_cost, gradient_draws, stochastic_grad
from workbench.orthogonal import Orthogonaliser
from workbench.quantities import SHARED
from workbench.quantity import Quantity, Reading


class Momentum(NamedTuple):
    """An iterate, its momentum buffer, and the total weight of the gradients in the buffer.

    x, m: (*batch, d). mass: (*batch, 1), 0 at the start, in [0, 1]: m / mass is a mean of gradients.
    """

    x: Tensor
    m: Tensor
    mass: Tensor


def gathered(
    problem: Problem, state: Momentum, beta: Number, draw: SimpleNamespace
) -> tuple[Tensor, Tensor, Tensor]:
    """The stochastic gradient g at x, the buffer beta m + (1 - beta) g, and its total weight."""
    g = stochastic_grad(problem, state.x, draw)
    m = beta * state.m + (1 - beta) * g
    return g, m, beta * state.mass + (1 - beta)


def momentum_draws(
    problem: Problem, radius_i: Number, minibatch: int, name: str = "radius_i"
) -> Mapping[str, Space]:
    """One stochastic gradient. ValueError for radii, called ``name``, or a minibatch that do not fit."""
    over_layers(problem.layers, radius_i, problem.x0, name)
    return gradient_draws(problem, minibatch)


def momentum_error(mean: Callable[[Reading], Tensor]) -> Quantity:
    """|mean_i - grad_i f(x_k)|_{i*} of a mean of gradients that a state holds, (batch, K + 1, d)."""

    def size(r: Reading) -> Tensor:
        return r.problem.layers.dual_i(mean(r))

    def resolution(r: Reading, value: Tensor) -> Tensor:
        """Of the mean of gradients, rounded and taken at points that are off, and of the one at x."""
        del value
        gradients = SHARED["gradnorm_i"]
        return 64 * EPS * size(r) + 2 * gradients.error(r, gradients.read(r))

    return Quantity(
        "dual norm of each layer of the mean of gradients in the momentum less the gradient at x_k; k >= 1",
        r"\|\hat M_i^k - \nabla_i f(x_k)\|_{i*}",
        lambda r: r.problem.layers.dual_i(mean(r) - r.problem.grad(r.x)),
        resolution,
        lambda r, _: size(r),
        unit="f / x",
        nonnegative=True,
    )


MOMENTUM_QUANTITIES: Mapping[str, Quantity | Callable[..., Tensor]] = {
    "momentum_error_i": momentum_error(lambda r: r.state.m / r.state.mass)
}


class BufferedMomentum(Method):
    """Gathers gradients in a buffer that starts at 0, then takes one direction for each layer.

    A subclass is a dataclass with at least these fields.
    """

    minibatch: int
    orthogonaliser: Orthogonaliser
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("orthogonaliser",)
    facts: ClassVar[tuple[str, ...]] = DIRECTION_FACTS
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = MOMENTUM_QUANTITIES

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """a_i and b_i of the directions, (layers,), and whether gradients are random."""
        return direction_facts(problem, options)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Momentum:
        """The buffer is 0. x0: (*batch, d)."""
        del problem, draw
        return Momentum(x0, torch.zeros_like(x0), torch.zeros_like(x0[..., :1]))

    def cost(self, problem: Problem, state: Momentum, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient, one linear minimisation for each layer."""
        del draw
        return step_cost(problem, state.x, gradient_cost(problem, self.minibatch))
