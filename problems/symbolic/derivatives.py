"""Derivatives of a formula in one or two variables, enclosed on boxes."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import sympy as sp
from flint import arb

from problems.symbolic.ball_arithmetic import BALLS, ball
from problems.symbolic.expression import parse_expression
from problems.symbolic.shorter_form import shorter
from problems.symbolic.tape import Tape

Cell = tuple[tuple[float, float], ...]
"""A box: (low, high) for each variable."""
Tensors = list[list[arb]]
"""Derivatives of several orders, each as its list of coefficients."""


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
        """The coefficients of an order as expressions."""
        while len(self._known) <= order:
            last = self._known[-1]
            following = [sp.diff(last[0], self.symbols[0])]
            if self.d == 2:
                following += [sp.diff(e, self.symbols[1]) for e in last]
            self._known.append(tuple(shorter(e) for e in following))
        return self._known[order]

    @cached_property
    def _tapes(self) -> dict[tuple[int, ...], tuple[Tape, tuple[Any, ...]]]:
        return {}

    def tape(self, orders: tuple[int, ...]) -> Tape:
        """The programme that computes the coefficients of these orders."""
        return self._prepared(orders)[0]

    def _prepared(self, orders: tuple[int, ...]) -> tuple[Tape, tuple[Any, ...]]:
        if orders not in self._tapes:
            tape = Tape.of([e for m in orders for e in self.expressions(m)], self.symbols)
            self._tapes[orders] = tape, tape.prepare(BALLS)
        return self._tapes[orders]

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
