"""Proximal steps of a mean of h(s_i), s = A z + m: one row by a scalar equation, more by Newton's method."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.ball_newton import SolverError
from problems.cosh_ridge import CoshRidge
from problems.exp_ridge import ExpRidge
from problems.links import LINKS, Link
from problems.log_cosh_ridge import LogCoshRidge
from problems.log_loss import LogLoss
from problems.quartic_ridge import QuarticRidge

SMALLEST, LARGEST = 5e-324, torch.finfo(torch.float64).max
MAX_STEPS = 400
"""Newton steps; of a steep exponential each lowers the argument by 1."""
HALVINGS = 60
SWEEPS = (3, 30, 300)
"""Rounds over the rows, one at a time, before Newton's method where h is steep; more where it then fails."""
Scalar = Callable[[Tensor, Tensor], Tensor]

_RIDGES = {
    "quartic": QuarticRidge((1.0,)),
    "exp": ExpRidge((1.0,)),
    "cosh": CoshRidge((1.0,)),
    "log-cosh": LogCoshRidge((1.0,)),
    "logistic": LogLoss((1.0,)),
}


def _scalar(name: str) -> Scalar:
    ridge = _RIDGES[name]
    return lambda m, k: ridge.prox(m.unsqueeze(-1), k.unsqueeze(-1)).squeeze(-1)


SCALAR_PROX: Mapping[str, Scalar] = MappingProxyType(
    {"square": lambda m, k: m / (1 + k), **{name: _scalar(name) for name in _RIDGES}}
)
"""(m, k) -> s with s + k h'(s) = m, k > 0, for the convex links; nan gives nan. Shapes alike."""


def link_move(link: str, rows: Tensor, m: Tensor, step: Tensor) -> Tensor:
    """y = argmin (1/b) sum_i h(<a_i, y> + m_i) + |y|^2 / (2 step), (N, d).

    link: the name of a convex link. rows: a_i, (N, b, d), possibly dependent. m: (N, b). step: (N, 1), > 0.
    nan in m gives nan in its row. Differentiable in m and step, once: the last step is one of Newton's method
    from a point that counts as a constant. SolverError if it does not converge.

    The optimality condition is F(y) = y + (step / b) A' h'(A y + m) = 0 with F' >= I.
    """
    with torch.no_grad():
        solve = _one if rows.shape[-2] == 1 else _several
        y = solve(link, rows, m.detach(), step.detach())
    if not (m.requires_grad or step.requires_grad):
        return y
    share, curvature = step / rows.shape[-2], LINKS[link].curvature
    s = inner_products(rows, y) + m
    residual = y + share * spread(rows, LINKS[link].slope(s))
    factor = root_factor(rows, (share * curvature(s)).detach())
    return y - _solve(factor, residual)


def _one(link: str, rows: Tensor, m: Tensor, step: Tensor) -> Tensor:
    """Along a: s + k h'(s) = m, k = step |a|^2; the shift as k h'(s) where that is more accurate."""
    a = rows.squeeze(-2)
    length = torch.linalg.vector_norm(a, dim=-1, keepdim=True)
    k = (step * length * length).clamp(SMALLEST, LARGEST)
    s = SCALAR_PROX[link](m, k)
    small = k * LINKS[link].curvature(s) < 1
    shift = torch.where(small, -k * LINKS[link].slope(s), s - m)
    return a / length * (shift / length)


def _several(link: str, rows: Tensor, m: Tensor, step: Tensor) -> Tensor:
    """Newton's method in coordinates of the span of the rows: y = Q t, A Q = B of p = min(b, d) columns."""
    b, d = rows.shape[-2:]
    share = step / b
    if b >= d:
        return _newton(link, rows, m, share)
    basis, upper = torch.linalg.qr(rows.mT)
    t = _newton(link, upper.mT, m, share)
    return (basis @ t.unsqueeze(-1)).squeeze(-1)


def _newton(name: str, rows: Tensor, m: Tensor, share: Tensor) -> Tensor:
    """The root t of F(t) = t + share B' h'(B t + m), (N, p); nan where m is not finite."""
    t = torch.full_like(rows[:, 0, :], torch.nan)
    left = torch.arange(m.shape[0], device=m.device)[m.isfinite().all(dim=-1)]
    for sweeps in SWEEPS:
        if left.numel() == 0:
            break
        data = rows[left], m[left], share[left]
        t[left] = _descend(LINKS[name], _start(name, *data, sweeps), *data)
        f, room = _residual(LINKS[name], t[left], *data)
        size = torch.linalg.vector_norm(f, dim=-1)
        # an overflow makes both of them infinite
        left = left[~((size <= 100 * room) & size.isfinite())]
    if left.numel() > 0:
        raise SolverError(f"batch_prox of link {name!r}: no proximal point found on {left.numel()} rows")
    return t


