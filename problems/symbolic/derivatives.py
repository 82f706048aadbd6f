"""Derivatives of a formula in one or two variables, enclosed on boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp
from flint import arb, ctx

from problems.symbolic.ball_arithmetic import BALLS, ball
from problems.symbolic.expression import parse_expression
from problems.symbolic.shorter_form import shorter
from problems.symbolic.tape import Tape

Cell = tuple[tuple[float, float], ...]
"""A box: (low, high) for each variable."""
Tensors = list[list[arb]]
"""Derivatives of several orders, each as its list of coefficients."""
MOST = 3000
"""Operations of f, of an entry of its gradient or Hessian, and of what is differentiated further."""


@dataclass(frozen=True)
class Derivatives:
    """f and its derivatives.

    Order m has one coefficient, d^m f / dx^m, or with two variables the m + 1
    coefficients d^m f / dx^(m-j) dy^j, j = 0..m: the entries of a symmetric tensor.
    """

    tree: sp.Expr
    symbols: tuple[sp.Symbol, ...]

    @property
    def d(self) -> int:
        """Variables."""
        return len(self.symbols)

    @cached_property
    def _known(self) -> list[tuple[sp.Expr, ...]]:
        return [(self.tree,)]

    def expressions(self, order: int) -> tuple[sp.Expr, ...]:
        """The coefficients of an order as expressions; ValueError where they outgrow ``MOST``."""
        while len(self._known) <= order:
            last = self._known[-1]
            self._require_short(last)
            following = self._differentiated(last)
            if len(self._known) <= 2:
                self._require_short(following)
            self._known.append(following)
        return self._known[order]

    def _differentiated(self, last: Sequence[sp.Expr]) -> tuple[sp.Expr, ...]:
        """The coefficients of the next order."""
        try:
            following = [sp.diff(last[0], self.symbols[0])]
            if self.d == 2:
                following += [sp.diff(e, self.symbols[1]) for e in last]
            return tuple(shorter(e) for e in following)
        except OverflowError:
            raise ValueError(f"expr holds a number that is too large to be told: {self.tree}") from None

    def _require_short(self, expressions: Sequence[sp.Expr]) -> None:
        """ValueError for what would take minutes to differentiate: a product of n factors has n^k terms."""
        longest = max(int(sp.count_ops(e)) for e in expressions)
        if longest > MOST:
            raise ValueError(
                f"expr is too long to be differentiated: f or one of its derivatives has {longest} "
                f"operations, accepted are {MOST}"
            )

    @cached_property
    def _tapes(self) -> dict[tuple[int, ...], Tape]:
        return {}

    @cached_property
    def _constants(self) -> dict[tuple[tuple[int, ...], int], tuple[Any, ...]]:
        return {}

    def tape(self, orders: tuple[int, ...]) -> Tape:
        """The programme that computes the coefficients of these orders."""
        if orders not in self._tapes:
            self._tapes[orders] = Tape.of([e for m in orders for e in self.expressions(m)], self.symbols)
        return self._tapes[orders]

    def _prepared(self, orders: tuple[int, ...]) -> tuple[Tape, tuple[Any, ...]]:
        """The tape, and its constants in the bits of now."""
        tape, bits = self.tape(orders), ctx.prec
        if (orders, bits) not in self._constants:
            self._constants[orders, bits] = tape.prepare(BALLS)
        return tape, self._constants[orders, bits]

    def on(self, cell: Cell, orders: tuple[int, ...]) -> Tensors:
        """Balls around the coefficients of each order on the box."""
        return self.run([ball(low, high) for low, high in cell], orders)

    def at(self, point: Sequence[float], orders: tuple[int, ...]) -> Tensors:
        """Balls around the coefficients of each order at a point."""
        return self.run([arb(p) for p in point], orders)

    def run(self, inputs: Sequence[arb], orders: tuple[int, ...]) -> Tensors:
        """Balls around the coefficients of each order on balls."""
        tape, constants = self._prepared(orders)
        values = iter(tape.run(BALLS, inputs, constants))
        return [[next(values) for _ in range(m + 1 if self.d == 2 else 1)] for m in orders]


@lru_cache(maxsize=64)
def derivatives_of(text: str, d: int) -> Derivatives:
    """Derivatives of a formula; ValueError as ``parse_expression``."""
    return Derivatives(*parse_expression(text, d))
