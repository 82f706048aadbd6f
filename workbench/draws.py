"""The uniforms behind the draws of methods, and the draws of a run.

Uniforms are a pure function of (seed, replicate, stream, step): counter-based Philox, so a replicate
sees the same numbers whatever the batching, the order and the number of workers.
"""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from workbench.noise_draw import NoiseDraw
from workbench.spaces import Coin, Gaussian, Index, Indices, Space, Subset

__all__ = [
    "CHUNK",
    "STREAM_INIT",
    "STREAM_METHOD",
    "STREAM_STARTS",
    "Coin",
    "DrawStream",
    "Gaussian",
    "Index",
    "Indices",
    "NoiseDraw",
    "Space",
    "Subset",
    "uniforms",
]

CHUNK = 100
"""Steps that share one Philox counter; part of the format."""

STREAM_METHOD, STREAM_INIT, STREAM_STARTS = 0, 1, 3

AT_ONCE = 2**21
"""Uniforms that are made at once, at most, unless one step needs more."""


def uniforms(seed: int, replicates: Sequence[int], stream: int, step: int, width: int) -> Tensor:
    """Uniforms in [0, 1) on 53 bits, (len(replicates), width).

    Numbers of (seed, replicate, stream, step) only; ``width`` is part of the format of a stream.
    """
    return _table(seed, replicates, stream, step, width, 1)[0]


def _table(seed: int, replicates: Sequence[int], stream: int, step: int, width: int, count: int) -> Tensor:
    """The uniforms of ``count`` steps that share a counter, (count, len(replicates), width)."""
    chunk, offset = divmod(step, CHUNK)
    # one value of the counter makes four numbers
    first, skip = divmod(offset * width, 4)
    bits = np.empty((count, len(replicates), width), dtype=np.uint64)
    philox = np.random.Philox(key=[seed, 0], counter=[first, 0, chunk, stream])
    state: Any = philox.state
    for row, replicate in enumerate(replicates):
        # as Philox(key=[seed, replicate], counter=...), which takes seven times as long
        state["state"]["key"][1] = replicate
        philox.state = state
        bits[:, row] = philox.random_raw(skip + count * width)[skip:].reshape(count, width)
    return torch.from_numpy((bits >> np.uint64(11)).astype(np.float64) * 2.0**-53)


class DrawStream:
    """The draws of a block of replicates, step after step.

    ``spaces`` is what ``method.draws(problem)`` returns at the first step; later ones may differ (a
    scheduled probability) but must be as wide. Raw numbers are made for many steps at once, and so are the
    draws where ``spaces`` serve; on the CPU whatever the device.
    """

    def __init__(
        self, seed: int, replicates: Sequence[int], spaces: Mapping[str, Space], device: str
    ) -> None:
        self.seed, self.replicates, self.device, self.spaces = seed, replicates, device, spaces
        self.width = sum(space.width for space in spaces.values())
        # fewer steps at once where their numbers are many; a divisor of CHUNK
        numbers = max(1, len(replicates) * self.width)
        self._count = next(n for n in (CHUNK, 10, 1) if n == 1 or n * numbers <= AT_ONCE)
        self._first = -1
        self._table = torch.empty(0)
        self._decoded: dict[str, Sequence[Tensor]] = {}

    def at(self, step: int, spaces: Mapping[str, Space], stream: int = STREAM_METHOD) -> SimpleNamespace:
        """The draws of one step as attributes, each batch first. ValueError if the width has changed."""
        if not spaces:
            return SimpleNamespace()
        if spaces is not self.spaces:
            width = sum(space.width for space in spaces.values())
            if width != self.width:
                said = f"consume {width} uniforms, not {self.width} as the first"
                raise ValueError(f"draws of step {step} {said}")
        if stream != STREAM_METHOD:
            u = uniforms(self.seed, self.replicates, stream, step, self.width)
            return SimpleNamespace(**self._values(u, spaces))
        offset = step % self._count
        self._read(step - offset)
        if spaces is not self.spaces:
            return SimpleNamespace(**self._values(self._table[offset], spaces))
        if not self._decoded:
            # steps lead, so that hyperparameters (*batch, 1) of a space broadcast
            values = self._values(self._table, spaces)
            self._decoded = {name: value.unbind(0) for name, value in values.items()}
        return SimpleNamespace(**{name: values[offset] for name, values in self._decoded.items()})

    def _read(self, first: int) -> None:
        """Make the table of the steps that start with ``first`` the current one."""
        if first != self._first:
            key = (self.seed, self.replicates, STREAM_METHOD, first, self.width, self._count)
            self._table, self._first, self._decoded = _table(*key), first, {}

    def _values(self, u: Tensor, spaces: Mapping[str, Space]) -> dict[str, Tensor]:
        widths = [space.width for space in spaces.values()]
        parts = u.split(widths, dim=-1)
        return {
            name: space.value(part).to(self.device)
            for (name, space), part in zip(spaces.items(), parts, strict=True)
        }
