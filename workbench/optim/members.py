"""The parameters that take part in a step, in batches of one shape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.optim.presets import Layout, layout


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
    """The members by shape, type and device."""
    keys: dict[tuple[Any, ...], list[Member]] = {}
    for member in members:
        keys.setdefault((tuple(member.p.shape), member.p.dtype, member.p.device), []).append(member)
    for (shape, *_), batch in keys.items():
        yield layout(group["norm"], shape, group["transpose"], batch[0].who), batch


def require_finite(members: list[Member]) -> None:
    """ValueError naming the first gradient with nan or inf. One exchange with each device."""
    by_device: dict[torch.device, list[Member]] = {}
    for member in members:
        by_device.setdefault(member.grad.device, []).append(member)
    for group in by_device.values():
        finite = torch.stack([member.grad.isfinite().all() for member in group]).tolist()
        broken = [member for member, fine in zip(group, finite, strict=True) if not fine]
        if broken:
            grad, more = broken[0].grad, len(broken) - 1
            others = f", and {more} more gradients are not" if more else ""
            counts = f"{int(grad.isnan().sum())} nan, {int(grad.isinf().sum())} inf"
            raise ValueError(
                f"the gradient of {broken[0].who}, of shape {tuple(grad.shape)}, is not finite "
                f"({counts}){others}; nothing was changed"
            )
