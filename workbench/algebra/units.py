"""Do both sides of a claim have one unit? x in lengths, f in values.

A claim whose sides agree keeps its truth when f is multiplied and x is stretched; one that adds a length to
a value, or compares them, cannot be true of all problems. A number has no unit; 0 and infinity have any.

A rule may set a scale of its own: ``radius = 1/20`` is a length in the units of the problem. Such a rule
*fixes* a unit, named in the report. Where the claim has the rule's number written into it, it can agree only
once this unit is 1; the report says so, and nothing else is excused.
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from sympy.logic.boolalg import Boolean

from workbench.algebra.unit_tables import CONSTANTS, FACTS, FIELDS, FIELDS_OF
from workbench.claims import Recurrence
from workbench.symbols import OVER_CLIENTS, OVER_LAYERS, avg, best, first, product, total
from workbench.theorem import Theorem
from workbench.well_stated import swept

Unit = tuple[Fraction, Fraction]
"""Powers of the unit of x and of the unit of f."""

ONE: Unit = (Fraction(0), Fraction(0))
BEYOND = sp.Float("1e300")
"""A number this large stands for infinity, which has any unit."""
_KEEP = (sp.Abs, sp.ceiling, sp.floor, total, avg, best, *OVER_LAYERS, *OVER_CLIENTS)
_BARE = (sp.exp, sp.log, sp.sign, product)


class UnstatedUnitError(ValueError):
    """A name whose unit nothing states."""


def parsed(text: str) -> Unit:
    """``"f / x^2"`` as powers. ValueError for another form."""
    above, _, below = text.partition("/")
    powers = {"x": Fraction(0), "f": Fraction(0)}
    for part, sign in ((above, 1), (below, -1)):
        for factor in part.split():
            letter, _, power = factor.partition("^")
            if letter in powers:
                powers[letter] += sign * Fraction(power or 1)
            elif factor != "1":
                raise ValueError(f"a unit is written with x and f, as 'f / x^2', got {text!r}")
    return powers["x"], powers["f"]


def written(unit: Unit) -> str:
    """Powers as ``"f / x^2"``, ``"1"`` for none."""
    named = [(letter, power) for letter, power in zip("fx", unit[::-1], strict=True) if power]
    sides = ([(n, p) for n, p in named if p > 0], [(n, -p) for n, p in named if p < 0])
    above, below = (" ".join(n if p == 1 else f"{n}^{p}" for n, p in side) for side in sides)
    return (above or "1") + (f" / {below}" if below else "")


@dataclass(frozen=True)
class Units:
    """What the check found.

    unit      the claim's unit, empty where both sides have any
    fixed     (rule, the unit that it sets to 1)
    excused   mismatches of the claim in a unit that a rule sets to 1
    wrong     mismatches that nothing explains
    unstated  names whose unit is not known: then nothing else was checked
    """

    unit: str = ""
    fixed: tuple[tuple[str, str], ...] = ()
    excused: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    unstated: str = ""

    @property
    def agree(self) -> bool:
        """True if the claim was checked and no mismatch is left unexplained."""
        return not self.wrong and not self.unstated

    def __str__(self) -> str:
        """One line for people."""
        if self.unstated:
            return f"not checked: {self.unstated}"
        if self.wrong:
            return f"DISAGREE: {'; '.join(self.wrong)}"
        fixed = [f"the rule of {name} sets {unit} = 1" for name, unit in self.fixed]
        said = f"agree ({self.unit})" if self.unit else "agree"
        used = "; numbers of the rule stand in the claim" if self.excused else ""
        return "; ".join([said, *fixed]) + used


def check_units(theorem: Theorem) -> Units:
    """Units of measured and bound, ``when``, ``requires`` and every rule."""
    try:
        fixed = _fixed_by_rules(theorem)
        reader = _Reader(theorem)
        sides = [reader.of(getattr(theorem, what), what) for what in ("measured", "bound")]
        unit = reader.same(sides, "measured and bound")
        for what in ("when", "requires"):
            reader.of(getattr(theorem, what), what)
    except UnstatedUnitError as error:
        return Units(unstated=str(error))
    gauge = [parsed(text) for _, text in fixed]
    excused = tuple(said for said, ratio in reader.mismatches if _spanned(ratio, gauge))
    wrong = tuple(said for said, ratio in reader.mismatches if not _spanned(ratio, gauge))
    return Units("" if unit is None else written(unit), tuple(fixed), excused, wrong)


def _fixed_by_rules(theorem: Theorem) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, rule in theorem.parameters.items():
        if name in theorem.options:
            continue
        for value in swept(rule):
            reader = _Reader(theorem)
            reader.same([reader.field(name), reader.of(value, f"the rule of {name}")], f"{name} and its rule")
            found += [(name, written(_upright(ratio))) for _, ratio in reader.mismatches]
    return list(dict.fromkeys(found))


def _upright(ratio: Unit) -> Unit:
    """The ratio or its inverse, the one that is no bare denominator."""
    return ratio if (ratio[1] or ratio[0]) > 0 else (-ratio[0], -ratio[1])


def _spanned(ratio: Unit, gauge: list[Unit]) -> bool:
    """True if the ratio is 1 once the units of ``gauge`` are 1: it lies in their span."""
    rank = sp.Matrix([list(u) for u in gauge]).rank() if gauge else 0
    return bool(gauge) and sp.Matrix([list(u) for u in (*gauge, ratio)]).rank() == rank


class _Reader:
    """The unit of an expression, bottom up; None is any unit. Mismatches are collected, not raised."""

    def __init__(self, theorem: Theorem) -> None:
        self._theorem = theorem
        self._own: dict[str, Unit | None] = {}
        self.mismatches: list[tuple[str, Unit]] = []

    def of(self, side: Any, where: str) -> Unit | None:
        """The unit of one side of the claim or of a rule."""
        self._where = where
        return self._recurrence(side) if isinstance(side, Recurrence) else self._unit(sp.sympify(side))

    def same(self, units: list[Unit | None], what: str) -> Unit | None:
        """The first stated unit of these; every other one is a mismatch."""
        stated = [u for u in units if u is not None]
        for other in stated[1:]:
            if other != stated[0]:
                ratio = (other[0] - stated[0][0], other[1] - stated[0][1])
                self.mismatches.append((f"{what}: {written(stated[0])} and {written(other)}", ratio))
        return stated[0] if stated else None

    def field(self, name: str) -> Unit:
        """The unit of a hyperparameter. UnstatedUnitError if no table has it."""
        texts = {FIELDS_OF.get((m.__name__, name), FIELDS.get(name, "")) for m in self._theorem.methods}
        return self._stated(name, texts.pop() if len(texts) == 1 else "")

    def _stated(self, name: str, text: str) -> Unit:
        if not text:
            raise UnstatedUnitError(f"the unit of {name} is not stated")
        return parsed(text)

    def _symbol(self, name: str) -> Unit | None:
        if name in self._own:
            return self._own[name]
        meaning = self._theorem.meaning(name)
        if meaning.kind == "field":
            return self.field(name)
        if meaning.kind == "constant":
            return self._stated(name, CONSTANTS.get(name, ""))
        if meaning.kind == "fact":
            return parsed(FACTS.get(name, "1"))
        return self._stated(name, self._theorem.all_quantities[meaning.base].unit)

    def _unit(self, e: sp.Basic) -> Unit | None:
        if isinstance(e, sp.Symbol):
            return self._symbol(e.name)
        if e.is_Number:
            return None if e == 0 or e.is_infinite or abs(sp.Float(e)) >= BEYOND else ONE  # pyright: ignore
        if isinstance(e, sp.Pow):
            return self._power(e)
        if isinstance(e, sp.Piecewise):
            for arg in e.args:
                self._unit(arg.args[1])
            return self.same([self._unit(arg.args[0]) for arg in e.args], f"{self._where}, {_short(e)}")
        units = [self._unit(a) for a in e.args]
        if isinstance(e, sp.Mul):
            return None if None in units else tuple(sum(u[i] for u in units) for i in (0, 1))  # pyright: ignore
        if isinstance(e, _KEEP):
            return units[0]
        if isinstance(e, _BARE):
            self.same([ONE, *units], f"{self._where}, argument of {_short(e)}")
            return ONE
        found = self.same(units, f"{self._where}, {_short(e)}")
        counts = isinstance(e, first | Boolean)
        return ONE if counts else found

    def _power(self, e: sp.Pow) -> Unit | None:
        base, exponent = self._unit(e.base), self._unit(e.exp)
        self.same([ONE, exponent], f"{self._where}, exponent of {_short(e)}")
        if e.exp.is_Rational:
            power = Fraction(int(e.exp.p), int(e.exp.q))  # pyright: ignore[reportAttributeAccessIssue]
            return None if base is None else (base[0] * power, base[1] * power)
        self.same([ONE, base], f"{self._where}, base of {_short(e)}")
        return ONE

    def _recurrence(self, side: Recurrence) -> Unit | None:
        """Units of the recursion's variables from their start, or from the update of one that starts at 0."""
        self._own = {name: self._unit(sp.sympify(e)) for name, e in side.start.items()}
        known = len(self.mismatches)
        for name, e in side.update.items():
            if self._own[name] is None:
                self._own[name] = self._unit(sp.sympify(e))
        del self.mismatches[known:]
        for name, e in side.update.items():
            self.same([self._own[name], self._unit(sp.sympify(e))], f"{self._where}, update of {name}")
        return self._own[side.value]


def _short(e: sp.Basic) -> str:
    text = str(e)
    return text if len(text) <= 60 else f"{text[:57]}..."
