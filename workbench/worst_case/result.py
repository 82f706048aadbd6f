"""What a worst-case computation returns."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from workbench.worst_case.model import Unknown
from workbench.worst_case.programme import Programme

WorstCaseVerdict = Literal["certified", "refuted", "inconclusive"]


@dataclass(frozen=True)
class WorstCase:
    """The worst case of a claim over its whole class, at one horizon and one choice of numbers.

    theorem      its id; steps: of the chain; values: constants, starts and hyperparameters (of step 0)
    upper        proved: no function of the class goes above; rounded up
    lower        reached by a feasible point, in floats; None where none was found
    bound        the theorem's value, rounded down; ratio = upper / bound
    exact_upper, exact_bound  the same before rounding to floats
    squared      True if both sides were squared (upper, lower and bound are squares)
    verdict      certified: upper <= bound in exact arithmetic; refuted: lower > bound; else inconclusive
    reason       why, in words
    multipliers  the proof: constraint -> its multiplier; weights: of the objectives
    gram, function_values  the worst case, (N, N) and (M,), over the basis of ``programme``
    functions    what is known of each function there: points, gradients and values as vectors and forms
    seconds      of everything; solver_seconds: of the conic solver
    """

    theorem: str
    steps: int
    values: Mapping[str, float]
    upper: float
    lower: float | None
    bound: float
    squared: bool
    verdict: WorstCaseVerdict
    reason: str
    multipliers: Mapping[str, Fraction]
    weights: tuple[Fraction, ...]
    gram: np.ndarray = field(repr=False)
    function_values: np.ndarray = field(repr=False)
    seconds: float
    solver_seconds: float
    exact_upper: Fraction = field(repr=False)
    programme: Programme = field(repr=False)
    functions: tuple[Unknown, ...] = field(repr=False)
    exact_bound: Fraction | None = field(default=None, repr=False)

    @property
    def ratio(self) -> float:
        """upper / bound, from the exact numbers where they are known; inf for a bound of 0."""
        if self.exact_bound:
            return float(self.exact_upper / self.exact_bound)
        return self.upper / self.bound if self.bound else math.inf

    def to_json(self) -> dict[str, Any]:
        """Plain data: fractions as "p/q", arrays as nested lists."""
        return {
            "theorem": self.theorem,
            "steps": self.steps,
            "values": dict(self.values),
            "upper": self.upper,
            "exact_upper": str(self.exact_upper),
            "exact_bound": None if self.exact_bound is None else str(self.exact_bound),
            "lower": self.lower,
            "bound": self.bound,
            "ratio": self.ratio if math.isfinite(self.ratio) else None,
            "squared": self.squared,
            "verdict": self.verdict,
            "reason": self.reason,
            "multipliers": {name: str(number) for name, number in self.multipliers.items()},
            "weights": [str(number) for number in self.weights],
            "basis": {"vectors": self.programme.basis.vectors, "values": self.programme.basis.values},
            "gram": self.gram.tolist(),
            "function_values": self.function_values.tolist(),
            "seconds": self.seconds,
            "solver_seconds": self.solver_seconds,
        }


def rounded_up(number: Fraction) -> float:
    """The smallest float >= number."""
    nearest = float(number)
    return nearest if Fraction(nearest) >= number else math.nextafter(nearest, math.inf)


def rounded_down(number: Fraction) -> float:
    """The largest float <= number."""
    nearest = float(number)
    return nearest if Fraction(nearest) <= number else math.nextafter(nearest, -math.inf)
