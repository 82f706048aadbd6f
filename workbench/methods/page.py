"""PAGE: a full gradient now and then, differences of sampled gradients in between."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from assumptions.rounding import ROUNDINGS
from problems.base import Problem
from workbench.draws import Coin, Indices, Space
from workbench.methods.base import Method, require_probability
from workbench.methods.stochastic_gradient import (
    grad_where,
    minibatch_draws,
    no_noise,
    no_steps,
)
from workbench.quantities import SHARED
from workbench.quantity import Quantity, Reading


class PageState(NamedTuple):
    """An iterate, the estimate of its gradient, and the steps taken so far.

    x, g: (*batch, d). steps: int64 (*batch,).
    """

    x: Tensor
    g: Tensor
    steps: Tensor


def _error_of_estimate(r: Reading, value: Tensor) -> Tensor:
    """g and grad f(x) are known to rounding, sampled gradients too.

    A mean of terms rounds, and moves with x, by at most n_terms times what the mean of all does; of f that is
    the resolution of ``gradnorm``.
    """
    del value
    gradnorm = SHARED["gradnorm"]
    of_gradients = gradnorm.error(r, gradnorm.read(r))
    return ROUNDINGS * r.state.g.norm(dim=-1) + (1 + r.problem.n_terms) * of_gradients


EST_ERROR = Quantity(
    "distance of the estimate from the gradient",
    r"\|g_k - \nabla f(x_k)\|",
    lambda r: (r.state.g - r.problem.grad(r.x)).norm(dim=-1),
    _error_of_estimate,
    lambda r, _: r.state.g.norm(dim=-1),
    unit="f / x",
    nonnegative=True,
)
EST_NORM = Quantity(
    "length of the estimate of the gradient",
    r"\|g_k\|",
    lambda r: r.state.g.norm(dim=-1),
    _error_of_estimate,
    unit="f / x",
    nonnegative=True,
)


def _difference(problem: Problem, x: Tensor, before: Tensor, draw: SimpleNamespace) -> Tensor:
    """grad f_S(x) - grad f_S(before), of f where all terms are taken. Shapes (*batch, d)."""
    if hasattr(draw, "j"):
        return problem.batch_change(x, before, draw.j)
    return problem.grad(x) - problem.grad(before)


@dataclass(frozen=True)
class PAGE(Method):
    """x_next = x - stepsize g; g_next = grad f(x_next) with probability p, else as below. g_0 = grad f(x_0).

    Else g_next = g + grad f_S(x_next) - grad f_S(x), f_S the mean of ``minibatch`` terms, uniform and fresh,
    without replacement or with it. Also known as loopless SARAH, or L2S. With p = 1 it is gradient descent.

    stepsize > 0: units of squared x per unit of f. p in (0, 1]. Both a float or (*batch, 1). minibatch: an
    integer >= 1; without replacement at most n_terms, seen when the method meets the problem. replacement: a
    bool. ValueError otherwise. ``refresh`` gives the usual p.

    Cost: n_terms gradients of terms at heads, else 2 minibatch; the first step also counts those of g_0, so
    that what is spent until step k made x_k and g_k.
    Source: Li, Bao, Zhang, Richtarik (2021), PAGE, arXiv:2008.10898; loopless SARAH: Li, Ma, Giannakis
    (2020), arXiv:1906.02351.
    """

    stepsize: Number
    p: Number
    minibatch: int = 1
    replacement: bool = False
    free: ClassVar[tuple[str, ...]] = ("g",)
    options: ClassVar[tuple[str, ...]] = ("replacement",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "est_error": EST_ERROR,
        "est_norm": EST_NORM,
    }
    source: ClassVar[str] = "arXiv:2008.10898"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_probability(p=self.p)
        self.check_shapes()
        require_dimension(minibatch=self.minibatch)
        if not isinstance(self.replacement, bool):
            raise ValueError(f"replacement must be True or False, got {self.replacement!r}")

    @staticmethod
    def refresh(n_terms: int, minibatch: int = 1) -> float:
        """minibatch / (n_terms + minibatch), the usual p: p n_terms = (1 - p) minibatch."""
        require_dimension(n_terms=n_terms, minibatch=minibatch)
        return minibatch / (n_terms + minibatch)

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Terms are sampled, not noise."""
        return no_noise(problem)

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """A coin, and the terms that are used at tails. ValueError if there are too few of them."""
        b = self.minibatch
        terms = {"j": Indices(problem.n_terms, b)} if self.replacement else minibatch_draws(problem, b)
        return {"refresh": Coin(self.p), **terms}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> PageState:
        """The full gradient at the start; the first step counts it. x0: (*batch, d)."""
        del draw
        return PageState(x0, problem.grad(x0), no_steps(x0))

    def step(self, problem: Problem, state: PageState, draw: SimpleNamespace) -> PageState:
        """draw: refresh (*batch, 1) bool, j (*batch, minibatch) int64. state.x: (*batch, d)."""
        x, refresh = state.x - self.stepsize * state.g, draw.refresh
        some = bool(refresh.any())
        if some and bool(refresh.all()):
            return PageState(x, problem.grad(x), state.steps + 1)
        g = state.g + _difference(problem, x, state.x, draw)
        g = grad_where(problem, x, refresh.squeeze(-1), g) if some else g
        return PageState(x, g, state.steps + 1)

    def cost(self, problem: Problem, state: PageState, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """Gradients of terms: by the coin, and in the first step those of the start."""
        heads = draw.refresh.squeeze(-1)
        spent = torch.where(heads, problem.n_terms, 2 * self.minibatch) + problem.n_terms * (state.steps == 0)
        return {"grad_calls": spent.to(state.x)}
