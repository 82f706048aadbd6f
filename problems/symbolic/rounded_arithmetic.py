"""Tapes on tensors that carry a bound of their rounding: which rows of a result can be trusted."""

from collections.abc import Callable
from dataclasses import dataclass

import sympy as sp
import torch
from torch import Tensor

from problems.symbolic.tape import Tape
from problems.symbolic.tensor_arithmetic import TENSORS

PERIODIC = ("sin", "cos", "tan", "cot")
FAR = 1e-3
"""An argument of a periodic function that is less known than that says nothing."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Of a number format: ``half`` a rounding of 1, and what underflow takes at most."""

    half: float
    tiny: float

    @classmethod
    def of(cls, x: Tensor) -> "Unit":
        """The format of x."""
        last = torch.finfo(x.dtype)
        return cls(last.eps / 2, last.smallest_normal * last.eps)


@dataclass(slots=True)
class Rounded:
    """Numbers and how far rounding may have moved them, to first order; both (*batch,) or ()."""

    value: Tensor
    error: Tensor
    unit: Unit

    def __add__(self, other: "Rounded") -> "Rounded":
        """Errors add, and the sum is rounded."""
        return self.rounded(self.value + other.value, self.error + other.error)

    def __mul__(self, other: "Rounded") -> "Rounded":
        """Each error times the other number, and the product is rounded."""
        moved = self.error * (other.value.abs() + other.error)
        return self.rounded(self.value * other.value, torch.addcmul(moved, self.value.abs(), other.error))

    def __neg__(self) -> "Rounded":
        """Exact."""
        return Rounded(-self.value, self.error, self.unit)

    def rounded(self, value: Tensor, error: Tensor, halves: int = 1) -> "Rounded":
        """What an operation returns: as many half roundings more, and what underflow takes."""
        error = error.add(value.abs(), alpha=halves * self.unit.half).add_(self.unit.tiny)
        return Rounded(value, error, self.unit)

    def through(self, function: Callable[[Tensor], Tensor]) -> "Rounded":
        """A function that is right to two roundings, read at both ends of what the number may be."""
        ends = torch.stack([self.value, self.value + self.error, self.value - self.error])
        value, *moved = function(ends).unbind()
        up, down = (torch.abs(m - value) for m in moved)
        return self.rounded(value, torch.maximum(up, down), halves=4)


class RoundedArithmetic:
    """``TensorArithmetic`` with errors."""

    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.unit = Unit.of(x)

    def exact(self, value: Tensor) -> Rounded:
        """A number without error."""
        return Rounded(value, torch.zeros_like(value), self.unit)

    def constant(self, number: sp.Expr) -> Rounded:
        """The nearest float; integers up to 2^24 are exact."""
        found = self.exact(self.x.new_tensor(TENSORS.constant(number)))
        if number.is_Integer and abs(int(number)) <= 1 << 24:  # pyright: ignore[reportArgumentType]
            return found
        return found.rounded(found.value, found.error)

    def apply(self, name: str, a: Rounded) -> Rounded:
        """Functions of ``expression.FUNCTIONS``."""
        found = a.through(lambda t: TENSORS.apply(name, t))
        if name in PERIODIC:
            found.error = torch.where(a.error < FAR, found.error, torch.inf)
        return found

    def power(self, a: Rounded, n: int) -> Rounded:
        """a^n."""
        return a * a if n == 2 else a.through(lambda t: TENSORS.power(t, n))

    def real_power(self, a: Rounded, exponent: Rounded) -> Rounded:
        """a^exponent; an error of the exponent moves it by that times log a."""
        found = a.through(lambda t: TENSORS.real_power(t, exponent.value))
        found.error = found.error + (found.value * a.value.log()).abs() * exponent.error
        return found

    def square_root(self, a: Rounded) -> Rounded:
        """The root of a."""
        return a.through(TENSORS.square_root)


def run_with_errors(tape: Tape, x: Tensor) -> tuple[Tensor, Tensor]:
    """All outputs at x, (*batch, d), and how far rounding may have moved each: both (*batch, outputs).

    A running error analysis to first order; nan where an operation is not finite.
    """
    with torch.no_grad():
        arithmetic = RoundedArithmetic(x)
        inputs = [arithmetic.exact(column) for column in x.unbind(dim=-1)]
        found = tape.run(arithmetic, inputs, tape.prepare(arithmetic))
        still = 0 * x.sum(dim=-1)
        values = torch.stack([a.value + still for a in found], dim=-1)
        return values, torch.stack([a.error + still for a in found], dim=-1)
