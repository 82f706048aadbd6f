"""A user's own function as a problem; its constants are declared, not proved."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from assumptions import (
    EUCLIDEAN,
    PL,
    Assumption,
    Certificate,
    Norm,
    QuadraticGrowth,
    Smooth,
    StronglyConvex,
)
from assumptions.guards import require_dimension, require_points
from problems.ball_newton import SolverError
from problems.ball_step import BallStep
from problems.base import Problem
from problems.newton_oracles import NewtonOracles, newton_oracles
from problems.optimum import Optimum
from problems.oracle_guards import positive_step, project_unique, require_euclidean, require_vector

Values = Callable[[Tensor], Tensor]
Step = Callable[[Tensor, float | Tensor], Tensor]
ROOM = 1 + 1e-9
"""Constants that a user computed may contradict each other by rounding."""
ROWS_RTOL = 1e-10
"""Batched and single rows may differ by the order of sums, far below this; a wrong axis does not."""


@dataclass(frozen=True, eq=False, repr=False)
class FunctionProblem(Problem):
    """What ``from_function`` makes: f and its oracles as given, constants with status "declared".

    Fields as the arguments of ``from_function``; ``start`` is x0. oracles: the solver behind prox and
    brox where the user gave none; then x_star may be its result, with a stated error.
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
        del j  # one term
        if name == "batch_prox":  # of the one term
            return self.oracle_error("prox", x, step, result)
        if self.oracles is None or not self._is_solved(name):
            return super().oracle_error(name, x, step, result)
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


def from_function(
    f: Values,
    d: int,
    *,
    grad: Values | None = None,
    name: str | None = None,
    assume: tuple[Assumption, ...] = (),
    f_star: float | None = None,
    f_lower: float | None = None,
    x_star: Sequence[float] | Tensor | None = None,
    prox: Step | None = None,
    brox: Step | None = None,
    x0: Sequence[float] | Tensor | None = None,
    unique_star: bool = False,
) -> FunctionProblem:
    """A problem from ``f``: (*batch, d) -> (*batch,), a torch function that acts on the last axis.

    grad: (*batch, d) -> (*batch, d), by default automatic differentiation. name: the identity in
    results, by default the function's own. assume: declared assumptions; verdicts that use them say
    so. f_star, f_lower, x_star: what is known of inf f; unique_star: x_star is the only minimiser.
    prox(x, stepsize), brox(x, radius): as in ``Problem``. x0: default start, (1, ..., 1) if None.
    ValueError if f does not act row by row, is not finite at x0, or the facts or the assumptions
    contradict each other (PL(2.0) and Smooth(1.0)).

    Where Smooth(L) and Convex() or StronglyConvex(mu) are declared, a missing prox or brox is solved by
    Newton's method: f must then be twice differentiable by torch (SolverError at the first use if
    not), and a result is returned only if its optimality condition holds to the rounding of the gradient.
    With StronglyConvex, a missing x_star is found too, once, here, with f_star and the errors of both,
    |g| / mu and |g|^2 / (2 mu), rounding included; it is left out if Newton's method fails.
    """
    if not callable(f):
        raise TypeError(f"f must be a function of tensors (*batch, d), got {f!r}")
    require_dimension(d=d)
    start = require_vector("x0", _entries("x0", x0), d) if x0 is not None else (1.0,) * d
    star = None if x_star is None else require_vector("x_star", _entries("x_star", x_star), d)
    assume = (assume,) if isinstance(assume, Assumption) else assume
    for entry in assume:
        if not isinstance(entry, Assumption):
            raise ValueError(f"assume must hold assumptions such as Convex(), got {entry!r}")
    problem = FunctionProblem(
        function=f,
        d=d,
        gradient=grad,
        name=name or getattr(f, "__name__", type(f).__name__),
        assume=tuple(assume),
        f_star=None if f_star is None else float(f_star),
        f_lower=None if f_lower is None else float(f_lower),
        x_star=None if star is None else torch.tensor(star, dtype=torch.float64),
        prox=prox,
        brox=brox,
        start=start,
        declared_unique=unique_star,
    )
    _require_compatible(problem.assume)
    _require_row_by_row(problem)
    _require_consistent(problem)
    return _solved(problem)


