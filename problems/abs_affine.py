"""Absolute value of an affine function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import Certificate, Convex, Lipschitz
from assumptions.outward import certify, length_up
from problems.ridge import AttainedRidge, clip_domain
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class AbsAffine(AttainedRidge):
    """f(x) = |<a, x> - b|.

    a: nonzero, units of f per unit of x. b: finite, units of f. start: overrides x0, by default the
    point x_star + a / |a|. ValueError otherwise. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()

    @property
    def interval(self) -> tuple[float, float]:
        """{0}."""
        return 0.0, 0.0

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The subgradients are s a with |s| <= 1."""
        return (
            Certificate(Convex(), proof="a convex function of an affine one"),
            *certify(Lipschitz, length_up(self.a), "a subgradient is s a with |s| <= 1"),
        )

    def _h(self, s: Tensor) -> Tensor:
        return s.abs()

    def _slope(self, s: Tensor) -> Tensor:
        # torch.sign maps nan to 0
        return torch.where(s.isnan(), s, s.sign())

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """Towards 0 by k."""
        return torch.minimum(torch.maximum(-m, -k), k)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """0 on [-1, 1]."""
        inside, outside = clip_domain(slope, -1.0, 1.0)
        return torch.where(outside, torch.inf, 0 * inside)

    def conic(self, z: Any, cp: Any) -> Any:
        """|<a, z> - b|."""
        return cp.abs(self._affine(z))
