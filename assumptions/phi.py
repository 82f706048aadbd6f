"""How a modulus of smoothness may grow with distance and gradient."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import as_floats, require_nonnegative
from assumptions.l0l1.form import product, rate, relative_growth
from assumptions.specification import Specified


class Phi(Specified, ABC):
    """phi(r, q) >= 0, nondecreasing in r >= 0 and in q >= 0."""

    @abstractmethod
    def __call__(self, r: Tensor, q: Tensor) -> Tensor:
        """r: a distance, q: the dual norm of a gradient; (*batch,). Returns (*batch,)."""


@dataclass(frozen=True)
class ConstantPhi(Phi):
    """phi(r, q) = 1: smoothness, with the scale for L."""

    def __call__(self, r: Tensor, q: Tensor) -> Tensor:
        """1, or nan where r or q is. r, q: (*batch,)."""
        return torch.where(r.isnan() | q.isnan(), torch.nan, torch.ones_like(r))


@dataclass(frozen=True)
class ExponentialPhi(Phi):
    """phi(r, q) = (a + b q) (e^(b r) - 1) / (b r), a + b q at r = 0: the exponential (a, b)-form.

    a, b: finite, >= 0. ValueError otherwise. Both factors are nondecreasing.
    """

    a: float
    b: float

    def __post_init__(self) -> None:
        """Both as floats."""
        require_nonnegative(a=self.a, b=self.b)
        object.__setattr__(self, "a", float(self.a))
        object.__setattr__(self, "b", float(self.b))

    def __call__(self, r: Tensor, q: Tensor) -> Tensor:
        """r, q: (*batch,). Returns (*batch,)."""
        return product(rate((self.a, self.b), q), relative_growth(self.b * r))


@dataclass(frozen=True)
class PowerPhi(Phi):
    """phi(r, q) = sum of c r^i q^j over ``terms``, a non-empty tuple of triples (c, i, j); 0^0 = 1.

    c, i, j: finite, >= 0, so that every term is nondecreasing. ValueError otherwise.
    """

    terms: tuple[tuple[float, float, float], ...]

    def __post_init__(self) -> None:
        """Triples of floats."""
        if not isinstance(self.terms, tuple) or not self.terms:
            raise ValueError(f"terms must be a non-empty tuple of triples (c, i, j), got {self.terms!r}")
        triples = tuple(as_floats("terms", term) for term in self.terms)
        for triple in triples:
            if len(triple) != 3:
                raise ValueError(f"terms must hold triples (c, i, j), got {triple!r}")
            c, i, j = triple
            require_nonnegative(c=c, i=i, j=j)
        object.__setattr__(self, "terms", triples)

    def __call__(self, r: Tensor, q: Tensor) -> Tensor:
        """r, q: (*batch,). Returns (*batch,)."""
        parts = [c * product(r**i, q**j) for c, i, j in self.terms if c > 0]
        return torch.stack(parts).sum(dim=0) if parts else torch.zeros_like(r)


def require_phi(phi: object) -> None:
    """TypeError unless ``phi`` is a Phi."""
    if not isinstance(phi, Phi):
        raise TypeError(f"phi must be a Phi such as ConstantPhi(), got {phi!r}")
