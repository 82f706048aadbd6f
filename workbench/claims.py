"""Sides of a claim: expressions and recursions, their symbols, axes and where they are defined."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from workbench.symbols import OVER_STEPS, first


@dataclass(frozen=True)
class Recurrence:
    """A bound given by recursion: ``start`` values at k = 0, ``update`` from k to k + 1.

    Both map names of the recursion's own variables to expressions in them and in the claim's
    symbols; ``value`` names the variable that is the bound. Defined at every k.
    ValueError unless start and update name the same variables, and value is one of them.
    """

    start: Mapping[str, Any]
    update: Mapping[str, Any]
    value: str

    def __post_init__(self) -> None:
        """The three parts speak of the same variables."""
        if set(self.start) != set(self.update) or self.value not in self.start:
            raise ValueError(
                "Recurrence: start and update must name the same variables and value one of them, got "
                f"start {sorted(self.start)}, update {sorted(self.update)}, value {self.value!r}"
            )

    def expressions(self) -> tuple[Any, ...]:
        """All expressions, start first."""
        return (*self.start.values(), *self.update.values())


Claim = sp.Basic | Recurrence | float | int
"""One side of a claim."""


def free_symbols(side: Claim) -> set[sp.Symbol]:
    """Symbols in an expression, the recursion's own variables left out."""
    if isinstance(side, Recurrence):
        found = set().union(*(sp.sympify(e).free_symbols for e in side.expressions()))
        return {s for s in found if s.name not in side.start}  # pyright: ignore[reportAttributeAccessIssue]
    return set(sp.sympify(side).free_symbols)  # pyright: ignore[reportReturnType]


def axes_of(name: str) -> str:
    """Trailing axes of a name by its ending: "j" clients, "i" layers, "ji" both."""
    base = name.removesuffix("_next").removesuffix("0")
    for ending in ("ji", "j", "i"):
        if base.endswith("_" + ending):
            return ending
    return ""


def support(side: Claim, next_names: set[str]) -> tuple[int, int]:
    """(lo, hi): the claim's side is defined for lo <= k <= K + hi.

    ``next_names`` are the symbols that mean a quantity at k + 1. ``first`` needs the whole run:
    lo = -1 stands for "at k = K alone". ValueError for a reduction inside a reduction that would be
    undefined at its first term.
    """
    if isinstance(side, Recurrence):
        parts = [_support(sp.sympify(e), next_names) for e in side.start.values()]
        updates = [_support(sp.sympify(e), next_names) for e in side.update.values()]
        if any(lo != 0 for lo, _ in parts + updates):
            raise ValueError("a Recurrence cannot contain reductions over steps")
        return 0, min([0, *(hi for _, hi in parts)])
    return _support(sp.sympify(side), next_names)


def _support(e: sp.Basic, next_names: set[str]) -> tuple[int, int]:
    if isinstance(e, sp.Symbol):
        return 0, -1 if e.name in next_names else 0
    inner = [_support(a, next_names) for a in e.args]
    if isinstance(e, OVER_STEPS):
        if inner[0][0] != 0:
            raise ValueError(f"{e}: a reduction over steps inside another is undefined at its first term")
        return (-1, 0) if isinstance(e, first) else (1, 0)
    los = [lo for lo, _ in inner]
    return (-1 if -1 in los else max([0, *los])), min([0, *(hi for _, hi in inner)])
