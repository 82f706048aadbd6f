"""Multipliers of a solver made simple: rounded to small denominators and proved again in exact arithmetic.

Where the dual solution of a worst-case programme is unique and rational, rounding finds it, and the claim has
a proof that fits on a few lines: a weighted sum of interpolation inequalities plus a sum of squares.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from workbench.algebra.forms import Form, squares, text
from workbench.theorem import Theorem
from workbench.worst_case import Certificate, CertificateError, WorstCase, worst_case
from workbench.worst_case.certificate import right_side, verify
from workbench.worst_case.gram import to_fraction

DENOMINATORS = (1, 2, 6, 12, 60, 420, 1000, 5000)
"""Largest denominators tried, the simplest proof first."""
NOISE = 1e-6
"""A multiplier this small beside the largest is the solver's rounding of 0."""


@dataclass(frozen=True)
class RationalProof:
    """``measured <= value`` after ``steps`` steps at the numbers of ``worst``, by simple multipliers.

    squares: value - sum of weights is sum of weight * |combination|^2, names of basis vectors.
    """

    worst: WorstCase
    value: Fraction
    multipliers: Mapping[str, Fraction]
    squares: tuple[tuple[Fraction, Mapping[str, Fraction]], ...]

    def lines(self) -> list[str]:
        """The proof for people; ``fi<-fj``: the inequality of f at the points i and j."""
        at = ", ".join(f"{name} = {number:g}" for name, number in self.worst.values.items())
        what = "squares of both sides: " if self.worst.squared else ""
        head = f"{what}measured <= {self.value}, {self.worst.steps} step(s) at {at}: the difference is"
        weighted = [f"  {c} * [{name}]" for name, c in self.multipliers.items() if name != "normalisation"]
        left = [f"  {w} * |{text([(c, n) for n, c in v.items()])}|^2" for w, v in self.squares]
        return [head, *weighted, *left]


def rational_proof(theorem: Theorem, steps: int = 1, parameter: int = 0) -> RationalProof | None:
    """The simplest proof of the theorem's own bound that rounding finds; None where it finds none.

    NoExactClassError, ProgrammeError, ValueError as ``worst_case``.
    """
    worst = worst_case(theorem, steps=steps, parameter=parameter)
    value = Fraction(worst.bound).limit_denominator(10**6)
    if abs(worst.upper - value) > NOISE * abs(worst.bound):
        value = Fraction(worst.upper).limit_denominator(1000)
    largest = max((abs(c) for c in worst.multipliers.values()), default=Fraction(0))
    kept = {n: c for n, c in worst.multipliers.items() if abs(c) > NOISE * largest}
    for denominator in DENOMINATORS:
        rounded = {n: c.limit_denominator(denominator) for n, c in kept.items()}
        simple = {n: c for n, c in rounded.items() if c}
        weights = tuple(w.limit_denominator(denominator) for w in worst.weights)
        found = Certificate(value, weights, simple)
        try:
            verify(worst.programme, found)
        except CertificateError:
            continue
        return RationalProof(worst, value, simple, _squares(worst, found))
    return None


def _squares(worst: WorstCase, found: Certificate) -> tuple[tuple[Fraction, Mapping[str, Fraction]], ...]:
    """What the multipliers leave of value - measured, as squares."""
    names = worst.programme.basis.vectors
    left = right_side(worst.programme, found)
    gram = {tuple(sorted((names[i], names[j]))): -to_fraction(c) for (i, j), c in left.quad.items()}
    return tuple(squares(Form(gram)) or ())  # pyright: ignore[reportArgumentType]
