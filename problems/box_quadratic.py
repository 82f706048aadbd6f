"""Convex quadratics over boxes, exactly: the ball steps of l_inf norms."""

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.ball_newton import SolverError

SWEEPS = 20
"""Changes of the whole active set before the safeguarded method takes over."""

REFINEMENTS = 2
"""Of a solution by the pseudo-inverse, which alone loses digits to the condition number."""


def box_displacement(hessian: Tensor, y: Tensor, radius: Tensor, flat: bool = False) -> Tensor:
    """argmin {(y + s)' H (y + s) / 2 : |s_i| <= r_i}, one of them where there are several.

    hessian: H, symmetric positive semidefinite, (d, d). y: (*batch, d). radius: r > 0, (*batch, d).
    flat: True if H is singular; y is then best in its range. Returns s, (*batch, d); coordinates at a
    bound have |s_i| = r_i exactly. nan in y gives nan in its row. SolverError where the optimality
    condition is not met to rounding.

    s is optimal if and only if, with g = H (y + s), each coordinate has g_i = 0, or s_i = r_i and
    g_i <= 0, or s_i = -r_i and g_i >= 0. A choice of bounds gives s by one linear system: the rest of
    v = y + s solves (H v)_F = 0. First the primal-dual active set method (Hintermueller, Ito and Kunisch,
    2003): violated bounds are taken up and bounds with g of the wrong sign dropped, all at once; it
    ends after few sweeps or cycles. Rows that cycle are finished by the primal active set method
    (Nocedal and Wright, 2006, algorithm 16.3), which descends and so cannot meet a choice twice.
    """
    shape = torch.broadcast_shapes(y.shape, radius.shape)
    rows, r = y.expand(shape).reshape(-1, shape[-1]), radius.expand(shape).reshape(-1, shape[-1])
    s = torch.full_like(rows, torch.nan)
    left = torch.arange(rows.shape[0], device=y.device)[rows.isfinite().all(dim=-1)]
    side = torch.where(rows.abs() > r, -rows.sign(), 0.0)
    for _ in range(SWEEPS):
        if left.numel() == 0:
            break
        v, trial = _on_face(hessian, rows[left], r[left], side[left], flat)
        free = side[left] == 0
        out = torch.where(free & (trial.abs() > r[left]), trial.sign(), 0.0)
        new = torch.where(free, out, torch.where(_pushes(hessian, v, side[left]), side[left], 0.0))
        done = (new == side[left]).all(dim=-1)
        s[left[done]] = trial[done]
        side[left] = new
        left = left[~done]
    for row in left.tolist():
        s[row] = _descend(hessian, rows[row : row + 1], r[row : row + 1], flat)[0]
    _require_optimal(hessian, rows, r, s)
    return s.reshape(shape)


def _on_face(hessian: Tensor, y: Tensor, r: Tensor, side: Tensor, flat: bool) -> tuple[Tensor, Tensor]:
    """v = y + s and s with s_i = side_i r_i where side_i is not 0 and (H v)_i = 0 elsewhere; (rows, d)."""
    free = side == 0
    fixed = torch.where(free, 0.0, y + side * r)
    pairs = free.unsqueeze(-1) & free.unsqueeze(-2)
    size = hessian.diagonal().amax()
    system = torch.where(pairs, hessian, 0.0) + torch.diag_embed(torch.where(free, 0.0, size))
    force = torch.where(free, -(fixed @ hessian), 0.0).unsqueeze(-1)
    if flat:
        inverse = torch.linalg.pinv(system, rtol=8 * y.shape[-1] * EPS, hermitian=True)
        solved = inverse @ force
        for _ in range(REFINEMENTS):
            solved = solved + inverse @ (force - system @ solved)
        solved = solved.squeeze(-1)
    else:
        solved = torch.linalg.solve(system, force).squeeze(-1)
    v = torch.where(free, solved, fixed)
    return v, torch.where(free, v - y, side * r)


def _rounding(hessian: Tensor, v: Tensor) -> Tensor:
    """How far rounding moves H v, (rows, d)."""
    return 8 * v.shape[-1] * EPS * (v.abs() @ hessian.abs())


def _pushes(hessian: Tensor, v: Tensor, side: Tensor) -> Tensor:
    """Whether f falls beyond the bound, or is level to rounding; (rows, d)."""
    return side * (v @ hessian) <= _rounding(hessian, v)


def _descend(hessian: Tensor, y: Tensor, r: Tensor, flat: bool) -> Tensor:
    """The primal active set method on one row, (1, d), from the point of the box nearest to s = -y."""
    s = torch.minimum(torch.maximum(-y, -r), r)
    side = torch.where(s.abs() >= r, s.sign(), 0.0)
    for _ in range(20 * y.shape[-1] + 20):
        v, target = _on_face(hessian, y, r, side, flat)
        move = target - s
        room = torch.where(move == 0, torch.inf, (r * move.sign() - s) / move)
        share = float(room.amin())
        if share < 1:
            first = room <= share
            s = torch.where(first, r * move.sign(), s + share * move)
            side = torch.where(first, move.sign(), side)
            continue
        s = target
        wrong = torch.where(side == 0, -torch.inf, side * (v @ hessian) - _rounding(hessian, v))
        worst = wrong.argmax(dim=-1, keepdim=True)
        if not float(wrong.amax()) > 0:
            break
        side = side.scatter(-1, worst, 0.0)
    return s


def _require_optimal(hessian: Tensor, y: Tensor, r: Tensor, s: Tensor) -> None:
    """SolverError unless every coordinate meets its condition up to rounding of y + s and H (y + s)."""
    g = (y + s) @ hessian
    at_bound = s.abs() >= r
    excess = torch.where(at_bound, (g * s.sign()).clamp(min=0), g.abs())
    room = 8 * _rounding(hessian, y.abs() + r)
    bad = ((excess > room) | (s.abs() > r)).any(dim=-1)
    if bool(bad.any()):
        row = int(bad.int().argmax())
        raise SolverError(
            f"brox: KKT residual {float(excess[row].max()):.3g} above the tolerance "
            f"{float(room[row].max()):.3g} on {int(bad.sum())} of {bad.numel()} rows of a box"
        )
