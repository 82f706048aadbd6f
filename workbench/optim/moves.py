"""Steps that are computed and not taken yet: checked, then taken in place."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from workbench.optim.members import Member, counts, more, norms


@dataclass(frozen=True)
class Move:
    """X <- shrink X - factor D for one parameter. group: its options; direction: D, its shape, its own."""

    group: dict[str, Any]
    member: Member
    direction: Tensor
    factor: float
    shrink: float

    def take(self) -> None:
        """In place; the parameter is rounded once."""
        p, wide = self.member.p, self.direction.dtype
        if p.dtype == wide:
            self._onto(p)
        else:
            p.copy_(self._onto(p.to(wide)))

    def value(self) -> Tensor:
        """What the parameter would be, also where the factor is beyond the type."""
        p, direction = self.member.p, self.direction
        return (self.shrink * p.to(direction.dtype) - direction.new_tensor(self.factor) * direction).to(
            p.dtype
        )

    def _onto(self, x: Tensor) -> Tensor:
        if self.shrink != 1:
            x.mul_(self.shrink)
        return x.add_(self.direction, alpha=-self.factor)


def require_finite_moves(moves: Sequence[Move]) -> None:
    """ValueError naming the first parameter whose value after the step has nan or inf.

    |shrink X - factor D| <= |shrink| |X| + factor |D|: far below the largest number, no value is needed.
    """
    lengths = norms([m.member.p for m in moves] + [m.direction for m in moves])
    pairs = zip(moves, lengths[: len(moves)], lengths[len(moves) :], strict=True)
    doubtful = [move for move, x, d in pairs if not _fits(move, x, d)]
    if broken := [move for move in doubtful if not move.value().isfinite().all()]:
        member, value = broken[0].member, broken[0].value()
        raise ValueError(
            f"the step of {member.who}, of shape {tuple(value.shape)}, would leave it not finite in "
            f"{value.dtype} ({counts(value)}){more(broken, 'parameters')}: the step is too long, or the "
            f"parameter or its momentum was not finite before; nothing was changed"
        )


def _fits(move: Move, x: float, d: float) -> bool:
    """Whether the norms x and d prove that nothing overflows; a quarter is room for their roundings."""
    most = torch.finfo(move.member.p.dtype).max / 4
    longest = max(abs(move.shrink) * x, move.factor, move.factor * d)
    return math.isfinite(x) and longest <= most and d <= most
