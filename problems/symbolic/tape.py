"""Expressions as straight-line programmes, run in any arithmetic: tensors, or balls that enclose."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import sympy as sp


class Arithmetic(Protocol):
    """What a tape asks of numbers."""

    def constant(self, number: sp.Expr) -> Any:
        """A sympy number: a rational, pi or E."""
        ...

    def apply(self, name: str, a: Any) -> Any:
        """A function of one argument, by its sympy name."""
        ...

    def power(self, a: Any, n: int) -> Any:
        """a^n, n any integer."""
        ...

    def real_power(self, a: Any, exponent: Any) -> Any:
        """a^exponent for a > 0 and a constant exponent."""
        ...

    def square_root(self, a: Any) -> Any:
        """The root of a >= 0."""
        ...


class Step(NamedTuple):
    """One operation: ``name``, the slots that it reads, and an integer exponent."""

    name: str
    a: int
    b: int = 0


@dataclass(frozen=True)
class Tape:
    """Values of expressions at once, common parts computed once.

    Slots: the variables, then the constants, then one for each step.
    """

    variables: int
    constants: tuple[sp.Expr, ...]
    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    @classmethod
    def of(cls, expressions: Iterable[sp.Expr], variables: Sequence[sp.Symbol]) -> "Tape":
        """The tape of expressions made by ``expression.parse_expression`` and their derivatives."""
        expressions = tuple(expressions)
        constants: dict[Any, None] = {}
        for expression in expressions:
            for node in sp.preorder_traversal(expression):
                if node.is_Rational or node in (sp.pi, sp.E):
                    constants.setdefault(node)
        constants.setdefault(sp.Integer(1))
        writer = _Writer({slot: i for i, slot in enumerate((*variables, *constants))})
        outputs = tuple(writer.slot(expression) for expression in expressions)
        return cls(len(variables), tuple(constants), tuple(writer.steps), outputs)

    def prepare(self, arithmetic: Arithmetic) -> tuple[Any, ...]:
        """The constants in an arithmetic, for ``run``."""
        return tuple(arithmetic.constant(number) for number in self.constants)

    def run(self, arithmetic: Arithmetic, inputs: Sequence[Any], constants: Sequence[Any]) -> list[Any]:
        """The outputs at the inputs; constants: what ``prepare`` returned."""
        slots = [*inputs, *constants]
        for name, a, b in self.steps:
            if name == "add":
                slots.append(slots[a] + slots[b])
            elif name == "mul":
                slots.append(slots[a] * slots[b])
            elif name == "neg":
                slots.append(-slots[a])
            elif name == "pow":
                slots.append(arithmetic.power(slots[a], b))
            elif name == "sqrt":
                slots.append(arithmetic.square_root(slots[a]))
            elif name == "real_power":
                slots.append(arithmetic.real_power(slots[a], slots[b]))
            else:
                slots.append(arithmetic.apply(name, slots[a]))
        return [slots[i] for i in self.outputs]


class _Writer:
    """Writes each subexpression once."""

    def __init__(self, slots: dict[sp.Expr, int]) -> None:
        self.slots = slots
        self.steps: list[Step] = []
        self.free = len(slots)
        self.written: dict[Step, int] = {}

    def slot(self, e: Any) -> int:
        """Where the value of e stands."""
        if e not in self.slots:
            self.slots[e] = self._write(e)
        return self.slots[e]

    def _step(self, name: str, a: int, b: int = 0) -> int:
        step = Step(name, a, b)
        if step not in self.written:
            self.steps.append(step)
            self.written[step] = self.free
            self.free += 1
        return self.written[step]

    def _write(self, e: Any) -> int:
        if isinstance(e, sp.Add):
            return self._fold("add", e.args)
        if isinstance(e, sp.Mul):
            factors = [a for a in e.args if a is not sp.S.NegativeOne]
            product = self._fold("mul", factors)
            return self._step("neg", product) if len(factors) < len(e.args) else product
        if isinstance(e, sp.Pow):
            return self._power(*e.args)
        return self._step(type(e).__name__, self.slot(e.args[0]))

    def _fold(self, name: str, args: Sequence[Any]) -> int:
        result, *others = (self.slot(a) for a in args)
        for other in others:
            result = self._step(name, result, other)
        return result

    def _power(self, base: Any, exponent: Any) -> int:
        inner = self.slot(base)
        if exponent.is_Integer:
            return self._step("pow", inner, int(exponent))
        if exponent.is_Rational and exponent.q == 2:
            root = self._step("sqrt", inner)
            return root if exponent.p == 1 else self._step("pow", root, int(exponent.p))
        return self._step("real_power", inner, self.slot(exponent))
