"""Norms on vectors, their duals, and the directions of linear minimisation oracles."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assumptions.guards import as_float, require_dimension, require_positive
from assumptions.specification import Specified


class Norm(Specified, ABC):
    """A norm |.| on R^d with its dual |g|_* = max {<g, z> : |z| <= 1}.

    All methods act on the last axis: ``(*batch, d) -> (*batch,)``, or ``-> (*batch, d)`` for
    directions. nan in gives nan out. Automatic differentiation of a norm gives a subgradient, 0 at 0.
    """

    @abstractmethod
    def norm(self, x: Tensor) -> Tensor:
        """|x|. x: (*batch, d). Returns (*batch,)."""

    @abstractmethod
    def dual(self, g: Tensor) -> Tensor:
        """|g|_* = max {<g, z> : |z| <= 1}. g: (*batch, d). Returns (*batch,)."""

    @abstractmethod
    def lmo_direction(self, g: Tensor) -> Tensor:
        """argmax {<g, z> : |z| <= 1}: <g, z> = |g|_* and |z| = 1; 0 where g = 0. Shapes as g."""

    def fits(self, d: int) -> bool:
        """True if this is a norm on R^d; most are, in every dimension."""
        del d
        return True

    @abstractmethod
    def rho(self, d: int) -> float:
        """The smallest rho with |g|_* <= rho |g|_2 for all g in R^d."""


@dataclass(frozen=True)
class Lp(Norm):
    """|x| = scale (sum_j |x_j|^p)^(1/p); the largest entry for p = inf.

    1 <= p <= inf. scale: finite, > 0. ValueError otherwise. With 1/p + 1/q = 1 the dual norm is
    |g|_q / scale, attained at z_j ~ sign(g_j) |g_j|^(q-1) (Hoelder). Entries are divided by the
    largest one before powers are taken, so nothing overflows or vanishes on the way.
    """

    p: float
    scale: float = 1.0

    def __post_init__(self) -> None:
        """Both as floats, so that Lp(2) and Lp(2.0) are the same and print the same."""
        p = as_float("p", self.p)
        if not p >= 1:
            raise ValueError(f"p must be >= 1 (inf included), got {self.p!r}")
        require_positive(scale=self.scale)
        object.__setattr__(self, "p", p)
        object.__setattr__(self, "scale", float(self.scale))

    @property
    def q(self) -> float:
        """The conjugate exponent, 1/p + 1/q = 1."""
        return math.inf if self.p == 1 else 1.0 if self.p == math.inf else self.p / (self.p - 1)

    def norm(self, x: Tensor) -> Tensor:
        """Scale times |x|_p. x: (*batch, d). Returns (*batch,)."""
        return self.scale * _power_norm(x, self.p)

    def dual(self, g: Tensor) -> Tensor:
        """|g|_q over scale. g: (*batch, d). Returns (*batch,)."""
        return _power_norm(g, self.q) / self.scale

    def lmo_direction(self, g: Tensor) -> Tensor:
        """A maximiser of <g, z> over the unit ball; for p = 1 the first largest entry. Shapes as g."""
        if self.p == 1:
            first = g.abs().argmax(dim=-1, keepdim=True)
            direction = torch.zeros_like(g).scatter(-1, first, g.gather(-1, first).sign())
        elif self.p == math.inf:
            direction = g.sign()
        else:
            weights = (g / _largest(g)).abs() ** (self.q - 1)
            length = _power_norm(weights, self.p).unsqueeze(-1)
            direction = g.sign() * weights / torch.where(length == 0, 1.0, length)
        # torch.sign maps nan to 0, which would turn an undefined gradient into a step
        return torch.where(g.isnan().any(dim=-1, keepdim=True), torch.nan, direction / self.scale)

    def rho(self, d: int) -> float:
        """max(1, d^(1/2 - 1/p)) / scale: attained at a unit vector or at the vector of ones."""
        require_dimension(d=d)
        return max(1.0, d ** (0.5 - 1 / self.p)) / self.scale


def _size(x: Tensor) -> Tensor:
    """Largest |x_j|, kept as an axis. Carries no gradient."""
    return x.detach().abs().amax(dim=-1, keepdim=True)


def _largest(x: Tensor) -> Tensor:
    """Largest |x_j|, kept as an axis; 1 where it is 0 or not finite. Carries no gradient."""
    return _divisor(_size(x))


def _divisor(size: Tensor) -> Tensor:
    return torch.where((size > 0) & size.isfinite(), size, 1.0)


def _power_norm(x: Tensor, p: float) -> Tensor:
    """|x|_p over the last axis, 1 <= p <= inf."""
    if p == math.inf:
        return x.abs().amax(dim=-1)
    if p == 1:
        return x.abs().sum(dim=-1)
    if p == 2:
        return _euclidean_norm(x)
    size = _size(x)
    zero, largest = size == 0, _divisor(size)
    scaled = x / largest
    if bool(zero.any()):  # the root of 0 has no gradient; that of 0 times anything else is 0
        scaled, largest = torch.where(zero, 1.0, scaled), torch.where(zero, 0.0, largest)
    return largest.squeeze(-1) * (scaled.abs() ** p).sum(dim=-1) ** (1 / p)


def _euclidean_norm(x: Tensor) -> Tensor:
    """|x|_2 over the last axis; divided by the largest entry in rows whose squares overflow or vanish."""
    length = torch.linalg.vector_norm(x, dim=-1)  # with gradient 0 at 0
    plain = (length > 1e-140) & (length < 1e140)
    if bool(plain.all()):
        return length
    size = _size(x)
    plain = plain.unsqueeze(-1) | (size == 0)
    if bool(plain.all()):
        return length
    # what is not chosen is computed of ones: its gradient must not be nan
    largest = _divisor(size)
    scaled = torch.where(plain, 1.0, x / largest)
    length = torch.linalg.vector_norm(torch.where(plain, x, 1.0), dim=-1)
    return torch.where(plain.squeeze(-1), length, largest.squeeze(-1) * scaled.square().sum(dim=-1).sqrt())


def require_norm(norm: object) -> None:
    """TypeError unless ``norm`` is a Norm."""
    if not isinstance(norm, Norm):
        raise TypeError(f"norm must be a Norm such as Lp(p=2.0), got {norm!r}")


EUCLIDEAN = Lp(2.0)


def norm_option(options: Mapping[str, Any]) -> Norm:
    """The option ``norm``, Euclidean by default; TypeError if there is any other option."""
    unknown = sorted(set(options) - {"norm"})
    if unknown:
        raise TypeError(f"the only option is norm, got {', '.join(unknown)}")
    norm = options.get("norm", EUCLIDEAN)
    require_norm(norm)
    return norm
