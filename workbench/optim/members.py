"""The parameters that take part in a step, in batches of one shape."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assumptions.guards import as_float
from workbench.optim.presets import Layout, layout

AT_ONCE = 2**22
"""Entries that a batch holds at most, unless it is one parameter: a step needs room for several batches."""
CACHED = 2**18
"""The same on a CPU, where larger batches leave its caches and are slower."""


@dataclass(frozen=True)
class Member:
    """A parameter that takes part in a step, with its gradient and its name for errors."""

    p: Tensor
    grad: Tensor
    who: str

    @property
    def dtype(self) -> torch.dtype:
        """The type of the buffer and of the arithmetic: that of the parameter, float32 at least."""
        return torch.promote_types(self.p.dtype, torch.float32)


def batches(group: dict[str, Any], members: list[Member]) -> Iterator[tuple[Layout, list[Member]]]:
    """The members by shape, type and device, in batches of at most ``AT_ONCE`` entries."""
    keys: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        keys.setdefault((tuple(member.p.shape), member.p.dtype, member.p.device), []).append(member)
    for (shape, *_), batch in keys.items():
        read = layout(group["norm"], shape, group["transpose"], batch[0].who)
        room = min(AT_ONCE, CACHED) if batch[0].p.device.type == "cpu" else AT_ONCE
        most = max(1, room // max(1, batch[0].p.numel()))
        for first in range(0, len(batch), most):
            yield read, batch[first : first + most]


def require_finite(members: list[Member]) -> None:
    """ValueError naming the first gradient with nan or inf. One exchange with each device."""
    lengths = norms([member.grad for member in members])
    doubtful = [m for m, length in zip(members, lengths, strict=True) if not math.isfinite(length)]
    if broken := [m for m in doubtful if not m.grad.isfinite().all()]:  # a length may overflow
        first = broken[0]
        raise ValueError(
            f"the gradient of {first.who}, of shape {tuple(first.grad.shape)}, is not finite "
            f"({counts(first.grad)}){more(broken, 'gradients')}; nothing was changed"
        )


def norms(tensors: Sequence[Tensor]) -> list[float]:
    """Euclidean norms: nan or inf for a tensor that holds either. One exchange with each device.

    inf as well where the norm or its square is beyond the type.
    """
    by_device: dict[torch.device, list[int]] = {}
    for i, tensor in enumerate(tensors):
        by_device.setdefault(tensor.device, []).append(i)
    found = [math.nan] * len(tensors)
    for places in by_device.values():
        lengths = torch._foreach_norm([tensors[i] for i in places])  # pyright: ignore[reportPrivateImportUsage]
        for i, length in zip(places, torch.stack([n.float() for n in lengths]).tolist(), strict=True):
            found[i] = length
    return found


def counts(x: Tensor) -> str:
    """How many nan and inf, in words."""
    return f"{int(x.isnan().sum())} nan, {int(x.isinf().sum())} inf"


def more(broken: Sequence[Any], what: str) -> str:
    """The others that are not finite, in words."""
    return f", and {len(broken) - 1} more {what} are not" if len(broken) > 1 else ""


def number(name: str, value: Any) -> float:
    """A number, or a tensor of one entry, as a float. TypeError otherwise."""
    if isinstance(value, Tensor):
        if value.numel() != 1:
            raise TypeError(f"{name} must be a number, got a tensor of shape {tuple(value.shape)}")
        return float(value)
    return as_float(name, value)
