"""The stochastic proximal point method."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space, Subset
from workbench.methods.base import Method, ones
from workbench.methods.stochastic_gradient import no_noise, require_minibatch


class ProximalIterate(NamedTuple):
    """x: (*batch, d). error: how far the oracle says that it may be off, from the last step; (*batch,)."""

    x: Tensor
    error: Tensor


@dataclass(frozen=True)
class SPPM(Method):
    """x_next = argmin_z f_S(z) + |z - x|^2 / (2 stepsize), f_S the mean of ``minibatch`` terms drawn.

    They are drawn without replacement. One term, or all: the proximal point method.

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). minibatch: an integer >= 1, at
    most n_terms. ValueError otherwise. Source: Tovmasyan, Malinovsky, Condat, Richtarik (2025), Revisiting
    Stochastic Proximal Point Methods: Generalized Smoothness and Similarity, arXiv:2502.03401.
    """

    stepsize: Number
    minibatch: int = 1
    free: ClassVar[tuple[str, ...]] = ("x",)
    needs: ClassVar[tuple[str, ...]] = ("batch_prox",)
    source: ClassVar[str] = "arXiv:2502.03401"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Indices ``j`` of terms, (*batch, minibatch). ValueError for a minibatch larger than the sum."""
        require_minibatch(problem.n_terms, self.minibatch)
        return {"j": Subset(problem.n_terms, self.minibatch)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> ProximalIterate:
        """The start has no error. x0: (*batch, d)."""
        del problem, draw
        return ProximalIterate(x0, torch.zeros_like(x0[..., 0]))

    def step(self, problem: Problem, state: ProximalIterate, draw: SimpleNamespace) -> ProximalIterate:
        """draw.j: int64 (*batch, minibatch). state.x: (*batch, d)."""
        x_next = problem.batch_prox(state.x, draw.j, self.stepsize)  # pyright: ignore[reportOptionalCall]
        return ProximalIterate(x_next, stated_error(problem, state.x, self.stepsize, x_next, draw.j))

    def x_error(self, problem: Problem, state: ProximalIterate, new: ProximalIterate) -> Tensor:
        """Of the one call."""
        del problem, state
        return new.error

    def cost(self, problem: Problem, state: ProximalIterate, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """The terms in the one proximal step."""
        del problem, draw
        return {"prox_calls": self.minibatch * ones(state.x)}


def stated_error(problem: Problem, x: Tensor, stepsize: Number, result: Tensor, j: Tensor) -> Tensor:
    """What the problem says of the error of ``batch_prox``; (*batch,), without a gradient."""
    with torch.no_grad():
        return problem.oracle_error("batch_prox", x, stepsize, result, j)
