"""Tapes on tensors."""

import math
from collections.abc import Callable, Mapping

import sympy as sp
import torch
from torch import Tensor

from problems.symbolic.tape import Tape

_FUNCTIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "exp": torch.exp,
    "log": torch.log,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "cot": lambda a: 1 / torch.tan(a),
    "sinh": torch.sinh,
    "cosh": torch.cosh,
    "tanh": torch.tanh,
    "atan": torch.atan,
}


class TensorArithmetic:
    """Elementwise, in the dtype of the tensors; constants are rounded to float64."""

    def constant(self, number: sp.Expr) -> float:
        """The nearest float; infinite beyond all of them."""
        if number is sp.pi:
            return math.pi
        if number is sp.E:
            return math.e
        top, bottom = int(number.p), int(number.q)  # pyright: ignore[reportAttributeAccessIssue]
        try:
            return top / bottom
        except OverflowError:
            return math.copysign(math.inf, top)

    def apply(self, name: str, a: Tensor) -> Tensor:
        """Functions of ``problems.expression.FUNCTIONS``."""
        return _FUNCTIONS[name](a)

    def power(self, a: Tensor, n: int) -> Tensor:
        """a^n."""
        return a**n

    def real_power(self, a: Tensor, exponent: Tensor) -> Tensor:
        """a^exponent; nan for a < 0."""
        return a**exponent

    def square_root(self, a: Tensor) -> Tensor:
        """nan for a < 0."""
        return a.sqrt()


TENSORS = TensorArithmetic()


def run_on_tensor(tape: Tape, x: Tensor) -> Tensor:
    """All outputs at x, (*batch, d): (*batch, outputs). Outputs that are constant are nan where x is."""
    constants = [x.new_tensor(c) for c in tape.prepare(TENSORS)]
    found = tape.run(TENSORS, x.unbind(dim=-1), constants)
    still = 0 * x.detach().sum(dim=-1)
    return torch.stack([value if value.shape == still.shape else value + still for value in found], dim=-1)
