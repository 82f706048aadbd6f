"""Drop-Muon with lengths that depend on which layers step together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import EVERYWHERE
from assumptions.guards import Number, require_positive
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from problems.base import Problem
from workbench.draws import Space
from workbench.layer_laws import LayerLaw
from workbench.methods.adaptive_drop_muon import CountedPoint, counted_start, counted_step
from workbench.methods.base import Method
from workbench.methods.layer_draws import LAYER_QUANTITIES, law_facts, layer_draws, require_law, spent_on
from workbench.quantity import Quantity
from workbench.samplings import Sampling

MOST_SETS = 2**12
"""Sets of layers whose lengths are listed at most."""


@dataclass(frozen=True)
class CoupledDropMuon(Method):
    """X_i <- X_i - factor (g_i / sum_{j in S} h_ij) dir_i(grad_i f(X)) for each layer i of a random set S.

    g_i = |grad_i f(X)|_{i*}; h is the coupling that the problem certifies, ``CoupledSmooth``: a layer steps
    further when fewer others move with it. A layer whose sum is 0 stays: f is affine along it.

    factor > 0: a float or (*batch, 1); f falls in the mean for factors below 2, most is proved for 1. law: of
    S, a ``LayerLaw``, or a ``Sampling`` of as many clients as layers; its sets are listed, at most 2^12.
    ValueError otherwise, TypeError for another law. p_i: the probability that layer i is updated. gain_i: the
    mean of 1 / sum_{j in S} h_ij over the S with i, 0 for the others.

    Source: the lengths are a variant of arXiv:2510.02239 for layers that act on each other.
    """

    factor: Number
    law: LayerLaw | Sampling
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("law",)
    facts: ClassVar[tuple[str, ...]] = ("p_i", "gain_i")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = LAYER_QUANTITIES
    source: ClassVar[str] = "a variant of arXiv:2510.02239 for layers that act on each other"

    def __post_init__(self) -> None:
        """Guard the factor and the law."""
        require_positive(factor=self.factor)
        require_law(self.law)
        self.check_shapes()

    @classmethod
    def unfit(cls, problem: Problem) -> str:
        """The lengths need h."""
        return "" if coupling_of(problem) else "its coupling of layers is not certified"

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """p_i and gain_i, (layers,). ValueError for a law that does not fit or has too many sets."""
        law = options["law"]
        space = law.space(problem.layers.n_layers)
        if space.size > MOST_SETS:
            raise ValueError(f"law must have at most {MOST_SETS} sets, {law!r} has {space.size}")
        active, weights = space.outcomes()
        gain = (weights[:, None] * step_lengths(problem, active, weights)).sum(dim=0)
        return {**law_facts(problem, law), "gain_i": gain}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """The layers that are updated."""
        return layer_draws(problem, self.law)

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> CountedPoint:
        """Nothing updated yet. x0: (*batch, d)."""
        del draw
        return counted_start(problem, x0)

    def step(self, problem: Problem, state: CountedPoint, draw: SimpleNamespace) -> CountedPoint:
        """draw.active: bool (*batch, layers)."""
        g = problem.grad(state.x)
        radii = self.factor * step_lengths(problem, draw.active, g) * problem.layers.dual_i(g)
        return counted_step(problem, state, g, radii, draw.active)

    def cost(self, problem: Problem, state: CountedPoint, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """A linear minimisation for each layer that is updated, a full gradient unless none is."""
        return spent_on(draw.active, problem.n_terms, state.x)


def coupling_of(problem: Problem) -> CoupledSmooth | None:
    """The first coupling that is certified everywhere, None if there is none."""
    for certificate in problem.certified:
        if isinstance(certificate.assumption, CoupledSmooth) and certificate.region == EVERYWHERE:
            return certificate.assumption
    return None


def step_lengths(problem: Problem, active: Tensor, like: Tensor) -> Tensor:
    """1 / sum_{j in S} h_ij for i in S, else 0; 0 where the sum is 0. active: (*batch, layers) bool.

    TypeError for a problem without a coupling.
    """
    coupling = coupling_of(problem)
    if coupling is None:
        raise TypeError(f"the coupling of the layers of {problem!r} is not certified")
    h = torch.tensor(coupling.h, dtype=like.dtype, device=like.device)
    sums = active.to(like.dtype) @ h
    return torch.where(active & (sums > 0), 1 / sums, 0.0)
