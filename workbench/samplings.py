"""Samplings: random subsets of n clients, perhaps empty, with their probabilities and ESO constants.

A sampling S picks client j with probability p_j >= 2^-53, the least that uniforms of 53 bits can make. Its
ESO constants v_j (expected separable overapproximation) satisfy E |sum_{j in S} d_j / p_j|^2 <=
sum_j v_j |d_j|^2 for all vectors d_j, which says that diag(v) - [P_ij / (p_i p_j)] is positive semidefinite,
P_ij = P(i, j in S).
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

from assumptions.guards import as_float, as_floats, require_dimension
from assumptions.outward import round_up
from assumptions.specification import Specified
from workbench.sampling_spaces import Coins, Marked, Together, Weighted
from workbench.spaces import Index, Space, Subset


class Sampling(Specified, ABC):
    """A random subset of {0, ..., n-1} for every n that it fits."""

    @abstractmethod
    def space(self, n: int) -> Space:
        """Draws (*batch, n) bool: who is in the subset. ValueError where n does not fit."""

    @abstractmethod
    def probabilities(self, n: int) -> tuple[float, ...]:
        """p_j = P(j in S) >= 2^-53."""

    @abstractmethod
    def eso(self, n: int) -> tuple[float, ...]:
        """v_j of the file's docstring, rounded up."""


@dataclass(frozen=True)
class Single(Sampling):
    """Exactly one client: j with probability w_j / sum w; uniform without weights. v_j = 1 / p_j.

    weights: finite, at least 2^-53 of their sum, one for each client. ValueError otherwise. On the same
    uniforms Single() picks what Index(n) draws. Proof: E |d_j / p_j|^2 = sum_j |d_j|^2 / p_j.
    """

    weights: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Guard the weights."""
        if self.weights != ():
            weights = as_floats("weights", self.weights)
            _require_fits("weights", weights, math.inf)
            _require_picked("weights", weights, sum(map(Fraction, weights), Fraction(0)))
            object.__setattr__(self, "weights", weights)

    def space(self, n: int) -> Space:
        """One index, marked."""
        self._require(n)
        return Marked(n, Weighted(self.probabilities(n)) if self.weights else Index(n))

    def probabilities(self, n: int) -> tuple[float, ...]:
        """w_j / sum w."""
        self._require(n)
        total = sum(map(Fraction, self.weights))
        return tuple(float(Fraction(w) / total) for w in self.weights) or (1 / n,) * n

    def eso(self, n: int) -> tuple[float, ...]:
        """sum w / w_j."""
        self._require(n)
        total = sum(map(Fraction, self.weights))
        return tuple(round_up(total / Fraction(w)) for w in self.weights) or (float(n),) * n

    def _require(self, n: int) -> None:
        require_dimension(n=n)
        if self.weights and len(self.weights) != n:
            raise ValueError(f"weights must have one entry for each of {n} clients, got {self.weights!r}")


@dataclass(frozen=True)
class Nice(Sampling):
    """s clients, every set of s equally likely; p_j = s / n, v_j = n. An integer s with 1 <= s <= n.

    ValueError otherwise. On the same uniforms it picks what Subset(n, s) draws. Proof: |S| <= s gives
    |sum d_j / p_j|^2 <= s sum_{j in S} |d_j|^2 / p_j^2, whose mean is sum (s / p_j) |d_j|^2.
    """

    s: int

    def __post_init__(self) -> None:
        """Guard the size."""
        require_dimension(s=self.s)

    def space(self, n: int) -> Space:
        """A subset, marked."""
        self._require(n)
        return Marked(n, Subset(n, self.s))

    def probabilities(self, n: int) -> tuple[float, ...]:
        """s / n."""
        self._require(n)
        return (self.s / n,) * n

    def eso(self, n: int) -> tuple[float, ...]:
        """n."""
        self._require(n)
        return (float(n),) * n

    def _require(self, n: int) -> None:
        require_dimension(n=n)
        if self.s > n:
            raise ValueError(f"s must be at most the number of clients, {n}, got {self.s}")


@dataclass(frozen=True)
class Independent(Sampling):
    """A coin of its own for each client, perhaps none heads; v_j = n - 1 + 1 / p_j.

    p: a number in [2^-53, 1], or one for each client. ValueError otherwise. Proof: the matrix
    P_ij / (p_i p_j) is 11' + diag(1 / p_j - 1), and 11' <= n I.
    """

    p: float | tuple[float, ...]

    def __post_init__(self) -> None:
        """Guard the probabilities."""
        listed = isinstance(self.p, tuple | list)
        p = as_floats("p", self.p) if listed else (as_float("p", self.p),)  # pyright: ignore[reportArgumentType]
        if not p:
            raise ValueError("p must hold at least one number, got ()")
        _require_fits("p", p, 1.0)
        _require_picked("p", p)
        object.__setattr__(self, "p", p if listed else p[0])

    def space(self, n: int) -> Space:
        """n coins."""
        return Coins(self.probabilities(n))

    def probabilities(self, n: int) -> tuple[float, ...]:
        """p_j."""
        require_dimension(n=n)
        p = self.p if isinstance(self.p, tuple) else (self.p,) * n
        if len(p) != n:
            raise ValueError(f"p must have one entry for each of {n} clients, got {self.p!r}")
        return p

    def eso(self, n: int) -> tuple[float, ...]:
        """n - 1 + 1 / p_j."""
        return tuple(round_up(n - 1 + 1 / Fraction(p)) for p in self.probabilities(n))


@dataclass(frozen=True)
class AllOrNothing(Sampling):
    """All clients with probability p, else none; v_j = n / p. 2^-53 <= p <= 1, ValueError otherwise.

    On the same uniforms it picks all where Coin(p) is heads. Proof: P_ij / (p_i p_j) = 11' / p <= (n / p) I.
    """

    p: float

    def __post_init__(self) -> None:
        """Guard the probability."""
        p = as_float("p", self.p)
        _require_fits("p", (p,), 1.0)
        _require_picked("p", (p,))
        object.__setattr__(self, "p", p)

    def space(self, n: int) -> Space:
        """One coin."""
        require_dimension(n=n)
        return Together(n, self.p)

    def probabilities(self, n: int) -> tuple[float, ...]:
        """p."""
        require_dimension(n=n)
        return (self.p,) * n

    def eso(self, n: int) -> tuple[float, ...]:
        """n / p."""
        require_dimension(n=n)
        return (round_up(n / Fraction(self.p)),) * n


# -- guards -----------------------------------------------------------------------------------------


def _require_fits(name: str, values: tuple[float, ...], largest: float) -> None:
    """ValueError unless every entry is in [0, largest] and finite; 0 is left to ``_require_picked``."""
    wrong = [v for v in values if not (0 <= v <= largest and v < math.inf)]
    if wrong:
        accepted = "in (0, 1]" if largest == 1 else "finite and > 0"
        raise ValueError(f"{name} must be {accepted}, got {wrong[0]!r}")


def _require_picked(name: str, values: tuple[float, ...], total: Fraction | None = None) -> None:
    """ValueError for an entry that is 0 or below 2^-53 (of the ``total``, if given); it is named."""
    least = (total or 1) * Fraction(2) ** -53
    for j, value in enumerate(values):
        if value == 0 or Fraction(value) < least:
            accepted = "at least 2**-53" if total is None else "at least 2**-53 of their sum"
            raise ValueError(
                f"{name} must be {accepted} for every index to be picked with its probability, "
                f"got {value!r} at index {j}"
            )


SAMPLINGS: tuple[type[Sampling], ...] = (Single, Nice, Independent, AllOrNothing)
"""Every sampling."""
