"""Nesterov's accelerated gradient method."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_nonnegative, require_positive
from problems.base import Problem
from workbench.methods.base import Method, ones
from workbench.quantity import Quantity, Reading


class Pair(NamedTuple):
    """The iterate x and the point y of the next gradient, (*batch, d) each."""

    x: Tensor
    y: Tensor


def require_beta(beta: Number) -> None:
    """ValueError unless 0 <= beta < 1, element by element; TypeError unless it is a number or a tensor."""
    try:
        require_nonnegative(beta=beta)
        require_positive(above=1 - beta)
    except ValueError:
        raise ValueError(f"beta must be in [0, 1), got {beta!r}") from None


def estimate_point(r: Reading) -> Tensor:
    """z = y + (y - x) / s with s = (1 - beta) / (1 + beta), (batch, K + 1, d)."""
    beta = r.method.beta
    return r.state.y + (r.state.y - r.x) * (1 + beta) / (1 - beta)


def _estimate_dist(r: Reading) -> Tensor:
    z = estimate_point(r)
    return (z - r.problem.nearest_star(z)).norm(dim=-1)  # pyright: ignore[reportAttributeAccessIssue]


def _estimate_resolution(r: Reading, value: Tensor) -> Tensor:
    """y moves with x by at most its error and that of the step, y - x is stretched."""
    stretch = (1 + r.method.beta) / (1 - r.method.beta)
    stretch = stretch.squeeze(-1) if isinstance(stretch, Tensor) else stretch
    size = r.x.norm(dim=-1) + r.state.y.norm(dim=-1)
    return 8 * EPS * value + (1 + 2 * stretch) * (8 * EPS * size + r.x_error) + r.problem.x_star_error


ESTIMATE_DIST = Quantity(
    "distance of z = y + (y - x) (1 + beta) / (1 - beta) from the set of minimisers",
    r"\mathrm{dist}(z_k, X^\star)",
    _estimate_dist,
    _estimate_resolution,
    lambda r, _: r.x.norm(dim=-1) + r.state.y.norm(dim=-1),
    needs=("nearest_star",),
    unit="x",
    nonnegative=True,
)


@dataclass(frozen=True)
class Nesterov(Method):
    """x_next = y - stepsize grad f(y), y_next = x_next + beta (x_next - x); y_0 = x_0.

    For convex f beta is k / (k + 3) at step k, for mu-strongly convex f (1 - s) / (1 + s) with
    s = sqrt(mu stepsize). beta = 0: gradient descent. estimate_dist: distance of y + (y - x) / s from the
    minimisers, s = (1 - beta) / (1 + beta).

    stepsize > 0: units of squared x per unit of f; 0 <= beta < 1; each a float or (*batch, 1). ValueError
    otherwise. Source: Nesterov (1983); Nesterov (2003), section 2.2.
    """

    stepsize: Number
    beta: Number
    free: ClassVar[tuple[str, ...]] = ("x", "y")
    quantities: ClassVar[Mapping[str, Quantity | Callable[..., Tensor]]] = {"estimate_dist": ESTIMATE_DIST}
    source: ClassVar[str] = "Nesterov (1983)"

    def __post_init__(self) -> None:
        """Guard the numbers."""
        require_positive(stepsize=self.stepsize)
        require_beta(self.beta)
        self.check_shapes()

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Pair:
        """Both points at the start. x0: (*batch, d)."""
        del problem, draw
        return Pair(x0, x0.clone())

    def step(self, problem: Problem, state: Pair, draw: SimpleNamespace) -> Pair:
        """Deterministic: draw is empty. state.x: (*batch, d)."""
        del draw
        x_next = state.y - self.stepsize * problem.grad(state.y)
        return Pair(x_next, x_next + self.beta * (x_next - state.x))

    def cost(self, problem: Problem, state: Pair, draw: SimpleNamespace) -> Mapping[str, Tensor]:
        """One full gradient: n_terms gradients of terms."""
        del draw
        return {"grad_calls": problem.n_terms * ones(state.x)}
