"""Proximal steps of weighted sums of absolute values of affine functions, by an active set method."""

from typing import NamedTuple

import torch
from torch import Tensor

from assumptions.base import EPS
from problems.ball_newton import SolverError

PATIENCE = 4
"""Rounds per row in which the worst multiplier leaves; after them the first one does, which cannot cycle."""
ROUNDS = 40
"""Rounds per row before an error; a few are enough."""


class AbsStep(NamedTuple):
    """y, (N, d), = -sum_i w_i u_i a_i for the multipliers u, (N, b)."""

    y: Tensor
    u: Tensor


class Face(NamedTuple):
    """The best point where given rows are active; y and u as in ``AbsStep``.

    gain: |du_i / dy|, 1 / (w_i dist(a_i, span of the other active rows)), 0 where not active, (N, b). basis:
    an orthonormal one of the span of the active rows, in columns, filled up with 0, (N, d, min(b, d)).
    """

    y: Tensor
    u: Tensor
    gain: Tensor
    basis: Tensor


def abs_move(rows: Tensor, m: Tensor, weights: Tensor) -> AbsStep:
    """argmin_y sum_i w_i |<a_i, y> + m_i| + |y|^2 / 2.

    rows: a_i, (N, b, d), not 0 if b = 1, possibly dependent. m: (N, b). weights: w > 0, (N, b). nan or inf in
    a row of m gives nan there. Differentiable in m and w, active rows held. SolverError if it does not end:
    rounding does that, seldom, where rows are parallel but for a share of 1e-12 to 1e-4 and their kinks meet.

    y is optimal if and only if y = -sum_i w_i u_i a_i with u_i = sign(s_i), or |u_i| <= 1 where s_i = 0. One
    row: w u = clip(m / |a|^2, -w, w). More: a primal active set method. Given the active rows, s_i = 0, and
    the signs of the others, y solves one linear system. The objective falls along the segment to it, until a
    kink stops it and becomes active; at its end an active row with |u_i| > 1 is let go. A row in the span of
    the active ones, to rounding, keeps its s_i on that segment and is not met.
    """
    if rows.shape[-2] == 1:
        a = rows.squeeze(-2)
        pull = torch.minimum(torch.maximum(m / a.square().sum(dim=-1, keepdim=True), -weights), weights)
        return AbsStep(-pull * a, pull / weights)
    with torch.no_grad():
        active, signs = _active_rows(rows, m, weights)
    face = _on_face(rows, m, weights, active, signs)
    return AbsStep(torch.where(m.isfinite().all(dim=-1, keepdim=True), face.y, torch.nan), face.u)


def abs_error(
    rows: Tensor, m: Tensor, weights: Tensor, found: AbsStep, e: Tensor, rounding: float, modulus: Tensor
) -> Tensor:
    """Bound of |y - argmin| for what ``abs_move`` found, m known to e >= 0, (N, b); (N,).

    modulus: at least 1 / smin for every set of linearly independent rows; inf if it is not known. (N,).

    With u clipped to [-1, 1], y is exact for m off by v and moved by r = y + sum w_i u_i a_i, v_i = e_i where
    u_i = +-1 has the sign of s_i, |s_i| + e_i elsewhere. By r the minimiser moves |r| at most. As m moves by
    v it is affine on pieces: on each the projection of a fixed point on an affine space <a_i, y> = -m_i, i in
    a set of independent rows, so it moves by modulus |v| at most. Also by p with |p|^2 <= sum w_i |u_i -
    u'_i| v_i <= 2 sum w_i v_i, by monotonicity. Rows whose kink is out of reach of that take no part.
    """
    y, u = found.y, found.u.clamp(-1, 1)
    s = (rows @ y.unsqueeze(-1)).squeeze(-1) + m
    v = e + torch.where((u.abs() == 1) & (s * u >= 0), 0.0, s.abs())
    pull, size = _sum(weights * u, rows), _sum((weights * u).abs(), rows.abs())
    r = torch.linalg.vector_norm((y + pull).abs() + rounding * (size + y.abs()), dim=-1)
    moved = _moved(v, weights, modulus)
    far = s.abs() > torch.linalg.vector_norm(rows, dim=-1) * moved.unsqueeze(-1) + v
    return r + _moved(torch.where(far, 0.0, v), weights, modulus)


