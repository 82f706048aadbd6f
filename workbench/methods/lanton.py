"""LANTON: momentum, and radii that shrink where the noise of a layer seems large."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from assumptions.layers import Layers
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method
from workbench.methods.layer_gradients import averaged, over_layers, running_resolution, step_cost
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import (
    gradient_cost,
    gradient_draws,
    no_steps,
    stochastic_grad,
)
from workbench.quantity import Quantity

DIFFERENCES = ("previous", "fresh")


class LANTONState(NamedTuple):
    """The iterate, the momentum, the last gradient, the noise seen, the last radii, and the steps taken.

    x, m, g: (*batch, d). h, used: (*batch, n_layers), 0 before the first step. steps: int64 (*batch,).
    """

    x: Tensor
    m: Tensor
    g: Tensor
    h: Tensor
    used: Tensor
    steps: Tensor


@dataclass(frozen=True)
class LANTON(Method):
    """M = beta M + (1 - beta) G; X_i_next = X_i - t_i dir_i(M_i) with radii that shrink with H_i.

    H_i = beta_h H_i + (1 - beta_h) |G_i - G'_i|_{i*}^2 from 0, where G' is, by ``difference``, the gradient
    of the step before ("previous"; H stays 0 in the first step), or a second, independent sample at x
    ("fresh"). a_i = noise_scale / sqrt(noise_scale^2 + H_i), t_i = radius_i sqrt(a_i / max a_j), the largest
    over the layers with a norm of the same class. The first M is the first G.

    The formula of t_i and the two choices of G' are recalled, not read; the theorem holds for any radii
    0 < t_i <= radius_i, also if they depend on the gradients. "previous" sees the change of the gradient
    beside the noise, and of noise twice the variance, as "fresh" does.

    radius_i > 0: units of X; a float or (*batch, layers). noise_scale > 0: units of the gradient. beta,
    beta_h in [0, 1): weights of the old, the paper's beta_1 and beta_2. Each a float or (*batch, 1).
    minibatch: as in ``Gluon``. ValueError otherwise. ``used_i``: the radii of the step that led to x_k.
    Source: arXiv:2510.14009, a reconstruction.
    """

    radius_i: Number
    beta: Number = 0.95
    beta_h: Number = 0.9
    noise_scale: Number = 1.0
    difference: Literal["previous", "fresh"] = "previous"
    minibatch: int = 1
    options: ClassVar[tuple[str, ...]] = ("difference",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "used_i": Quantity(
            "radius of each layer in the step that led to x_k; 0 at the start",
            r"t_{k-1,i}",
            lambda r: r.state.used,
            running_resolution,
            unit="x",
            nonnegative=True,
        ),
        "seen_i": Quantity(
            "H_i: running mean of the squared dual norms of differences of gradients",
            r"H_{k,i}",
            lambda r: r.state.h,
            running_resolution,
            unit="f^2 / x^2",
            nonnegative=True,
        ),
    }
    source: ClassVar[str] = "arXiv:2510.14009, a reconstruction"

    def __post_init__(self) -> None:
        """Guard the numbers and the word."""
        require_positive(radius_i=self.radius_i, noise_scale=self.noise_scale)
        require_beta(self.beta)
        require_beta(self.beta_h)
        if self.difference not in DIFFERENCES:
            raise ValueError(f"difference must be one of {', '.join(DIFFERENCES)}, got {self.difference!r}")
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise, twice for "fresh". ValueError for too large a minibatch or a wrong radius_i."""
        over_layers(problem.layers, self.radius_i, problem.x0)
        once = gradient_draws(problem, self.minibatch)
        twice = {f"{FRESH}{name}": space for name, space in once.items()}
        return {**once, **twice} if self.difference == "fresh" else once

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> LANTONState:
        """No gradient yet. x0: (*batch, d)."""
        del draw
        zero, none = torch.zeros_like(x0), x0.new_zeros(*x0.shape[:-1], problem.layers.n_layers)
        return LANTONState(x0, zero, zero.clone(), none, none.clone(), no_steps(x0))

    def step(self, problem: Problem, state: LANTONState, draw: SimpleNamespace) -> LANTONState:
        """state.x: (*batch, d)."""
        layers, x = problem.layers, state.x
        g = stochastic_grad(problem, x, draw)
        m = averaged(self.beta, state.m, g, state.steps)
        if self.difference == "fresh":
            other = stochastic_grad(problem, x, _fresh(draw))
        else:
            other = torch.where(state.steps.unsqueeze(-1) == 0, g, state.g)
        h = self.beta_h * state.h + (1 - self.beta_h) * layers.dual_i(g - other).square()
        used = over_layers(layers, self.radius_i, x) * self._share(layers, h)
        return LANTONState(x - layers.lmo_direction(m, used), m, g, h, used, state.steps + 1)

    def _share(self, layers: Layers, h: Tensor) -> Tensor:
        """sqrt(a_i / max a_j), in (0, 1] up to rounding. h: (*batch, n_layers). Shapes as h."""
        scale = torch.as_tensor(self.noise_scale, dtype=h.dtype, device=h.device)
        a = scale / torch.hypot(scale, h.sqrt())
        kinds = [type(norm) for norm in layers.norms]
        same = torch.tensor([[one is other for other in kinds] for one in kinds], device=h.device)
        largest = torch.where(same, a.unsqueeze(-2), -torch.inf).amax(dim=-1)
        return (a / largest).sqrt()

    def cost(self, problem: Problem, state: LANTONState, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient, two for "fresh"; every layer."""
        del draw
        times = 2 if self.difference == "fresh" else 1
        return step_cost(problem, state.x, times * gradient_cost(problem, self.minibatch))


FRESH = "fresh_"
"""Before the names of the draws of the second sample."""


def _fresh(draw: SimpleNamespace) -> SimpleNamespace:
    """The draws of the second sample under the names of the first."""
    named = vars(draw).items()
    return SimpleNamespace(**{n.removeprefix(FRESH): v for n, v in named if n.startswith(FRESH)})
