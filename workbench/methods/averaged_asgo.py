"""ASGO as its code runs it: averages, the smaller side, steps of fixed length, weight decay."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_nonnegative, require_positive
from assumptions.layers import Layers
from assumptions.norms import EUCLIDEAN
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method, ones
from workbench.methods.left_roots import inverted, no_roots, roots_added
from workbench.methods.nesterov import require_beta
from workbench.methods.stochastic_gradient import gradient_cost, gradient_draws, stochastic_grad

STEP = 0.2
"""Root mean square of the entries of a step, over the stepsize."""


class AveragedASGOState(NamedTuple):
    """The iterate, the momentum, the roots V_i^(1/2) of the smaller sides.

    x, m: (*batch, d), m of wide layers, tall ones transposed. root: (*batch, sum min(m_i, n_i)^2).
    """

    x: Tensor
    m: Tensor
    root: Tensor


@dataclass(frozen=True)
class AveragedASGO(Method):
    """X_i_next = (1 - stepsize weight_decay) X_i - stepsize 0.2 sqrt(m n) U_i / |U_i|_2 for m x n layers.

    U_i = (V_i^(1/2) + eps I)^(-1) M_i, V_i = beta_v V_i + (1 - beta_v) G_i G_i', M = beta M + (1 - beta) G,
    both from 0; a layer with more rows than columns is transposed first. A vector is a column. U_i = 0: no
    step.

    stepsize > 0: units of X. beta, beta_v in [0, 1): weights of the old. eps >= 0: units of the gradient; at
    0 the pseudo-inverse. weight_decay >= 0: units of 1 / X. Each a float or (*batch, 1). minibatch: as in
    ``Gluon``. ValueError otherwise.
    Source: the repository infinity-stars/ASGO of arXiv:2503.20762, whose inverse root is that of Polar
    Express, here exact; that the momentum is averaged before the roots are applied is a reconstruction.
    """

    stepsize: Number
    beta: Number = 0.9
    beta_v: Number = 0.8
    eps: Number = 1e-10
    weight_decay: Number = 0.1
    minibatch: int = 1
    source: ClassVar[str] = "the code of arXiv:2503.20762, a reconstruction"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_beta(self.beta)
        require_beta(self.beta_v)
        require_nonnegative(eps=self.eps, weight_decay=self.weight_decay)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise. ValueError for a minibatch larger than the sum."""
        return gradient_draws(problem, self.minibatch)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> AveragedASGOState:
        """No gradient yet. x0: (*batch, d)."""
        del draw
        return AveragedASGOState(x0, torch.zeros_like(x0), no_roots(_wide(problem.layers), x0))

    def step(self, problem: Problem, state: AveragedASGOState, draw: SimpleNamespace) -> AveragedASGOState:
        """state.x: (*batch, d)."""
        layers, wide = problem.layers, _wide(problem.layers)
        g = _turned(layers, stochastic_grad(problem, state.x, draw))
        m = self.beta * state.m + (1 - self.beta) * g
        root = roots_added(wide, state.root, g, self.beta_v, 1 - self.beta_v)
        u = inverted(wide, root, m, self.eps)
        lengths = wide.length_i(u)
        sizes = u.new_tensor(wide.sizes)
        factors = STEP * sizes.sqrt() / torch.where(lengths == 0, 1.0, lengths)
        repeats = torch.tensor(wide.sizes, device=u.device)
        move = _turned(wide, u * factors.repeat_interleave(repeats, dim=-1), layers)
        x = (1 - self.stepsize * self.weight_decay) * state.x - self.stepsize * move
        return AveragedASGOState(x, m, root)

    def cost(self, problem: Problem, state: AveragedASGOState, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One stochastic gradient."""
        del draw
        return {"grad_calls": gradient_cost(problem, self.minibatch) * ones(state.x)}


def _wide(layers: Layers) -> Layers:
    """The layers as matrices with at least as many columns as rows, norms left out."""
    pairs = [(shape[0], math.prod(shape[1:])) for shape in layers.shapes]
    shapes = tuple((min(pair), max(pair)) for pair in pairs)
    return Layers(shapes, (EUCLIDEAN,) * layers.n_layers)


def _turned(layers: Layers, g: Tensor, back: Layers | None = None) -> Tensor:
    """Tall layers of g transposed; with ``back``, wide ones turned into its tall ones. Shapes as g."""
    tall = layers if back is None else back
    parts = []
    for part, shape in zip(layers.split(g), tall.shapes, strict=True):
        rows, columns = shape[0], math.prod(shape[1:])
        sides = (rows, columns) if back is None else (columns, rows)
        turn = rows > columns
        parts.append(
            part.reshape(*g.shape[:-1], *sides).mT.flatten(-2) if turn else part.flatten(g.dim() - 1)
        )
    return torch.cat(parts, dim=-1)
