"""Laws of random sets of layers, by which a method chooses the layers that a step updates.

Layers are numbered from 0. A law fits the numbers of layers n that it is stated for; with n it has a
``space``, whose draws are masks, (*batch, n) bool, and ``probabilities``, p_i = P(layer i is updated).
"""

import itertools
import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions.guards import as_float, as_floats, require_dimension
from assumptions.specification import Specified
from workbench.sampling_spaces import Weighted
from workbench.spaces import Space

ROOM = 1e-12
"""Weights may miss the sum 1 by this much; they are divided by their sum."""

LEAST = Fraction(1, 2**53)
"""The least positive probability that uniforms of 53 bits can make."""


@dataclass(frozen=True)
class Masks:
    """One of some masks, each with its weight over their sum; draws (*batch, n) bool. weights: > 0."""

    masks: tuple[tuple[bool, ...], ...]
    weights: tuple[float, ...]

    @property
    def width(self) -> int:
        """1; 0 for a single mask."""
        return 1 if len(self.masks) > 1 else 0

    @property
    def size(self) -> float:
        """The number of masks."""
        return len(self.masks)

    @cached_property
    def _of(self) -> Weighted:
        return Weighted(self.weights)

    def value(self, u: Tensor) -> Tensor:
        """The mask that ``Weighted`` picks. u: (*batch, width)."""
        masks = torch.tensor(self.masks, device=u.device)
        return masks[self._of.value(u).squeeze(-1)] if self.width else masks[0].expand(*u.shape[:-1], -1)

    def outcomes(self) -> tuple[Tensor, Tensor]:
        """Every mask."""
        return torch.tensor(self.masks), self._of.outcomes()[1]


class LayerLaw(Specified, ABC):
    """A random set of layers."""

    @abstractmethod
    def space(self, n: int) -> Space:
        """Draws (*batch, n) bool: which layers are updated. ValueError where n does not fit."""

    @abstractmethod
    def probabilities(self, n: int) -> tuple[float, ...]:
        """p_i = P(layer i is updated), one for each of n layers. ValueError where n does not fit."""


@dataclass(frozen=True)
class Full(LayerLaw):
    """All layers, always."""

    def space(self, n: int) -> Space:
        """One outcome."""
        require_dimension(n=n)
        return Masks(((True,) * n,), (1.0,))

    def probabilities(self, n: int) -> tuple[float, ...]:
        """1."""
        require_dimension(n=n)
        return (1.0,) * n


