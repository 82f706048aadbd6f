"""Classes of functions as finitely many inequalities: what points, gradients and values must satisfy.

Each is necessary and sufficient (interpolation): if it holds between all pairs of points, a function of the
class passes through them. So the worst case over the class is a semidefinite programme, without loss.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from flint import fmpq

from workbench.worst_case.gram import Form, Vector, exact, inner, square


class Sample(NamedTuple):
    """A point, a (sub)gradient there and the value there; ``name`` is short, for the inequalities."""

    name: str
    x: Vector
    g: Vector
    f: Form


class FunctionClass(Protocol):
    """A class with interpolation conditions."""

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """(name, form) pairs; the forms must be <= 0."""
        ...


def _number(name: str, value: Any) -> fmpq:
    try:
        return exact(value)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name} must be a finite number, got {value!r}") from None


def _positive(name: str, value: Any) -> fmpq:
    number = _number(name, value)
    if not number > 0:
        raise ValueError(f"{name} must be > 0, got {value!r}")
    return number


@dataclass(frozen=True)
class ConvexFunctions:
    """Convex, closed functions; mu-strongly convex for mu > 0, L-smooth for L not None.

    f_i >= f_j + <g_j, x_i - x_j>
           + (|g_i - g_j|^2 / L + mu |x_i - x_j|^2 - 2 (mu / L) <g_i - g_j, x_i - x_j>) / (2 (1 - mu / L)).

    mu >= 0, L > mu or None (no smoothness). ValueError otherwise.
    Source: Taylor, Hendrickx, Glineur, Smooth strongly convex interpolation and exact worst-case performance
    of first-order methods, Math. Prog. 161 (2017), Theorem 4.
    """

    mu: Any = 0
    L: Any = None

    def __post_init__(self) -> None:
        """Exact numbers in the order 0 <= mu < L."""
        mu = _number("mu", self.mu)
        if mu < 0:
            raise ValueError(f"mu must be >= 0, got {self.mu!r}")
        object.__setattr__(self, "mu", mu)
        if self.L is None:
            return
        L = _number("L", self.L)
        if not mu < L:
            raise ValueError(f"L must be > mu and > 0, got mu = {mu} and L = {L}")
        object.__setattr__(self, "L", L)

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """One inequality for each ordered pair."""
        flat = 0 if self.L is None else 1 / self.L
        weight = 1 / (2 * (1 - self.mu * flat))
        for i, j in itertools.permutations(samples, 2):
            step, change = i.x - j.x, i.g - j.g
            form = j.f - i.f + inner(j.g, step)
            if flat:
                form = form + square(change) * (flat * weight)
            if self.mu:
                form = form + square(step) * (self.mu * weight)
            if flat and self.mu:
                form = form - inner(change, step) * (2 * self.mu * flat * weight)
            yield f"{i.name}<-{j.name}", form


@dataclass(frozen=True)
class SmoothFunctions:
    """L-smooth functions, convex or not.

    f_i >= f_j + <g_j, x_i - x_j> + |g_i - g_j|^2 / (2 L) - L |x_i - x_j - (g_i - g_j) / L|^2 / 4.

    A lower bound f_star of f is reached in the limit if f_i - |g_i|^2 / (2 L) >= f_star for all i
    (``above``). L > 0. ValueError otherwise.
    Source: Taylor, Hendrickx, Glineur, Exact worst-case performance of first-order methods for composite
    convex optimization, SIAM J. Optim. 27 (2017), Theorem 3.10; with f_star: Abbaszadehpeivasti, de Klerk,
    Zamani, The exact worst-case convergence rate of the gradient method with fixed step lengths for L-smooth
    functions, Optim. Letters 16 (2022), Theorem 3.
    """

    L: Any

    def __post_init__(self) -> None:
        """An exact positive number."""
        object.__setattr__(self, "L", _positive("L", self.L))

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """One inequality for each ordered pair."""
        for i, j in itertools.permutations(samples, 2):
            step, change = i.x - j.x, i.g - j.g
            form = j.f - i.f + inner(j.g, step) + square(change) / (2 * self.L)
            yield f"{i.name}<-{j.name}", form - square(step - change / self.L) * (self.L / 4)

    def above(self, samples: Sequence[Sample], f_star: Form) -> Iterator[tuple[str, Form]]:
        """f_star is a lower bound of f."""
        for i in samples:
            yield f"{i.name}>=f_star", f_star - i.f + square(i.g) / (2 * self.L)


@dataclass(frozen=True)
class LipschitzConvexFunctions:
    """Convex functions with subgradients of length at most G.

    f_i >= f_j + <g_j, x_i - x_j>, |g_i|^2 <= G^2. The maximum of the affine pieces interpolates.
    G > 0. ValueError otherwise. Source: Taylor, Hendrickx, Glineur, SIAM J. Optim. 27 (2017), Theorem 3.5.
    """

    G: Any

    def __post_init__(self) -> None:
        """An exact positive number."""
        object.__setattr__(self, "G", _positive("G", self.G))

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """One inequality for each ordered pair, one bound for each point."""
        yield from ConvexFunctions().conditions(samples)
        for i in samples:
            yield f"|g({i.name})|<=G", square(i.g) - self.G**2


@dataclass(frozen=True)
class BoundedIndicators:
    """Indicators of closed convex sets of diameter at most D; g is normal to the set, the value is 0.

    <g_j, x_i - x_j> <= 0, |x_i - x_j|^2 <= D^2. The convex hull of the points interpolates: its diameter is
    that of the points. D > 0. ValueError otherwise.
    Source: Taylor, Hendrickx, Glineur, SIAM J. Optim. 27 (2017), Theorem 3.6.
    """

    D: Any

    def __post_init__(self) -> None:
        """An exact positive number."""
        object.__setattr__(self, "D", _positive("D", self.D))

    def conditions(self, samples: Sequence[Sample]) -> Iterator[tuple[str, Form]]:
        """One inequality for each ordered pair and one for each pair; a zero normal says nothing."""
        for i, j in itertools.permutations(samples, 2):
            if j.g.terms:
                yield f"{i.name}<-{j.name}", inner(j.g, i.x - j.x)
        for i, j in itertools.combinations(samples, 2):
            yield f"|{i.name}-{j.name}|<=D", square(i.x - j.x) - self.D**2
