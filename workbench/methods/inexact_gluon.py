"""Gluon with an inexact linear minimisation oracle, its radii adapted to the error of each step."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number
from problems.base import Problem
from workbench.methods.base import Method, Point
from workbench.methods.layer_gradients import (
    DIRECTION_FACTS,
    adaptive_length,
    direction_facts,
    over_layers,
    require_offset_or_slope,
    require_orthogonaliser,
    step_cost,
)
from workbench.orthogonal import EXACT, Orthogonaliser, inexact_direction, lmo_factors
from workbench.quantity import Quantity, Reading


def _measured(r: Reading, which: int) -> Tensor:
    """a or b of the direction of the gradient at x."""
    layers, g = r.problem.layers, r.problem.grad(r.x)
    return lmo_factors(layers, g, inexact_direction(layers, r.method.orthogonaliser, g))[which]


def _as_measured(r: Reading, value: Tensor) -> Tensor:
    """The step takes the same numbers: only their own rounding counts, which the largest entry sets."""
    del r
    return 64 * EPS * (1 + value.abs())


@dataclass(frozen=True)
class InexactGluon(Method):
    """X_i = X_i - t_i O_i, O_i an inexact direction, t_i = a_i g_i / (b_i^2 (offset_i + slope_i g_i)).

    g_i = |grad_i f(X)|_{i*}; a_i = <grad_i f(X), O_i> / g_i and b_i = |O_i|_i are measured at each step. The
    exact direction maximises <grad_i f(X), Z> over |Z|_i <= 1, in the norms of the problem's layers, and has
    a_i = b_i = 1; that of Spectral layers is left to the orthogonaliser. Where g_i = 0, b_i = 0 or
    offset_i = slope_i = 0 the layer stays.

    offset_i, slope_i >= 0, not both 0 in every layer: units of f per squared and per single unit of x; a
    float or (*batch, layers): L0_i and L1_i of the function. orthogonaliser: an ``Orthogonaliser``.
    ValueError otherwise, TypeError for another orthogonaliser. Gradients are exact, of all terms.
    Source: the inexact oracle of arXiv:2510.19933 in the (a, b) model; the radius is derived with the
    theorems about it.
    """

    offset_i: Number
    slope_i: Number
    orthogonaliser: Orthogonaliser = EXACT
    free: ClassVar[tuple[str, ...]] = ("x",)
    options: ClassVar[tuple[str, ...]] = ("orthogonaliser",)
    facts: ClassVar[tuple[str, ...]] = DIRECTION_FACTS
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {
        "lmo_a_i": Quantity(
            "<grad_i f, O_i> / |grad_i f|_{i*} of the direction O_i of the step",
            r"a_{i,k}",
            lambda r: _measured(r, 0),
            _as_measured,
            unit="1",
        ),
        "lmo_b_i": Quantity(
            "norm of the direction O_i of the step",
            r"b_{i,k}",
            lambda r: _measured(r, 1),
            _as_measured,
            unit="1",
            nonnegative=True,
        ),
    }
    source: ClassVar[str] = "arXiv:2510.19933, a reconstruction"

    def __post_init__(self) -> None:
        """Guard the arguments."""
        require_offset_or_slope(self.offset_i, self.slope_i)
        require_orthogonaliser(self.orthogonaliser)
        self.check_shapes()

    @classmethod
    def known(cls, problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
        """a_i and b_i for every matrix, (layers,), and whether other methods would see noise."""
        return direction_facts(problem, options)

    def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        layers, x = problem.layers, state.x
        g = problem.grad(x)
        direction = inexact_direction(layers, self.orthogonaliser, g)
        a, b = lmo_factors(layers, g, direction)
        size = layers.dual_i(g)
        offset, slope = (
            over_layers(layers, v, x, n) for v, n in ((self.offset_i, "offset_i"), (self.slope_i, "slope_i"))
        )
        radius = a / torch.where(b == 0, 1.0, b.square()) * adaptive_length(size, offset, slope)
        return Point(x - layers.per_entry(radius) * direction)

    def cost(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient, one linear minimisation for each layer."""
        del draw
        return step_cost(problem, state.x, problem.n_terms)