@dataclass(frozen=True)
class RPT(LayerLaw):
    """Randomised progressive training: layer s is drawn with probability q_s, layers s, s + 1, ... updated.

    Backpropagation starts at the last layer: it goes down to layer s and no further. law: q, one entry for
    each layer, >= 0, of sum 1; empty for 1/n each, whatever the number n of layers. p_i = q_0 + ... + q_i is
    non-decreasing, and 1 for the last layer. ValueError for numbers that are no distribution, or if the
    first positive q_s is below 2^-53. Source: Drop-Muon, arXiv:2510.02239.
    """

    law: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Guard the law."""
        if self.law != ():
            q = as_floats("law", self.law)
            _require_distribution("law", q)
            if next(Fraction(entry) for entry in q if entry > 0) < LEAST:
                raise ValueError(f"law must have its first positive entry at least 2**-53, got {q!r}")
            object.__setattr__(self, "law", q)

    def space(self, n: int) -> Space:
        """One outcome for each layer with q_s > 0."""
        q = self._of(n)
        tops = [s for s in range(n) if q[s] > 0]
        masks = tuple(tuple(i >= s for i in range(n)) for s in tops)
        return Masks(masks, tuple(q[s] for s in tops))

    def probabilities(self, n: int) -> tuple[float, ...]:
        """p_i = q_0 + ... + q_i over the sum of all."""
        below = list(itertools.accumulate(map(Fraction, self._of(n))))
        return tuple(float(part / below[-1]) for part in below)

    def _of(self, n: int) -> tuple[float, ...]:
        require_dimension(n=n)
        if self.law and len(self.law) != n:
            raise ValueError(f"law must have one entry for each of {n} layers, got {self.law!r}")
        return self.law or (1.0,) * n


@dataclass(frozen=True)
class AnyLaw(LayerLaw):
    """A set from a list: the layers sets[m] with probability weights[m].

    sets: different tuples of different layers, numbered from 0; () updates nothing. weights: one for each
    set, at least 2^-53, of sum 1. TypeError, ValueError otherwise.
    """

    sets: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]

    def __post_init__(self) -> None:
        """Guard the sets and their weights."""
        if not isinstance(self.sets, tuple):
            raise TypeError(f"sets must be a tuple of tuples of layers, got {self.sets!r}")
        sets = tuple(sorted(_layer_set(one)) for one in self.sets)
        if not sets or len(set(map(tuple, sets))) < len(sets):
            raise ValueError(f"sets must be different sets of layers, at least one, got {self.sets!r}")
        weights = as_floats("weights", self.weights)
        if len(weights) != len(sets):
            raise ValueError(f"weights must have one entry for each of {len(sets)} sets, got {weights!r}")
        _require_distribution("weights", weights)
        if any(Fraction(weight) < LEAST for weight in weights):
            raise ValueError(f"weights must be at least 2**-53, or leave the set out, got {weights!r}")
        object.__setattr__(self, "sets", tuple(map(tuple, sets)))
        object.__setattr__(self, "weights", weights)

    def space(self, n: int) -> Space:
        """One outcome for each set."""
        self._require(n)
        masks = tuple(tuple(i in one for i in range(n)) for one in self.sets)
        return Masks(masks, self.weights)

    def probabilities(self, n: int) -> tuple[float, ...]:
        """The weights of the sets with layer i, over the sum of all."""
        self._require(n)
        pairs = [(one, Fraction(w)) for one, w in zip(self.sets, self.weights, strict=True)]
        total = sum((w for _, w in pairs), Fraction(0))
        return tuple(float(sum((w for one, w in pairs if i in one), Fraction(0)) / total) for i in range(n))

    def _require(self, n: int) -> None:
        require_dimension(n=n)
        largest = max((i for one in self.sets for i in one), default=-1)
        if largest >= n:
            raise ValueError(f"sets must hold layers from 0 to {n - 1}, got layer {largest}")


def uniform_rpt(b: int) -> RPT:
    """q_s = 1/b. ValueError unless b is an integer >= 1."""
    require_dimension(b=b)
    return RPT((1 / b,) * b)


def epoch_shift(b: int, u: float, a: float = 0.5) -> RPT:
    """q_s proportional to exp(a ((1 - u)(b - s) + u s)), s = 1, ..., b, at the training progress u.

    At the start, u = 0, most draws start at the first layers, at the end, u = 1, at the last; at u = 1/2 the
    law is uniform. u: in [0, 1]. a: finite, >= 0. ValueError otherwise. A q_s below 2^-50 of the largest is
    raised to that, so that every layer is reached.
    Source: a public implementation of Drop-Muon, a = 0.5.
    """
    require_dimension(b=b)
    u, a = as_float("u", u), as_float("a", a)
    if not 0 <= u <= 1:
        raise ValueError(f"u must be in [0, 1], got {u!r}")
    if not 0 <= a < math.inf:
        raise ValueError(f"a must be finite and >= 0, got {a!r}")
    rates = [a * ((1 - u) * (b - s) + u * s) for s in range(1, b + 1)]
    sizes = [max(math.exp(rate - max(rates)), 2.0**-50) for rate in rates]
    return RPT(tuple(size / sum(sizes) for size in sizes))


def from_marginals(p: tuple[float, ...]) -> RPT:
    """The one law with P(layer i is updated) = p_i: q_0 = p_0, q_i = p_i - p_(i-1).

    p: in [0, 1], non-decreasing, the last entry 1. ValueError otherwise: no RPT law has others.
    """
    p = as_floats("p", p)
    if not p or not all(0 <= entry <= 1 for entry in p):
        raise ValueError(f"p must hold numbers in [0, 1], at least one, got {p!r}")
    for before, after in itertools.pairwise(p):
        if after < before:
            raise ValueError(
                f"p must be non-decreasing, for RPT updates the layers from a drawn one to the last; "
                f"got {after!r} after {before!r}"
            )
    if p[-1] != 1:
        raise ValueError(f"p must end with 1, for RPT always updates the last layer; got {p!r}")
    first = next(entry for entry in p if entry > 0)
    if Fraction(first) < LEAST:
        raise ValueError(f"p must have its first positive entry at least 2**-53, got {first!r}")
    return RPT((p[0], *(float(Fraction(b) - Fraction(a)) for a, b in itertools.pairwise(p))))


# -- guards -----------------------------------------------------------------------------------------


def _layer_set(layers: tuple[int, ...]) -> tuple[int, ...]:
    """ValueError unless a tuple of different integers >= 0."""
    fits = isinstance(layers, tuple) and all(
        isinstance(i, int) and not isinstance(i, bool) and i >= 0 for i in layers
    )
    if not fits or len(set(layers)) < len(layers):
        raise ValueError(f"sets must hold tuples of different layers, integers >= 0, got {layers!r}")
    return layers


def _require_distribution(name: str, weights: tuple[float, ...]) -> None:
    """ValueError unless the weights are >= 0 and sum to 1."""
    if not all(0 <= weight < math.inf for weight in weights):
        raise ValueError(f"{name} must be a distribution, numbers >= 0 of sum 1, got {weights!r}")
    total = math.fsum(weights)
    if not abs(total - 1) <= ROOM:
        raise ValueError(f"{name} must be a distribution, its sum is {total!r}, not 1: {weights!r}")


LAYER_LAWS: tuple[type[LayerLaw], ...] = (Full, RPT, AnyLaw)
"""Every law of layers; the samplings of ``workbench.samplings`` serve as well."""
