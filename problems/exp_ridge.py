"""The exponential of an affine function."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from problems.curved_ridge import LinkRidge
from problems.ridge import clip_domain
from problems.scalar_root import increasing_root
from problems.space import Range, Uniform, Vector


@dataclass(frozen=True)
class ExpRidge(LinkRidge):
    """f(x) = exp(<a, x> - b): convex, neither Lipschitz nor smooth; inf f = 0 is not attained.

    a: nonzero, 1 / units of x. b: finite. start: overrides x0, by default a / |a|. ValueError otherwise.
    |Hessian| = |a| |grad f|: (L0, L1) = (0, |a|), and no smaller L1 serves. Source: definition.
    """

    a: tuple[float, ...]
    b: float = 0.0
    start: tuple[float, ...] = ()
    link: ClassVar[str] = "exp"
    f_star: ClassVar[float] = 0.0

    space: ClassVar[Mapping[str, Range]] = {"a": Vector(Uniform(-3.0, 3.0), 1, 5), "b": Uniform(-2.0, 2.0)}

    @property
    def interval(self) -> tuple[float, float]:
        """Nowhere: at -infinity."""
        return -math.inf, -math.inf

    def gap(self, x: Tensor) -> Tensor:
        """The value: inf f = 0. x: (*batch, d). Returns (*batch,)."""
        return self.value(x)

    def _shift(self, m: Tensor, k: Tensor) -> Tensor:
        """-r with r = k e^(m - r), that is r + log r = z = log k + m.

        r <= e^z; and r <= max(1, z), for r > 1 gives r <= z. An upper end U gives the lower one e^(z - U).
        For z >= 1, r = z - log r >= z - log z, which keeps the search where nothing overflows.
        """
        z = torch.add(k.log(), m)
        high = torch.minimum(z.exp(), z.clamp(min=1))
        low = (z - high).exp()
        low = torch.where(z >= 1, torch.maximum(low, z - z.clamp(min=1).log()), low)

        def residual(r: Tensor) -> tuple[Tensor, Tensor]:
            pull = (z - r).exp()
            return r - pull, 1 + pull

        return -increasing_root(residual, torch.minimum(low, high), high)

    def _conjugate(self, slope: Tensor) -> Tensor:
        """R log r - r for r >= 0."""
        r, outside = clip_domain(slope, 0.0, math.inf)
        return torch.where(outside, torch.inf, torch.xlogy(r, r) - r)

    def conic(self, z: Any, cp: Any) -> Any:
        """exp(<a, z> - b)."""
        return cp.exp(self._affine(z))
