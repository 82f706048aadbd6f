"""What a claim speaks of, read at states and at those that follow them."""

from typing import NamedTuple

import torch
from torch import Tensor

from workbench.match import Case
from workbench.quantity import Quantity, Reading
from workbench.stretch import as_rows
from workbench.verify.environment import Numbers, Readings, named, used_quantities


class Pairs(NamedTuple):
    """Every outcome from every state. reading: (rows * size, 2, ...), entry 1 is the next state."""

    reading: Reading
    known: dict[str, Tensor]
    lost: Tensor
    rows: int
    weights: Tensor


def numbers_of(case: Case, pairs: Pairs, errors: bool = True) -> Numbers:
    """What the claim's symbols stand for; without ``errors`` as if nothing were rounded."""
    read = {
        name: _both(case, name, quantity, pairs, errors) for name, quantity in used_quantities(case).items()
    }
    return named(case, pairs.known, read, pairs.reading.x, pairs.lost, pairs.reading.method)


def _both(
    case: Case, name: str, quantity: Quantity, pairs: Pairs, errors: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """A quantity at the states and at the next ones, where the claim asks for it: once for each state."""
    if quantity.every_step:
        return _told(quantity, pairs.reading, pairs.lost, errors)
    asked = {
        m.when
        for m in case.theorem.uses.values()
        if m.kind == "quantity" and name in (m.base, _STAND_IN.get(m.base))
    }
    size = pairs.weights.shape[-1]
    parts = []
    if asked & {"now", "start"}:
        now = _entry(pairs.reading, 0, size)
        told = _told(quantity, now, pairs.lost[::size, :1], errors)
        parts.append(tuple(t.repeat_interleave(size, 0) for t in told))
    if "next" in asked:
        parts.append(_told(quantity, _entry(pairs.reading, 1, 1), pairs.lost[:, 1:], errors))
    # what is not asked for is never looked at
    first, last = parts[0], parts[-1]
    value, error, cancelled = (torch.cat([a, b], 1) for a, b in zip(first, last, strict=True))
    return value, error, cancelled


_STAND_IN = {"gap": "value"}
"""Where f_star is not known, a gap is read from the value."""


def _entry(reading: Reading, entry: int, every: int) -> Reading:
    """One of the two steps of a reading, of every so many rows."""
    rows, step = slice(None, None, every), slice(entry, entry + 1)

    def cut(t: Tensor) -> Tensor:
        return (t[rows] if t.shape[0] > 1 else t)[:, step if t.shape[1] > 1 else slice(None)]

    fields = {n: getattr(reading.method, n) for n in reading.method.fields()}
    tables = {n: cut(v) for n, v in fields.items() if isinstance(v, Tensor) and v.dim() >= 3}
    return reading._replace(
        method=reading.method.with_values(tables),
        state=type(reading.state)(*(f[rows, step] for f in reading.state)),
        x_error=reading.x_error[rows, step],
        x_before=reading.x[rows, :1],
        costs={unit: spent[rows, step] for unit, spent in reading.costs.items()},
    )


def _told(quantity: Quantity, reading: Reading, lost: Tensor, errors: bool) -> tuple[Tensor, Tensor, Tensor]:
    value = quantity.read(reading)
    if not errors:
        return value, torch.zeros_like(value), torch.zeros_like(value)
    value = torch.where(as_rows(lost, value, 2), torch.nan, value)
    return value, quantity.error(reading, value), quantity.cancelled(reading, value)


def read_all(case: Case, reading: Reading, lost: Tensor) -> Readings:
    """What the claim speaks of, nan where the state is lost, (batch, K + 1)."""
    return {name: _told(quantity, reading, lost, True) for name, quantity in used_quantities(case).items()}
