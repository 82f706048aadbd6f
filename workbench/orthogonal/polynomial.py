"""Orthogonalisers by odd polynomials: products of matrices alone."""

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from assumptions.matrix_norms import power_scaled
from assumptions.outward import round_down, round_up
from workbench.orthogonal.base import PRECISIONS, Orthogonaliser, require_low
from workbench.orthogonal.interval import Quintic, image

Shrink = tuple[float, float]
CELLS = 20_000
SMALLEST = 1e-12
"""Cells of the certificate: [0, SMALLEST], then of equal ratio up to 1."""
TOGETHER = 2**16
"""Entries of matrices that go through batched products on a CPU; larger ones are faster one by one."""
PLAIN = 2.0**40
"""Frobenius norms from 1 / PLAIN to PLAIN: their squares neither overflow nor vanish in float32."""


@dataclass(frozen=True)
class PolynomialOrthogonaliser(Orthogonaliser):
    """X = M / (divisor |M|_F + eps), then X <- a X + (b A + c A^2) X with A = X X' for each (a, b, c).

    On singular values that is s <- a s + b s^3 + c s^5. Where |M|_F could overflow or vanish, entries are
    scaled by a power of two before, which changes no digit. Then |M|_F >= least is the same as
    s_i / (divisor |M|_F + eps) >= s_i least / (|M|_F (divisor least + eps)).
    """

    @property
    @abstractmethod
    def quintics(self) -> tuple[Quintic, ...]:
        """(a, b, c) of each step."""

    @abstractmethod
    def _input(self) -> tuple[float, float, str | None]:
        """Divisor > 0, eps >= 0 and the name of the working precision."""

    def _orthogonalise(self, x: Tensor) -> Tensor:
        matrices = x.reshape(-1, *x.shape[-2:])
        if x.device.type != "cpu" or len(matrices) <= 1 or x.shape[-2] * x.shape[-1] <= TOGETHER:
            return self._at_once(matrices).reshape(x.shape)
        result = torch.empty_like(matrices)
        for i, matrix in enumerate(matrices):
            result[i] = self._at_once(matrix.unsqueeze(0)).squeeze(0)
        return result.reshape(x.shape)

    def _at_once(self, x: Tensor) -> Tensor:
        """x: (batch, m, n). Returns the same shape."""
        divisor, eps, dtype = self._input()
        working = x.dtype if dtype is None else PRECISIONS[dtype]
        wide = x.flatten(-2).to(torch.promote_types(torch.promote_types(x.dtype, working), torch.float32))
        length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
        if x.device.type == "cpu" and bool(((length > 1 / PLAIN) & (length < PLAIN)).all()):
            # asked on the CPU alone, where the answer costs no exchange with a device
            length = divisor * length + eps
            return compose((wide / length).to(working).reshape(x.shape), self.quintics).to(x.dtype)
        scaled, size, defined = power_scaled(wide)
        length = torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
        unit = scaled / torch.where(length == 0, 1.0, divisor * length + eps / size)
        result = compose(unit.to(working).reshape(x.shape), self.quintics).to(x.dtype)
        return torch.where(defined.unsqueeze(-1), result, torch.nan)

    def range_on(self, low: float, least: float = 0.0) -> tuple[float, float]:
        """The image of the interval, rounded outward by some 1e-15 of the slope. See ``Orthogonaliser``.

        With eps > 0 and least = 0 it starts at 0: matrices much smaller than eps shrink to it.
        """
        require_low(low, least)
        shrink = self._shrink(least)
        ends = round_down(Fraction(low) * Fraction(shrink[0])), shrink[1]
        bottom, top = image(self.quintics, *(torch.tensor(end, dtype=torch.float64) for end in ends))
        return bottom.item(), top.item()

    def factors(self, rank: int, least: float = 0.0) -> tuple[float, float]:
        """See ``Orthogonaliser`` and ``_least_share``; b: the largest |w|. Rank one has t = 1 alone."""
        require_dimension(rank=rank)
        bottom, top = self.range_on(1.0 if rank == 1 else 0.0, least)
        b = max(-bottom, top)
        a = bottom if rank == 1 else _least_share(self.quintics, self._shrink(least), rank)
        return a, b

    def _shrink(self, least: float) -> Shrink:
        """Bounds of |M|_F / (divisor |M|_F + eps) for |M|_F >= least."""
        divisor, eps, _ = self._input()
        most = 1 / Fraction(divisor)
        if eps == 0 or least == math.inf:
            return round_down(most), round_up(most)
        size = Fraction(least)
        return round_down(size / (Fraction(divisor) * size + Fraction(eps))), round_up(most)


def compose(x: Tensor, quintics: Sequence[Quintic]) -> Tensor:
    """U diag(q_T(... q_1(s))) V' of x = U diag(s) V'. x: (*batch, m, n), any dtype. Returns the same shape.

    The products are those of the smaller side: tall matrices are transposed, and copied, as products of
    strided matrices take longer.
    """
    shape, tall = x.shape, x.shape[-2] > x.shape[-1]
    x = x.mT.contiguous() if tall else x
    one = math.prod(shape[:-2]) == 1
    x = x.reshape(x.shape[-2:] if one else (-1, *x.shape[-2:]))
    product = torch.addmm if one else torch.baddbmm
    for a, b, c in quintics:  # names are used again, so that memory is, while it is in the cache
        gram = x @ x.mT
        gram = product(gram, gram, gram, beta=b, alpha=c) if c else b * gram
        x = product(x, gram, x, beta=a)
    return (x.mT if tall else x).reshape(shape)


@lru_cache(maxsize=256)
def _least_share(quintics: tuple[Quintic, ...], shrink: Shrink, rank: int) -> float:
    """A lower bound of sum_i t_i p(t_i) / sum_i t_i over t in [0, 1]^rank with sum_i t_i^2 = 1.

    Here t_i = s_i / |M|_F and p(t_i) = w_i. For any weight u >= 0 let a be the least of
    p(t) + u (1 / (rank t) - t) over (0, 1]. Then t p(t) >= a t - u (1 / rank - t^2), and the sum over i gives
    sum_i t_i p(t_i) >= a sum_i t_i. The least is taken over cells: p by its image, the rest at the right end,
    for it decreases. It is concave in u; any u is valid, and the best one is searched.
    """
    steps = torch.linspace(math.log(SMALLEST), 0.0, CELLS, dtype=torch.float64).exp()
    right = torch.cat([steps[:-1], steps.new_ones(1)])
    left = torch.cat([right.new_zeros(1), right[:-1]])
    lowest, _ = image(quintics, _down(left * shrink[0]).clamp(min=0), _up(right * shrink[1]))
    weight = _down(_down(1 / _up(rank * right)) - right)

    def share(u: float) -> float:
        return _down(lowest + _down(u * weight)).min().item()

    low, high = 0.0, 4.0 * max(1.0, float(lowest.abs().max()))
    for _ in range(60):
        third = (high - low) / 3
        if share(low + third) < share(high - third):
            low += third
        else:
            high -= third
    floor = 0.0 if bool((lowest >= 0).all()) else -math.inf  # no share is negative where p is not
    return max(floor, share(0.0), share(low), share(high))


def _down(x: Tensor) -> Tensor:
    return torch.nextafter(x, x.new_tensor(-math.inf))


def _up(x: Tensor) -> Tensor:
    return torch.nextafter(x, x.new_tensor(math.inf))
