"""How far remembered gradients of terms are from those at a minimiser, with the rounding of that."""

from collections.abc import Callable

import torch
from torch import Tensor

from assumptions.norms import EUCLIDEAN
from assumptions.region import EVERYWHERE
from assumptions.rounding import NOISE, ROUNDINGS, directions, gradient_noise
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.terms import Terms, part_gradients, root_mean_square, terms_of
from workbench.quantity import Quantity, Reading


def _star(r: Reading) -> Tensor:
    return r.problem.x_star.to(r.x)  # pyright: ignore[reportAttributeAccessIssue]


def _moved(r: Reading, x: Tensor, error: Tensor) -> Tensor:
    """How far gradients of terms move when x, (..., d), does by ``error``, (...); (..., n) or (..., 1).

    L_max times the error where that is certified, else probed in three directions.
    """
    everywhere = [c.assumption for c in r.problem.certified if c.region == EVERYWHERE]
    known = [a.L_max for a in everywhere if isinstance(a, ComponentSmooth) and a.norm == EUCLIDEAN]
    if known:
        return min(known) * error[..., None]
    g, d = r.problem.part_grads(x), x.shape[-1]
    moves = [r.problem.part_grads(x + error[..., None] * s / d**0.5) - g for s in directions(d, x)]
    return 2 * torch.stack([move.norm(dim=-1) for move in moves]).amax(0)


def _star_error(r: Reading) -> Tensor:
    """Of the gradients at x_star, (n,): their rounding, and what its own error does to them."""
    x = _star(r)
    error = r.problem.x_star_error + ROUNDINGS * x.norm(dim=-1)
    return part_gradients(r.problem, x[None]).rounding[0] + _moved(r, x, error)


def _difference(r: Reading, gradients: Tensor) -> Tensor:
    return root_mean_square((gradients - r.problem.part_grads(_star(r))).norm(dim=-1))


def table_error(table: Callable[[Reading], Tensor]) -> Quantity:
    """(mean_j |t_j - grad f_j(x_star)|^2)^(1/2), t_j the rows of ``table(reading)``, (batch, K + 1, n, d)."""

    def resolution(r: Reading, value: Tensor) -> Tensor:
        own = ROUNDINGS * table(r).norm(dim=-1) + _moved(r, r.x, r.x_error)
        return ROUNDINGS * value + root_mean_square(own + _star_error(r))

    return Quantity(
        "root mean square distance of the remembered gradients of terms from those at the minimiser",
        r"\sqrt{\frac{1}{n} \sum_j \|t_{j,k} - \nabla f_j(x^\star)\|^2}",
        lambda r: _difference(r, table(r)),
        resolution,
        needs=("x_star",),
        unit="f / x",
        nonnegative=True,
        of_terms=True,
    )


def _rounding(r: Reading, points: Tensor) -> Tensor:
    """Of the gradients of terms at ``points``, (..., d): 64 roundings of each, and its noise; (..., n).

    The noise is read at the farthest point of each octave of |x|, for all points of the octave.
    """
    flat = points.reshape(-1, points.shape[-1]).nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    length = flat.norm(dim=-1)
    octaves, which = length.log2().ceil().nan_to_num(neginf=-1100.0).unique(return_inverse=True)
    farthest = torch.stack([torch.where(which == i, length, -1.0).argmax() for i in range(len(octaves))])
    own = ROUNDINGS * r.problem.part_grads(flat).norm(dim=-1)
    noise = gradient_noise(Terms(terms_of(r.problem)), flat[farthest].unsqueeze(-2))
    return (own + NOISE * noise[which]).reshape(*points.shape[:-1], -1)


def snapshot_error(point: Callable[[Reading], Tensor]) -> Quantity:
    """(mean_j |grad f_j(w) - grad f_j(x_star)|^2)^(1/2), w = ``point(reading)``, (batch, K + 1, d)."""

    def resolution(r: Reading, value: Tensor) -> Tensor:
        own = _rounding(r, point(r)) + _moved(r, point(r), r.x_error)
        return ROUNDINGS * value + root_mean_square(own + _star_error(r))

    return Quantity(
        "root mean square distance of the gradients of terms at the snapshot from those at the minimiser",
        r"\sqrt{\frac{1}{n} \sum_j \|\nabla f_j(w_k) - \nabla f_j(x^\star)\|^2}",
        lambda r: _difference(r, r.problem.part_grads(point(r))),
        resolution,
        needs=("x_star",),
        unit="f / x",
        nonnegative=True,
        of_terms=True,
    )