def _descend(link: Link, t: Tensor, rows: Tensor, m: Tensor, share: Tensor) -> Tensor:
    """Newton's method from t, (N, p); a step is halved until |F| falls, and the last one if it never does."""
    t, left = t.clone(), torch.arange(t.shape[0], device=t.device)
    for _ in range(MAX_STEPS):
        if left.numel() == 0:
            break
        data, now = (rows[left], m[left], share[left]), t[left]
        f, room = _residual(link, now, *data)
        curvature = link.curvature(inner_products(data[0], now) + data[1])
        move = _solve(root_factor(data[0], (data[2] * curvature).clamp(max=LARGEST)), f)
        t[left], fell = _search(link, now, move, f, data)
        tiny = torch.linalg.vector_norm(move, dim=-1) <= EPS * torch.linalg.vector_norm(now, dim=-1)
        left = left[fell & ~tiny & ~(torch.linalg.vector_norm(f, dim=-1) <= room)]
    return t


def _residual(link: Link, t: Tensor, rows: Tensor, m: Tensor, share: Tensor) -> tuple[Tensor, Tensor]:
    """F(t), (N, p), and what rounding makes of its length, (N,)."""
    inner = inner_products(rows, t)
    s = inner + m
    slope = link.slope(s)
    f = t + share * spread(rows, slope)
    moved = link.curvature(s) * (inner_products(rows.abs(), t.abs()) + m.abs())
    loss = t.abs() + share * spread(rows.abs(), slope.abs() + moved)
    return f, 2 * EPS * torch.linalg.vector_norm(loss, dim=-1)


def _search(
    link: Link, t: Tensor, move: Tensor, f: Tensor, data: tuple[Tensor, Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """t - a move with the first a in 1, 1/2, ... where |F| falls, and whether there is one; (N, p), (N,)."""
    before = torch.linalg.vector_norm(f, dim=-1)
    share, found = torch.ones_like(before), torch.zeros_like(before, dtype=torch.bool)
    new = t
    for _ in range(HALVINGS):
        trial = t - share.unsqueeze(-1) * move
        after = torch.linalg.vector_norm(_residual(link, trial, *data)[0], dim=-1)
        good = ~found & (after <= (1 - share / 1e4) * before)
        new = torch.where(good.unsqueeze(-1), trial, new)
        found = found | good
        if bool(found.all()):
            break
        share = share / 2
    return new, found


def _start(name: str, rows: Tensor, m: Tensor, share: Tensor, sweeps: int) -> Tensor:
    """-share B' u: u_i = h'(s_i) from each row alone where h is smooth, else from rounds over the rows."""
    squares = rows.square().sum(dim=-1)
    k = (share * squares).clamp(SMALLEST, LARGEST)
    if torch.inf > LINKS[name].L:
        wide = (k * m.shape[-1]).clamp(max=LARGEST)
        return -share * spread(rows, LINKS[name].slope(SCALAR_PROX[name](m, wide)))
    t = torch.zeros_like(rows[:, 0, :])
    u = torch.zeros_like(m)
    for i in [*range(m.shape[-1])] * sweeps:
        a, mine = rows[:, i], k[:, i]
        alone = (a * t).sum(dim=-1) + m[:, i] + mine * u[:, i]
        new = (alone - SCALAR_PROX[name](alone, mine)) / mine
        t = t - share * a * (new - u[:, i]).unsqueeze(-1)
        u[:, i] = new
    return t


def root_factor(rows: Tensor, curvature: Tensor) -> Tensor:
    """R, upper triangular, with R'R = I + B' diag(curvature) B, without forming squares; (*batch, p, p).

    Longest rows first: Householder's method then keeps the digits of the short ones (Cox and Higham, 1998).
    """
    p = rows.shape[-1]
    identity = torch.eye(p, dtype=rows.dtype, device=rows.device).expand(*rows.shape[:-2], p, p)
    weighted = curvature.sqrt().unsqueeze(-1) * rows
    order = torch.linalg.vector_norm(weighted, dim=-1).argsort(dim=-1, descending=True)
    weighted = weighted.gather(-2, order.unsqueeze(-1).expand_as(weighted))
    return torch.linalg.qr(torch.cat([weighted, identity], dim=-2), mode="r").R


def _solve(factor: Tensor, f: Tensor) -> Tensor:
    """(R'R)^(-1) f. f: (N, p)."""
    half = torch.linalg.solve_triangular(factor.mT, f.unsqueeze(-1), upper=False)
    return torch.linalg.solve_triangular(factor, half, upper=True).squeeze(-1)


def inner_products(rows: Tensor, y: Tensor) -> Tensor:
    """<a_i, y>, (*batch, b). rows: (*batch, b, d); y: (*batch, d)."""
    return (rows @ y.unsqueeze(-1)).squeeze(-1)


def spread(rows: Tensor, weights: Tensor) -> Tensor:
    """sum_i weights_i a_i, (*batch, d). weights: (*batch, b)."""
    return (weights.unsqueeze(-2) @ rows).squeeze(-2)
