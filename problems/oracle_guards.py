"""Checks shared by the oracles of all problems."""

from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import require_points, require_positive
from problems.base import Problem, column


def require_vector(name: str, value: tuple[float, ...], d: int | None = None) -> tuple[float, ...]:
    """``value`` as floats. ValueError unless it has d (or at least one) finite entries."""
    try:
        vector = tuple(float(entry) for entry in value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a tuple of numbers, got {value!r}") from None
    if not vector if d is None else len(vector) != d:
        raise ValueError(f"{name} must have {d or 'at least one'} entries, got {value!r}")
    if not all(abs(entry) < float("inf") for entry in vector):
        raise ValueError(f"{name} must have finite entries, got {value!r}")
    return vector


def positive_step(x: Tensor, d: int, **step: float | Tensor) -> Tensor:
    """The one radius or stepsize in ``step`` as a tensor that broadcasts against x, (*batch, 1) or ().

    ValueError unless x is (*batch, d) and every entry of the step is finite and > 0.
    """
    require_points(x, d)
    ((_, value),) = step.items()
    require_positive(**step)
    return column(value, x)


def project_unique(problem: Problem, x: Tensor, x_star: Tensor) -> Tensor:
    """The only minimiser, for every x: the projection in any norm. Returns a tensor shaped as x."""
    require_points(x, problem.d)
    return x_star.to(x).expand_as(x)


def require_euclidean(problem: Problem, norm: Norm) -> None:
    """ValueError unless the norm is Euclidean or the minimiser unique, where it does not matter."""
    if norm != EUCLIDEAN and not problem.unique_star:
        raise ValueError(f"nearest_star of {problem!r} projects in {EUCLIDEAN!r} only, got norm={norm!r}")
