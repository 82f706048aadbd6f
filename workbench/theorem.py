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
from workbench.claims import Claim, Recurrence, axes_of, free_symbols, support
from workbench.expressions import require_evaluable
from workbench.kinds import require_of_kind
from workbench.methods.base import Method
from workbench.parts import FACTS, KINDS, Kind, Meaning, Mutant, Source, Tight
from workbench.quantities import SHARED, Quantity, as_quantity
from workbench.symbols import after, is_ours, symbols


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
        if not self.id or any(c.isspace() for c in self.id):
            raise ValueError(f"id must be a word without spaces, got {self.id!r}")
        if not isinstance(self.source, Source):
            raise ValueError(f"{self.id}: source must be a Source(paper, status), got {self.source!r}")
        if self.kind not in KINDS:
            raise ValueError(f"{self.id}: kind must be one of {', '.join(KINDS)}, got {self.kind!r}")
        if not isinstance(self.assumes, tuple) or not all(
            isinstance(a, type) and issubclass(a, Assumption) for a in self.assumes
        ):
            raise ValueError(
                f"{self.id}: assumes takes assumption classes (not instances), got {self.assumes!r}"
            )
        if not self.methods or not all(isinstance(m, type) and issubclass(m, Method) for m in self.methods):
            raise ValueError(
                f"{self.id}: method must be a Method class or a tuple of them, got {self.method!r}"
            )
        norms = self.norm if isinstance(self.norm, tuple) else (self.norm,)
        if not norms or not all(isinstance(n, Norm) for n in norms):
            raise ValueError(f"{self.id}: norm must be a Norm or a tuple of them, got {self.norm!r}")
        if len(set(norms)) < len(norms):
            raise ValueError(f"{self.id}: norm names a norm twice: {self.norm!r}")
        if self.kind == "equal" and len(self.methods) != 2:
            raise ValueError(f"{self.id}: kind equal compares two methods, got {len(self.methods)}")
        names = [name for a in self.assumes for name in a.constants()]
        shared = sorted({name for name in names if names.count(name) > 1})
        if shared:
            raise ValueError(f"{self.id}: two of the assumed classes call a constant {', '.join(shared)}")
        for name in ("measured", "bound", "when", "requires"):
            object.__setattr__(self, name, self._expanded(getattr(self, name)))
            self._check_names(getattr(self, name), name)
            self._check_sort(getattr(self, name), name)
        self._check_parameters()
        self._check_mutants()
        for side in (self.measured, self.bound, self.when):
            support(side, self.next_names)
            require_evaluable(side)
        self._check_known_in_advance(self.requires, "requires")
        require_of_kind(self)

    def _check_sort(self, side: Any, name: str) -> None:
        """ValueError for a number where a condition is needed, and the other way round."""
        condition = name in ("when", "requires")
        if isinstance(side, Recurrence) and not condition:
            return
        if (isinstance(side, sp.logic.boolalg.Boolean) and not isinstance(side, sp.Expr)) != condition:
            wanted = "a condition such as dist > 0" if condition else "a number, no condition"
            raise ValueError(f"{self.id}: {name} must be {wanted}, got {side}")

    def in_norms(self) -> list["Theorem"]:
        """The theorem in each of its norms."""
        norms = self.norm if isinstance(self.norm, tuple) else (self.norm,)
        return [self] if len(norms) == 1 and norms[0] is self.norm else [self._in(n) for n in norms]

    def _in(self, norm: Norm) -> "Theorem":
        return dataclasses.replace(self, norm=norm, mutants=(), tight=())

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
        return self.method if isinstance(self.method, tuple) else (self.method,)

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
            f"{self.id}: unknown symbol {name!r}; known: method fields {_listed(self.fields)}; constants "
            f"{_listed(self.constants)}; facts {_listed(self.facts)}; quantities {_listed(quantities)} "
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

    def horizon_only(self, rules: Mapping[str, Any]) -> bool:
        """True if the claim or one of these rules mentions K: then it is checked at k = K alone."""
        stated = [rule for name, rule in rules.items() if name not in self.options]
        everything = [self.measured, self.bound, self.when, self.requires, *stated]
        return any("K" in {s.name for s in free_symbols(e)} for e in everything)

    @property
    def rules(self) -> list[Any]:
        """Every rule of every field that is a number, swept values one by one."""
        stated = [rule for name, rule in self.parameters.items() if name not in self.options]
        return [value for rule in stated for value in _values(rule)]

    def variants(self) -> list[dict[str, Any]]:
        """The sweep: one dict of rules per combination of swept values."""
        names = list(self.parameters)
        swept = itertools.product(*(_values(self.parameters[name]) for name in names))
        return [dict(zip(names, rules, strict=True)) for rules in swept]

    def mutated(self, mutant: Mutant) -> "Theorem":
        """The false theorem that a mutant stands for."""
        return dataclasses.replace(self, mutants=(), tight=(), **mutant.change)

    # -- checks ----------------------------------------------------------------------------------

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

    def _check_names(self, side: Claim, where: str) -> None:
        for symbol in free_symbols(side):
            if not is_ours(symbol):
                raise ValueError(
                    f"{self.id}: the symbol {symbol.name!r} in {where} was not made by workbench.symbols(); "
                    "sympy treats same-named symbols with other assumptions as different"
                )
            self.meaning(symbol.name)

    def _check_parameters(self) -> None:
        missing = [name for name in self.fields if name not in self.parameters]
        extra = [name for name in self.parameters if name not in self.fields]
        if missing or extra:
            names = " and ".join(m.__name__ for m in self.methods)
            raise ValueError(
                f"{self.id}: parameters must name every field of {names} ({_listed(self.fields)}); "
                f"missing: {_listed(missing)}; not a field: {_listed(extra)}"
            )
        for name, rule in self.parameters.items():
            for value in _values(rule) if name not in self.options else ():
                self._check_names(value, f"the rule of {name}")
                self._check_known_in_advance(value, f"the rule of {name}", axes_of(name))

    def _check_known_in_advance(self, side: Claim, where: str, axes: str = "") -> None:
        require_evaluable(side, axes)
        for symbol in free_symbols(side):
            meaning = self.meaning(symbol.name)
            if meaning.kind == "quantity" and meaning.when != "start":
                raise ValueError(
                    f"{self.id}: {where} uses {symbol.name!r}; it may use constants, quantities at the "
                    f"start ({meaning.base}0), hyperparameters, k and K"
                )
            if meaning.kind == "quantity" and meaning.base not in SHARED:
                raise ValueError(
                    f"{self.id}: {where} uses {symbol.name!r}, which needs the method to be known already; "
                    f"of quantities at the start it may use {_listed(f'{name}0' for name in SHARED)}"
                )

    def _check_mutants(self) -> None:
        names = {f.name for f in dataclasses.fields(self)}
        for mutant in self.mutants:
            unknown = [name for name in mutant.change if name not in names]
            if unknown or not mutant.change:
                raise ValueError(
                    f"{self.id}: mutant {mutant.why!r} must change fields of the theorem, "
                    f"got {_listed(unknown)}"
                )
            self.mutated(mutant)


def _values(rule: Any) -> tuple[Any, ...]:
    return rule if isinstance(rule, tuple) else (rule,)


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
