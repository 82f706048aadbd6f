"""Gluon: momentum, and steps of given lengths to the minimisers of linear functions, layer by layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from torch import Tensor

from problems.base import Problem
from workbench.methods.layer_gradients import (
    DIRECTION_FACTS,
    direction_facts,
    require_orthogonaliser,
)
from workbench.methods.layer_momentum import LayerMomentum, MomentumPoint
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction


@dataclass(frozen=True)
class Gluon(LayerMomentum):
    """M = beta M_before + (1 - beta) G; X_i_next = X_i - radius_i dir_i(M_i) for each layer i.

    G is the stochastic gradient at X, the first M is the first G. dir_i(M_i) maximises <M_i, Z> over |Z|_i <=
    1 in the norm of layer i of the problem. All layers spectral: Muon without its extras; the norms of Scion:
    unconstrained Scion; Euclidean: ``NormalisedSGD``; largest entry: ``Signum``.

    radius_i > 0: units of x; a float or (*batch, layers). beta in [0, 1): a float or (*batch, 1), the weight
    of the old momentum; the paper's beta^k, and 1 minus the alpha of Scion and of Kovalev. minibatch: an
    integer >= 1, terms of a sum (at most n_terms), or draws of a noise. ValueError otherwise. orthogonaliser:
    what finds the directions of spectral layers, ``Exact()`` by a singular value decomposition; TypeError
    otherwise.

    Cost: the gradients of terms that G takes, a linear minimisation for each layer.
    Source: Gluon, arXiv:2505.13416.
    """

    orthogonaliser: Orthogonaliser = EXACT
    options: ClassVar[tuple[str, ...]] = ("orthogonaliser",)
    facts: ClassVar[tuple[str, ...]] = DIRECTION_FACTS
    source: ClassVar[str] = "arXiv:2505.13416"

    def __post_init__(self) -> None:
        """Guard the numbers and the orthogonaliser."""
        super().__post_init__()
        require_orthogonaliser(self.orthogonaliser)

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """The noise, the norms of the layers, and the factors of the orthogonaliser."""
        return direction_facts(problem, options)

    def step(self, problem: Problem, state: MomentumPoint, draw: SimpleNamespace) -> MomentumPoint:
        """state.x: (*batch, d)."""
        m = self.momentum(problem, state, draw)
        move = inexact_direction(problem.layers, self.orthogonaliser, m, self.radius_i)
        return MomentumPoint(state.x - move, m, state.steps + 1)