def _moved(v: Tensor, weights: Tensor, modulus: Tensor) -> Tensor:
    """How far the minimiser moves as m moves by v, at most, (N,)."""
    size = torch.linalg.vector_norm(v, dim=-1)
    roots = (2 * (weights * v).sum(dim=-1)).sqrt()
    return 1.001 * torch.where(size == 0, 0.0, torch.minimum(modulus * size, roots))


def _less(v: Tensor, basis: Tensor) -> Tensor:
    """v less its part in the span of the basis, (N, d)."""
    return v - _sum(_sum(v, basis), basis.mT)


def _sum(weights: Tensor, rows: Tensor) -> Tensor:
    return (weights.unsqueeze(-2) @ rows).squeeze(-2)


def _on_face(rows: Tensor, m: Tensor, weights: Tensor, active: Tensor, signs: Tensor) -> Face:
    """The best y with <a_i, y> + m_i = 0 for active rows, d at most, and u_i = signs_i for the others.

    By Householder's method on the active rows a_i / |a_i|: a Gram matrix would square their condition.
    """
    p = min(rows.shape[-2:])
    place = active.int().argsort(dim=-1, descending=True, stable=True)[:, :p]
    on = active.gather(-1, place)
    held = torch.where(
        on.unsqueeze(-1), rows.gather(-2, place.unsqueeze(-1).expand(-1, -1, rows.shape[-1])), 0.0
    )
    lengths = torch.where(on, torch.linalg.vector_norm(held, dim=-1), 1.0)
    held, target = held / lengths.unsqueeze(-1), torch.where(on, m.gather(-1, place), 0.0) / lengths
    basis, inverse = _factors(held, on)
    free = -_sum(torch.where(active, 0.0, weights * signs), rows)
    # along the basis first: the free point may be far away, and rows that are nearly dependent magnify that
    along = _sum(free, basis)
    y = _less(free - _sum(along, basis.mT), basis)
    for _ in range(2):
        s = (held @ y.unsqueeze(-1)).squeeze(-1) + target
        more = _sum(s, inverse)
        y, along = y - _sum(more, basis.mT), along + more
    pull = (inverse @ along.unsqueeze(-1)).squeeze(-1)
    pull, gain = (
        torch.zeros_like(m).scatter(-1, place, part / lengths) / weights
        for part in (pull, torch.linalg.vector_norm(inverse, dim=-1))
    )
    return Face(y, torch.where(active, pull, signs), gain, basis)


def _factors(held: Tensor, on: Tensor) -> tuple[Tensor, Tensor]:
    """Q, (N, d, p), of orthonormal columns, 0 where off, and R^(-1), the identity there: held' = Q R."""
    padded = torch.cat([held.mT, torch.diag_embed((~on).to(held))], dim=-2)
    basis, upper = torch.linalg.qr(padded)
    identity = torch.eye(on.shape[-1], dtype=held.dtype, device=held.device)
    upper = torch.where(on.unsqueeze(-1) & on.unsqueeze(-2), upper, identity)
    inverse = torch.linalg.solve_triangular(upper, identity, upper=True)
    return torch.where(on.unsqueeze(-2), basis[:, : held.shape[-1]], 0.0), inverse


