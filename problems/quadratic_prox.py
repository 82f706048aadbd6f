"""Proximal steps of quadratics z'A z / 2 - <b, z>, one for each point, possibly not convex."""

import torch
from torch import Tensor

from assumptions.base import EPS


def quadratic_point(hessians: Tensor, linear: Tensor, x: Tensor, step: Tensor, psd: bool) -> Tensor:
    """argmin_z z'A z / 2 - <b, z> + |z - x|^2 / (2 w) = (I + w A)^(-1) (x + w b), (*batch, d).

    hessians: A, (*batch, d, d), symmetric. linear: b, (*batch, d). step: w > 0, (*batch, 1). psd: whether
    every A is known to be positive semidefinite. ValueError unless 1 + w lambda_min(A) > 0 beyond rounding.
    """
    eigenvalues, basis = _spectrum(hessians, psd)
    low = eigenvalues[..., :1]
    if not psd:
        bad = ~(1 + step * (low - _margin(hessians)) > 0)
        if bool(bad.any()):
            got = float(step.expand_as(bad)[bad][0])
            limit = float(1 / (_margin(hessians) - low).expand_as(bad)[bad][0])
            raise ValueError(
                f"stepsize must be less than {limit:.6g} = 1 / -lambda_min of the mean of the terms, else "
                f"there is no proximal point, got {got:.6g}"
            )
    pulled = times(basis.mT, x) + step * times(basis.mT, linear)
    return times(basis, pulled / (1 + step * eigenvalues))


def quadratic_error(
    hessians: Tensor, linear: Tensor, x: Tensor, step: Tensor, psd: bool, z: Tensor, roundings: int
) -> Tensor:
    """Bound of |z - (I + w A)^(-1) (x + w b)|, A and b off by ``roundings`` of their entries; (*batch,).

    With M = I + w A and r = x + w b - M z, known to a rounding: |M^(-1) r| <= |r| / lambda_min(M), and where
    an approximate inverse X has |I - X M| <= 1/2 in the largest row sum, |M^(-1) r|_inf <= 2 | |X| |r| |_inf.
    """
    d = x.shape[-1]
    eigenvalues, basis = _spectrum(hessians, psd)
    rounding = (d + 8 + roundings) * EPS
    r = x - z + step * (linear - times(hessians, z))
    size = x.abs() + z.abs() + step * (linear.abs() + times(hessians.abs(), z.abs()))
    r = r.abs() + rounding * size
    floor = torch.zeros_like(step) if psd else eigenvalues[..., :1] - _margin(hessians)
    least = (1 + step * floor).squeeze(-1) * (1 - 4 * EPS)
    plain = torch.where(least > 0, torch.linalg.vector_norm(r, dim=-1) / least, torch.inf)
    inverse = basis @ (basis.mT / (1 + step * eigenvalues).unsqueeze(-1))
    identity = torch.eye(d, dtype=x.dtype, device=x.device)
    matrix = identity + step.unsqueeze(-1) * hessians
    wrong = (identity - inverse @ matrix).abs() + rounding * (identity + inverse.abs() @ matrix.abs())
    fits = wrong.sum(dim=-1).amax(dim=-1) <= 0.5
    fine = 2 * d**0.5 * times(inverse.abs(), r).amax(dim=-1)
    return torch.where(fits, torch.minimum(fine, plain), plain) + EPS * torch.linalg.vector_norm(z, dim=-1)


def _spectrum(hessians: Tensor, psd: bool) -> tuple[Tensor, Tensor]:
    eigenvalues, basis = torch.linalg.eigh(hessians)
    return eigenvalues.clamp(min=0) if psd else eigenvalues, basis


def _margin(hessians: Tensor) -> Tensor:
    """Error of the eigenvalues: 10 d EPS times the Frobenius norm, (*batch, 1)."""
    return 10 * hessians.shape[-1] * EPS * hessians.flatten(-2).norm(dim=-1, keepdim=True)


def times(matrices: Tensor, x: Tensor) -> Tensor:
    """Each matrix times its vector, (*batch, d)."""
    return (matrices @ x.unsqueeze(-1)).squeeze(-1)
