"""Small functions to try assumptions on; each knows only what the tests say of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Toy:
    """A function given by two maps; ``f_star`` where it is known."""

    value: Map
    grad: Map
    d: int = 3
    f_star: float | None = None
    x_star: Tensor | None = None
    f_star_error: float = 0.0
    x_star_error: float = 0.0
    nearest_star: Callable[..., Tensor] | None = None

    @property
    def x0(self) -> Tensor:
        return torch.full((self.d,), 0.7, dtype=torch.float64)

    def offers(self, name: str) -> bool:
        return getattr(self, name, None) is not None

    def gap(self, x: Tensor) -> Tensor:
        return self.value(x) - self.f_star

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        return self.value(x).abs() + abs(self.f_star or 0.0)


def quadratic(*eigenvalues: float, shift: float = 0.0, offset: float = 0.0) -> Toy:
    """f(x) = sum h_j (x_j - shift)^2 / 2 + offset, with the gradient as h x - h shift (it cancels)."""
    h = torch.tensor(eigenvalues, dtype=torch.float64)
    return Toy(
        lambda x: (h * (x - shift).square()).sum(-1) / 2 + offset,
        lambda x: h * x - h * shift,
        d=len(eigenvalues),
        f_star=offset if min(eigenvalues) >= 0 else None,
        x_star=torch.full((len(eigenvalues),), shift, dtype=torch.float64),
    )


def _rotated(eigenvalues: tuple[float, ...], seed: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    d = len(eigenvalues)
    basis, _ = torch.linalg.qr(torch.randn(d, d, dtype=torch.float64, generator=generator))
    a = basis @ torch.diag(torch.tensor(eigenvalues, dtype=torch.float64)) @ basis.T
    return a, torch.randn(d, dtype=torch.float64, generator=generator)


def rotated(*eigenvalues: float, seed: int) -> Toy:
    """The same in a random orthonormal basis, as x^T A x / 2 - b^T x, with a random minimiser."""
    a, star = _rotated(eigenvalues, seed)
    b = a @ star
    return Toy(
        lambda x: (x * (x @ a)).sum(-1) / 2 - x @ b,
        lambda x: x @ a - b,
        d=len(eigenvalues),
        f_star=float(-(star @ b) / 2),
        x_star=star,
        f_star_error=1e-13 * float(star.abs() @ a.abs() @ star.abs()),
    )


def uneven(*eigenvalues: float, seed: int) -> Toy:
    """The same less its minimum: values without cancellation, beside a gradient that cancels."""
    a, star = _rotated(eigenvalues, seed)
    b = a @ star
    return Toy(
        lambda x: ((x - star) * ((x - star) @ a)).sum(-1) / 2,
        lambda x: x @ a - b,
        d=len(eigenvalues),
        f_star=0.0,
        x_star=star,
    )


L1 = Toy(lambda x: x.abs().sum(-1), lambda x: x.sign(), f_star=0.0)
LINEAR = Toy(lambda x: 3 * x.sum(-1), lambda x: torch.full_like(x, 3.0))
SINE = Toy(lambda x: x.sin().sum(-1), lambda x: x.cos(), f_star=-3.0)
SOFTPLUS = Toy(lambda x: (x.abs() + torch.log1p((-2 * x.abs()).exp())).sum(-1), lambda x: x.tanh())
FOURTH_POWER = Toy(
    lambda x: x.pow(4).sum(-1),
    lambda x: 4 * x.pow(3),
    f_star=0.0,
    x_star=torch.zeros(3, dtype=torch.float64),
)
# f'' = 2 + 6 cos 2x changes sign; Karimi, Nutini, Schmidt (2016): PL with 1/32 all the same
SINE_SQUARED = Toy(
    lambda x: (x.square() + 3 * x.sin().square()).sum(-1),
    lambda x: 2 * x + 3 * (2 * x).sin(),
    f_star=0.0,
    x_star=torch.zeros(3, dtype=torch.float64),
)
NAN_GRADIENT = Toy(lambda x: x.square().sum(-1), lambda x: torch.where(x > 0.7, torch.nan, 2 * x), f_star=0.0)
NAN_VALUE = Toy(
    lambda x: torch.where((x > 0.7).any(-1), torch.nan, x.square().sum(-1)), lambda x: 2 * x, f_star=0.0
)
INFINITE = Toy(lambda x: x.sum(-1) + math.inf, lambda x: torch.full_like(x, math.inf), f_star=0.0)
