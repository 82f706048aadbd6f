"""AdaGO: orthogonalised momentum with the radius of AdaGrad-Norm."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_dimension, require_nonnegative, require_positive
from assumptions.rounding import gradient_errors
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method
from workbench.methods.layer_gradients import averaged, running_resolution, smallest_rho_i, step_cost
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import (
    gradient_cost,
    gradient_draws,
    no_steps,
    stochastic_grad,
)
from workbench.quantity import Quantity, Reading


class AdaGOState(NamedTuple):
    """The iterate, the momentum, the accumulated lengths of gradients, and the steps taken.

    x, m: (*batch, d). v: (*batch, n_layers). steps: int64 (*batch,).
    """

    x: Tensor
    m: Tensor
    v: Tensor
    steps: Tensor


ACCUMULATED = Quantity(
    "v_i: the root of v0^2 plus the squares of the clipped lengths of the gradients of a layer so far",
    r"v_{k,i}",
    lambda r: r.state.v,
    running_resolution,
    unit="f / x",
    nonnegative=True,
)


def _clipped(r: Reading) -> Tensor:
    length = r.problem.layers.length_i(r.problem.grad(r.x))
    return torch.minimum(length, torch.as_tensor(r.method.gamma, dtype=length.dtype, device=length.device))


CLIPPED = Quantity(
    "Euclidean length of each layer of the gradient at x_k, at most gamma",
    r"\min(\|\nabla_i f(x_k)\|_2, \gamma)",
    _clipped,
    lambda r, v: 64 * EPS * v + 4 * r.problem.layers.length_i(gradient_errors(r.problem, r.x)),
    unit="f / x",
    nonnegative=True,
)


@dataclass(frozen=True)
class AdaGO(Method):
    """X_i_next = X_i - a_i dir_i(M_i) with a_i = max{eps, eta min(|G_i|, gamma) / v_i}, for each layer i.

    M = beta M + (1 - beta) G with M = G at the first step, v_i^2 = v_i^2 + min(|G_i|, gamma)^2 from
    v_i = v0. G is the stochastic gradient, |.| the Euclidean length of the entries, dir_i the direction of
    the norm of layer i (Muon's where that is ``Spectral``), without rounding of its own.

    eta > 0: units of X. gamma > 0 and v0 > 0: units of the
    gradient. eps >= 0: units of X. beta in [0, 1): weight of the old, the paper's mu. Each a float or
    (*batch, 1). minibatch: as in ``Gluon``. ValueError otherwise.

    Facts: with_noise, 1 where gradients come with noise, else 0; rho_low_i, numbers with |G|_{i*} >=
    rho_low_i |G|.
    Source: Zhang, Liu, Schaeffer (2025), AdaGrad Meets Muon, arXiv:2509.02981; that its |G| is the Frobenius
    norm is recalled.
    """

    eta: Number
    eps: Number = 5e-4
    gamma: Number = 10.0
    v0: Number = 1e-6
    beta: Number = 0.95
    minibatch: int = 1
    facts: ClassVar[tuple[str, ...]] = ("with_noise", "rho_low_i")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "v_i": ACCUMULATED,
        "clipped_i": CLIPPED,
    }
    source: ClassVar[str] = "arXiv:2509.02981"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(eta=self.eta)
        require_nonnegative(eps=self.eps)
        require_positive(gamma=self.gamma, v0=self.v0)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """Whether gradients come with noise, and the least ratio of dual norms to lengths."""
        del options
        noise = float(problem.offers("noise"))
        return {"with_noise": noise, "rho_low_i": smallest_rho_i(problem.layers)}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise. ValueError for a minibatch larger than the sum."""
        return gradient_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> AdaGOState:
        """No gradient yet. x0: (*batch, d)."""
        del draw
        v = x0.new_ones(*x0.shape[:-1], problem.layers.n_layers) * self.v0
        return AdaGOState(x0, torch.zeros_like(x0), v, no_steps(x0))

    def step(self, problem: Problem, state: AdaGOState, draw: SimpleNamespace) -> AdaGOState:
        """state.x: (*batch, d)."""
        layers = problem.layers
        g = stochastic_grad(problem, state.x, draw)
        m = averaged(self.beta, state.m, g, state.steps)
        gamma = torch.as_tensor(self.gamma, dtype=g.dtype, device=g.device)
        clipped = torch.minimum(layers.length_i(g), gamma)
        v = torch.hypot(state.v, clipped)
        eps = torch.as_tensor(self.eps, dtype=g.dtype, device=g.device)
        radius_i = torch.maximum(self.eta * clipped / v, eps)
        x = state.x - layers.lmo_direction(m, radius_i)
        return AdaGOState(x, m, v, state.steps + 1)

    def cost(self, problem: Problem, state: AdaGOState, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient; every layer."""
        del draw
        return step_cost(problem, state.x, gradient_cost(problem, self.minibatch))
