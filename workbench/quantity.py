"""A quantity: what a claim can speak of, read from a trajectory with the rounding error of what is read.

A quantity that is a difference of large numbers cancels; its ``resolution`` says how far the number
read can be from the exact one, and a verdict never rests on less.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions import Norm
from assumptions.base import EPS
from assumptions.rounding import directions
from problems.base import Problem


class Reading(NamedTuple):
    """A recorded trajectory. Every field of ``state`` is (batch, K + 1, ...).

    ``method`` has its hyperparameters as floats or (batch, K + 1 or 1, 1). ``x_error`` bounds the
    distance of each recorded x from the exact one, (batch, K + 1): rounding of the steps so far and
    the stated error of the oracles. ``x_before`` holds the iterates one step before the recorded
    ones, None where every step is recorded. ``costs``: unit -> spent before each recorded step,
    (batch, K + 1); empty before a run.
    """

    problem: Problem
    method: Any
    state: Any
    norm: Norm
    x_error: Tensor
    x_before: Tensor | None = None
    costs: Mapping[str, Tensor] = MappingProxyType({})

    @property
    def x(self) -> Tensor:
        """Iterates, (batch, K + 1, d)."""
        return self.state.x


def probed(read: Callable[[Reading], Tensor], r: Reading, value: Tensor) -> Tensor:
    """How far a reading moves when x moves by its error, in three directions; shape as the reading."""
    change = torch.zeros_like(value)
    for signs in directions(r.x.shape[-1], r.x):
        moved = r.x + r.x_error[..., None] * signs / r.x.shape[-1] ** 0.5
        found = read(r._replace(state=r.state._replace(x=moved)))
        change = torch.maximum(change, (found - value).abs())
    return change


def _no_cancellation(_: Reading, value: Tensor) -> Tensor:
    return torch.zeros_like(value)


@dataclass(frozen=True)
class Quantity:
    """A number that every step of a run has.

    meaning     in words; latex: its symbol
    unit        in powers of f and x, such as "f / x"; "1" for a plain number, empty where none is stated
    read        (batch, K + 1, *axes)
    resolution  bound on |read - exact|, same shape; by default relative rounding, and what the error
                of x does to the reading (``probed``)
    cancelled   size of the numbers subtracted in reading it, same shape
    needs       facts and oracles of the problem that the reader uses
    every_step  True if the reading needs every step of the run, not a thinned record
    of_terms    True if it compares the gradients of all terms: then a step claim is tried at fewer states
    nonnegative True only if no value can be below 0: values moved by their resolution then stop at 0
    """

    meaning: str
    latex: str
    read: Callable[[Reading], Tensor]
    resolution: Callable[[Reading, Tensor], Tensor] | None = None
    cancelled: Callable[[Reading, Tensor], Tensor] = _no_cancellation
    needs: tuple[str, ...] = ()
    unit: str = ""
    nonnegative: bool = False
    every_step: bool = False
    of_terms: bool = False

    def error(self, r: Reading, value: Tensor) -> Tensor:
        """The resolution of what was read."""
        if self.resolution is not None:
            return self.resolution(r, value)
        return 8 * EPS * value.abs() + probed(self.read, r, value)


def as_quantity(name: str, value: Quantity | Callable[..., Tensor]) -> Quantity:
    """A plain function of (problem, method, state) is a quantity without cancellation."""
    if isinstance(value, Quantity):
        return value
    function = value
    return Quantity(name, upright(name), lambda r: function(r.problem, r.method, r.state))


def upright(name: str) -> str:
    r"""A name as LaTeX: ``\mathrm{grad\_calls}``."""
    return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


def in_norm(r: Reading) -> Tensor:
    """x_error bounds a Euclidean length; in an l_p norm it is longest along an axis or the diagonal."""
    d = r.x.shape[-1]
    vectors = torch.cat([torch.eye(d).to(r.x), torch.full_like(r.x[0, :1], d**-0.5)])
    return r.x_error * r.norm.norm(vectors).max()
