"""The contract of a problem, checked before work starts."""

from collections.abc import Callable
from contextlib import suppress

import torch
from torch import Tensor

from assumptions import Certificate
from problems.ball_newton import SolverError
from problems.base import Problem
from problems.data.load import DataError

STEP = 0.1
"""Radius and stepsize at which prox and brox are tried."""
RIVALS = 256
"""Random points that they must beat."""


class IllFormedError(ValueError):
    """A problem that breaks the contract; says which part, what came and what is expected."""


def require_well_formed(problem: Problem) -> None:
    """IllFormedError naming the part of the problem that breaks the contract, what came and what is expected.

    Checked on a (2, 1, d) batch of the start: shapes and dtype of value, grad and nearest_star, a start
    inside the domain at which f is finite, certificates, f_star against f(x0) and f at the minimiser,
    prox and brox against random points, data that can be read.
    """
    name = repr(problem)
    try:
        x0 = problem.x0
    except DataError as error:
        raise IllFormedError(f"{name}: {error}") from error
    if not isinstance(x0, Tensor) or x0.shape != (problem.d,) or x0.dtype != torch.float64:
        shown = f"{tuple(x0.shape)} {x0.dtype}" if isinstance(x0, Tensor) else repr(x0)
        raise IllFormedError(f"{name}: x0 must be a float64 tensor of shape ({problem.d},), got {shown}")
    if not bool(torch.isfinite(x0).all()):
        raise IllFormedError(f"{name}: x0 must be finite, got {x0.tolist()}")
    inside = bool(problem.contains(x0).all())
    if not inside and not problem.offers("parts"):  # a method that splits f may start anywhere
        raise IllFormedError(f"{name}: x0 = {x0.tolist()} is outside the domain")
    x = x0.expand(2, 1, problem.d)
    for oracle, shape in (("value", (2, 1)), ("grad", (2, 1, problem.d))):
        _require_shape(name, oracle, getattr(problem, oracle)(x), shape, problem.d)
    if inside and not bool(torch.isfinite(problem.value(x0))):
        raise IllFormedError(f"{name}: value must be finite at x0, got {float(problem.value(x0))}")
    if problem.offers("nearest_star"):
        nearest = problem.nearest_star(x)  # pyright: ignore[reportAttributeAccessIssue]
        _require_shape(name, "nearest_star", nearest, (2, 1, problem.d), problem.d)
    _require_facts(name, problem)
    _require_oracles(name, problem)


def _require_shape(name: str, oracle: str, got: object, shape: tuple[int, ...], d: int) -> None:
    if not isinstance(got, Tensor) or got.shape != shape or got.dtype != torch.float64:
        shown = f"{tuple(got.shape)} {got.dtype}" if isinstance(got, Tensor) else repr(got)
        raise IllFormedError(
            f"{name}: {oracle} must return float64 {shape} for x of shape (2, 1, {d}), got {shown}; "
            "reduce over the last axis only"
        )


def _require_facts(name: str, problem: Problem) -> None:
    from_below = "f_star" if problem.offers("f_star") else "f_lower"
    if problem.offers(from_below):
        bound, value = float(getattr(problem, from_below)), float(problem.value(problem.x0))
        if not bound <= value + problem.f_star_error + 1e-9 * (1 + abs(value)):
            raise IllFormedError(f"{name}: {from_below} must be at most f(x0) = {value!r}, got {bound!r}")
    _require_minimiser(name, problem)
    for certificate in problem.certified:
        if not isinstance(certificate, Certificate):
            raise IllFormedError(f"{name}: certified must hold Certificates, got {certificate!r}")


def _require_minimiser(name: str, problem: Problem) -> None:
    """f(x_star) and f at the projection of x0 must be f_star, up to their stated errors."""
    if not problem.offers("f_star"):
        return
    f_star = float(problem.f_star)  # pyright: ignore[reportAttributeAccessIssue]
    points = {}
    if problem.offers("x_star"):
        points["x_star"] = problem.x_star  # pyright: ignore[reportAttributeAccessIssue]
    if problem.offers("nearest_star"):
        points["nearest_star(x0)"] = problem.nearest_star(problem.x0)  # pyright: ignore[reportAttributeAccessIssue]
    slope = float(problem.grad(problem.x0).norm())
    for said, point in points.items():
        value = float(problem.value(point))
        moved = slope * problem.x_star_error if problem.x_star_error else 0.0
        room = 1e-8 * (1 + abs(f_star)) + problem.f_star_error + moved
        if not abs(value - f_star) <= room:
            raise IllFormedError(f"{name}: f({said}) must be f_star = {f_star!r}, got {value!r}")


def _require_oracles(name: str, problem: Problem) -> None:
    """prox and brox must not be beaten by random points, nor leave the ball."""
    x = problem.x0
    generator = torch.Generator().manual_seed(0)
    random = torch.randn(RIVALS, problem.d, dtype=x.dtype, generator=generator)
    unit = random / random.norm(dim=-1, keepdim=True)
    with suppress(SolverError):  # a solve that fails gets its own verdict, where a method needs it
        if problem.offers("brox"):
            _require_brox(name, problem, unit)
    with suppress(SolverError):
        if problem.offers("prox"):
            u = problem.prox(x, STEP)  # pyright: ignore[reportAttributeAccessIssue]
            rivals = torch.cat([u + s * unit for s in (1e-3, 1e-2, 1e-1)])

            def objective(z: Tensor) -> Tensor:
                return problem.value(z) + (z - x).square().sum(dim=-1) / (2 * STEP)

            _require_best(name, f"prox(x0, {STEP})", objective, u, rivals)


def _require_brox(name: str, problem: Problem, unit: Tensor) -> None:
    x = problem.x0
    u = problem.brox(x, STEP)  # pyright: ignore[reportAttributeAccessIssue]
    length = float((u - x).norm())
    if not length <= STEP + 1e-8 + problem.oracle_errors.get("brox", 0.0):
        raise IllFormedError(f"{name}: brox(x0, {STEP}) leaves the ball: |u - x0| = {length!r}")
    rivals = torch.cat([x + share * STEP * unit for share in (1.0, 0.9, 0.5)])
    _require_best(name, f"brox(x0, {STEP})", problem.value, u, rivals)


def _require_best(
    name: str, said: str, objective: Callable[[Tensor], Tensor], u: Tensor, rivals: Tensor
) -> None:
    found, best = float(objective(u)), float(objective(rivals).nan_to_num(nan=torch.inf).min())
    if not found <= best + 1e-7 * (1 + abs(found)):
        raise IllFormedError(
            f"{name}: {said} is not a minimiser: objective {found!r}, another point has {best!r}"
        )
