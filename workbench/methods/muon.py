"""Muon: momentum steps along orthogonalised matrices, with Nesterov's look ahead and weight decay."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.guards import Number, require_dimension, require_nonnegative, require_positive
from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.layer_gradients import (
    DIRECTION_FACTS,
    direction_facts,
    over_layers,
    require_orthogonaliser,
)
from workbench.methods.momentum import BufferedMomentum, Momentum, gathered, momentum_draws
from workbench.methods.nesterov import require_beta
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction

SCALES: Mapping[str, Callable[[int, int], float]] = {
    "none": lambda _m, _n: 1.0,
    "jordan": lambda m, n: max(1.0, m / n) ** 0.5,
    "rms": lambda m, n: 0.2 * max(m, n) ** 0.5,
    "spectral": lambda m, n: (m / n) ** 0.5,
}
"""Factor of the step of a matrix of m rows (outputs) and n columns (inputs)."""


def scale_i(layers: Layers, scale: str) -> tuple[float, ...]:
    """The factor of each layer, a matrix under Spectral; a convolution is the matrix that the norm sees."""
    return tuple(SCALES[scale](norm.m, norm.n) for norm in layers.norms if isinstance(norm, Spectral))


@dataclass(frozen=True)
class Muon(BufferedMomentum):
    """M = beta M + (1 - beta) G, X_i = (1 - radius_i weight_decay) X_i - radius_i s_i dir_i(U_i).

    M = 0 first. U = (1 - beta) G + beta M with nesterov, else M; G: the stochastic gradient at X. dir_i(U) is
    the polar factor over the scale of the layer's norm, of which the code knows 1 alone, as far as the
    orthogonaliser finds it: the code has NewtonSchulz(5). scale: s_i for m rows and n columns, "none" 1,
    "jordan" max(1, m / n)^(1/2), "rms" 0.2 max(m, n)^(1/2), "spectral" (m / n)^(1/2).

    radius_i > 0 (lr): units of x; a float or (*batch, layers). beta in [0, 1) ("momentum", 0.95) and
    weight_decay >= 0, per unit of x: a float or (*batch, 1). minibatch as in ``Gluon``. nesterov: a bool.
    ValueError otherwise, TypeError for another orthogonaliser. Every layer must be a matrix under Spectral.
    Source: Jordan et al. (2024), the code of KellerJordan/Muon; "rms", "spectral": microsoft/dion.
    """

    radius_i: Number
    beta: Number
    weight_decay: Number = 0.0
    nesterov: bool = True
    scale: str = "jordan"
    minibatch: int = 1
    orthogonaliser: Orthogonaliser = EXACT
    options: ClassVar[tuple[str, ...]] = ("nesterov", "scale", "orthogonaliser")
    facts: ClassVar[tuple[str, ...]] = (*DIRECTION_FACTS, "scale_i")
    source: ClassVar[str] = "KellerJordan/Muon"

    def __post_init__(self) -> None:
        """Guard the arguments."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        require_nonnegative(weight_decay=self.weight_decay)
        if not isinstance(self.nesterov, bool):
            raise ValueError(f"nesterov must be True or False, got {self.nesterov!r}")
        if not isinstance(self.scale, str) or self.scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(SCALES)}, got {self.scale!r}")
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """Vectors have no singular values, and other norms have other directions."""
        for i, (shape, norm) in enumerate(zip(problem.layers.shapes, problem.layers.norms, strict=True)):
            if len(shape) == 1:
                return (
                    f"its layer {i} of shape {shape} is a vector, without singular values to equalise; "
                    "Scion and Gluon step along it in a norm of its own"
                )
            if not isinstance(norm, Spectral):
                return (
                    f"its layer {i} is measured by {norm!r}, not by Spectral; Scion and Gluon take any norm"
                )
        return ""

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """a_i and b_i of the directions, the factors s_i, (layers,), and whether gradients are random."""
        factors = torch.tensor(scale_i(problem.layers, options["scale"]), dtype=torch.float64)
        return {**direction_facts(problem, options), "scale_i": factors}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """One stochastic gradient. ValueError for a radius_i or a minibatch that does not fit."""
        return momentum_draws(problem, self.radius_i, self.minibatch)

    def step(self, problem: Problem, state: Momentum, draw: SimpleNamespace) -> Momentum:
        """draw: of one stochastic gradient. state.x: (*batch, d)."""
        g, m, mass = gathered(problem, state, self.beta, draw)
        ahead = (1 - self.beta) * g + self.beta * m if self.nesterov else m
        lengths = over_layers(problem.layers, self.radius_i, m)
        steps = lengths * m.new_tensor(scale_i(problem.layers, self.scale))
        move = inexact_direction(problem.layers, self.orthogonaliser, ahead, steps)
        kept = problem.layers.per_entry(1 - lengths * self.weight_decay)
        return Momentum(kept * state.x - move, m, mass)
