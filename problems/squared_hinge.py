"""The squared hinge loss of one example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import PL, Certificate, Convex, Smooth
from assumptions.outward import certify, round_down, round_up, square_sum
from problems.ridge import AttainedRidge, clip_domain, require_label
from problems.space import Choice, Range, Uniform, Vector


@dataclass(frozen=True)
class SquaredHinge(AttainedRidge):
    """f(x) = (1 - y <a, x>)_+^2 / 2, y the label.

    a: nonzero, |a|^2 has units of f per squared unit of x. label: 1 or -1. start: overrides x0, by
    default one unit outside the half-space y <a, x> >= 1 of minimisers. ValueError otherwise. Source:
    definition.
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
        """With grad f(x) = -y (1 - y <a, x>)_+ a."""
        square = square_sum(self.a)
        smooth = "h' is 1-Lipschitz: |a| |h'(s) - h'(r)| <= |a|^2 |x - z|"
        pl = "|grad f|^2 = |a|^2 (1 - y <a, x>)_+^2 = 2 |a|^2 f, f_star = 0"
        return (
            Certificate(Convex(), proof="a convex function of an affine one"),
            *certify(Smooth, round_up(square), smooth),
            *certify(PL, round_down(square), pl),
        )

    def _h(self, s: Tensor) -> Tensor:
        return (1 - self.label * s).clamp(min=0).square() / 2

    def _slope(self, s: Tensor) -> Tensor:
        """-y (1 - y s)_+."""
        return -self.label * (1 - self.label * s).clamp(min=0)

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """Towards the margin by the part k / (1 + k) of the way."""
        return self._missing(m) / (1 + 1 / k)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """r y + r^2 / 2 for y r <= 0, attained where 1 - y s = -y r."""
        inside, outside = clip_domain(self.label * slope, -math.inf, 0.0)
        return torch.where(outside, torch.inf, inside + inside.square() / 2)

    def conic(self, z: Any, cp: Any) -> Any:
        """(1 - y <a, z>)_+^2 / 2."""
        return cp.square(cp.pos(1 - self.label * self._affine(z))) / 2
