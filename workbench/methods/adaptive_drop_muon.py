"""Drop-Muon with exact gradients and lengths that suit them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import Number
from problems.base import Problem
from workbench.draws import Space
from workbench.layer_laws import LayerLaw
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.base import Method
from workbench.methods.layer_draws import (
    LAYER_QUANTITIES,
    law_facts,
    layer_draws,
    no_updates,
    reached,
    require_law,
    spent_on,
)
from workbench.methods.stochastic_gradient import no_steps
from workbench.quantity import Quantity
from workbench.samplings import Sampling


class CountedPoint(NamedTuple):
    """The iterate, the steps so far, and how many of them updated each layer, and passed it.

    x: (*batch, d). steps: int64 (*batch,). updates, reached: int64 (*batch, layers).
    """

    x: Tensor
    steps: Tensor
    updates: Tensor
    reached: Tensor


@dataclass(frozen=True)
class AdaptiveDropMuon(Method):
    """X_i <- X_i - g_i / (offset_i + slope_i g_i) dir_i(grad_i f(X)) for each layer i of a random set S.

    g_i = |grad_i f(X)|_{i*}; dir_i(G) maximises <G, Z> over |Z|_i <= 1, in the norms of the problem's layers;
    where g_i = 0 or offset_i = slope_i = 0 the layer stays. With slope_i = 0 this is a step along the
    sharp operator over offset_i.

    offset_i, slope_i >= 0, not both 0 in every layer: units of f per squared x, and per x; floats or
    (*batch, layers). law: of S, a ``LayerLaw``, or a ``Sampling`` of as many clients as layers.
    ValueError otherwise, TypeError for another law. p_i: the probability that layer i is updated.
    With ``Full()`` this is ``AdaptiveGluon``.

    Source: Drop-Muon, arXiv:2510.02239, as public records describe it, with the lengths of Gluon,
    arXiv:2505.13416.
    """

    offset_i: Number
    slope_i: Number
    law: LayerLaw | Sampling
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("law",)
    facts: ClassVar[tuple[str, ...]] = ("p_i",)
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = LAYER_QUANTITIES
    source: ClassVar[str] = "arXiv:2510.02239, with the lengths of arXiv:2505.13416"

    def __post_init__(self) -> None:
        """Guard the numbers and the law."""
        _ = self._lengths
        require_law(self.law)
        self.check_shapes()

    @property
    def _lengths(self) -> AdaptiveGluon:
        return AdaptiveGluon(self.offset_i, self.slope_i)

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """p_i of the law, (layers,)."""
        return law_facts(problem, options["law"])

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The layers that are updated."""
        return layer_draws(problem, self.law, offset_i=self.offset_i, slope_i=self.slope_i)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> CountedPoint:
        """Nothing updated yet. x0: (*batch, d)."""
        del draw
        return counted_start(problem, x0)

    def step(self, problem: Problem, state: CountedPoint, draw: SimpleNamespace) -> CountedPoint:
        """draw.active: bool (*batch, layers)."""
        g = problem.grad(state.x)
        radii = self._lengths.radius_i(problem.layers.dual_i(g))
        return counted_step(problem, state, g, radii, draw.active)

    def cost(self, problem: Problem, state: CountedPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A linear minimisation for each layer that is updated, a full gradient unless none is."""
        return spent_on(draw.active, problem.n_terms, state.x)


def counted_start(problem: Problem, x0: Tensor) -> CountedPoint:
    """x0, (*batch, d), before any step."""
    zero = no_updates(problem.layers, x0)
    return CountedPoint(x0, no_steps(x0), zero, zero.clone())


def counted_step(
    problem: Problem, state: CountedPoint, g: Tensor, radii: Tensor, active: Tensor
) -> CountedPoint:
    """Step by radii_i along dir_i(g) in the active layers. radii, active: (*batch, layers)."""
    layers = problem.layers
    moved = state.x - layers.lmo_direction(g, radii)
    x = torch.where(layers.per_entry(active), moved, state.x)
    return CountedPoint(x, state.steps + 1, state.updates + active, state.reached + reached(active))
