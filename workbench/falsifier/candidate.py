"""One thing to try against a claim, and what came of it."""

import math
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


def score(tried: Tried) -> float:
    """A number that grows with ``rank``, to be maximised: ratios, below them excesses where there is none."""
    refutes, ratio, excess = tried.rank
    if refutes:
        return 1e6 + (min(ratio, 1e6) if ratio > NOTHING else 0.0)
    if ratio > NOTHING:
        return ratio
    if excess == NOTHING:
        return -1e3
    return -100 + 10 * math.tanh(excess / SUSPECT)


def tried_json(tried: Tried | None) -> dict[str, Any] | None:
    """A candidate and what it shows, as plain numbers and texts."""
    if tried is None:
        return None
    candidate = tried.candidate
    return {
        "problem": repr(candidate.case.problem),
        "methods": [m.__name__ for m in candidate.case.methods],
        "norm": repr(candidate.case.norm),
        "rules": {name: str(rule) for name, rule in candidate.case.rules.items()},
        "certificates": [repr(c.assumption) for c in candidate.case.certificates],
        "start": candidate.x0.tolist(),
        "state": None if candidate.state is None else dict(candidate.state),
        "horizon": candidate.horizon,
        "k": tried.k,
        "ratio": finite(tried.ratio),
        "excess": finite(tried.excess),
        "measured": finite(tried.measured),
        "bound": finite(tried.bound),
        "tolerance": finite(tried.tolerance),
        "how": tried.how,
        "replicates": tried.replicates,
    }


def finite(number: float | None) -> float | None:
    """The number; None for inf and nan, which JSON has not."""
    return number if number is not None and abs(number) < float("inf") else None
