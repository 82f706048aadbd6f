"""The parameters that take part in a step, in batches of one shape."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.optim.presets import Layout, layout

AT_ONCE = 2**22
"""Entries that a batch holds at most, unless it is one parameter: a step needs room for several batches."""


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
        most = max(1, AT_ONCE // max(1, batch[0].p.numel()))
        for first in range(0, len(batch), most):
            yield read, batch[first : first + most]


def require_finite(members: list[Member]) -> None:
    """ValueError naming the first gradient with nan or inf. One exchange with each device."""
    if broken := _broken([member.grad for member in members]):
        first = members[broken[0]]
        raise ValueError(
            f"the gradient of {first.who}, of shape {tuple(first.grad.shape)}, is not finite "
            f"({_counts(first.grad)}){_more(broken, 'gradients')}; nothing was changed"
        )


def require_finite_steps(members: Sequence[Member], values: Sequence[Tensor]) -> None:
    """ValueError naming the first parameter whose value after the step has nan or inf."""
    if broken := _broken(values):
        first, value = members[broken[0]], values[broken[0]]
        raise ValueError(
            f"the step of {first.who}, of shape {tuple(value.shape)}, would leave it not finite in "
            f"{value.dtype} ({_counts(value)}){_more(broken, 'parameters')}: the step is too long, or the "
            f"parameter or its momentum was not finite before; nothing was changed"
        )


def _broken(tensors: Sequence[Tensor]) -> list[int]:
    """Which hold nan or inf."""
    by_device: dict[torch.device, list[int]] = {}
    for i, tensor in enumerate(tensors):
        by_device.setdefault(tensor.device, []).append(i)
    found: list[int] = []
    for places in by_device.values():
        finite = torch.stack([tensors[i].isfinite().all() for i in places]).tolist()
        found += [i for i, fine in zip(places, finite, strict=True) if not fine]
    return sorted(found)


def _counts(x: Tensor) -> str:
    return f"{int(x.isnan().sum())} nan, {int(x.isinf().sum())} inf"


def _more(broken: list[int], what: str) -> str:
    return f", and {len(broken) - 1} more {what} are not" if len(broken) > 1 else ""
