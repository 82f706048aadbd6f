"""A polar factor that is wrong by known factors, for tests of what an inexact one may do."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_nonnegative, require_positive
from assumptions.matrix_norms import power_scaled, svd_driver
from workbench.orthogonal.base import Orthogonaliser, require_low


@dataclass(frozen=True)
class Rescaled(Orthogonaliser):
    """O = U diag(w) V', w = (low, high, low, ...) for singular values in falling order; zeros stay.

    0 <= low <= high, high finite and > 0. ValueError otherwise. Then (a, b) = (low, high): <M, O> =
    sum_i w_i s_i, which is low |M|_nuc for a matrix of rank one.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        """Both as floats."""
        require_nonnegative(low=self.low)
        require_positive(high=self.high)
        if not self.low <= self.high:
            raise ValueError(f"low must be <= high, got {self.low!r} and {self.high!r}")
        object.__setattr__(self, "low", float(self.low))
        object.__setattr__(self, "high", float(self.high))

    def _orthogonalise(self, x: Tensor) -> Tensor:
        wide = x if x.dtype in (torch.float32, torch.float64) else x.to(torch.float32)
        scaled, _, defined = power_scaled(wide.flatten(-2))
        u, values, vh = torch.linalg.svd(scaled.reshape(x.shape), full_matrices=False, driver=svd_driver(x))
        even = torch.arange(values.shape[-1], device=x.device) % 2 == 0
        weights = torch.where(even, values.new_tensor(self.low), self.high)
        # what counts as 0 is as in ``Exact``
        weights = weights * (values > max(x.shape[-2:]) * torch.finfo(values.dtype).eps * values[..., :1])
        result = (u * weights.unsqueeze(-2)) @ vh
        return torch.where(defined.unsqueeze(-1), result, torch.nan).to(x.dtype)

    def range_on(self, low: float, least: float = 0.0) -> tuple[float, float]:
        """(low, high); 0 stays 0."""
        require_low(low, least)
        return (self.low if low > 0 else 0.0), self.high

    def factors(self, rank: int, least: float = 0.0) -> tuple[float, float]:
        """(low, high); (low, low) for one singular value."""
        require_dimension(rank=rank)
        require_low(1.0, least)
        return self.low, (self.low if rank == 1 else self.high)
