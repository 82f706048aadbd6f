"""The hyperbolic cosine of an affine function."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from problems.curved_ridge import LinkRidge
from problems.ridge import AttainedRidge
from problems.scalar_root import increasing_root
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class CoshRidge(LinkRidge, AttainedRidge):
    """f(x) = cosh(<a, x> - b) - 1: convex, PL, neither Lipschitz nor smooth.

    a: nonzero, 1 / units of x. b: finite. start: overrides x0, by default the point x_star + a / |a|.
    ValueError otherwise. |Hessian| <= |a|^2 + |a| |grad f|. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    link: ClassVar[str] = "cosh"

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    @property
    def interval(self) -> tuple[float, float]:
        """{0}."""
        return 0.0, 0.0

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """-k sinh s with s + k sinh s = m, for m >= 0 (odd in m).

        s <= m / (1 + k) for sinh s >= s, and s <= asinh(m / k). With sinh s <= s cosh s, where k cosh s <=
        (k^2 + m^2)^(1/2): s >= m / (1 + (k^2 + m^2)^(1/2)). A shift above 1 is more accurate as m - s.
        """
        m, k = torch.broadcast_tensors(m, k)
        size = m.abs()

        def residual(s: Tensor) -> tuple[Tensor, Tensor]:
            return s - size + k * torch.sinh(s), 1 + k * torch.cosh(s)

        high = torch.minimum(size / (1 + k), torch.asinh(size / k))
        low = torch.minimum(size / (1 + torch.hypot(k, size)), high)
        s = increasing_root(residual, low, high)
        return -m.sign() * torch.where(size - s < 1, k * torch.sinh(s), size - s)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """R asinh r - (sqrt(1 + r^2) - 1), attained at sinh s = r."""
        root = torch.hypot(torch.ones_like(slope), slope)
        return slope * (torch.asinh(slope) - slope / (1 + root))

    def conic(self, z: Any, cp: Any) -> Any:
        """(e^s + e^(-s)) / 2 - 1 with s = <a, z> - b."""
        s = self._affine(z)
        return (cp.exp(s) + cp.exp(-s)) / 2 - 1