def _solved(problem: FunctionProblem) -> FunctionProblem:
    """With the oracles and the minimiser that the declared constants make computable."""
    oracles = newton_oracles(problem, problem.assume)
    if oracles is None:
        return problem
    found = _minimum(oracles) if problem.x_star is None and oracles.mu > 0 else None
    if found is not None:
        problem = replace(problem, x_star=found.x, x_star_error=found.x_error)
        _require_consistent(problem)
        problem = replace(problem, f_star=found.f_star, f_star_error=found.f_star_error)
    return replace(
        problem,
        prox=problem.prox or oracles.prox,
        brox=problem.brox or oracles.brox,
        oracles=oracles,
    )


def _minimum(oracles: NewtonOracles) -> Optimum | None:
    """The minimiser; None where Newton's method fails, and claims that need it do not apply."""
    try:
        return oracles.minimum
    except SolverError:
        return None


def _entries(name: str, value: Sequence[float] | Tensor) -> tuple[float, ...]:
    entries = value.tolist() if isinstance(value, Tensor) else value
    if not isinstance(entries, Sequence):
        raise ValueError(f"{name} must have one axis, got {value!r}")
    return tuple(entries)


def _require_row_by_row(problem: FunctionProblem) -> None:
    """f and grad on three points at once must be what they are on each alone."""
    wave = torch.linspace(-1, 1, 3 * problem.d, dtype=torch.float64).reshape(3, problem.d)
    x = problem.x0 + 1e-2 * wave
    x = torch.cat([problem.x0.unsqueeze(0), x[1:]])
    for what, oracle, shape in (("f", problem.value, (3,)), ("grad", problem.grad, (3, problem.d))):
        together = oracle(x)
        expected = f"{problem!r}: {what} of a tensor of shape (3, {problem.d}) must be {shape}"
        if not isinstance(together, Tensor) or tuple(together.shape) != shape:
            got = tuple(together.shape) if isinstance(together, Tensor) else repr(together)
            raise ValueError(f"{expected}, got {got}; reduce over the last axis only")
        if not bool(together[0].isfinite().all()):
            raise ValueError(f"{problem!r}: {what} must be finite at x0, got {together[0].tolist()}")
        alone = torch.stack([oracle(row) for row in x])
        if alone.shape != together.shape or not torch.allclose(
            together,
            alone,
            rtol=ROWS_RTOL,
            atol=ROWS_RTOL * float(together.detach().abs().max()),
            equal_nan=True,
        ):
            raise ValueError(
                f"{expected} and equal {what} of each row: got {together.tolist()} at once, "
                f"{alone.tolist()} one by one; rows must not mix"
            )


def _require_compatible(assume: tuple[Assumption, ...]) -> None:
    """A lower modulus is at most L in the same norm, to 1e-9 of its size.

    mu/2 dist^2 <= f - f_star <= L/2 dist^2 for growth; |g|_*^2 / (2 L) <= f - f_star <= |g|_*^2 / (2 mu) for
    PL: with mu > L no f but a constant one has both.
    """
    least = [(a, a.mu) for a in assume if isinstance(a, StronglyConvex)]
    least += [(a, a.mu_pl) for a in assume if isinstance(a, PL)]
    least += [(a, a.mu_qg) for a in assume if isinstance(a, QuadraticGrowth)]
    smooths = [a for a in assume if isinstance(a, Smooth)]
    for (lower, mu), smooth in itertools.product(least, smooths):
        if lower.norm == smooth.norm and mu > smooth.L * ROOM:
            raise ValueError(f"{lower!r} contradicts {smooth!r}: {mu!r} must be <= L")


def _require_consistent(problem: FunctionProblem) -> None:
    """f_lower <= f_star <= f at x0, and f(x_star) = f_star, to 1e-9 of their size."""
    at_start = float(problem.value(problem.x0))
    if problem.x_star is not None:
        at_star = float(problem.value(problem.x_star))
        room = 1e-9 * (abs(at_star) + abs(at_start - at_star))
        if problem.f_star is not None and not abs(at_star - problem.f_star) <= room:
            raise ValueError(f"f_star must be f(x_star) = {at_star!r}, got {problem.f_star!r}")
        if not at_star <= at_start + room:
            raise ValueError(f"x_star must minimise f, got f(x_star) = {at_star!r} > f(x0) = {at_start!r}")
    for name in ("f_star", "f_lower"):
        bound = getattr(problem, name)
        if bound is not None and not bound <= at_start + 1e-9 * (abs(bound) + abs(at_start)):
            raise ValueError(f"{name} must be at most f(x0) = {at_start!r}, got {bound!r}")
    if problem.f_star is not None and problem.f_lower is not None and not problem.f_lower <= problem.f_star:
        raise ValueError(f"f_lower must be at most f_star = {problem.f_star!r}, got {problem.f_lower!r}")
