"""The logarithm of the hyperbolic cosine of an affine function."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from problems.curved_ridge import LinkRidge
from problems.ridge import AttainedRidge, clip_domain
from problems.scalar_root import increasing_root
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class LogCoshRidge(LinkRidge, AttainedRidge):
    """f(x) = log cosh(<a, x> - b): convex, |a|-Lipschitz, |a|^2-smooth, not PL.

    a: nonzero, 1 / units of x. b: finite. start: overrides x0, by default the point x_star + a / |a|.
    ValueError otherwise. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    link: ClassVar[str] = "log-cosh"

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    @property
    def interval(self) -> tuple[float, float]:
        """{0}."""
        return 0.0, 0.0

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """-k tanh s with s + k tanh s = m, between max(m / (1 + k), m - k) and m, for m >= 0 (odd in m)."""
        m, k = torch.broadcast_tensors(m, k)
        size = m.abs()

        def residual(s: Tensor) -> tuple[Tensor, Tensor]:
            t = torch.tanh(s)
            return s - size + k * t, 1 + k * (1 - t) * (1 + t)

        s = increasing_root(residual, torch.maximum(size / (1 + k), size - k), size)
        return -m.sign() * k * torch.tanh(s)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """((1 + r) log(1 + r) + (1 - r) log(1 - r)) / 2 for |r| <= 1, attained at tanh s = r.

        Near 0 as log(1 - r^2) / 2 + r atanh r, where half the second term is subtracted and no more.
        """
        r, outside = clip_domain(slope, -1.0, 1.0)
        small = r.clamp(-0.5, 0.5)
        near = torch.log1p(-small.square()) / 2 + small * torch.atanh(small)
        far = (torch.xlogy(1 + r, 1 + r) + torch.xlogy(1 - r, 1 - r)) / 2
        return torch.where(outside, torch.inf, torch.where(r.abs() <= 0.5, near, far))

    def conic(self, z: Any, cp: Any) -> Any:
        """log((e^s + e^(-s)) / 2) with s = <a, z> - b."""
        s = self._affine(z)
        return cp.log_sum_exp(cp.hstack([s, -s])) - math.log(2)
