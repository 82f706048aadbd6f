"""The hinge loss of one example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import Certificate, Convex, Lipschitz
from assumptions.outward import certify, length_up
from problems.ridge import AttainedRidge, clip_domain, require_label
from problems.space import Choice, Range, Uniform, Vector


@dataclass(frozen=True)
class Hinge(AttainedRidge):
    """f(x) = (1 - y <a, x>)_+, y the label.

    a: nonzero, units of f per unit of x. label: 1 or -1. start: overrides x0, by default one unit
    outside the half-space y <a, x> >= 1 of minimisers. ValueError otherwise. Source: definition.
    """

    a: tuple[float, ...]
    label: int = 1
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "label": Choice((-1, 1))}

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()
        require_label(self.label)

    @property
    def interval(self) -> tuple[float, float]:
        """{s : y s >= 1}."""
        return (1.0, math.inf) if self.label == 1 else (-math.inf, -1.0)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The subgradients are -s y a with 0 <= s <= 1."""
        return (
            Certificate(Convex(), proof="a convex function of an affine one"),
            *certify(Lipschitz, length_up(self.a), "a subgradient is -s y a with 0 <= s <= 1"),
        )

    def _h(self, s: Tensor) -> Tensor:
        return (1 - self.label * s).clamp(min=0)

    def _slope(self, s: Tensor) -> Tensor:
        """-y below the margin, 0 from it on."""
        return torch.where(s.isnan(), s, torch.where(self.label * s < 1, float(-self.label), 0.0))

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """Towards the margin by k."""
        return torch.minimum(torch.maximum(self._missing(m), -k), k)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """y r for y r in [-1, 0], attained at the margin."""
        inside, outside = clip_domain(self.label * slope, -1.0, 0.0)
        return torch.where(outside, torch.inf, inside)

    def conic(self, z: Any, cp: Any) -> Any:
        """(1 - y <a, z>)_+."""
        return cp.pos(1 - self.label * self._affine(z))
