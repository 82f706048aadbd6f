"""ASGO, one-sided Shampoo: gradients over the root of the sum of their outer products."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_nonnegative, require_positive
from assumptions.layers import Layers
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.asgo_quantities import ASGO_QUANTITIES
from workbench.methods.base import Method, ones
from workbench.methods.left_roots import inverted, no_roots, roots_added, rows_of
from workbench.methods.stochastic_gradient import (
    gradient_cost,
    gradient_draws,
    no_steps,
    stochastic_grad,
)
from workbench.quantity import Quantity


class ASGOState(NamedTuple):
    """The iterate, the last gradient, the roots V_i^(1/2), and the steps taken.

    x, g: (*batch, d), g = 0 before the first step. root: (*batch, sum m_i^2), the m_i x m_i matrices of the
    layers one after the other. steps: int64 (*batch,).
    """

    x: Tensor
    g: Tensor
    root: Tensor
    steps: Tensor


@dataclass(frozen=True)
class ASGO(Method):
    """V_i = V_i + G_i G_i', X_i_next = X_i - eta (V_i^(1/2) + eps I)^(-1) G_i, for each layer; V_i = 0 first.

    G is the stochastic gradient. A layer of m rows has a V_i of m x m; a vector is a column, of other shapes
    the first axis counts the rows. eps = 0: the pseudo-inverse of V_i^(1/2). The roots are kept, not the V_i:
    singular values of [V^(1/2) G] are as accurate as those of G.

    eta > 0: units of X. eps >= 0: units of the gradient. Each a float or (*batch, 1). minibatch: as in
    ``Gluon``. ValueError otherwise. Facts: with_noise, 1 where gradients come with noise; rows_i, the m_i.
    Source: ASGO, arXiv:2503.20762; this form of its theory is recalled. What its code does: ``AveragedASGO``.
    """

    eta: Number
    eps: Number = 0.0
    minibatch: int = 1
    facts: ClassVar[tuple[str, ...]] = ("with_noise", "rows_i")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = ASGO_QUANTITIES
    source: ClassVar[str] = "arXiv:2503.20762, the form of its theory, recalled"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(eta=self.eta)
        require_nonnegative(eps=self.eps)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """Whether gradients come with noise, and the rows of the layers."""
        del options
        rows = torch.tensor(rows_of(problem.layers), dtype=torch.float64)
        return {"with_noise": float(problem.offers("noise")), "rows_i": rows}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise. ValueError for a minibatch larger than the sum."""
        return gradient_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> ASGOState:
        """No gradient yet. x0: (*batch, d)."""
        del draw
        return ASGOState(x0, torch.zeros_like(x0), no_roots(problem.layers, x0), no_steps(x0))

    def step(self, problem: Problem, state: ASGOState, draw: SimpleNamespace) -> ASGOState:
        """state.x: (*batch, d)."""
        layers: Layers = problem.layers
        g = stochastic_grad(problem, state.x, draw)
        root = roots_added(layers, state.root, g)
        x = state.x - self.eta * inverted(layers, root, g, self.eps)
        return ASGOState(x, g, root, state.steps + 1)

    def cost(self, problem: Problem, state: ASGOState, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient."""
        del draw
        return {"grad_calls": gradient_cost(problem, self.minibatch) * ones(state.x)}
