"""Checks shared by the oracles of all problems."""

import math

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Norm
from assumptions.guards import as_floats, require_points, require_positive
from assumptions.norms import require_norm
from problems.arguments import column
from problems.ball_newton import SolverError
from problems.base import Problem


def require_vector(name: str, value: tuple[float, ...], d: int | None = None) -> tuple[float, ...]:
    """``value`` as floats. ValueError unless it has d (or at least one) finite entries."""
    vector = as_floats(name, value)
    if not vector if d is None else len(vector) != d:
        raise ValueError(f"{name} must have {d or 'at least one'} entries, got {value!r}")
    if not all(abs(entry) < float("inf") for entry in vector):
        raise ValueError(f"{name} must have finite entries, got {value!r}")
    return vector


def positive_step(x: Tensor, d: int, **step: float | Tensor) -> Tensor:
    """The one radius or stepsize in ``step`` as a tensor that broadcasts against x, (*batch, 1) or ().

    ValueError unless x is (*batch, d), every entry of the step is finite and > 0, and its shape fits.
    """
    require_points(x, d)
    ((name, value),) = step.items()
    require_positive(**step)
    if isinstance(value, Tensor) and not _is_column(value.shape, x.shape):
        raise ValueError(
            f"{name} must be a float or a tensor of shape (*batch, 1) that broadcasts against x of shape "
            f"{tuple(x.shape)}, got shape {tuple(value.shape)}"
        )
    return column(value, x)


def require_solved(oracle: str, x: Tensor, z: Tensor) -> Tensor:
    """z, what an oracle found at x, (*batch, d). SolverError where z is not finite in a row where x is."""
    if not math.isfinite(z.detach().sum()):
        lost = int((~z.isfinite().all(dim=-1) & x.isfinite().all(dim=-1)).sum())
        if lost > 0:
            raise SolverError(f"{oracle}: the result is not finite on {lost} rows where x is")
    return z


def _is_column(shape: torch.Size, points: torch.Size) -> bool:
    """True for () and for (*batch, 1) with a batch that broadcasts against that of the points."""
    if not shape or shape[-1] != 1:
        return not shape
    pairs = zip(shape[-2::-1], points[-2::-1], strict=False)
    return all(mine in (theirs, 1) or theirs == 1 for mine, theirs in pairs)


def require_norm_fits(problem: Problem, norm: Norm) -> None:
    """TypeError unless ``norm`` is a Norm, ValueError unless it is one on the space of the problem."""
    require_norm(norm)
    if not norm.fits(problem.d):
        raise ValueError(f"norm must be one on R^{problem.d}, the space of {problem!r}, got {norm!r}")


def project_unique(problem: Problem, x: Tensor, x_star: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
    """The only minimiser, for every x: the projection in any norm. Returns a tensor shaped as x."""
    require_points(x, problem.d)
    require_norm_fits(problem, norm)
    return x_star.to(x).expand_as(x)


def require_euclidean(problem: Problem, norm: Norm) -> None:
    """ValueError unless the norm is Euclidean or the minimiser unique, where it does not matter."""
    require_norm_fits(problem, norm)
    if norm != EUCLIDEAN and not problem.unique_star:
        raise ValueError(f"nearest_star of {problem!r} projects in {EUCLIDEAN!r} only, got norm={norm!r}")
