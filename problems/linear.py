"""Linear functions."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import Affine, Certificate, Convex, Lipschitz
from assumptions.outward import certify, length_up
from assumptions.rounding import ROUNDINGS
from problems.ridge import Ridge
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class Linear(Ridge):
    """f(x) = <a, x>, unbounded below: the step over a ball is the linear minimisation oracle of its norm.

    a: nonzero, units of f per unit of x. start: overrides x0, by default a / |a|. ValueError otherwise.
    Source: definition.
    """

    a: tuple[float, ...]
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()

    @property
    def interval(self) -> tuple[float, float]:
        """Nowhere: at minus infinity."""
        return -math.inf, -math.inf

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The gradient is a. It is L-smooth for every L > 0, so for no smallest one."""
        return (
            Certificate(Convex(), proof="linear"),
            Certificate(Affine(), proof="linear"),
            *certify(Lipschitz, length_up(self.a), "the gradient is a"),
        )

    def _h(self, s: Tensor) -> Tensor:
        return s

    def _slope(self, s: Tensor) -> Tensor:
        return torch.where(s.isnan(), s, 1.0)

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """Down by k."""
        return torch.where(m.isnan(), m, -k)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """0 at 1."""
        return torch.where((slope - 1).abs() > ROUNDINGS, torch.inf, 0 * slope)

    def conic(self, z: Any, cp: Any) -> Any:
        """<a, z>."""
        del cp
        return self._affine(z)
