"""A user's own function as a problem; its constants are declared, not proved."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from assumptions import PL, Assumption, QuadraticGrowth, Smooth, StronglyConvex
from problems.ball_newton import SolverError
from problems.function_problem import FunctionProblem, Step, Values, require_function
from problems.newton_oracles import NewtonOracles, newton_oracles
from problems.optimum import Optimum
from problems.oracle_guards import require_vector

FACTS_RTOL = 1e-9
"""Numbers that a user computed may contradict each other by rounding, this share of their size."""
ROWS_RTOL = 1e-10
"""Batched and single rows may differ by the order of sums, far below this; a wrong axis does not."""


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
    TypeError if f cannot be called; ValueError if it does not act row by row, its values are complex or
    integers, it is not finite at x0, d is 2^31 or more, or the facts or the assumptions contradict each
    other (PL(2.0) and Smooth(1.0)).

    Where Smooth(L) and Convex() or StronglyConvex(mu) are declared, a missing prox or brox is solved by
    Newton's method: f must then be twice differentiable by torch (SolverError at the first use if
    not), and a result is returned only if its optimality condition holds to the rounding of the gradient.
    With StronglyConvex, a missing x_star is found too, once, here, with f_star and the errors of both,
    |g| / mu and |g|^2 / (2 mu), rounding included; it is left out if Newton's method fails.
    """
    require_function(f, d)
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
        if not together.is_floating_point():
            raise ValueError(f"{problem!r}: {what} must be real floating point numbers, got {together.dtype}")
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
        if lower.norm == smooth.norm and mu > smooth.L * (1 + FACTS_RTOL):
            raise ValueError(f"{lower!r} contradicts {smooth!r}: {mu!r} must be <= L")


def _require_consistent(problem: FunctionProblem) -> None:
    """f_lower <= f_star <= f at x0, and f(x_star) = f_star, to 1e-9 of their size."""
    at_start = float(problem.value(problem.x0))
    if problem.x_star is not None:
        at_star = float(problem.value(problem.x_star))
        room = FACTS_RTOL * (abs(at_star) + abs(at_start - at_star))
        if problem.f_star is not None and not abs(at_star - problem.f_star) <= room:
            raise ValueError(f"f_star must be f(x_star) = {at_star!r}, got {problem.f_star!r}")
        if not at_star <= at_start + room:
            raise ValueError(f"x_star must minimise f, got f(x_star) = {at_star!r} > f(x0) = {at_start!r}")
    for name in ("f_star", "f_lower"):
        bound = getattr(problem, name)
        if bound is not None and not bound <= at_start + FACTS_RTOL * (abs(bound) + abs(at_start)):
            raise ValueError(f"{name} must be at most f(x0) = {at_start!r}, got {bound!r}")
    if problem.f_star is not None and problem.f_lower is not None and not problem.f_lower <= problem.f_star:
        raise ValueError(f"f_lower must be at most f_star = {problem.f_star!r}, got {problem.f_lower!r}")
