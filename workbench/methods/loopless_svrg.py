"""Loopless SVRG."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Coin, Space
from workbench.methods.base import Method, moved, ones, require_probability
from workbench.methods.stochastic_gradient import (
    grad_where,
    minibatch_draws,
    minibatch_grad,
    no_noise,
    no_steps,
)
from workbench.methods.svrg import Epoch
from workbench.methods.term_error import snapshot_error
from workbench.quantity import Quantity


@dataclass(frozen=True)
class LooplessSVRG(Method):
    """x_next = x - stepsize (grad f_S(x) - grad f_S(w) + grad f(w)); w_next = x with probability p, else w.

    S: ``minibatch`` terms drawn without replacement; w: the snapshot, at first x0. p = 1: the snapshot is one
    step behind. snapshot_error: (mean_j |grad f_j(w) - grad f_j(x_star)|^2)^(1/2).

    stepsize > 0: units of squared x per unit of f; 0 < p <= 1; each a float or (*batch, 1). minibatch: an
    integer >= 1, at most n_terms. ValueError otherwise. Source: Kovalev, Horvath and Richtarik (2020),
    arXiv:1901.08689; Hofmann et al. (2015).
    """

    stepsize: Number
    p: Number
    minibatch: int = 1
    free: ClassVar[tuple[str, ...]] = ("x",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "snapshot_error": snapshot_error(lambda r: r.state.snapshot)
    }
    source: ClassVar[str] = "arXiv:1901.08689"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_probability(p=self.p)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Whether the snapshot moves, and the terms. ValueError for a minibatch larger than the sum."""
        return {"refresh": Coin(self.p), **minibatch_draws(problem, self.minibatch)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Epoch:
        """The snapshot is the start; its gradient is paid for by the first step. x0: (*batch, d)."""
        del draw
        return Epoch(x0, x0.clone(), problem.grad(x0), no_steps(x0))

    def step(self, problem: Problem, state: Epoch, draw: SimpleNamespace) -> Epoch:
        """state.x: (*batch, d)."""
        x, w = state.x, state.snapshot
        change = minibatch_grad(problem, x, draw) - minibatch_grad(problem, w, draw)
        full = grad_where(problem, x, draw.refresh.squeeze(-1), state.full)
        x_next = x - self.stepsize * (change + state.full)
        return Epoch(x_next, torch.where(draw.refresh, x, w), full, state.steps + 1)

    def random_state(self, problem: Problem, state: Epoch, generator: torch.Generator) -> Epoch:
        """Any iterate and any snapshot, with the gradient at it; (*batch, ...)."""
        made = moved(("x", "snapshot"), state, generator)
        return made._replace(full=problem.grad(made.snapshot))

    def cost(self, problem: Problem, state: Epoch, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """Two gradients per term drawn; all of them where the snapshot moves, and for the start in step 0."""
        full = problem.n_terms * (draw.refresh.squeeze(-1).to(state.x.dtype) + (state.steps == 0))
        return {"grad_calls": 2 * self.minibatch * ones(state.x) + full}
