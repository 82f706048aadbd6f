"""Functions with a Hessian, whose (L0, L1) constants are known in closed form."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Smooth2:
    """A function given by its value, its gradient and its Hessian times a vector."""

    f: Map
    slope: Map
    bend: Callable[[Tensor, Tensor], Tensor]
    d: int = 1
    start: float = 0.7

    def value(self, x: Tensor) -> Tensor:
        return self.f(x)

    def grad(self, x: Tensor) -> Tensor:
        return self.slope(x)

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        return self.bend(x, v)

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), self.start, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None


def ridge(h: Map, slope: Map, bend: Map, a: tuple[float, ...] = (1.0,), start: float = 0.7) -> Smooth2:
    """f(x) = h(<a, x>)."""
    direction = torch.tensor(a, dtype=torch.float64)
    return Smooth2(
        lambda x: h(x @ direction),
        lambda x: slope(x @ direction).unsqueeze(-1) * direction,
        lambda x, v: (bend(x @ direction) * (v @ direction)).unsqueeze(-1) * direction,
        d=len(a),
        start=start,
    )


def exponential(*a: float) -> Smooth2:
    """e^<a, x>: (0, |a|)."""
    return ridge(torch.exp, torch.exp, torch.exp, a)


def hyperbolic(*a: float) -> Smooth2:
    """cosh <a, x>: (|a|^2, |a|)."""
    return ridge(torch.cosh, torch.sinh, torch.cosh, a)


def logistic(*a: float) -> Smooth2:
    """log(1 + e^-<a, x>): (0, |a|)."""
    return ridge(
        lambda t: torch.logaddexp(-t, torch.zeros_like(t)),
        lambda t: -torch.sigmoid(-t),
        lambda t: torch.sigmoid(t) * torch.sigmoid(-t),
        a,
    )


def power(p: float, d: int = 1, c: float = 1.0, scale: float = 1.0) -> Smooth2:
    """c |x / scale|^p / p, p > 2: Hessian (p - 1) c |x|^(p - 2) / scale^p along x, less across."""

    def hvp(x: Tensor, v: Tensor) -> Tensor:
        u, w = x / scale, v / scale
        size = u.norm(dim=-1, keepdim=True)
        unit = u / torch.where(size == 0, 1.0, size)
        return c / scale * size ** (p - 2) * (w + (p - 2) * unit * (unit * w).sum(-1, keepdim=True))

    return Smooth2(
        lambda x: c * (x / scale).norm(dim=-1) ** p / p,
        lambda x: c / scale * (x / scale).norm(dim=-1, keepdim=True) ** (p - 2) * (x / scale),
        hvp,
        d=d,
        start=0.7 * scale,
    )


def diagonal(*h: float) -> Smooth2:
    """sum h_j x_j^2 / 2: (max |h|, 0), Hessian-Lipschitz with every constant."""
    weights = torch.tensor(h, dtype=torch.float64)
    return Smooth2(
        lambda x: (weights * x.square()).sum(-1) / 2,
        lambda x: weights * x,
        lambda _, v: weights * v,
        d=len(h),
    )


def cancelling(c: float = 1.0) -> Smooth2:
    """c t^4 / 4 with t = x_1 + x_2 - 1000: (8 c / l^2, l sqrt 2), l > 0; t is off by roundings of 1000."""

    def t(x: Tensor) -> Tensor:
        return x.sum(dim=-1, keepdim=True) - 1000

    return Smooth2(
        lambda x: c * t(x).squeeze(-1) ** 4 / 4,
        lambda x: c * t(x).pow(3).expand_as(x),
        lambda x, v: 3 * c * (t(x).square() * v.sum(dim=-1, keepdim=True)).expand_as(x),
        d=2,
        start=500.1,
    )


def log_uniform(low: float, high: float, n: int, seed: int = 0) -> Tensor:
    """n numbers between low and high, (n, 1)."""
    generator = torch.Generator().manual_seed(seed)
    share = torch.rand(n, 1, dtype=torch.float64, generator=generator)
    return low * (high / low) ** share
