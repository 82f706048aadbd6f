"""What the noise of a stochastic gradient is: a law with known moments, drawn from uniforms."""

import math
from abc import ABC, abstractmethod
from typing import Self

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_positive
from assumptions.specification import Specified

MOST_OUTCOMES = 4096
"""A law with more outcomes than that is not listed."""


class Noise(Specified, ABC):
    """A random vector n(x) in R^d with E n(x) = 0: a stochastic gradient is grad f(x) + n(x).

    A draw is a function of uniforms, so that the same numbers at two points give the same sample there.
    Uniforms are multiples of 2^-53: draws are exact up to what lies between them.
    """

    @abstractmethod
    def width(self, d: int) -> int:
        """Uniforms that one draw in R^d consumes."""

    @abstractmethod
    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """n(x) from uniforms u in [0, 1), (*batch, width(d)). x: (*batch, d). Returns (*batch, d)."""

    @abstractmethod
    def moment(self, p: float, d: int) -> float:
        """sup over x of E |n(x)|_2^p in R^d, up to roundings; inf where it is infinite or beyond the floats.

        p: finite, > 0. d: >= 1. ValueError otherwise. Most laws are the same at every x.
        """

    @abstractmethod
    def entry_moment(self, p: float, d: int) -> float:
        """sup over x and entries of E |n_j(x)|^p in R^d; arguments as ``moment``."""

    @property
    def unit(self) -> tuple[float, Self]:
        """(s, law): this noise is s times one of that law, whose moments are numbers of ordinary size."""
        return 1.0, self

    def size(self, p: float, d: int) -> float:
        """sup over x of (E |n(x)|_2^p)^(1/p), s times that of the law of ``unit``. Arguments: ``moment``."""
        s, law = self.unit
        return s * law.moment(p, d) ** (1 / p)

    def outcomes(self, d: int) -> tuple[Tensor, Tensor] | None:
        """All values (m, d) with their probabilities (m,), if the law is finite and the same at every x."""
        del d
        return None

    def change(self, d: int) -> float:
        """The smallest c with E |n(x) - n(y)|^2 <= c^2 |x - y|^2, one draw at x and y; 0 if n is the same."""
        del d
        return 0.0

    def fits(self, d: int) -> bool:
        """True if this is a noise in R^d; most are, in every dimension."""
        del d
        return True

    @property
    def orders(self) -> tuple[float, ...]:
        """Orders p of moments that are worth a certificate."""
        return (1.25, 1.5, 1.75, 2.0)


def require_moment(p: float, d: int) -> None:
    """ValueError unless p is finite and > 0 and d an integer >= 1."""
    require_positive(p=p)
    require_dimension(d=d)


def require_uniforms(noise: Noise, u: Tensor, x: Tensor) -> None:
    """ValueError unless u, (*batch, width(d)), belongs to x, (*batch, d)."""
    if not noise.fits(x.shape[-1]):
        raise ValueError(f"{noise!r} does not fit points of shape {tuple(x.shape)}")
    width = noise.width(x.shape[-1])
    if u.dim() == 0 or u.shape[-1] != width:
        raise ValueError(f"u must have shape (*batch, {width}) for {noise!r}, got {tuple(u.shape)}")


def normal(u: Tensor) -> Tensor:
    """Standard normal numbers from uniforms in [0, 1), by the inverse distribution function; finite.

    The middle of the interval that the uniform stands for; the last one is cut at 1 - 2^-53.
    """
    return torch.special.ndtri((u + 2.0**-54).clamp(max=1 - 2.0**-53))


def power(base: float, exponent: float) -> float:
    """base^exponent of numbers > 0; inf beyond the floats."""
    try:
        return base**exponent
    except OverflowError:
        return math.inf


def gaussian_moment(p: float, d: int, log_size: float = 0.0) -> float:
    """E |s z|^p of a standard normal z in R^d: s^p 2^(p/2) Gamma((d + p) / 2) / Gamma(d / 2).

    s > 0 is given by its logarithm. inf beyond the floats.
    """
    return _exp(p * log_size + _log_gaussian(p, d))


def unit_entry_moment(p: float, d: int) -> float:
    """E |v_j|^p of v uniform on the unit sphere of R^d: z = |z| v with |z| and v independent."""
    return math.exp(_log_gaussian(p, 1) - _log_gaussian(p, d))


def _exp(exponent: float) -> float:
    try:
        return math.exp(exponent)
    except OverflowError:
        return math.inf


def _log_gaussian(p: float, d: int) -> float:
    return p / 2 * math.log(2) + math.lgamma((d + p) / 2) - math.lgamma(d / 2)
