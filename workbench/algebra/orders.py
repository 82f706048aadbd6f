"""The leading term of an expression as k grows: coefficient * factor^k * k^power * log(k)^logs.

A calculus on expression trees: each node's leading term from those of its arguments. Which of two terms
leads can depend on the constants; it is decided at several places, and where these disagree nothing is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch

from workbench.algebra.samples import Place, numbers
from workbench.symbols import OVER_CLIENTS, OVER_LAYERS, avg, symbols, total

N: Any = symbols("k")
"""The variable that grows."""

RTOL = 1e-9
"""Two numbers this close are the same, one that is this small among its terms has cancelled."""


class NoOrderError(Exception):
    """The leading term is not found; says why."""


@dataclass(frozen=True)
class Order:
    """coefficient * factor^k * k^power * log(k)^logs, the first two free of k; 0 has coefficient 0."""

    coefficient: Any
    factor: Any = sp.S.One
    power: Any = sp.S.Zero
    logs: int = 0

    @property
    def constant(self) -> bool:
        """True if it does not change with k."""
        return self.factor == 1 and self.power == 0 and self.logs == 0

    def as_expression(self) -> Any:
        """The leading term itself."""
        return self.coefficient * self.factor**N * N**self.power * sp.log(N) ** self.logs


def leading(e: Any, where: Sequence[Place]) -> Order:
    """The leading term of e as its symbol k grows. NoOrderError where the calculus has no rule."""
    if not where:
        raise NoOrderError("requires holds at none of the places tried")
    return _Calculus(where).of(sp.sympify(e))


class _Calculus:
    def __init__(self, where: Sequence[Place]) -> None:
        self._where = where

    def of(self, e: Any) -> Order:
        if not e.has(N):
            return Order(e)
        if e == N:
            return Order(sp.Integer(1), power=sp.Integer(1))
        if isinstance(e, sp.Add):
            return self._sum(e)
        if isinstance(e, sp.Mul):
            return self._product([self.of(a) for a in e.args])
        if isinstance(e, sp.Pow):
            return self._power(e)
        if isinstance(e, sp.Max | sp.Min):
            return self._extreme(e)
        if isinstance(e, total | avg):
            whole = self._total(e.args[0])
            return whole if isinstance(e, total) else self._product([whole, Order(sp.Integer(1), power=-1)])
        if isinstance(e, OVER_LAYERS + OVER_CLIENTS):
            return self._reduced(e)
        if isinstance(e, sp.log):
            return self._log(self.of(e.args[0]))
        if isinstance(e, sp.exp):
            return self._power(sp.Pow(sp.E, e.args[0], evaluate=False))  # pyright: ignore[reportArgumentType]
        raise NoOrderError(f"no rule for {type(e).__name__}")

    def _sum(self, e: sp.Add) -> Order:
        orders = [self.of(a) for a in e.args]
        lead = orders[0]
        for other in orders[1:]:
            lead = other if self._compared(other, lead) > 0 else lead
        tied = [o for o in orders if self._compared(o, lead) == 0]
        coefficient: Any = sp.Add(*(o.coefficient for o in tied))
        size = sp.Add(*(sp.Abs(o.coefficient) for o in tied))
        if len(tied) > 1 and any(
            (numbers(coefficient, p).abs() <= RTOL * numbers(size, p)).any() for p in self._where
        ):
            if (expanded := sp.expand(e)) != e:
                return self.of(expanded)
            raise NoOrderError("the leading terms cancel")
        return Order(coefficient, lead.factor, lead.power, lead.logs)

    def _product(self, orders: Sequence[Order]) -> Order:
        return Order(
            sp.Mul(*(o.coefficient for o in orders)),
            sp.Mul(*(o.factor for o in orders)),
            sp.Add(*(o.power for o in orders)),
            sum(o.logs for o in orders),
        )

    def _power(self, e: sp.Pow) -> Order:
        base, exponent = e.args
        if not exponent.has(N):
            inner = self.of(base)
            if inner.logs and not exponent.is_Integer:
                raise NoOrderError("a root of a logarithm")
            logs = inner.logs * int(exponent) if inner.logs else 0  # pyright: ignore[reportArgumentType]
            return Order(inner.coefficient**exponent, inner.factor**exponent, inner.power * exponent, logs)
        slope = exponent.diff(N)
        if base.has(N) or slope.has(N):
            raise NoOrderError(f"the power {e} is not a constant to a multiple of k")
        return Order(base ** exponent.subs(N, 0), base**slope)

    def _extreme(self, e: Any) -> Order:
        sign = 1 if isinstance(e, sp.Max) else -1
        orders = [self.of(a) for a in e.args]
        lead = orders[0]
        for other in orders[1:]:
            lead = other if sign * self._compared(other, lead) > 0 else lead
        tied = [o for o in orders if self._compared(o, lead) == 0]
        return Order(type(e)(*(o.coefficient for o in tied)), lead.factor, lead.power, lead.logs)

    def _total(self, inner: Any) -> Order:
        """The sum over j < k by comparison with an integral; where it converges, its value in the limit."""
        if not inner.has(N):
            return Order(inner, power=sp.Integer(1))
        order = self.of(inner)
        if self._compared(Order(sp.Integer(1), order.factor), Order(sp.Integer(1))) == 0 and order.logs == 0:
            power = order.power
            if power > -1:
                return Order(order.coefficient / (power + 1), power=power + 1)
            if power == -1:
                return Order(order.coefficient, logs=1)
        steady, shape = inner.as_independent(N, as_Add=False)
        if isinstance(shape, sp.Pow) and shape.base == N + 1 and shape.exp.is_number and shape.exp < -1:
            return Order(steady * sp.zeta(-shape.exp))
        raise NoOrderError(f"the limit of a sum of {inner}")

    def _reduced(self, e: Any) -> Order:
        inner = self.of(e.args[0])
        return Order(type(e)(inner.coefficient), inner.factor, inner.power, inner.logs)

    def _log(self, inner: Order) -> Order:
        if inner.factor != 1:
            return Order(sp.log(inner.factor), power=sp.Integer(1))
        if inner.power != 0:
            return Order(inner.power, logs=1)
        raise NoOrderError("a logarithm of what tends to a constant")

    def _compared(self, a: Order, b: Order) -> int:
        """1 if a outgrows b, -1 if b outgrows a, 0 if they grow alike."""
        if a.coefficient == 0 or b.coefficient == 0:
            return int(a.coefficient != 0) - int(b.coefficient != 0)
        by_factor = self._sign(a.factor, b.factor)
        if by_factor:
            return by_factor
        if a.power != b.power:
            return 1 if a.power > b.power else -1
        return (a.logs > b.logs) - (a.logs < b.logs)

    def _sign(self, a: Any, b: Any) -> int:
        if a == b:
            return 0
        signs = set()
        for place in self._where:
            left, right = torch.broadcast_tensors(numbers(a, place), numbers(b, place))
            if not bool((left.isfinite() & right.isfinite()).all()):
                raise NoOrderError(f"{_short(a)} or {_short(b)} is not finite where it was tried")
            close = (left - right).abs() <= RTOL * (left.abs() + right.abs())
            signs |= {int(s) for s in torch.where(close, 0.0, torch.sign(left - right))}
        if len(signs) > 1:
            raise NoOrderError(f"whether {_short(a)} or {_short(b)} is larger depends on the constants")
        return signs.pop()


def _short(e: Any) -> str:
    text = str(e)
    return text if len(text) < 50 else f"{text[:47]}..."
