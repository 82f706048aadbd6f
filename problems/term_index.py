"""Indices of the terms of a finite sum."""

import torch
from torch import Tensor


def require_index(x: Tensor, j: Tensor) -> None:
    """ValueError unless j is int64 with the batch of x: one term for each point. x: (*batch, d)."""
    if not isinstance(j, Tensor) or j.dtype != torch.int64 or j.shape != x.shape[:-1]:
        raise ValueError(f"j must be int64 of shape {tuple(x.shape[:-1])}, {_points(x)}, got {_shown(j)}")


def require_indices(x: Tensor, j: Tensor) -> None:
    """ValueError unless j is int64, (*batch, b) with b >= 1: b terms for each point. x: (*batch, d)."""
    fits = isinstance(j, Tensor) and j.dim() > 0 and j.shape[:-1] == x.shape[:-1] and j.shape[-1] > 0
    if not fits or j.dtype != torch.int64:
        batch = ", ".join(map(str, (*x.shape[:-1], "b")))
        raise ValueError(f"j must be int64 of shape ({batch}) with b >= 1, {_points(x)}, got {_shown(j)}")


def _points(x: Tensor) -> str:
    return f"for x of shape {tuple(x.shape)}"


def _shown(j: object) -> str:
    return f"{j.dtype} of shape {tuple(j.shape)}" if isinstance(j, Tensor) else repr(j)
