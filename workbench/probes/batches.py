"""Batches: tensors that share their leading axis of rows, alone or in tuples, lists and dicts."""

import hashlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils import _pytree as pytree

from assumptions.guards import require_dimension

Batch = Any
"""A tensor whose first axis are rows, or a tuple, list or dict of such."""


def count_rows(batch: Batch) -> int:
    """Number of rows. ValueError unless all tensors have the same number, at least one."""
    tensors = _tensors(batch)
    counts = {t.shape[0] if t.dim() else 0 for t in tensors}
    if len(counts) != 1 or 0 in counts:
        shapes = [tuple(t.shape) for t in tensors]
        raise ValueError(
            f"batch must hold tensors that share their first axis of one row or more, got {shapes}"
        )
    return counts.pop()


def take(batch: Batch, first: int, last: int) -> Batch:
    """Rows first, ..., last - 1, as views."""
    return pytree.tree_map_only(Tensor, lambda t: t[first:last], batch)


def chunks(batch: Batch, size: int | None) -> Iterator[Batch]:
    """The rows in pieces of ``size`` >= 1, the last one shorter; all at once for None."""
    rows = count_rows(batch)
    if size is None:
        size = rows
    require_dimension(size=size)
    for first in range(0, rows, size):
        yield take(batch, first, min(first + size, rows))


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """The first rows // 2 rows, and the others. ValueError for a single row."""
    rows = count_rows(batch)
    if rows < 2:
        raise ValueError("batch must have two rows or more, since its two halves give the noise, got 1")
    return take(batch, 0, rows // 2), take(batch, rows // 2, rows)


def moved(batch: Batch, device: torch.device, dtype: torch.dtype) -> Batch:
    """A copy on a device, floating point entries in one type: a loss may write into its batch."""

    def move(t: Tensor) -> Tensor:
        return t.detach().to(device, dtype if t.is_floating_point() else t.dtype, copy=True)

    return pytree.tree_map_only(Tensor, move, batch)


def fingerprint(batch: Batch) -> str:
    """sha256 of what a batch holds: shapes, types and numbers of its tensors, and how they are nested."""
    leaves, nesting = pytree.tree_flatten(batch)
    found = hashlib.sha256(str(nesting).encode())
    for leaf in leaves:
        if isinstance(leaf, Tensor):
            found.update(f"{tuple(leaf.shape)} {leaf.dtype}".encode())
            found.update(leaf.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        else:
            found.update(repr(leaf).encode())
    return found.hexdigest()


def _tensors(batch: Batch) -> list[Tensor]:
    found = [leaf for leaf in pytree.tree_leaves(batch) if isinstance(leaf, Tensor)]
    if not found:
        raise TypeError(f"batch must be a tensor, or a tuple, list or dict of tensors, got {batch!r}")
    return found
