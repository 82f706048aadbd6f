"""A theorem as data: method, assumptions, parameter rule, measured quantity, bound, source."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp
from torch import Tensor

from assumptions import EUCLIDEAN, Assumption, Norm
from workbench.claims import Recurrence, free_symbols
from workbench.kinds import require_of_kind
from workbench.methods.base import Method
from workbench.parts import FACTS, Kind, Meaning, Mutant, Source, Tight
from workbench.quantities import SHARED
from workbench.quantity import Quantity, as_quantity
from workbench.symbols import after, symbols
from workbench.well_stated import (
    listed,
    require_fields,
    require_mutants,
    require_readable,
    require_rules,
    require_side,
    swept,
)


@dataclass(frozen=True, kw_only=True)
class Theorem:
    """A claim ``measured <= bound``; its kind says of what.

    path   on every run at every k                    exact, equal  measured = bound; the same iterates
    step   E[measured | state] <= bound at any state  mean  E[measured] <= bound at every k
    hp     measured <= bound at every k, but for runs of probability ``failure``
    slope  E[measured] = O(K^exponent) over horizons K

    In a step claim ``measured`` may speak of the next state, the bound and ``when`` of the state alone, which
    also plays the start. In a mean or slope claim ``measured`` is nonnegative and the bound deterministic.

    id, title    name in commands; one sentence
    source       the paper, and whether it was read there
    method       a class, or a tuple of classes that share the quantities used (equal: exactly two)
    parameters   a rule for every field of the method: an expression of constants, q0, K, k and each
                 other, or a Recurrence; of its ``options``, the object. A tuple is a sweep, each value a
                 record of its own
    assumes      classes of assumptions; their constants may be used by name
    measured, bound  expressions in method fields, constants, facts and quantities (suffix _next, 0)
    when         domain at step k; outside it the claim says nothing
    requires     condition on constants and parameters; without it the theorem does not apply
    norm         the one geometry of distances, dual gradient norms, constants and the method; a tuple is
                 a sweep, each norm a statement and records of its own
    mutants      false variants, each with an instance that must refute it
    tight        the tightest instances known, with the tightness expected there
    proof        in words, where it is proved here
    quantities   further quantities, beside the shared ones and the method's
    failure      hp: the probability that the claim allows, in (0, 1); exponent  slope: a number

    ValueError for an unknown name (the known ones are listed), a symbol that ``symbols()`` did not
    make, a method field without a rule, an unknown kind.
    """

    id: str
    title: str
    source: Source
    method: type[Method] | tuple[type[Method], ...]
    parameters: Mapping[str, Any]
    assumes: tuple[type[Assumption], ...] = ()
    measured: Any = 0
    bound: Any = 0
    kind: Kind = "path"
    when: Any = True
    requires: Any = True
    norm: Norm | tuple[Norm, ...] = EUCLIDEAN
    mutants: tuple[Mutant, ...] = ()
    tight: tuple[Tight, ...] = ()
    proof: str = ""
    quantities: Mapping[str, Quantity | Callable[..., Tensor]] = field(default_factory=dict)
    failure: float | None = None
    exponent: float | None = None

    def __post_init__(self) -> None:
        """Resolve every name now: a claim that cannot be read is rejected before any run."""
        require_fields(self)
        for name in ("measured", "bound", "when", "requires"):
            object.__setattr__(self, name, self._expanded(getattr(self, name)))
            require_side(self, name)
        require_rules(self)
        require_mutants(self)
        require_readable(self)
        require_of_kind(self)

    def in_norms(self) -> list["Theorem"]:
        """The theorem in each of its norms."""
        return list(self._in_norms) if isinstance(self.norm, tuple) else [self]

    @cached_property
    def _in_norms(self) -> tuple["Theorem", ...]:
        return tuple(dataclasses.replace(self, norm=n, mutants=(), tight=()) for n in swept(self.norm))

    @property
    def geometry(self) -> Norm:
        """The norm of a theorem that has one. ValueError for a sweep of norms."""
        if isinstance(self.norm, tuple):
            raise ValueError(f"{self.id} is stated in {len(self.norm)} norms; take one of in_norms()")
        return self.norm

    # -- what the parts are ----------------------------------------------------------------------

    @property
    def methods(self) -> tuple[type[Method], ...]:
        """The method classes, one or several."""
        return swept(self.method)

    @property
    def fields(self) -> tuple[str, ...]:
        """Hyperparameters of all the methods, without repetition."""
        return tuple(dict.fromkeys(name for m in self.methods for name in m.fields()))

    @property
    def options(self) -> tuple[str, ...]:
        """Hyperparameters that are objects, not numbers."""
        return tuple(dict.fromkeys(name for m in self.methods for name in m.options))

    @property
    def facts(self) -> tuple[str, ...]:
        """Facts of the problem, then those that every method knows of itself on it."""
        first, *others = self.methods
        return (*FACTS, *(n for n in first.facts if all(n in m.facts for m in others)))

    @property
    def constants(self) -> dict[str, type[Assumption]]:
        """Constant name, or name of a number derived from constants -> the assumed class of it."""
        return {name: a for a in self.assumes for name in (*a.constants(), *a.derived)}

    @cached_property
    def all_quantities(self) -> dict[str, Quantity]:
        """Shared quantities, then the methods', then the theorem's own.

        Of several methods those that all have; where two are compared, those of the first.
        """
        first, *others = self.methods if self.kind != "equal" else self.methods[:1]
        own = {n: q for n, q in first.quantities.items() if all(n in m.quantities for m in others)}
        return {name: as_quantity(name, q) for name, q in {**SHARED, **own, **self.quantities}.items()}

    def meaning(self, name: str) -> Meaning:
        """Resolve a name: fields, constants, facts, quantities; full names before suffixes."""
        quantities = self.all_quantities
        if name in self.fields:
            return Meaning("field", name)
        if name in self.constants:
            return Meaning("constant", name)
        if name in self.facts:
            return Meaning("fact", name)
        if name in quantities:
            return Meaning("quantity", name)
        if name.endswith("_next") and name[:-5] in quantities:
            return Meaning("quantity", name[:-5], "next")
        if name.endswith("0") and name[:-1] in quantities:
            return Meaning("quantity", name[:-1], "start")
        raise ValueError(
            f"{self.id}: unknown symbol {name!r}; known: method fields {listed(self.fields)}; constants "
            f"{listed(self.constants)}; facts {listed(self.facts)}; quantities {listed(quantities)} "
            "(each also with suffix _next or 0)"
        )

    @cached_property
    def next_names(self) -> set[str]:
        """Names in the claim that mean a quantity at k + 1."""
        used = {s.name for e in (self.measured, self.bound, self.when) for s in free_symbols(e)}
        return {name for name in used if self.meaning(name).when == "next"}

    @cached_property
    def uses(self) -> dict[str, Meaning]:
        """Every name in measured, bound and when, with its meaning."""
        sides = (self.measured, self.bound, self.when)
        return {s.name: self.meaning(s.name) for e in sides for s in free_symbols(e)}

    @cached_property
    def quantities_used(self) -> tuple[str, ...]:
        """Names of the quantities of which the claim, its condition and its rules speak, sorted."""
        sides = (self.measured, self.bound, self.when, self.requires, *self.rules)
        meanings = [self.meaning(s.name) for e in sides for s in free_symbols(e)]
        return tuple(sorted({m.base for m in meanings if m.kind == "quantity"}))

    def horizon_only(self, rules: Mapping[str, Any]) -> bool:
        """True if the claim or one of these rules mentions K: then it is checked at k = K alone."""
        stated = [rule for name, rule in rules.items() if name not in self.options]
        everything = [self.measured, self.bound, self.when, self.requires, *stated]
        return any("K" in {s.name for s in free_symbols(e)} for e in everything)

    @property
    def rules(self) -> list[Any]:
        """Every rule of every field that is a number, swept values one by one."""
        stated = [rule for name, rule in self.parameters.items() if name not in self.options]
        return [value for rule in stated for value in swept(rule)]

    def variants(self) -> list[dict[str, Any]]:
        """The sweep: one dict of rules per combination of swept values."""
        names = list(self.parameters)
        choices = itertools.product(*(swept(self.parameters[name]) for name in names))
        return [dict(zip(names, rules, strict=True)) for rules in choices]

    def mutated(self, mutant: Mutant) -> "Theorem":
        """The false theorem that a mutant stands for."""
        return dataclasses.replace(self, mutants=(), tight=(), **mutant.change)

    def _expanded(self, side: Any) -> Any:
        """``after(e)`` replaced by e at the next step; plain numbers made expressions."""
        if isinstance(side, Recurrence):
            return side
        try:
            e = sp.sympify(side)
        except (sp.SympifyError, TypeError):
            raise ValueError(f"{self.id}: {side!r} is not an expression") from None
        if e.has(sp.zoo, sp.nan, sp.I):
            raise ValueError(f"{self.id}: {side} is not a real number: a division by zero or a root of -1")
        for node in sorted(e.atoms(after), key=sp.count_ops):
            shifted = {
                s: symbols(f"{s.name}_next")
                for s in node.args[0].free_symbols
                if self.meaning(s.name) == Meaning("quantity", s.name)
            }
            e = e.subs(node, node.args[0].subs(shifted))
        return e
