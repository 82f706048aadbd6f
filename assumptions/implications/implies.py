"""What a row of the table of implications is: premises, a rule for the constants, and a proof."""

from collections.abc import Callable
from dataclasses import dataclass

from assumptions.base import Assumption


@dataclass(frozen=True)
class Implies:
    """premises => rule(*premises), for the reason given in ``proof``.

    rule: gets one instance per premise class, in order; returns the conclusion, or None where
    constants or norms do not allow one. local: the proof also holds when the premises hold only on
    one convex region, and the conclusion then holds there. ValueError without premises or proof.
    """

    premises: tuple[type[Assumption], ...]
    rule: Callable[..., Assumption | None]
    proof: str
    local: bool = False

    def __post_init__(self) -> None:
        """A row without a proof is a belief."""
        if not self.premises:
            raise ValueError(f"premises must name at least one assumption, got {self.premises!r}")
        if not self.proof.strip():
            raise ValueError(f"proof must not be empty, got {self.proof!r}")
