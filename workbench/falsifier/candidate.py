"""One thing to try against a claim, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from assumptions.moments.e_value import LOG_REFUTED
from workbench.match import Case
from workbench.verify.claim import SUSPECT

NOTHING = float("-inf")
"""The ratio and the excess of a candidate about which the claim says nothing."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A case at a start or, for a step claim, at a state.

    x0         (d,), the start of the run; of a claim about a mean it is the problem's own start too
    horizon    steps of the run
    state, k   of a step claim: fields of the state as plain numbers, and its step
    replicate  whose draws a run of a random method takes; 0 for a method that makes none
    seed       of the draws
    """

    case: Case
    x0: Tensor
    horizon: int
    state: Mapping[str, Any] | None = None
    k: int = 0
    replicate: int = 0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Tried:
    """What a candidate shows.

    ratio       the largest measured / bound over k, where the bound says something; -inf where it does not
    excess      the largest (measured - bound) / tolerance; of replicates log of the e-value
    k, measured, bound, tolerance   where the claim is closest to failing
    how         "run", "state", "tree" (all draws) or "replicates" (a sample of them; ratio is an estimate)
    replicates  how many of them
    bad         the certificate that does not hold there: nothing else counts then
    """

    candidate: Candidate
    ratio: float
    excess: float
    k: int
    measured: float
    bound: float
    tolerance: float = 0.0
    how: str = "run"
    replicates: int = 0
    bad: str = ""

    @property
    def refutes(self) -> bool:
        """True if the claim fails beyond rounding, or by replicates with overwhelming evidence."""
        if self.how == "replicates":
            return self.excess >= LOG_REFUTED and not self.bad
        return self.excess > SUSPECT and not self.bad

    @property
    def rank(self) -> tuple[bool, float, float]:
        """Larger is worse for the claim; nothing that rests on a bad certificate counts."""
        if self.bad:
            return False, NOTHING, NOTHING
        return self.refutes, self.ratio, self.excess
