"""The problem that ``from_function`` makes of a user's own function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Assumption, Certificate, Norm, Smooth, StronglyConvex
from assumptions.guards import require_dimension, require_points
from problems.ball_step import BallStep
from problems.base import Problem
from problems.newton_oracles import NewtonOracles
from problems.oracle_guards import positive_step, project_unique, require_euclidean

Values = Callable[[Tensor], Tensor]
"""x, (*batch, d) -> f(x), (*batch,), or its gradient, (*batch, d)."""
Step = Callable[[Tensor, float | Tensor], Tensor]
"""(x, stepsize or radius) -> a point, (*batch, d)."""


def require_function(f: Values, d: int) -> None:
    """TypeError unless f can be called; ValueError unless d is an integer in [1, 2^31): vectors of 16 GiB."""
    if not callable(f):
        raise TypeError(f"f must be a function of tensors (*batch, d), got {f!r}")
    require_dimension(d=d)
    if d >= 2**31:
        raise ValueError(f"d must be below 2^31, got {d}")


@dataclass(frozen=True, eq=False, repr=False)
class FunctionProblem(Problem):
    """What ``from_function`` makes: f and its oracles as given, constants with status "declared".

    d, name, assume, f_star, f_lower, x_star, prox, brox: as the arguments of ``from_function``. function: its
    f; gradient: its grad; ``start``: its x0; declared_unique: its unique_star. oracles: the solver behind
    prox and brox where the user gave none; then x_star may be its result, and x_star_error and f_star_error
    are bounds on what it leaves open.
    """

    function: Values
    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    gradient: Values | None = None
    name: str = "f"
    assume: tuple[Assumption, ...] = ()
    f_star: float | None = None
    f_lower: float | None = None
    x_star: Tensor | None = None
    prox: Step | None = None
    brox: Step | None = None
    start: tuple[float, ...] = ()
    declared_unique: bool = False
    oracles: NewtonOracles | None = None
    f_star_error: float = 0.0
    x_star_error: float = 0.0

    def __post_init__(self) -> None:
        """TypeError for an f that cannot be called, ValueError for a d that is no dimension."""
        require_function(self.function, self.d)

    @property
    def family(self) -> str:
        """Every function is a family of its own."""
        return repr(self)

    def __repr__(self) -> str:
        """The name is the identity of a function."""
        return f"from_function({self.name}, d={self.d})"

    @property
    def x0(self) -> Tensor:
        """The start, (d,)."""
        return torch.tensor(self.start, dtype=torch.float64)

    @property
    def unique_star(self) -> bool:
        """True if declared, or implied by declared strong convexity."""
        return self.declared_unique or any(isinstance(a, StronglyConvex) for a in self.assume)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The declared assumptions."""
        return tuple(Certificate(a, proof="declared by the user", status="declared") for a in self.assume)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        require_points(x, self.d)
        return self.function(x)

    def contains(self, x: Tensor) -> Tensor:
        """Whether f(x) is a finite number; (*batch,)."""
        return self.value(x).isfinite()

    def grad(self, x: Tensor) -> Tensor:
        """The user's gradient, else automatic differentiation. Shapes (*batch, d)."""
        require_points(x, self.d)
        if self.gradient is not None:
            return self.gradient(x)
        # a caller that differentiates through the gradient passes x with its graph
        create_graph = torch.is_grad_enabled() and x.requires_grad
        with torch.enable_grad():
            at = x if create_graph else x.detach().requires_grad_(True)
            (g,) = torch.autograd.grad(
                self.function(at).sum(), at, create_graph=create_graph, materialize_grads=True
            )
        return g

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """Of the solver's oracles, for points of norm <= 10 (1 + |x0|); inf without strong convexity."""
        if self.oracles is None:
            return {}
        bound = self.oracles.uniform_error(10 * (1 + float(self.x0.norm())))
        return {name: bound for name in ("prox", "brox") if self._is_solved(name)}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """Bound on |result - exact| from the residual there, 0 for the user's own oracle; (*batch,)."""
        if name == "batch_prox" or self.oracles is None or not self._is_solved(name):
            return super().oracle_error(name, x, step, result, j)
        return self.oracles.error(name, x, step, result)

    def _is_solved(self, name: str) -> bool:
        return self.oracles is not None and getattr(self, name) == getattr(self.oracles, name)

    @property
    def brox_step(self) -> Callable[..., BallStep] | None:
        """brox with its subgradient, the gradient there, where f is declared to be smooth; else None."""
        smooth = any(isinstance(a, Smooth) for a in self.assume)
        return self._ball_step if smooth and self.brox is not None else None

    def _ball_step(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> BallStep:
        """The step over a Euclidean ball; ValueError for another norm."""
        if norm != EUCLIDEAN or self.brox is None:
            raise ValueError(f"{self!r} minimises over Euclidean balls only, got norm={norm!r}")
        t = positive_step(x, self.d, radius=radius)
        if self.oracles is not None and self._is_solved("brox"):
            u, step = self.oracles.ball(x, radius)
        else:
            u = self.brox(x, radius)
            step = u - x
        return BallStep.of(x, t, norm, step, self.grad(u), point=u)

    @property
    def nearest_star(self) -> Callable[..., Tensor] | None:
        """The projection x -> x_star if the minimiser is unique and given, else None."""
        return self._nearest if self.unique_star and self.x_star is not None else None

    def _nearest(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        require_euclidean(self, norm)
        assert self.x_star is not None
        return project_unique(self, x, self.x_star)
