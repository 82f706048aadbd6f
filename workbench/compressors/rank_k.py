"""The K largest singular values of a matrix."""

from dataclasses import dataclass
from fractions import Fraction

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from assumptions.matrix_norms import Nuclear, Spectral, matrix_shape
from assumptions.norms import Norm
from assumptions.outward import root_up
from workbench.compressors.base import ENTRY, Compressor, Shape, require_shape, shape_of


@dataclass(frozen=True)
class RankK(Compressor):
    """C(x) is the nearest matrix of rank K: the first K singular values of x. K: an integer >= 1.

    Of more than two axes the first counts rows; a vector is one column. ValueError for another K. With
    r = min(m, n) > K: |C(x) - x| <= (1 - K/r) |x| in the nuclear norm and (1 - K/r)^(1/2) |x| in the
    Frobenius norm, attained by the identity, as r - K singular values of r are left. In the spectral norm
    nothing below 1 holds: the identity again.
    """

    K: int

    def __post_init__(self) -> None:
        """Guard the rank."""
        require_dimension(K=self.K)

    def __call__(self, x: Tensor, u: Tensor, shape: Shape | None = None) -> Tensor:
        """By SVD; a row that is not finite becomes nan. Shapes as ``Compressor``."""
        del u
        m, n = matrix_of(shape_of(x, shape))
        if min(m, n) <= self.K:
            return x
        defined = x.isfinite().all(dim=-1, keepdim=True)
        left, right = self.factors(torch.where(defined, x, 0.0).reshape(*x.shape[:-1], m, n))
        return torch.where(defined, (left @ right).to(x.dtype).reshape(x.shape), torch.nan)

    def factors(self, matrix: Tensor) -> tuple[Tensor, Tensor]:
        """C(x) as a product, (*batch, m, K) with the singular values and (*batch, K, n), float32 at least.

        matrix: (*batch, m, n), finite.
        """
        working = torch.promote_types(matrix.dtype, torch.float32)  # no decomposition is shorter
        left, values, right = torch.linalg.svd(matrix.to(working), full_matrices=False)
        k = self.K
        return left[..., :k] * values[..., None, :k], right[..., :k, :]

    def bits(self, shape: Shape, entry: int = ENTRY) -> int:
        """K pairs of vectors, the values inside one of them; the matrix itself where that is less."""
        m, n = matrix_of(shape)
        return min(self.K * (m + n), m * n) * entry

    def squared_error(self, shape: Shape) -> Fraction:
        """1 - K/r."""
        return max(Fraction(0), 1 - Fraction(self.K, min(matrix_of(shape))))

    def _in_norm(self, norm: Norm, shape: Shape) -> Fraction | None:
        share, sides = self.squared_error(shape), matrix_of(shape)
        match norm:
            case Nuclear(m=m, n=n) if (m, n) == sides:
                return share
            case Spectral(m=m, n=n) if (m, n) == sides:
                return Fraction(share > 0)
        return None

    def _in_entries(self, p: float, shape: Shape) -> Fraction | None:
        return root_up(self.squared_error(shape)) if p == 2 else None


def matrix_of(shape: Shape) -> tuple[int, int]:
    """Rows and columns: the first axis, and all others together. ValueError as ``require_shape``."""
    require_shape(shape)
    return matrix_shape(shape)
