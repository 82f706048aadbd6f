"""Scion with constraint: the stochastic conditional gradient method over balls of the layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_dimension, require_positive
from assumptions.layerwise.rounding import reach_i
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import require_probability
from workbench.methods.layer_gradients import (
    DIRECTION_FACTS,
    direction_facts,
    over_layers,
    require_orthogonaliser,
)
from workbench.methods.momentum import (
    MOMENTUM_QUANTITIES,
    BufferedMomentum,
    Momentum,
    gathered,
    momentum_draws,
)
from workbench.methods.nesterov import require_beta
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction
from workbench.quantities import SHARED
from workbench.quantity import Quantity, Reading


def _reach(r: Reading) -> Tensor:
    layers = r.problem.layers
    return (layers.norm_i(r.x) / over_layers(layers, r.method.ball_radius_i, r.x)).amax(dim=-1)


def _reach_resolution(r: Reading, value: Tensor) -> Tensor:
    """Of the norms at a point that is off by ``x_error``, and of their singular values."""
    layers = r.problem.layers
    moved = r.x_error.unsqueeze(-1) * r.x.new_tensor(reach_i(layers))
    return 64 * EPS * value + (moved / over_layers(layers, r.method.ball_radius_i, r.x)).amax(dim=-1)


def frank_wolfe_gap(radius_i: Callable[[Reading], Number]) -> Quantity:
    """sum_i <grad_i f, X_i> + R_i |grad_i f|_{i*} over the balls |X_i|_i <= R_i, 0 where it is negative."""

    def radii(r: Reading) -> Tensor:
        return over_layers(r.problem.layers, radius_i(r), r.x)

    def read(r: Reading) -> Tensor:
        g = r.problem.grad(r.x)
        return ((g * r.x).sum(dim=-1) + (radii(r) * r.problem.layers.dual_i(g)).sum(dim=-1)).clamp(min=0)

    def size(r: Reading) -> Tensor:
        layers = r.problem.layers
        return ((radii(r) + layers.norm_i(r.x)) * layers.dual_i(r.problem.grad(r.x))).sum(dim=-1)

    def resolution(r: Reading, value: Tensor) -> Tensor:
        """What the error of the gradient makes of |X_i|_i + R_i, and that of X of the gradient."""
        del value
        gradients = SHARED["gradnorm_i"]
        error = (radii(r) + r.problem.layers.norm_i(r.x)) * gradients.error(r, gradients.read(r))
        moved = r.x_error * r.problem.grad(r.x).norm(dim=-1)
        return 64 * EPS * size(r) + error.sum(dim=-1) + moved

    return Quantity(
        "Frank-Wolfe gap over the balls, 0 where it is negative: outside of them",
        r"\sum_i \left(\langle \nabla_i f(x_k), X_i^k \rangle + R_i \|\nabla_i f(x_k)\|_{i*}\right)",
        read,
        resolution,
        lambda r, _: size(r),
        unit="f",
        nonnegative=True,
    )


REACH = Quantity(
    "largest norm of a layer over its radius: at most 1 in the balls",
    r"\max_i \|X_i^k\|_i / R_i",
    _reach,
    _reach_resolution,
    unit="1",
    nonnegative=True,
)


@dataclass(frozen=True)
class ConstrainedScion(BufferedMomentum):
    """M = beta M + (1 - beta) G, X_i = (1 - weight) X_i - weight ball_radius_i dir_i(M_i); M = 0 first.

    Frank and Wolfe's method with momentum over the balls |X_i|_i <= ball_radius_i, in the norms of the
    problem's layers: G is the stochastic gradient at X, dir_i(M) maximises <M, Z> over |Z|_i <= 1, of
    Spectral layers as far as the orthogonaliser finds it. It is ``Scion`` of the radii weight * ball_radius_i
    with a decoupled weight decay of 1 * weight. As coded, weight is lr, ball_radius_i is scale_i, and
    alpha is 1 - beta.

    ball_radius_i > 0: units of x; a float or (*batch, layers). weight in (0, 1], beta in [0, 1): a float or
    (*batch, 1). minibatch as in ``Gluon``. orthogonaliser: an ``Orthogonaliser``. ValueError otherwise,
    TypeError for another orthogonaliser. start_i, star_i: |X_i|_i of the problem's own start and of its
    minimiser, inf where it is not known; a_i, b_i: see ``Scion``.
    Source: Pethick et al. (2025), arXiv:2502.07529; the code of LIONS-EPFL/scion.
    """

    ball_radius_i: Number
    weight: Number
    beta: Number
    minibatch: int = 1
    orthogonaliser: Orthogonaliser = EXACT
    facts: ClassVar[tuple[str, ...]] = (*DIRECTION_FACTS, "start_i", "star_i")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        **MOMENTUM_QUANTITIES,
        "reach": REACH,
        "fw_gap": frank_wolfe_gap(lambda r: r.method.ball_radius_i),
    }
    source: ClassVar[str] = "arXiv:2502.07529"

    def __post_init__(self) -> None:
        """Guard the arguments."""
        require_positive(ball_radius_i=self.ball_radius_i)
        require_probability(weight=self.weight)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """a_i, b_i, start_i, star_i, (layers,), and whether gradients are random."""
        layers = problem.layers
        star = layers.norm_i(problem.x_star) if problem.offers("x_star") else torch.inf  # pyright: ignore[reportAttributeAccessIssue]
        at = {"start_i": layers.norm_i(problem.x0), "star_i": star * torch.ones(layers.n_layers)}
        return {**direction_facts(problem, options), **at}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """One stochastic gradient. ValueError for a ball_radius_i or a minibatch that does not fit."""
        return momentum_draws(problem, self.ball_radius_i, self.minibatch, "ball_radius_i")

    def step(self, problem: Problem, state: Momentum, draw: SimpleNamespace) -> Momentum:
        """draw: of one stochastic gradient. state.x: (*batch, d)."""
        _, m, mass = gathered(problem, state, self.beta, draw)
        lengths = self.weight * over_layers(problem.layers, self.ball_radius_i, m, "ball_radius_i")
        move = inexact_direction(problem.layers, self.orthogonaliser, m, lengths)
        return Momentum((1 - self.weight) * state.x - move, m, mass)
