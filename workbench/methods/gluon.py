"""Gluon: momentum, and steps of given lengths to the minimisers of linear functions, layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method, ones
from workbench.methods.layer_gradients import (
    DIRECTION_FACTS,
    averaged,
    direction_facts,
    require_orthogonaliser,
)
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import (
    gradient_cost,
    gradient_draws,
    no_steps,
    stochastic_grad,
)
from workbench.orthogonal import Exact, Orthogonaliser, inexact_direction


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
class Gluon(Method):
    """M = beta M_before + (1 - beta) G; X_i_next = X_i - radius_i dir_i(M_i) for each layer i.

    G is the stochastic gradient at X, the first M is the first G. dir_i(M_i) maximises <M_i, Z> over |Z|_i <=
    1 in the norm of layer i of the problem. All layers spectral: Muon without its extras; the norms of Scion:
    unconstrained Scion; Euclidean: ``NormalisedSGD``; largest entry: ``Signum``.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum; the paper's beta^k, and 1 minus the alpha of Scion and of Kovalev. minibatch: an
    integer >= 1, terms of a sum (at most n_terms), or draws of a noise. ValueError otherwise. orthogonaliser:
    what finds the directions of spectral layers, ``Exact()`` by a singular value decomposition; TypeError
    otherwise.

    Cost: the gradients of terms that G takes, a linear minimisation for each layer.
    Source: Gluon, arXiv:2505.13416.
    """

    radius_i: Number
    beta: Number = 0.0
    minibatch: int = 1
    orthogonaliser: Orthogonaliser = Exact()  # noqa: RUF009
    free: ClassVar[tuple[str, ...]] = ("x", "m")
    options: ClassVar[tuple[str, ...]] = ("orthogonaliser",)
    facts: ClassVar[tuple[str, ...]] = DIRECTION_FACTS
    source: ClassVar[str] = "arXiv:2505.13416"

    def __post_init__(self) -> None:
        """Guard the numbers and the orthogonaliser."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """The noise, the norms of the layers, and the factors of the orthogonaliser."""
        return direction_facts(problem, options)

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
        move = inexact_direction(problem.layers, self.orthogonaliser, m, self.radius_i)
        return MomentumPoint(state.x - move, m, state.steps + 1)

    def cost(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient; every layer."""
        del draw
        one = ones(state.x)
        gradients = gradient_cost(problem, self.minibatch) * one
        return {"grad_calls": gradients, "lmo_calls": problem.layers.n_layers * one}
