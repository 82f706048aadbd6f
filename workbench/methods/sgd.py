"""Stochastic gradient descent."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from torch import Tensor

from assumptions.guards import Number, require_dimension, require_positive
from problems.base import Problem
from workbench.draws import Space
from workbench.methods.base import Method, Point, ones
from workbench.methods.stochastic_gradient import gradient_cost, gradient_draws, stochastic_grad


@dataclass(frozen=True)
class SGD(Method):
    """x_next = x - stepsize g, g the mean gradient of ``minibatch`` terms drawn without replacement.

    Of a problem with noise, g = grad f(x) + the mean of ``minibatch`` draws of it. With all terms this is
    gradient descent.

    stepsize > 0: units of squared x per unit of f; a float or (*batch, 1). minibatch: an integer >= 1, of
    terms at most n_terms. ValueError otherwise. with_noise: 1 where the problem has noise, else 0.
    Source: Robbins and Monro (1951).
    """

    stepsize: Number
    minibatch: int = 1
    free: ClassVar[tuple[str, ...]] = ("x",)
    facts: ClassVar[tuple[str, ...]] = ("with_noise",)
    source: ClassVar[str] = "Robbins and Monro (1951)"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_dimension(minibatch=self.minibatch)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """Whether the gradients come with noise or as those of terms."""
        del options
        return {"with_noise": float(problem.offers("noise"))}

    def draws(self, problem: Problem) -> Mapping[str, Space]:
        """Terms or noise. ValueError for a minibatch larger than the sum."""
        return gradient_draws(problem, self.minibatch)

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """state.x: (*batch, d)."""
        return Point(state.x - self.stepsize * stochastic_grad(problem, state.x, draw))

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """Gradients of the terms drawn; one with noise is that of the whole sum."""
        del draw
        return {"grad_calls": gradient_cost(problem, self.minibatch) * ones(state.x)}
