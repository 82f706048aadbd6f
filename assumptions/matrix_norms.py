"""Norms of matrices by their singular values; a matrix m x n is flat, row by row."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_points, require_positive
from assumptions.norms import Norm


@dataclass(frozen=True)
class MatrixNorm(Norm):
    """A norm on matrices of m rows and n columns, x: (*batch, m n), row-major.

    m, n: integers >= 1. scale: finite, > 0; the norm is scale times its base norm. ValueError otherwise.
    """

    m: int
    n: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        """The scale as a float, so that 2 and 2.0 are the same and print the same."""
        require_dimension(m=self.m, n=self.n)
        require_positive(scale=self.scale)
        object.__setattr__(self, "scale", float(self.scale))

    def fits(self, d: int) -> bool:
        """True for m n entries alone."""
        return d == self.m * self.n

    def matrix(self, x: Tensor) -> Tensor:
        """The matrices, (*batch, m, n). x: (*batch, m n). ValueError for another last axis."""
        require_points(x, self.m * self.n)
        return x.reshape(*x.shape[:-1], self.m, self.n)

    def rho(self, d: int) -> float:
        """The smallest rho with |g|_* <= rho |g|_2. ValueError unless d is m n."""
        require_dimension(d=d)
        if not self.fits(d):
            raise ValueError(f"d must be {self.m * self.n}, the number of entries, got {d!r}")
        return self._base_rho() / self.scale

    @abstractmethod
    def _base_rho(self) -> float:
        """The same for scale 1."""


class _BySingularValues(MatrixNorm):
    """scale times a function of the singular values s_1 >= s_2 >= ...

    Entries are divided by a power of two near the largest one first, so that nothing overflows or vanishes.
    Gradients are U diag(w) V', finite also where singular values are 0 or equal.
    """

    @abstractmethod
    def _gain(self, values: Tensor) -> Tensor:
        """The base norm. values: (*batch, min(m, n)). Returns (*batch,)."""

    @abstractmethod
    def _dual_gain(self, values: Tensor) -> Tensor:
        """The dual of the base norm. Shapes as ``_gain``."""

    @abstractmethod
    def _weights(self, values: Tensor) -> Tensor:
        """Singular values of a maximiser of <g, z>, where those of g are given. Shapes as values."""

    def norm(self, x: Tensor) -> Tensor:
        """|x|. x: (*batch, m n). Returns (*batch,)."""
        return self.scale * self._of_values(x, self._gain)

    def dual(self, g: Tensor) -> Tensor:
        """|g|_*. g: (*batch, m n). Returns (*batch,)."""
        return self._of_values(g, self._dual_gain) / self.scale

    def lmo_direction(self, g: Tensor) -> Tensor:
        """U diag(w) V' / scale where g = U diag(s) V'; 0 where g = 0, nan where g is not finite. Shapes as g.

        A maximiser of <g, z> is found by the same U and V (von Neumann: <g, z> <= sum_i s_i(g) s_i(z)).
        """
        scaled, _, defined = power_scaled(g)
        u, values, vh = torch.linalg.svd(self.matrix(scaled), full_matrices=False, driver=svd_driver(g))
        direction = (u * self._weights(values).unsqueeze(-2)) @ vh / self.scale
        return torch.where(defined, direction.reshape(g.shape), torch.nan)

    def _of_values(self, x: Tensor, gain: Callable[[Tensor], Tensor]) -> Tensor:
        self.matrix(x)  # the shape, before anything else
        scaled, size, defined = power_scaled(x)
        result = gain(torch.linalg.svdvals(self.matrix(scaled), driver=svd_driver(x))) * size.squeeze(-1)
        broken = torch.where(x.isnan().any(dim=-1), x.new_tensor(torch.nan), x.new_tensor(torch.inf))
        return torch.where(defined.squeeze(-1), result, broken)


@dataclass(frozen=True)
class Spectral(_BySingularValues):
    """|x| = scale s_1(x), the operator norm from l_2 to l_2; the dual is the nuclear norm over scale.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise.
    Directions U V' leave out singular values below max(m, n) roundings of the largest: they carry no
    direction, and <g, U V'> misses them by rounding alone.
    """

    def _gain(self, values: Tensor) -> Tensor:
        return values[..., 0]

    def _dual_gain(self, values: Tensor) -> Tensor:
        return values.sum(dim=-1)

    def _weights(self, values: Tensor) -> Tensor:
        cut = max(self.m, self.n) * torch.finfo(values.dtype).eps * values[..., :1]
        return (values > cut).to(values)

    def _base_rho(self) -> float:
        """Cauchy and Schwarz, for min(m, n) singular values."""
        return math.sqrt(min(self.m, self.n))


@dataclass(frozen=True)
class Nuclear(_BySingularValues):
    """|x| = scale sum_i s_i(x); the dual is the largest singular value over scale.

    x: m x n, row by row. scale: finite, > 0. ValueError otherwise. Directions are u v' for the first pair
    of singular vectors.
    """

    def _gain(self, values: Tensor) -> Tensor:
        return values.sum(dim=-1)

    def _dual_gain(self, values: Tensor) -> Tensor:
        return values[..., 0]

    def _weights(self, values: Tensor) -> Tensor:
        first = torch.arange(values.shape[-1], device=values.device) == 0
        return (first & (values > 0)).to(values)

    def _base_rho(self) -> float:
        """s_1 <= the root of the sum of squares, attained for rank one."""
        return 1.0


def matrix_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns of an array read as a matrix: the first axis, and all others together."""
    return shape[0], math.prod(shape[1:])


def power_scaled(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """x / c, c and which rows are finite; c: a power of two near the largest entry, (*batch, 1).

    Rows that are not finite become 0: a decomposition refuses them. c carries no gradient.
    """
    largest = x.detach().abs().amax(dim=-1, keepdim=True)
    defined = largest.isfinite()
    _, exponent = torch.frexp(torch.where(defined, largest, 1.0))
    room = -int(math.log2(torch.finfo(x.dtype).tiny)) - 2
    size = torch.ldexp(torch.ones_like(largest), exponent.clamp(-room, room))
    return torch.where(defined, x, 0.0) / size, size, defined


def svd_driver(x: Tensor) -> str | None:
    """QR iterations where there is a choice: the default on a GPU loses digits of small singular values."""
    return "gesvd" if x.is_cuda else None
