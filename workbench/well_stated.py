"""What a claim of any kind may say: fields of the right sort, known names, rules known in advance."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sympy as sp

from assumptions import Assumption, Norm
from workbench.claims import Claim, Recurrence, axes_of, free_symbols, support
from workbench.expressions import require_evaluable
from workbench.methods.base import Method
from workbench.parts import KINDS, Mutant, Source, Tight
from workbench.quantities import SHARED
from workbench.symbols import is_ours

if TYPE_CHECKING:
    from workbench.theorem import Theorem


def require_fields(theorem: "Theorem") -> None:
    """ValueError for a field that is not of its sort, before any name is looked up."""
    said = theorem.id
    if not isinstance(said, str) or not said or any(c.isspace() for c in said):
        raise ValueError(f"id must be a word without spaces, got {said!r}")
    if not isinstance(theorem.source, Source):
        raise ValueError(f"{said}: source must be a Source(paper, status), got {theorem.source!r}")
    for name in ("title", "proof"):
        if not isinstance(getattr(theorem, name), str):
            raise ValueError(f"{said}: {name} must be a text, got {getattr(theorem, name)!r}")
    for name in ("parameters", "quantities"):
        if not isinstance(getattr(theorem, name), Mapping):
            raise ValueError(f"{said}: {name} must be a dict by name, got {getattr(theorem, name)!r}")
    for name, kind in (("tight", Tight), ("mutants", Mutant)):
        given = getattr(theorem, name)
        if not isinstance(given, tuple | list) or not all(isinstance(entry, kind) for entry in given):
            raise ValueError(f"{said}: {name} must be a tuple of {kind.__name__} objects, got {given!r}")
    if theorem.kind not in KINDS:
        raise ValueError(f"{said}: kind must be one of {', '.join(KINDS)}, got {theorem.kind!r}")
    if not isinstance(theorem.assumes, tuple) or not _all_classes(theorem.assumes, Assumption):
        raise ValueError(f"{said}: assumes takes assumption classes (not instances), got {theorem.assumes!r}")
    if not theorem.methods or not _all_classes(theorem.methods, Method):
        raise ValueError(f"{said}: method must be a Method class or a tuple of them, got {theorem.method!r}")
    norms = swept(theorem.norm)
    if not norms or not all(isinstance(n, Norm) for n in norms):
        raise ValueError(f"{said}: norm must be a Norm or a tuple of them, got {theorem.norm!r}")
    if len(set(norms)) < len(norms):
        raise ValueError(f"{said}: norm names a norm twice: {theorem.norm!r}")
    if theorem.kind == "equal" and len(theorem.methods) != 2:
        raise ValueError(f"{said}: kind equal compares two methods, got {len(theorem.methods)}")
    names = [name for a in theorem.assumes for name in a.constants()]
    shared = sorted({name for name in names if names.count(name) > 1})
    if shared:
        raise ValueError(f"{said}: two of the assumed classes call a constant {', '.join(shared)}")


def require_side(theorem: "Theorem", name: str) -> None:
    """ValueError for an unknown name, and for a number where a condition is needed or the other way round."""
    side = getattr(theorem, name)
    _require_names(theorem, side, name)
    condition = name in ("when", "requires")
    if isinstance(side, Recurrence) and not condition:
        return
    if (isinstance(side, sp.logic.boolalg.Boolean) and not isinstance(side, sp.Expr)) != condition:
        wanted = "a condition such as dist > 0" if condition else "a number, no condition"
        raise ValueError(f"{theorem.id}: {name} must be {wanted}, got {side}")


def require_rules(theorem: "Theorem") -> None:
    """ValueError unless every field of the method has a rule, and the rules can be read before a run."""
    missing = [name for name in theorem.fields if name not in theorem.parameters]
    extra = [name for name in theorem.parameters if name not in theorem.fields]
    if missing or extra:
        names = " and ".join(m.__name__ for m in theorem.methods)
        raise ValueError(
            f"{theorem.id}: parameters must name every field of {names} ({listed(theorem.fields)}); "
            f"missing: {listed(missing)}; not a field: {listed(extra)}"
        )
    for name, rule in theorem.parameters.items():
        for value in swept(rule) if name not in theorem.options else ():
            _require_names(theorem, value, f"the rule of {name}")
            _require_known_in_advance(theorem, value, f"the rule of {name}", axes_of(name))


def require_mutants(theorem: "Theorem") -> None:
    """ValueError for a mutant that changes nothing, or no field of a theorem, or makes no claim."""
    names = {f.name for f in dataclasses.fields(theorem)}
    for mutant in theorem.mutants:
        unknown = [name for name in mutant.change if name not in names]
        if unknown or not mutant.change:
            raise ValueError(
                f"{theorem.id}: mutant {mutant.why!r} must change fields of the theorem, "
                f"got {listed(unknown)}"
            )
        theorem.mutated(mutant)


def require_readable(theorem: "Theorem") -> None:
    """ValueError for sides that are defined at no step or cannot be evaluated, and a late ``requires``."""
    for side in (theorem.measured, theorem.bound, theorem.when):
        support(side, theorem.next_names)
        require_evaluable(side)
    _require_known_in_advance(theorem, theorem.requires, "requires")


def swept(value: Any) -> tuple[Any, ...]:
    """The values of a sweep: the entries of a tuple, else the one value."""
    return value if isinstance(value, tuple) else (value,)


def listed(names: Iterable[str]) -> str:
    """Names in alphabetical order, or "none"."""
    return ", ".join(sorted(names)) or "none"


def _all_classes(found: tuple[Any, ...], base: type) -> bool:
    return all(isinstance(kind, type) and issubclass(kind, base) for kind in found)


def _require_names(theorem: "Theorem", side: Claim, where: str) -> None:
    for symbol in free_symbols(side):
        if not is_ours(symbol):
            raise ValueError(
                f"{theorem.id}: the symbol {symbol.name!r} in {where} was not made by workbench.symbols(); "
                "sympy treats same-named symbols with other assumptions as different"
            )
        theorem.meaning(symbol.name)


def _require_known_in_advance(theorem: "Theorem", side: Claim, where: str, axes: str = "") -> None:
    require_evaluable(side, axes)
    for symbol in free_symbols(side):
        meaning = theorem.meaning(symbol.name)
        if meaning.kind == "quantity" and meaning.when != "start":
            raise ValueError(
                f"{theorem.id}: {where} uses {symbol.name!r}; it may use constants, quantities at the "
                f"start ({meaning.base}0), hyperparameters, k and K"
            )
        if meaning.kind == "quantity" and meaning.base not in SHARED:
            raise ValueError(
                f"{theorem.id}: {where} uses {symbol.name!r}, which needs the method to be known already; "
                f"of quantities at the start it may use {listed(f'{name}0' for name in SHARED)}"
            )
