"""Small sums and noises to try assumptions on; each knows only what the tests say of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.norms import EUCLIDEAN, Norm
from assumptions.rounding import value_noise

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Known:
    """A function whose minimisers and minimum are known; ``nearest`` projects on the former."""

    value: Map
    grad: Map
    d: int = 1
    f_star: float = 0.0
    nearest: Map | None = None
    f_star_error: float = 0.0
    x_star_error: float = 0.0
    start: float = 0.7

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), self.start, dtype=torch.float64)

    @property
    def x_star(self) -> Tensor:
        return self.nearest_star(self.x0)

    def offers(self, name: str) -> bool:
        if name in ("x_star", "nearest_star"):
            return self.nearest is not None
        return getattr(self, name, None) is not None

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        assert self.nearest is not None
        return self.nearest(x)

    def gap(self, x: Tensor) -> Tensor:
        return self.value(x) - self.f_star

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        return (gap + self.f_star).abs() + abs(self.f_star) + value_noise(self, x) / EPS


@dataclass(frozen=True)
class SumToy:
    """f as the mean of terms; parts map (*batch, d) to (*batch, n) and (*batch, n, d)."""

    part_values: Map
    part_grads: Map
    n_terms: int
    d: int
    x_star: Tensor | None = None
    x_star_error: float = 0.0
    start: float = 0.7

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), self.start, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None

    def value(self, x: Tensor) -> Tensor:
        return self.part_values(x).mean(dim=-1)

    def grad(self, x: Tensor) -> Tensor:
        return self.part_grads(x).mean(dim=-2)


def quadratic_sum(hessians: Tensor, centres: Tensor | None = None) -> SumToy:
    """f_j = (x - c_j)' A_j (x - c_j) / 2, with gradients as A_j x - A_j c_j. hessians: (n, d, d)."""
    n, d, _ = hessians.shape
    c = torch.zeros(n, d, dtype=torch.float64) if centres is None else centres
    b = (hessians @ c.unsqueeze(-1)).squeeze(-1)

    def values(x: Tensor) -> Tensor:
        y = x.unsqueeze(-2) - c
        return (y * torch.einsum("nij,...nj->...ni", hessians, y)).sum(-1) / 2

    return SumToy(
        values,
        lambda x: torch.einsum("nij,...j->...ni", hessians, x) - b,
        n,
        d,
        x_star=torch.linalg.lstsq(hessians.mean(0), b.mean(0)).solution,
    )


def scalars(*curvatures: float) -> SumToy:
    """f_j = a_j x^2 / 2 in one dimension."""
    return quadratic_sum(torch.tensor(curvatures, dtype=torch.float64).reshape(-1, 1, 1))


def axes(d: int) -> SumToy:
    """f_j = x_j^2 / 2, j = 1..d."""
    return quadratic_sum(torch.diag_embed(torch.eye(d, dtype=torch.float64)))


def symmetric(n: int, d: int, seed: int, scale: float = 1.0) -> Tensor:
    """Random symmetric matrices, (n, d, d), indefinite."""
    a = torch.randn(n, d, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return scale * (a + a.mT) / 2


@dataclass(frozen=True)
class Gaussian:
    """E |n|^2 = sigma^2 in every dimension."""

    sigma: float

    def width(self, d: int) -> int:
        return d

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        z = torch.special.ndtri(u.clamp(min=1e-300))
        return self.sigma / math.sqrt(x.shape[-1]) * z + 0 * x

    def moment(self, p: float, d: int) -> float:
        scale = self.sigma * math.sqrt(2 / d)
        return scale**p * math.exp(math.lgamma((d + p) / 2) - math.lgamma(d / 2))

    def outcomes(self, d: int) -> None:
        return None


@dataclass(frozen=True)
class Pareto:
    """Two-sided along the first axis: P(|n| > u) = (u / scale)^-tail."""

    tail: float
    scale: float = 1.0

    def width(self, d: int) -> int:
        return 2

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        size = self.scale * (1 - u[..., 0]) ** (-1 / self.tail)
        sign = torch.where(u[..., 1] < 0.5, -1.0, 1.0)
        axis = torch.zeros_like(x)
        axis[..., 0] = sign * size
        return axis

    def moment(self, p: float, d: int) -> float:
        return self.scale**p * self.tail / (self.tail - p) if p < self.tail else math.inf

    def outcomes(self, d: int) -> None:
        return None


@dataclass(frozen=True)
class Skewed:
    """+3 with probability 1/4, -1 with probability 3/4, times scale, along the first axis."""

    scale: float = 1.0

    def width(self, d: int) -> int:
        return 1

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        values, _ = self.outcomes(x.shape[-1])
        return values[(u[..., 0] >= 0.25).long()]

    def moment(self, p: float, d: int) -> float:
        return self.scale**p * (3**p + 3) / 4

    def outcomes(self, d: int) -> tuple[Tensor, Tensor]:
        values = torch.zeros(2, d, dtype=torch.float64)
        values[:, 0] = self.scale * torch.tensor([3.0, -1.0], dtype=torch.float64)
        return values, torch.tensor([0.25, 0.75], dtype=torch.float64)


@dataclass(frozen=True)
class NoisyToy:
    """f = |x|^2 / 2 with noise in its gradient."""

    noise: object | None
    d: int = 3

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), 0.7, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None

    def value(self, x: Tensor) -> Tensor:
        return x.square().sum(-1) / 2

    def grad(self, x: Tensor) -> Tensor:
        return x
