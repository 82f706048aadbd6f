"""A problem whose gradients come with noise of known moments."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from torch import Tensor

from assumptions import Certificate
from assumptions.layerwise.variance import LayerVariance
from assumptions.moments.bounded_moment import BoundedMoment
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.outward import root_up, round_up
from problems.base import Problem
from problems.calculus.seen_through import SeenThrough
from problems.calculus.units import Units
from problems.noise.base import Noise

ROOM = 1e-10
"""Relative error of a moment in floating point: Gamma functions of 10^5 lose five digits."""


@dataclass(frozen=True)
class Noisy(SeenThrough):
    """F(x) = f(x), with the stochastic gradient grad f(x) + n(x), n drawn from ``noise``.

    problem: f, without noise of its own. noise: a ``Noise`` that fits its dimension. TypeError or ValueError
    otherwise. Everything else is that of f. What is certified of its own sampled terms is left out, for the
    noise is another one.
    """

    problem: Problem
    noise: Noise

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._require_inner()
        if not isinstance(self.noise, Noise):
            raise TypeError(f"noise must be a Noise such as GaussianNoise(1.0), got {self.noise!r}")
        if not self.noise.fits(self.problem.d):
            raise ValueError(f"noise must fit dimension {self.problem.d}, got {self.noise!r}")

    @cached_property
    def units(self) -> Units:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Nothing changes."""
        return Units()

    def noisy_grad(self, x: Tensor, u: Tensor) -> Tensor:
        """The gradient plus a draw. x: (*batch, d); u in [0, 1): (*batch, noise.width(d)). (*batch, d)."""
        return self.grad(x) + self.noise.draw(u, x)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Those of f, and the moments of the noise."""
        other = BoundedVariance | BoundedMoment | LayerVariance
        kept = [c for c in super().certified if not isinstance(c.assumption, other)]
        proof = f"E|n|^p of {self.noise!r} in closed form, rounded outward"
        moments = [(p, self._size(p)) for p in self.noise.orders]
        kept += [Certificate(BoundedMoment(s, p), proof=proof) for p, s in moments if 0 < s < math.inf]
        sigma = self._size(2.0)
        if 0 < sigma < math.inf:
            kept.append(Certificate(BoundedVariance(sigma), proof=proof))
        return (*kept, *self._by_layer)

    @cached_property
    def _by_layer(self) -> tuple[Certificate, ...]:
        """sigma_i^2: the sum over the outcomes, or the entries of layer i times the largest of theirs."""
        s, law = self.noise.unit
        sizes, listed = self.layers.sizes, law.outcomes(self.d)
        if listed is None:
            entry = law.entry_moment(2.0, self.d)
            if not entry < math.inf:
                return ()
            squares = [size * Fraction(entry) for size in sizes]
            proof = f"E|n_j|^2 of an entry of {self.noise!r} times the entries of the layer, rounded outward"
        else:
            squares = _second_moments(*listed, sizes)
            proof = f"E|n_i|^2 of {self.noise!r} over its outcomes, rounded outward"
        room = Fraction(s) * Fraction(1 + ROOM)
        sigma_i = tuple(round_up(room * root_up(square)) for square in squares)
        # a number below the floats would say that there is no noise
        sound = all(
            0 < sigma < math.inf for sigma, square in zip(sigma_i, squares, strict=True) if square > 0
        )
        return (Certificate(LayerVariance(sigma_i), proof=proof),) if sound else ()

    def _size(self, p: float) -> float:
        """(E|n|^p)^(1/p), rounded up; inf where it is infinite or beyond the floats."""
        s, law = self.noise.unit
        size = law.size(p, self.d)
        return round_up(Fraction(s) * Fraction(size) * Fraction(1 + ROOM)) if size < math.inf else size


def _second_moments(values: Tensor, probabilities: Tensor, sizes: tuple[int, ...]) -> list[Fraction]:
    """E |n_i|_2^2 of each layer, without rounding. values: (m, d); probabilities: (m,)."""
    squares = []
    for part in values.split(list(sizes), dim=-1):
        rows = zip(part.tolist(), probabilities.tolist(), strict=True)
        terms = (Fraction(p) * sum((Fraction(v) ** 2 for v in row), Fraction(0)) for row, p in rows)
        squares.append(sum(terms, Fraction(0)))
    return squares
