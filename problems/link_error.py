"""How far a computed proximal point of a mean of links can be from the exact one."""

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.link_prox import root_factor, spread
from problems.links import LINKS


def link_error(
    link: str,
    rows: Tensor,
    s: Tensor,
    y: Tensor,
    z: Tensor,
    step: Tensor,
    rounding: float,
    size: Tensor,
) -> Tensor:
    """Bound of |z - argmin (1/b) sum_i h(<a_i, .> - b_i) + |. - y|^2 / (2 w)|, w = ``step``; (*batch,).

    rows: a_i, (*batch, b, d), of a convex link. s: <a_i, z> - b_i as computed, (*batch, b), off by at most
    e = rounding size. y, z: (*batch, d), known to ``rounding``. step: (*batch, 1).

    With F(z) = z - y + (w / b) A' h'(s), z is exact for targets off by e and a residual F. The residual: F
    is monotone with F' >= J = I + (w / b) A' diag(c) A, c_i the least h'' within |a_i| |F| of s_i, and z is
    within |F| of the root, so by |J^(-1/2) F| at most. Targets off by e move the root by v with
    |v|^2 / w <= (1/b) sum (h'(s_i) - h'(s'_i)) (e_i - (s_i - s'_i)); a summand is positive only if
    |s_i - s'_i| <= e_i, and at most C_i e_i^2 / 4, C_i the largest h'' there: |v|^2 <= (w / b) sum C_i e_i^2
    / 4. One row: |v| <= e / |a| too, for s moves by less than its target.
    """
    share, slope = step / rows.shape[-2], LINKS[link].slope(s)
    residual = z - y + share * spread(rows, slope)
    sizes = z.abs() + y.abs() + share * spread(rows.abs(), slope.abs())
    lost = rounding * torch.linalg.vector_norm(sizes, dim=-1)
    lengths = torch.linalg.vector_norm(rows, dim=-1)
    e = rounding * size
    reach = lengths * (torch.linalg.vector_norm(residual, dim=-1) + lost).unsqueeze(-1)
    low, high = _curvatures(link, s, reach + e)
    v = (share * (high * e.square())).sum(dim=-1).sqrt() / 2
    if rows.shape[-2] == 1:
        v = torch.minimum(v, (e / lengths).squeeze(-1))
    return lost + 1.001 * (_shortened(rows, share * low, residual) + v)


def _shortened(rows: Tensor, weights: Tensor, residual: Tensor) -> Tensor:
    """|J^(-1/2) F|, J = I + A' diag(weights) A, (*batch,)."""
    if rows.shape[-2] > 1:
        factor = root_factor(rows, weights)
        moved = torch.linalg.solve_triangular(factor.mT, residual.unsqueeze(-1), upper=False)
        return torch.linalg.vector_norm(moved, dim=(-2, -1))
    a = rows.squeeze(-2)
    length = torch.linalg.vector_norm(a, dim=-1, keepdim=True)
    along = torch.linalg.vecdot(a / length, residual).unsqueeze(-1)
    across = residual - along * (a / length)
    along = along / (1 + weights * length.square()).sqrt()
    return torch.linalg.vector_norm(torch.cat([across, along], dim=-1), dim=-1)


def _curvatures(name: str, s: Tensor, reach: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of h'' on [s - reach, s + reach]: h'' of a convex link is monotone on both sides of 0."""
    curvature = LINKS[name].curvature
    ends = s - reach, s + reach
    values = torch.stack([curvature(ends[0]), curvature(ends[1]), curvature(s - s.clamp(-reach, reach))])
    room = 16 * EPS
    return values.amin(dim=0).nan_to_num(nan=0.0) * (1 - room), values.amax(dim=0) * (1 + room)