def _active_rows(rows: Tensor, m: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Linearly independent active rows of the minimiser and the signs of the others, (N, b) each."""
    count = rows.shape[-2]
    signs = torch.where(m < 0, -1.0, 1.0).to(m)
    active = torch.zeros_like(m, dtype=torch.bool)
    y = torch.zeros_like(rows[:, 0, :])
    left = torch.arange(m.shape[0], device=m.device)[m.isfinite().all(dim=-1)]
    for turn in range(ROUNDS * count):
        if left.numel() == 0:
            return active, signs
        data = rows[left], m[left], weights[left]
        held = active[left]
        face = _on_face(*data, held, signs[left])
        y[left], hit, passed = _walk(*data, y[left], face, held, signs[left])
        arrived = ~(hit | passed).any(dim=-1, keepdim=True)
        over = face.u.abs() - 1 - _room(*data, face.gain)
        over = torch.where(held & arrived, over, 0.0).clamp(min=0)
        chosen = over.argmax(dim=-1) if turn < PATIENCE * count else (over > 0).int().argmax(dim=-1)
        drop = torch.nn.functional.one_hot(chosen, count).bool() & (over > 0)
        signs[left] = torch.where(drop, face.u.sign(), torch.where(passed, -signs[left], signs[left]))
        active[left] = (held | hit) & ~drop
        left = left[(hit | passed | drop).any(dim=-1)]
    raise SolverError(
        f"batch_prox of absolute values: {left.numel()} rows left after {ROUNDS * count} rounds"
    )


def _room(rows: Tensor, m: Tensor, weights: Tensor, gain: Tensor) -> Tensor:
    """What rounding of m makes of a multiplier, (N, b): y hangs on it by a rounding."""
    size = _distance(rows, m) + (weights * torch.linalg.vector_norm(rows, dim=-1)).sum(dim=-1)
    return 64 * EPS * (1 + size.unsqueeze(-1) * gain)


def _distance(rows: Tensor, m: Tensor) -> Tensor:
    """How far the farthest kink is from 0, (N,)."""
    lengths = torch.linalg.vector_norm(rows, dim=-1)
    return torch.where(lengths > 0, m.abs() / torch.where(lengths > 0, lengths, 1.0), 0.0).amax(dim=-1)


def _across(rows: Tensor, basis: Tensor) -> Tensor:
    """The rows less their parts in the span of the basis; 0 where only rounding is left, (N, b, d)."""
    rest = rows - rows @ basis @ basis.mT
    length = torch.linalg.vector_norm(rows, dim=-1, keepdim=True)
    depends = torch.linalg.vector_norm(rest, dim=-1, keepdim=True) <= 64 * EPS * length
    return torch.where(depends, 0.0, rest)


def _walk(
    rows: Tensor, m: Tensor, weights: Tensor, y: Tensor, face: Face, active: Tensor, signs: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The best point between y and face.y; the row whose kink it is, if any; the rows whose kinks it passed.

    face.y minimises the objective of the signs on the face, so along y + t v that has slope -(1 - t) |v|^2. A
    kink in the way adds 2 w_i |<a_i, v>|. (N, d), (N, b), (N, b).
    """
    target = face.y
    # both are on the face; rows that are nearly dependent leave much rounding across it
    v = _less(target - y, face.basis)
    # at a vertex that is found again, the step is rounding
    size = torch.linalg.vector_norm(y, dim=-1) + torch.linalg.vector_norm(target, dim=-1) + _distance(rows, m)
    here = torch.linalg.vector_norm(v, dim=-1) <= 64 * EPS * size
    v = torch.where((here | (active.sum(dim=-1) >= y.shape[-1])).unsqueeze(-1), 0.0, v)
    square = v.square().sum(dim=-1, keepdim=True)
    rate = (_across(rows, face.basis) @ v.unsqueeze(-1)).squeeze(-1)
    seen = torch.linalg.vector_norm(rows, dim=-1) * square.sqrt()
    s = (rows @ y.unsqueeze(-1)).squeeze(-1) + m
    # a kink at y itself, on either side by rounding
    s = torch.where(s * signs > 0, s, 0.0)
    meets = ~active & (rate * signs < 0) & (rate.abs() > 64 * EPS * seen)
    time = torch.where(meets, -s / torch.where(meets, rate, 1.0), torch.inf)
    times, order = time.sort(dim=-1)
    jumps = torch.where(times < 1, (2 * weights * rate.abs()).gather(-1, order), 0.0)
    slope = jumps.cumsum(dim=-1) - square * (1 - times)
    # kinks before the first one after which the objective rises
    before = (times < 1) & (((times < 1) & (slope >= 0)).int().cumsum(dim=-1) == 0)
    level = 1 - torch.where(before, jumps, 0.0).sum(dim=-1, keepdim=True) / torch.where(
        square > 0, square, 1.0
    )
    rank = before.sum(dim=-1, keepdim=True).clamp(max=times.shape[-1] - 1)
    next_time = times.gather(-1, rank)
    stops = (next_time < 1) & (next_time <= level) & ~before.all(dim=-1, keepdim=True)
    place = torch.zeros_like(active).scatter(-1, order, before)
    hit = torch.zeros_like(active).scatter(-1, order.gather(-1, rank), stops)
    end = torch.where(stops, next_time, level)
    arrived = ~(stops | before.any(dim=-1, keepdim=True))
    return torch.where(arrived, target, y + end * v), hit, place
