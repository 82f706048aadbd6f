"""The contract of a problem, checked before work starts."""

import torch
from torch import Tensor

from assumptions import Certificate
from problems.base import Problem


class IllFormedError(ValueError):
    """A problem that breaks the contract; says which part, what came and what is expected."""


def require_well_formed(problem: Problem) -> None:
    """IllFormedError naming the part of the problem that breaks the contract, what came and what is expected.

    Checked on a (2, 1, d) batch of the start: shapes and dtype of value, grad and nearest_star, a start
    inside the domain at which f is finite, certificates, and f_star <= f(x0).
    """
    name = repr(problem)
    x0 = problem.x0
    if not isinstance(x0, Tensor) or x0.shape != (problem.d,) or x0.dtype != torch.float64:
        shown = f"{tuple(x0.shape)} {x0.dtype}" if isinstance(x0, Tensor) else repr(x0)
        raise IllFormedError(f"{name}: x0 must be a float64 tensor of shape ({problem.d},), got {shown}")
    if not bool(torch.isfinite(x0).all()):
        raise IllFormedError(f"{name}: x0 must be finite, got {x0.tolist()}")
    if not bool(problem.contains(x0).all()):
        raise IllFormedError(f"{name}: x0 = {x0.tolist()} is outside the domain")
    x = x0.expand(2, 1, problem.d)
    for oracle, shape in (("value", (2, 1)), ("grad", (2, 1, problem.d))):
        _require_shape(name, oracle, getattr(problem, oracle)(x), shape, problem.d)
    if not bool(torch.isfinite(problem.value(x0))):
        raise IllFormedError(f"{name}: value must be finite at x0, got {float(problem.value(x0))}")
    if problem.offers("nearest_star"):
        nearest = problem.nearest_star(x)  # pyright: ignore[reportAttributeAccessIssue]
        _require_shape(name, "nearest_star", nearest, (2, 1, problem.d), problem.d)
    _require_facts(name, problem)


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
    for certificate in problem.certified:
        if not isinstance(certificate, Certificate):
            raise IllFormedError(f"{name}: certified must hold Certificates, got {certificate!r}")
