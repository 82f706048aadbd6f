"""The polar factor by a singular value decomposition."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from assumptions.matrix_norms import Spectral
from workbench.orthogonal.base import Orthogonaliser, require_low


@dataclass(frozen=True)
class Exact(Orthogonaliser):
    """O = U V' over the nonzero singular values; a = b = 1.

    Entries are scaled by a power of two first; singular values below max(m, n) roundings of the largest count
    as 0. Types shorter than float32 are decomposed in float32. Source: definition.
    """

    def _orthogonalise(self, x: Tensor) -> Tensor:
        wide = x if x.dtype in (torch.float32, torch.float64) else x.to(torch.float32)
        m, n = x.shape[-2:]
        return Spectral(m, n).lmo_direction(wide.flatten(-2)).reshape(x.shape).to(x.dtype)

    def range_on(self, low: float, least: float = 0.0) -> tuple[float, float]:
        """(1, 1); 0 stays 0."""
        require_low(low, least)
        return (1.0 if low > 0 else 0.0), 1.0

    def factors(self, rank: int, least: float = 0.0) -> tuple[float, float]:
        """(1, 1): <M, U V'> = sum_i s_i."""
        require_dimension(rank=rank)
        require_low(1.0, least)
        return 1.0, 1.0


EXACT = Exact()
"""What methods take unless told otherwise."""
