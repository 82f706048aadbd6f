"""The logistic loss of one example."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions import Certificate, Convex, Lipschitz, Smooth
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.outward import certify, length_up, round_up, square_sum
from problems.curved_ridge import CurvedRidge
from problems.ridge import clip_domain, require_label
from problems.scalar_root import increasing_root
from problems.softplus import softplus
from problems.space import Choice, Range, Uniform, Vector


@dataclass(frozen=True)
class LogLoss(CurvedRidge):
    """f(x) = log(1 + exp(-y <a, x>)), y the label; inf f = 0 is not attained.

    a: nonzero, units of f per unit of x. label: 1 or -1. start: overrides x0, by default -y a / |a|.
    ValueError otherwise. Source: definition.
    """

    a: tuple[float, ...]
    label: int = 1
    start: tuple[float, ...] = ()
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "label": Choice((-1, 1))}

    def __post_init__(self) -> None:
        """Check the arguments."""
        self._check()
        require_label(self.label)

    @property
    def interval(self) -> tuple[float, float]:
        """Nowhere: at y times infinity."""
        return self.label * math.inf, self.label * math.inf

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """With p = 1 / (1 + exp(y <a, x>)): grad f = -y p a, Hessian p (1 - p) a a'."""
        return (
            Certificate(Convex(), proof="the Hessian is p (1 - p) a a'"),
            *certify(Lipschitz, length_up(self.a), "|grad f| = p |a| with p < 1"),
            *certify(Smooth, round_up(square_sum(self.a) / 4), "p (1 - p) <= 1/4"),
            Certificate(HessianL0L1(0.0, length_up(self.a)), proof="p (1 - p) |a|^2 <= |a| p |a|"),
        )

    def gap(self, x: Tensor) -> Tensor:
        """The value: inf f = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def _h(self, s: Tensor) -> Tensor:
        return softplus(-self.label * s)

    def _slope(self, s: Tensor) -> Tensor:
        return -self.label * torch.sigmoid(-self.label * s)

    def _curvature(self, s: Tensor) -> Tensor:
        return torch.sigmoid(s) * torch.sigmoid(-s)

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """With m for y m: the root r of r = k p(m + r), p(s) = 1 / (1 + e^s).

        p decreases, so r <= k p(m); and e^r <= e^(s - m) < k e^(-m) / r, so r <= max(1, log k - m). The
        upper end U gives the lower one, k p(m + U).
        """
        m, k = torch.broadcast_tensors(self.label * m, k)

        def pull(r: Tensor) -> Tensor:
            return k * torch.sigmoid(-(m + r))

        def residual(r: Tensor) -> tuple[Tensor, Tensor]:
            p = pull(r)
            return r - p, 1 + p * torch.sigmoid(m + r)

        high = torch.minimum(pull(torch.zeros_like(m)), (k.log() - m).clamp(min=1))
        return self.label * increasing_root(residual, torch.minimum(pull(high), high), high)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """p log p + (1 - p) log(1 - p) for p = -y r in [0, 1]."""
        p, outside = clip_domain(-self.label * slope, 0.0, 1.0)
        return torch.where(outside, torch.inf, torch.xlogy(p, p) + torch.xlogy(1 - p, 1 - p))

    def conic(self, z: Any, cp: Any) -> Any:
        """log(1 + exp(-y <a, z>))."""
        return cp.logistic(-self.label * self._affine(z))
