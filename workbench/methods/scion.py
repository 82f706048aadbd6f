"""Scion without constraint: steps of fixed lengths along the momentum, in the norms of the layers."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.layer_gradients import over_layers, require_orthogonaliser
from workbench.methods.momentum import BufferedMomentum, Momentum, gathered, momentum_draws
from workbench.methods.nesterov import require_beta
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction


@dataclass(frozen=True)
class Scion(BufferedMomentum):
    """M = beta M + (1 - beta) G, X_i = X_i - radius_i dir_i(M_i); G: the stochastic gradient at X.

    M = 0 first. dir_i(M) maximises <M, Z> over |Z|_i <= 1, in the norms of the problem's layers; of Spectral
    layers as far as the orthogonaliser finds it. As coded, radius_i is lr * scale_i and alpha = 1 - beta
    ("momentum"). Directions do not see the length of M: the buffer after k gradients stands for their mean
    M / (1 - beta^k).

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1). minibatch
    as in ``Gluon``. orthogonaliser: an ``Orthogonaliser``. ValueError otherwise, TypeError for another
    orthogonaliser. a_i, b_i: <M, O_i> >= a_i |M|_{i*} and |O_i|_i <= b_i for its direction O of every M.
    Source: Pethick, Xie, Antonakopoulos, Zhu, Silveti-Falls, Cevher (2025), arXiv:2502.07529; the code of
    LIONS-EPFL/scion.
    """

    radius_i: Number
    beta: Number
    minibatch: int = 1
    orthogonaliser: Orthogonaliser = EXACT
    source: ClassVar[str] = "arXiv:2502.07529"

    def __post_init__(self) -> None:
        """Guard the arguments."""
        require_positive(radius_i=self.radius_i)
        require_beta(self.beta)
        require_dimension(minibatch=self.minibatch)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """One stochastic gradient. ValueError for a radius_i or a minibatch that does not fit."""
        return momentum_draws(problem, self.radius_i, self.minibatch)

    def step(self, problem: Problem, state: Momentum, draw: SimpleNamespace) -> Momentum:
        """draw: of one stochastic gradient. state.x: (*batch, d)."""
        _, m, mass = gathered(problem, state, self.beta, draw)
        lengths = over_layers(problem.layers, self.radius_i, m)
        move = inexact_direction(problem.layers, self.orthogonaliser, m, lengths)
        return Momentum(state.x - move, m, mass)
