"""What a row of the table of implications is: premises, a rule for the constants, and a proof."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from assumptions.base import Assumption
from assumptions.outward import round_down, round_up


@dataclass(frozen=True)
class Implies:
    """premises => rule(*premises), for the reason given in ``proof``.

    rule: gets one instance per premise class, in order; returns the conclusion, or None where
    constants or norms do not allow one. local: the proof also holds when the premises hold only on
    one convex region, and the conclusion then holds there. gives: the class of the conclusion, for people.
    ValueError without premises or proof.
    """

    premises: tuple[type[Assumption], ...]
    rule: Callable[..., Assumption | None]
    proof: str
    local: bool = False
    gives: type[Assumption] | None = None

    def __post_init__(self) -> None:
        """A row without a proof is a belief."""
        if not self.premises:
            raise ValueError(f"premises must name at least one assumption, got {self.premises!r}")
        if not self.proof.strip():
            raise ValueError(f"proof must not be empty, got {self.proof!r}")

    def __str__(self) -> str:
        """Premises and conclusion by name."""
        conclusion = f" => {self.gives.__name__}" if self.gives else ""
        return f"{' and '.join(p.__name__ for p in self.premises)}{conclusion}: {self.proof}"


Exact = Fraction | tuple[Fraction, ...]
"""A constant, or one for each layer."""


def rounded(kind: type[Assumption], *others: object, **constants: Exact) -> Assumption | None:
    """kind(constants, *others), each constant rounded to the side on which the statement says less.

    constants: all of them, exact and >= 0, in order. others: the fields that follow them. None where a
    constant leaves the floats: too large, or 0 only by rounding.
    """
    floats = {name: _rounded(exact, kind.sense[name]) for name, exact in constants.items()}
    return None if None in floats.values() else kind(*floats.values(), *others)


def _rounded(exact: Exact, sense: int) -> float | tuple[float, ...] | None:
    if isinstance(exact, tuple):
        entries = tuple(_rounded(entry, sense) for entry in exact)
        return None if None in entries else entries  # pyright: ignore[reportReturnType]
    near = round_up(exact) if sense < 0 else round_down(exact)
    return None if near == math.inf or (near == 0 and exact > 0) else near
