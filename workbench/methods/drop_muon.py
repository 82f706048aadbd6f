"""Drop-Muon with momentum: steps of fixed lengths in a random set of layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.layer_laws import LayerLaw
from workbench.methods.base import Method
from workbench.methods.layer_draws import (
    LAYER_QUANTITIES,
    law_facts,
    layer_draws,
    no_updates,
    reached,
    require_law,
    spent_on,
)
from workbench.methods.layer_gradients import over_layers, require_orthogonaliser
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import (
    gradient_cost,
    gradient_draws,
    no_steps,
    stochastic_grad,
)
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction
from workbench.quantity import Quantity
from workbench.samplings import Sampling


class DropPoint(NamedTuple):
    """The iterate, its momentum, and what the steps so far updated and passed.

    x, m: (*batch, d); m is 0 in layers that were never updated. steps: int64 (*batch,). updates, reached: how
    many of them updated each layer, and passed it, int64 (*batch, layers).
    """

    x: Tensor
    m: Tensor
    steps: Tensor
    updates: Tensor
    reached: Tensor


@dataclass(frozen=True)
class DropMuon(Method):
    """For each layer i of a random set S: M_i <- beta M_i + (1 - beta) G_i, X_i <- X_i - radius_i dir_i(M_i).

    G is the stochastic gradient at X; dir_i(M) maximises <M, Z> over |Z|_i <= 1, in the norms of the layers
    of the problem. At its first update a layer takes M_i = G_i. Layers outside S keep weights and momentum.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1); the paper's
    alpha is 1 - beta. law: of S, a ``LayerLaw``, or a ``Sampling`` of as many clients as layers. minibatch:
    an integer >= 1, terms of a sum (at most n_terms), or draws of a noise. orthogonaliser: what finds the
    directions of spectral layers. ValueError otherwise, TypeError for another law or orthogonaliser. p_i: the
    probability that layer i is updated. With the law ``Full()`` this is ``Gluon``.

    Source: Drop-Muon, arXiv:2510.02239, as public records describe it. Its X_i - gamma_i |M_i|_* dir_i(M_i)
    is the step of length gamma_i |M_i|_*.
    """

    radius_i: Number
    beta: Number
    law: LayerLaw | Sampling
    minibatch: int = 1
    orthogonaliser: Orthogonaliser = EXACT
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("law", "orthogonaliser")
    facts: ClassVar[tuple[str, ...]] = ("p_i", "with_noise")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = LAYER_QUANTITIES
    source: ClassVar[str] = "arXiv:2510.02239, as public records describe it"

    def __post_init__(self) -> None:
        """Guard the numbers and the law."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        require_law(self.law)
        require_dimension(minibatch=self.minibatch)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """p_i of the law, (layers,), and whether the gradients come with noise."""
        return {**law_facts(problem, options["law"]), "with_noise": float(problem.offers("noise"))}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The layers, and the noise or the terms of the stochastic gradient."""
        return {
            **layer_draws(problem, self.law, radius_i=self.radius_i),
            **gradient_draws(problem, self.minibatch),
        }

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> DropPoint:
        """Nothing updated yet. x0: (*batch, d)."""
        del draw
        zero = no_updates(problem.layers, x0)
        return DropPoint(x0, torch.zeros_like(x0), no_steps(x0), zero, zero.clone())

    def step(self, problem: Problem, state: DropPoint, draw: SimpleNamespace) -> DropPoint:
        """draw.active: bool (*batch, layers)."""
        layers, active = problem.layers, draw.active
        g = stochastic_grad(problem, state.x, draw)
        started = layers.per_entry(state.updates > 0)
        fresh = torch.where(started, self.beta * state.m + (1 - self.beta) * g, g)
        chosen = layers.per_entry(active)
        lengths = over_layers(layers, self.radius_i, g)
        move = inexact_direction(layers, self.orthogonaliser, fresh, lengths)
        return DropPoint(
            torch.where(chosen, state.x - move, state.x),
            torch.where(chosen, fresh, state.m),
            state.steps + 1,
            state.updates + active,
            state.reached + reached(active),
        )

    def cost(self, problem: Problem, state: DropPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A linear minimisation for each layer that is updated, one minibatch unless none is."""
        return spent_on(draw.active, gradient_cost(problem, self.minibatch), state.x)
