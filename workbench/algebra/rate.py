"""How fast a bound falls: its leading term as k, or the horizon K, grows.

Rules that change with k or K are substituted; other hyperparameters stay by name. A claim about one step
says by which factor its measure contracts.
"""

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import sympy as sp

from workbench.algebra.orders import N, NoOrderError, Order, leading
from workbench.algebra.rewriting import shown, spread, substituted
from workbench.algebra.samples import Place, changing, places, slope_seen
from workbench.algebra.steps import is_path, step_rate
from workbench.claims import Recurrence, free_symbols
from workbench.theorem import Theorem

MOST = 12
"""Places at which the order of two terms is decided."""

Kind = Literal["power", "linear", "floor", "constant", "step", "none"]


@dataclass(frozen=True)
class Rate:
    """The rate of a bound under one choice of rules.

    power     ~ coefficient * k^exponent * log(k)^logs
    linear    ~ coefficient * factor^k * k^exponent
    floor     tends to ``coefficient``; ``excess`` is the leading term of the rest, None where it is not found
    constant  does not change with k
    step      one step multiplies the measure ``of`` by ``factor`` and adds ``coefficient``, less ``less``;
              ``along``: the factor names quantities of the path
    none      says why in ``reason``

    per     the variable that grows: k, or K where the claim is about a horizon
    rules   the rules that change with it, substituted in ``bound``
    variant one choice of all rules of which this is the rate
    where   places at which it was decided which term leads
    """

    kind: Kind
    rules: Mapping[str, Any]
    bound: Any = None
    where: Sequence[Place] = ()
    variant: Mapping[str, Any] = field(default_factory=dict)
    per: str = "k"
    exponent: Any = sp.S.Zero
    logs: int = 0
    factor: Any = sp.S.One
    coefficient: Any = sp.S.Zero
    excess: Order | None = None
    of: Any = None
    less: Any = sp.S.Zero
    along: bool = False
    reason: str = ""

    def __str__(self) -> str:
        """One line for people."""
        if self.kind == "none":
            return self.reason
        if self.kind == "step":
            noise = "" if self.coefficient == 0 else f", plus {shown(self.coefficient)}"
            less = "" if self.less == 0 else f", less {shown(self.less)}"
            return f"at each step times {shown(self.factor)}{noise}{less}"
        if self.kind == "constant":
            return f"does not change with {self.per}"
        if self.kind == "floor":
            fall = "" if self.excess is None else f", the excess like {_fall(self.excess, self.per)}"
            return f"tends to {shown(self.coefficient)}{fall}"
        order = Order(self.coefficient, self.factor, self.exponent, self.logs)
        return f"{_fall(order, self.per)}, times {shown(self.coefficient)}"

    def to_json(self) -> dict[str, str]:
        """Its parts as texts; those that say nothing are left out."""
        parts = {"kind": self.kind, "per": self.per, "text": str(self)}
        if self.kind in ("power", "linear"):
            parts |= {"exponent": str(self.exponent), "logs": str(self.logs)}
        if self.kind in ("power", "linear", "floor", "step"):
            parts |= {"factor": shown(self.factor), "coefficient": shown(self.coefficient)}
        return parts | {"rules": ", ".join(f"{n} = {rule}" for n, rule in self.rules.items())}


def _fall(order: Order, n: str) -> str:
    """``k^-1``, ``(1 - mu*stepsize)^k``, ``k^(-1/2) log(k)``."""
    parts = [f"({shown(order.factor)})^{n}"] if order.factor != 1 else []
    if order.power != 0:
        parts.append(f"{n}^{order.power}" if sp.sympify(order.power).is_Integer else f"{n}^({order.power})")
    if order.logs:
        parts.append(f"log({n})" if order.logs == 1 else f"log({n})^{order.logs}")
    return " ".join(parts)


def rates(theorem: Theorem) -> list[Rate]:
    """One rate for each choice of rules that makes the bound change with k in another way."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for variant in theorem.variants():
        rules = {n: rule for n, rule in variant.items() if n not in theorem.options}
        key = tuple(sorted((n, str(rules[n])) for n in changing(rules) & _wanted(theorem, rules)))
        found.setdefault(key, []).append(rules)
    return [dataclasses.replace(_rate(theorem, group), variant=group[0]) for group in found.values()]


def _wanted(theorem: Theorem, rules: Mapping[str, Any]) -> set[str]:
    """Hyperparameters that the bound needs, through other rules too."""
    names = {s.name for s in free_symbols(theorem.bound)} & set(rules)
    while more := {s.name for n in names for s in free_symbols(rules[n])} & set(rules) - names:
        names |= more
    return names


def _rate(theorem: Theorem, group: Sequence[Mapping[str, Any]]) -> Rate:
    rules = group[0]
    moving = {n: rules[n] for n in sorted(changing(rules) & _wanted(theorem, rules))}
    if theorem.kind in ("equal", "exact"):
        return Rate("none", moving, reason="an identity, which has no rate")
    if theorem.bound == 0:
        return Rate("none", moving, reason="a bound of 0, which has no rate")
    if isinstance(theorem.bound, Recurrence) or any(isinstance(r, Recurrence) for r in moving.values()):
        seen = slope_seen(theorem, rules)
        return Rate("none", moving, reason=f"no closed form: a recursion; {seen}")
    where = _some([place for variant in group for place in places(theorem, variant)])
    try:
        if any(is_path(theorem, s.name) for s in free_symbols(theorem.bound)):
            factor, noise, of, less = step_rate(theorem, moving, where)
            along = any(is_path(theorem, s.name) for s in factor.free_symbols)
            step = {"factor": factor, "coefficient": noise, "of": of, "less": less, "along": along}
            return Rate("step", moving, where=where, **step)
        per = "K" if theorem.horizon_only(rules) else "k"
        return _leading_rate(substituted(theorem.bound, moving, per), moving, where, per)
    except NoOrderError as error:
        return Rate("none", moving, reason=f"no rate: {error}")


def _some(where: list[Place]) -> list[Place]:
    """At most MOST of the places, the same ones each time."""
    return where if len(where) <= MOST else random.Random(0).sample(where, MOST)


def _leading_rate(bound: Any, moving: Mapping[str, Any], where: Sequence[Place], per: str) -> Rate:
    order = leading(bound, where)
    common = {"rules": moving, "bound": bound, "where": where, "per": per, "coefficient": order.coefficient}
    if order.constant:
        kind = "floor" if bound.has(N) else "constant"
        return Rate(kind, excess=_excess(bound, order, where), **common)
    kind = "power" if order.factor == 1 else "linear"
    return Rate(kind, exponent=sp.sympify(order.power), logs=order.logs, factor=order.factor, **common)


def _excess(bound: Any, order: Order, where: Sequence[Place]) -> Order | None:
    """The leading term of what is left over the limit; None where nothing is, or it is not found."""
    try:
        rest = spread(bound) - order.coefficient
        return leading(rest, where) if rest.has(N) else None
    except NoOrderError:
        return None
