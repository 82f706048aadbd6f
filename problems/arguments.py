"""Arguments that many problems share: the start, and stepsizes and radii as columns."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from assumptions.guards import as_floats

if TYPE_CHECKING:
    from problems.base import Problem


def start_point(problem: "Problem", start: tuple[float, ...], default: Tensor) -> Tensor:
    """``start`` as a tensor if one was given, else ``default``; (d,). ValueError as ``require_start``."""
    require_start(start, problem.d)
    return torch.tensor(start, dtype=torch.float64) if start else default


def require_start(start: tuple[float, ...], d: int) -> None:
    """ValueError unless ``start`` is empty or has d finite entries."""
    entries = as_floats("start", start)
    if entries and (len(entries) != d or not all(abs(s) < float("inf") for s in entries)):
        raise ValueError(f"start must be empty or have {d} finite entries, got {start!r}")


def column(value: float | Tensor, x: Tensor) -> Tensor:
    """A radius or stepsize as a tensor that broadcasts against x: (*batch, 1) or (); ValueError otherwise."""
    result = torch.as_tensor(value, dtype=x.dtype, device=x.device)
    if result.dim() > 0 and result.shape[-1] != 1:
        raise ValueError(f"a radius or stepsize must be a float or (*batch, 1), got {tuple(result.shape)}")
    return result
