"""Nuclear norms and polar factors by the Gram matrix of the smaller side: one symmetric eigenproblem."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.guards import require_dimension
from assumptions.matrix_norms import power_scaled
from workbench.orthogonal.base import Orthogonaliser, require_low, require_matrices
from workbench.orthogonal.newton_schulz import KINDS
from workbench.orthogonal.polynomial import compose

CUT = 1e-6
"""Singular values below CUT times the largest have no direction in ``GramPolar``: the error of s_i^2 is about
1e-16 s_1^2, so the directions of those kept are right to 1e-4, and two polishing steps finish them."""


SQUARED = 2.0**400
"""Entries between 1 / SQUARED and SQUARED are squared without harm; SQUARED is a power of two."""


def nuclear_norm(x: Tensor) -> Tensor:
    """|M|_nuc = sum_i s_i, s_i^2 the eigenvalues of M M' or M' M in float64.

    x: (*batch, m, n). Returns (*batch,), float64; nan for a matrix with nan, else inf for one with inf.
    ValueError unless x holds floating point matrices. Accuracy: eigenvalues are taken to be right to
    t = max(m, n) eps s_1^2 (eps = 2.2e-16), and those below t count as 0. Then s_i is off by t / s_i at most,
    and never by more than 1.5 sqrt(t); the sum never by more than 1.5 min(m, n) sqrt(max(m, n) eps) s_1.
    ``Spectral.dual`` is slower and loses nothing on small s_i.
    """
    return _of_values(x, lambda values: values.sum(dim=-1))


def spectral_norm(x: Tensor) -> Tensor:
    """s_1, the largest singular value, in the same way: right to max(m, n) eps relative to itself.

    Shapes, types and errors as ``nuclear_norm``.
    """
    return _of_values(x, lambda values: values[..., -1])


@dataclass(frozen=True)
class GramPolar(Orthogonaliser):
    """O = (M M')^(-1/2) M over the singular values above 1e-6 of the largest, the others dropped; float64.

    Eigenvectors of the Gram matrix of the smaller side, then two steps s <- 2 s - 1.5 s^3 + 0.5 s^5. Its
    work is that of products and of one eigenproblem of the smaller side. Source: definition.
    """

    def _orthogonalise(self, x: Tensor) -> Tensor:
        wide, _, defined = _scaled(x)
        values, vectors = torch.linalg.eigh(wide @ wide.mT)
        kept = (values > CUT**2 * values[..., -1:]).unsqueeze(-2)
        rows = torch.where(kept, vectors, 0.0).mT @ wide
        length = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
        rows = compose(rows / torch.where(length == 0, 1.0, length), (KINDS["order5"],) * 2)
        result = vectors @ rows
        result = result.mT if x.shape[-2] > x.shape[-1] else result
        return torch.where(defined.unsqueeze(-1).unsqueeze(-1), result, torch.nan).to(x.dtype)

    def range_on(self, low: float, least: float = 0.0) -> tuple[float, float]:
        """(1, 1) where nothing is dropped: s_i > 1e-6 |M|_F is enough."""
        require_low(low, least)
        return (1.0 if low > CUT else 0.0), 1.0

    def factors(self, rank: int, least: float = 0.0) -> tuple[float, float]:
        """(1 - 1e-6 (rank - 1), 1), a >= 0: what is dropped has s_i <= 1e-6 s_1 <= 1e-6 |M|_nuc."""
        require_dimension(rank=rank)
        require_low(1.0, least)
        return max(0.0, 1 - 1.0000001 * CUT * (rank - 1)), 1.0


def _of_values(x: Tensor, gain: Callable[[Tensor], Tensor]) -> Tensor:
    """Gain of the singular values, those below the rounding of the Gram matrix as 0."""
    require_matrices(x)
    wide, size, defined = _scaled(x)
    values = torch.linalg.eigvalsh(wide @ wide.mT)
    noise = max(x.shape[-2:]) * torch.finfo(torch.float64).eps * values[..., -1:]
    roots = torch.where(values > noise, values, 0.0).sqrt()
    if bool(defined.all()):
        return gain(roots) * size
    broken = torch.where(x.isnan().any(dim=-1).any(dim=-1), torch.nan, torch.inf).to(roots)
    return torch.where(defined, gain(roots) * size, broken)


def by_shape(function: Callable[[Tensor], Tensor], matrices: Sequence[Tensor]) -> list[Tensor]:
    """[function(x) for x in matrices], with one call for all that share shape, type and device.

    function: takes (count, *shape), rows not mixed. Returns results in the order of ``matrices``.
    """
    groups: dict[tuple[torch.Size, torch.dtype, torch.device], list[int]] = {}
    for i, x in enumerate(matrices):
        groups.setdefault((x.shape, x.dtype, x.device), []).append(i)
    results: dict[int, Tensor] = {}
    for indices in groups.values():
        found = function(torch.stack([matrices[i] for i in indices]))
        results |= dict(zip(indices, found.unbind(0), strict=True))
    return [results[i] for i in range(len(matrices))]


def _scaled(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The wide one of M / c and its transpose in float64, c (*batch,), and which matrices are finite.

    c = 1 where the squares of all largest entries are far from the ends of float64.
    """
    largest = x.detach().abs().amax(dim=(-2, -1)).to(torch.float64)
    if bool(((largest < SQUARED) & ((largest > 1 / SQUARED) | (largest == 0))).all()):
        matrix, size, defined = x.to(torch.float64), torch.ones_like(largest), largest.isfinite()
    else:
        scaled, column, finite = power_scaled(x.flatten(-2))
        matrix = scaled.to(torch.float64).reshape(x.shape)
        size, defined = column.squeeze(-1).to(torch.float64), finite.squeeze(-1)
    return matrix.mT if x.shape[-2] > x.shape[-1] else matrix, size, defined
