"""Muon as a stochastic trust-region method whose momentum is taken at extrapolated points."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number
from assumptions.layerwise.inequality import layer_noise
from assumptions.layerwise.rounding import layer_gradient_change
from problems.base import Problem
from workbench.methods.layer_gradients import averaged, over_layers
from workbench.methods.layer_momentum import LayerMomentum
from workbench.methods.stochastic_gradient import (
    no_steps,
    stochastic_grad,
)
from workbench.quantity import Quantity, Reading


class ExtrapolatedPoint(NamedTuple):
    """The iterate, the point of the next gradient, the momentum of the last step, and the steps taken.

    x, y, m: (*batch, d). steps: int64 (*batch,).
    """

    x: Tensor
    y: Tensor
    m: Tensor
    steps: Tensor


def _before(points: Tensor) -> Tensor:
    """Entry k - 1 at k, entry 0 at 0. (batch, K + 1, d)."""
    return torch.cat([points[:, :1], points[:, :-1]], 1)


def _lag(r: Reading) -> Tensor:
    lag = r.problem.layers.dual_i(r.state.m - r.problem.grad(_before(r.x)))
    return torch.where(r.state.steps.unsqueeze(-1) == 0, 0.0, lag)


def _lag_resolution(r: Reading, value: Tensor) -> Tensor:
    """The momentum is a mean of gradients at the points y so far, each known as well as these."""
    problem, layers, y = r.problem, r.problem.layers, r.state.y
    beta = torch.as_tensor(r.method.beta, dtype=y.dtype, device=y.device)
    stretch = ((1 + beta) / (1 - beta)).squeeze(-1) if beta.dim() else (1 + beta) / (1 - beta)
    error = stretch * (r.x_error + 8 * EPS * r.x.norm(dim=-1))
    slopes = layers.dual_i(problem.grad(y))
    each = 64 * EPS * slopes + 4 * layer_noise(problem, layers, y)
    each = each + layer_gradient_change(problem, layers, y, slopes, error)
    return 2 * each.cummax(dim=1).values + 8 * EPS * value


@dataclass(frozen=True)
class TrustRegionMuon(LayerMomentum):
    """X_i_next = X_i - radius_i dir_i(M_i), M = beta M + (1 - beta) G(Y), Y_next as below; M = G at first.

    Y_next = X_next + beta / (1 - beta) (X_next - X), Y = X at the start: with alpha = 1 - beta, the weight of
    the new, X + (X_next - X) / alpha. The step minimises <M, Z> over the balls |Z_i - X_i|_i <= radius_i of
    the norms of the problem's layers: spectral ones make Muon. For a constant Hessian the mean of the
    gradients at the points Y is the gradient at X: no lag. Without extrapolation: ``Gluon``.

    radius_i > 0: units of X; a float or (*batch, layers). beta in [0, 1): weight of the old, 1 minus the
    alpha of Kovalev; a float or (*batch, 1). minibatch: as in ``Gluon``. ValueError otherwise.
    ``lag_i``: |M_i - grad_i f(x_{k-1})|_{i*} for the momentum M of the step that led to x_k.
    Source: Kovalev (2025), arXiv:2503.12645, by its claims about second-order smoothness; the extrapolation
    is that of Cutkosky and Mehta (2020), arXiv:2002.03305.
    """

    beta: Number = 0.9
    free: ClassVar[tuple[str, ...]] = ()
    facts: ClassVar[tuple[str, ...]] = ("with_noise",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "lag_i": Quantity(
            "dual norm, layer by layer, of the momentum less the gradient at the point that it stepped from; "
            "0 at the start",
            r"\|M_{k-1,i} - \nabla_i f(x_{k-1})\|_{i*}",
            _lag,
            _lag_resolution,
            unit="f / x",
            nonnegative=True,
            every_step=True,
        )
    }
    source: ClassVar[str] = "arXiv:2503.12645"

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """Whether gradients come with noise."""
        del options
        return {"with_noise": float(problem.offers("noise"))}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> ExtrapolatedPoint:
        """No momentum yet. x0: (*batch, d)."""
        del problem, draw
        return ExtrapolatedPoint(x0, x0.clone(), torch.zeros_like(x0), no_steps(x0))

    def step(self, problem: Problem, state: ExtrapolatedPoint, draw: SimpleNamespace) -> ExtrapolatedPoint:
        """state.x: (*batch, d)."""
        m = averaged(self.beta, state.m, stochastic_grad(problem, state.y, draw), state.steps)
        move = problem.layers.lmo_direction(m, over_layers(problem.layers, self.radius_i, m))
        x = state.x - move
        return ExtrapolatedPoint(x, x - self.beta / (1 - self.beta) * move, m, state.steps + 1)
