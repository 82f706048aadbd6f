"""Stochastic variance reduced gradient."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method, ones
from workbench.methods.stochastic_gradient import (
    grad_where,
    minibatch_draws,
    minibatch_grad,
    no_noise,
    no_steps,
)


class Epoch(NamedTuple):
    """Iterate, snapshot, gradient of f there, (*batch, d) each; steps taken so far, int64 (*batch,)."""

    x: Tensor
    snapshot: Tensor
    full: Tensor
    steps: Tensor


@dataclass(frozen=True)
class SVRG(Method):
    """x_next = x - stepsize (grad f_S(x) - grad f_S(w) + grad f(w)); w = x before every ``period``-th step.

    S: ``minibatch`` terms drawn without replacement; w: the snapshot, at steps 0, period, 2 period, ... the
    iterate of that moment. With all terms: gradient descent.

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). period, minibatch: integers >= 1,
    minibatch at most n_terms. ValueError otherwise. Source: Johnson and Zhang (2013), option I.
    """

    stepsize: Number
    period: int
    minibatch: int = 1
    source: ClassVar[str] = "Johnson and Zhang (2013), option I"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_dimension(period=self.period, minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The terms. ValueError for a minibatch larger than the sum."""
        return minibatch_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Epoch:
        """The first step takes the snapshot. x0: (*batch, d)."""
        del problem, draw
        return Epoch(x0, x0.clone(), torch.zeros_like(x0), no_steps(x0))

    def _opens(self, state: Epoch) -> Tensor:
        """Where an epoch begins, (*batch,)."""
        return state.steps % self.period == 0

    def step(self, problem: Problem, state: Epoch, draw: SimpleNamespace) -> Epoch:
        """state.x: (*batch, d)."""
        x, opens = state.x, self._opens(state)
        w = torch.where(opens.unsqueeze(-1), x, state.snapshot)
        full = grad_where(problem, w, opens, state.full)
        change = minibatch_grad(problem, x, draw) - minibatch_grad(problem, w, draw)
        return Epoch(x - self.stepsize * (change + full), w, full, state.steps + 1)

    def cost(self, problem: Problem, state: Epoch, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """Two gradients per term drawn, and all of them where an epoch begins."""
        del draw
        full = problem.n_terms * self._opens(state)
        return {"grad_calls": 2 * self.minibatch * ones(state.x) + full}
