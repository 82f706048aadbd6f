"""K(epsilon): after how many steps a bound is at most epsilon.

Solved in closed form where algebra can, and then checked by putting it back into the bound. Else what the
leading term says for small epsilon.
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch

from workbench.algebra.identities import numerator_of
from workbench.algebra.orders import N
from workbench.algebra.rate import Rate
from workbench.algebra.rewriting import abstracted, shown, spread
from workbench.algebra.samples import Place, numbers
from workbench.expressions import Evaluator
from workbench.symbols import OVER_STEPS, symbols

EPSILON: Any = symbols("epsilon")
START: Any = symbols("start")
TRIED = (2.0, 7.0, 23.0)
"""Numbers of steps k at which K(bound(k)) = k is asked, where the bound is not yet its limit in floats."""
VISIBLE = 1e-8
"""The share of the bound by which it must be above its limit there."""
CLOSE, ROUNDING = 1e-6, 1e-12
FALLS = (1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 1000.0)
"""Numbers of steps over which a solved bound must fall."""


@dataclass(frozen=True)
class Complexity:
    """Steps after which the bound is at most epsilon.

    exact    K(epsilon) = ceil(steps), where ``reason`` says
    leading  K(epsilon) ~ steps as epsilon goes to 0
    none     says why
    """

    kind: str
    steps: Any = None
    reason: str = ""

    def __str__(self) -> str:
        """One line for people."""
        if self.kind == "none":
            return self.reason
        text = shown(self.steps)
        if self.kind == "leading":
            return f"K(epsilon) ~ {text} as epsilon -> 0"
        return f"K(epsilon) = ceil({text})" + (f", {self.reason}" if self.reason else "")

    def to_json(self) -> dict[str, str]:
        """Its parts as texts."""
        steps = {} if self.steps is None else {"steps": shown(self.steps)}
        return {"kind": self.kind, "text": str(self), **steps}


def complexity(rate: Rate) -> Complexity:
    """K(epsilon) of a bound whose rate is known."""
    if rate.kind == "step":
        return _of_step(rate)
    if rate.kind in ("none", "constant"):
        return Complexity("none", reason=str(rate))
    solved = next((k for k in _solutions(rate.bound) if _right(rate, k)), None)
    if solved is not None:
        above = f"for epsilon > {shown(rate.coefficient)}" if rate.kind == "floor" else ""
        return Complexity("exact", solved, above)
    if rate.kind == "power" and rate.exponent.is_negative and not rate.logs:
        return Complexity("leading", (rate.coefficient / EPSILON) ** (-1 / rate.exponent))
    if rate.kind == "power" and rate.exponent == 0 and rate.logs < 0:
        return Complexity("leading", sp.exp((rate.coefficient / EPSILON) ** sp.Rational(-1, rate.logs)))
    if rate.kind == "linear":
        return Complexity("leading", sp.log(rate.coefficient / EPSILON) / sp.log(1 / rate.factor))
    if rate.kind == "floor":
        return Complexity("none", reason=f"never below {shown(rate.coefficient)} with these rules")
    return Complexity("none", reason="no closed form")


def _of_step(rate: Rate) -> Complexity:
    """From one step to many, where the factor is a number below 1."""
    if rate.along or rate.factor.has(N):
        return Complexity("none", reason="the factor changes along the path")
    if any(not bool((numbers(rate.factor, place) < 1).all()) for place in rate.where):
        return Complexity("none", reason="one step does not contract by a factor")
    if rate.coefficient != 0:
        limit = rate.coefficient / (1 - rate.factor)
        return Complexity("none", reason=f"repeated, down to {shown(limit)}")
    steps = sp.log(START / EPSILON) / sp.log(1 / rate.factor)
    return Complexity("exact", steps, f"from {shown(rate.of)} = start")


def _right(rate: Rate, k: Any) -> bool:
    """K(bound(k)) = k wherever the bound falls, and it falls or is constant at every place."""
    asked = False
    for place in rate.where:
        values = [_bound_at(rate.bound, place, at) for at in FALLS]
        if any(later > earlier * (1 + ROUNDING) for earlier, later in itertools.pairwise(values)):
            return False
        if values[-1] >= values[0] * (1 - ROUNDING):
            continue
        tried = {at: _bound_at(rate.bound, place, at) for at in TRIED}
        for at, now in tried.items():
            if now - values[-1] <= VISIBLE * abs(now):
                continue
            asked = True
            epsilon = torch.full((1, 1), now, dtype=torch.float64)
            found = float(numbers(k, {**place, "epsilon": epsilon})[0])
            if not math.isclose(found, at, rel_tol=CLOSE):
                return False
    return asked


def _bound_at(bound: Any, place: Place, k: float) -> float:
    now = {**place, "k": torch.full((1, 1), k, dtype=torch.float64)}
    return float(Evaluator(now, 1)(bound).reshape(-1)[0])


def _solutions(bound: Any) -> Iterator[Any]:
    """Candidates for k in bound = epsilon; each is to be checked."""
    if bound.has(*OVER_STEPS):
        return
    for e in dict.fromkeys((bound, spread(bound))):
        small, parts = abstracted(e)
        try:
            for k in _solve(small, EPSILON):
                yield k.xreplace(parts)
        except (NotImplementedError, ValueError, sp.PolynomialError):
            continue


def _solve(e: Any, value: Any) -> Iterator[Any]:
    """k with e = value: operations undone one by one, then a polynomial in a power, in a root or in k."""
    if e == N:
        yield value
        return
    inner = [a for a in e.args if a.has(N)]
    if len(inner) == 1:
        undone = _undone(e, inner[0], value)
        if undone is not None:
            yield from _solve(inner[0], undone)
        return
    powers = {p for p in e.atoms(sp.Pow) if p.exp.has(N)}
    roots = {p for p in e.atoms(sp.Pow) if p.has(N) and p.exp == sp.Rational(1, 2)}
    unknown = sp.Dummy("u", positive=True)
    if len(powers) == 1:
        (power,) = powers
        for u in _polynomial(e.xreplace({power: unknown}) - value, unknown):
            yield from _solve(power, u)
    elif len(roots) == 1:
        (root,) = roots
        for u in sp.solve(e.xreplace({root: unknown}) - value, unknown):
            yield from _polynomial(u**2 - root.base, N)
    elif not powers and not roots:
        yield from _polynomial(e - value, N)


def _undone(e: Any, inner: Any, value: Any) -> Any:
    rest = e.func(*(a for a in e.args if a is not inner)) if isinstance(e, sp.Add | sp.Mul) else None
    if isinstance(e, sp.Add):
        return value - rest
    if isinstance(e, sp.Mul):
        return value / rest
    if isinstance(e, sp.Pow):
        return value ** (1 / e.exp) if inner == e.base else sp.log(value) / sp.log(e.base)
    if isinstance(e, sp.log):
        return sp.exp(value)
    return sp.log(value) if isinstance(e, sp.exp) else None


def _polynomial(e: Any, unknown: Any) -> list[Any]:
    """Roots of degree at most 2. Nothing where the numerator is no such polynomial."""
    numerator = numerator_of(e)
    if not numerator.has(unknown) or not numerator.is_polynomial(unknown):
        return []
    p = sp.Poly(numerator, unknown)
    if p.degree() == 1:
        a, b = p.all_coeffs()
        return [-b / a]
    if p.degree() == 2:
        a, b, c = p.all_coeffs()
        root = sp.sqrt(sp.factor(b**2 - 4 * a * c))
        return [(-b + root) / (2 * a), (-b - root) / (2 * a)]
    return []
