"""Weighted l1 distance over a ball of any l_p norm: who moves, and how far."""

import math

import torch
from torch import Tensor


def soft_ball(y: Tensor, w: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """argmin of sum_i w_i (y_i - r_i) over 0 <= r <= y, |r|_p <= 1; and the slopes that prove it.

    y: >= 0, (*batch, d), |y|_p > 1 over the entries with w > 0. w: >= 0, (d,), not all 0.
    1 <= p <= inf. Returns r with |r|_p = 1 to rounding and g, 0 <= g <= w, g_i = w_i where r_i < y_i and
    y_i > 0, <g, r> = |g|_q: both (*batch, d).

    Proof: r minimises the linear function -<g, r> over the ball, and g_i < w_i only where r_i = y_i, so
    sum_i w_i (y_i - z_i) >= sum_i g_i (y_i - z_i) >= sum_i g_i (y_i - r_i) = sum_i w_i (y_i - r_i).
    """
    if p == math.inf:
        # those that do not reach the face have arrived, and pull no more
        r = torch.where(w > 0, y.clamp(max=1), 0.0)
        return r, torch.where(y >= 1, w, 0.0)
    return _knapsack(y, w) if p == 1 else _power(y, w, p)


def _knapsack(y: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """The steepest coordinates first, each up to y; the last one in part. All slopes are cut at its own."""
    order = w.argsort(descending=True, stable=True)
    sorted_y = torch.where(w[order] > 0, y[..., order], 0.0)
    before = torch.cat([torch.zeros_like(sorted_y[..., :1]), sorted_y.cumsum(dim=-1)[..., :-1]], dim=-1)
    left = (1 - before).clamp(min=0)
    r = torch.zeros_like(y).index_copy(-1, order, torch.minimum(sorted_y, left))
    steepness = w[order].expand_as(y)
    # the last one that moves; if rounding lets none be the last, the flattest
    moved = (left > 0) & (sorted_y > 0)
    last = torch.where(moved, steepness, torch.inf).amin(dim=-1, keepdim=True)
    return r, torch.where(y > 0, torch.minimum(w, last), 0.0)


def _power(y: Tensor, w: Tensor, p: float) -> tuple[Tensor, Tensor]:
    """r_i = min(y_i, m w_i^(1 / (p - 1))) with |r|_p = 1; slope (r_i / m)^(p - 1) of those that arrive.

    |r|_p^p is piecewise a power of m with breaks where a coordinate arrives; after sorting, the piece that
    holds the root is solved. Logarithms of the w_i: their powers leave the range of floats for p near 1.
    """
    log_w = w.log() / (p - 1)
    log_break, order = torch.where(w > 0, y.log() - log_w, torch.inf).sort(dim=-1, stable=True)
    log_w = log_w.expand_as(y).gather(-1, order)
    power = torch.where(log_break < torch.inf, y.gather(-1, order), 0.0) ** p
    # of the coordinates that arrive before this one; a difference of sums would cancel
    passed = torch.cat([torch.zeros_like(power[..., :1]), power.cumsum(dim=-1)[..., :-1]], dim=-1)
    moving = (p * log_w).flip(-1).logcumsumexp(dim=-1).flip(-1)
    reached = passed + (p * log_break + moving).exp() >= 1
    reached = torch.cat([reached[..., :-1], torch.ones_like(reached[..., -1:])], dim=-1)
    # a coordinate without weight never moves: the root lies before it
    piece = torch.minimum(reached.int().argmax(dim=-1, keepdim=True), (w > 0).sum() - 1)
    left = (1 - passed.gather(-1, piece)).clamp(min=0)
    log_m = (left.log() - moving.gather(-1, piece)) / p
    # in its piece whatever rounding says: left may have vanished
    previous = torch.where(piece > 0, log_break.gather(-1, (piece - 1).clamp(min=0)), -torch.inf)
    log_m = torch.minimum(torch.maximum(log_m, previous), log_break.gather(-1, piece))
    length = torch.where(w > 0, (log_m + w.log() / (p - 1)).exp(), 0.0)
    arrived = length >= y
    # logarithms far from 0 lose digits of the length, which the norm gives back
    taken = torch.where(arrived, y, 0.0).pow(p).sum(dim=-1, keepdim=True)
    share = torch.where(arrived, 0.0, length).pow(p).sum(dim=-1, keepdim=True)
    scale = torch.where(share > 0, ((1 - taken).clamp(min=0) / share) ** (1 / p), 1.0)
    r = torch.where(w > 0, torch.minimum(y, torch.where(arrived, y, length * scale)), 0.0)
    slope = torch.exp((p - 1) * (y.log() - log_m))
    return r, torch.where(arrived, torch.minimum(slope, w), w)
