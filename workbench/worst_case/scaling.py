"""When one programme speaks for all functions of a class: scaling, minimisers, kinks, steps."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.claims import free_symbols
from workbench.theorem import Theorem
from workbench.worst_case.classes import ConvexFunctions, SmoothFunctions
from workbench.worst_case.model import Unknown
from workbench.worst_case.reading import Side, UnreadableError

STEADY = "it is about one step from any state, and its numbers change with k"


def redefined(theorem: Theorem) -> str | None:
    """Why a theorem measures something else than its names say here: it brings quantities of its own."""
    own = sorted(set(theorem.quantities) & {m.base for m in theorem.uses.values() if m.kind == "quantity"})
    return f"it defines {', '.join(own)} itself" if own else None


def changes(theorem: Theorem, variant: Mapping[str, Any]) -> bool:
    """True if a number of the claim or of its rules changes with k or K."""
    rules = [rule for name, rule in variant.items() if name not in theorem.options]
    sides = [theorem.measured, theorem.bound, theorem.when, theorem.requires, *rules]
    return bool({"k", "K"} & {s.name for side in sides for s in free_symbols(side)})


def require_comparable(measured: Sequence[Side], bound: Side) -> bool:
    """True if the bound may be negative. UnreadableError where scaling does not reach every function.

    The programme looks where the bound has one value. All else follows by scaling if the measure scales with
    it, and if one of the two is nonnegative.
    """
    if not any(side.terms for side in measured):
        raise UnreadableError("it measures no quantity")
    if not bound.terms:
        return False
    if any(side.const for side in measured):
        raise UnreadableError("its measure has a constant part, which does not scale with the bound")
    signed = any(c < 0 for c in bound.terms.values())
    if signed and any(c < 0 for side in measured for c in side.terms.values()):
        raise UnreadableError("both of its sides may be negative")
    return signed


def require_one_star(measured: Sequence[Side], bound: Side, functions: Sequence[Unknown]) -> None:
    """UnreadableError where a small dist helps the claim at several steps and minimisers may be several.

    dist is to the nearest minimiser, that of the programme is the same at all steps: it can be taken nearest
    at one of them.
    """
    if any(isinstance(f.kind, ConvexFunctions) and f.kind.mu > 0 for f in functions):
        return
    helping = {key for key, c in bound.terms.items() if c > 0}
    helping |= {key for side in measured for key, c in side.terms.items() if c < 0}
    steps = {step for name, step in helping if name in ("dist", "estimate_dist")}
    if len(steps) > 1:
        raise UnreadableError("it needs dist at several steps, each to its own nearest minimiser")


def differentiable(f: Unknown) -> bool:
    """True if the class of f has one gradient at each point."""
    return isinstance(f.kind, SmoothFunctions) or (
        isinstance(f.kind, ConvexFunctions) and f.kind.L is not None
    )
