"""Means over the rows of all processes of a group."""

from collections.abc import Callable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor


def mean_over_ranks(
    group: Any, device: torch.device, own: Callable[[], tuple[int, list[Tensor]]]
) -> list[Tensor]:
    """sum_r n_r T_r / sum_r n_r over the processes r, which own n_r rows with mean T_r; the same everywhere.

    group: None for this process alone. An error of a process is raised there, and a RuntimeError that names
    the process in the others, so that none waits for it.
    """
    if group is None:
        return own()[1]
    rows, tensors, failure = 0, [], None
    try:
        rows, tensors = own()
    except Exception as error:
        failure = error
    counts = torch.zeros(dist.get_world_size(group), dtype=torch.float64, device=device)
    counts[dist.get_rank(group)] = -1 if failure else rows
    dist.all_reduce(counts, group=group)
    if failure is not None:
        raise failure
    lost = [str(rank) for rank, n in enumerate(counts.tolist()) if n < 0]
    if lost:
        raise RuntimeError(f"the loss could not be evaluated on rank {', '.join(lost)}, which says why")
    share = rows / counts.sum().item()
    means = [(share * t).contiguous() for t in tensors]
    sent: list[Any] = [dist.all_reduce(t, group=group, async_op=True) for t in means]
    for each in sent:
        each.wait()
    return means
