"""What theorems say of ASGO: traces of roots, distances in spectral norms, the linear regret."""

from collections.abc import Mapping

import torch
from torch import Tensor

from assumptions.base import EPS
from workbench.methods.left_roots import matrices, roots
from workbench.quantity import Quantity, Reading


def _before(r: Reading) -> Tensor:
    """The iterate one step before, the start at k = 0. (batch, K + 1, d)."""
    return torch.cat([r.x[:, :1], r.x[:, :-1]], 1) if r.x_before is None else r.x_before


def _from_star(r: Reading, x: Tensor) -> Tensor:
    """x - x_star. Shapes as x."""
    return x - r.problem.x_star.to(x)  # pyright: ignore[reportAttributeAccessIssue]


def _reach(r: Reading) -> Tensor:
    each = matrices(r.problem.layers, _from_star(r, _before(r)))
    lengths = torch.stack([torch.linalg.matrix_norm(_finite(m), 2) for m in each], dim=-1)
    lost = torch.stack([~m.isfinite().all(-1).all(-1) for m in each], dim=-1)
    return torch.where(lost, torch.nan, lengths).cummax(dim=1).values


def _finite(m: Tensor) -> Tensor:
    return torch.where(m.isfinite(), m, 0.0)


def _reach_resolution(r: Reading, value: Tensor) -> Tensor:
    """A spectral norm moves by at most the Euclidean length of a change."""
    error = r.x_error.cummax(dim=1).values + r.problem.x_star_error
    return 64 * EPS * value + error.unsqueeze(-1)


def _trace(r: Reading) -> Tensor:
    each = roots(r.problem.layers, r.state.root)
    return torch.stack([s.diagonal(dim1=-2, dim2=-1).sum(dim=-1) for s in each], dim=-1)


def _root_length(r: Reading) -> Tensor:
    each = roots(r.problem.layers, r.state.root)
    return torch.stack([s.flatten(-2).norm(dim=-1) for s in each], dim=-1)


def _root_resolution(r: Reading, value: Tensor) -> Tensor:
    """A step rounds the singular values by some roundings of the largest, m of them."""
    rows = torch.tensor([shape[0] for shape in r.problem.layers.shapes], dtype=value.dtype)
    return (8 + 8 * r.state.steps.unsqueeze(-1)) * rows * EPS * value


def _linear(r: Reading) -> Tensor:
    return (r.state.g * _from_star(r, _before(r))).sum(dim=-1)


def _linear_size(r: Reading, value: Tensor) -> Tensor:
    del value
    x = _before(r)
    star = r.problem.x_star.to(x)  # pyright: ignore[reportAttributeAccessIssue]
    return (r.state.g.abs() * (x.abs() + star.abs())).sum(dim=-1)


def _linear_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding of the products and of the iterate; the gradient is the one that the step used."""
    moved = r.x_error.cummax(dim=1).values + r.problem.x_star_error
    return 64 * EPS * _linear_size(r, value) + r.state.g.norm(dim=-1) * moved


ASGO_QUANTITIES: Mapping[str, Quantity] = {
    "reach_i": Quantity(
        "largest spectral distance of a layer from that of x_star over the points before step k; "
        "at k = 0 of the start",
        r"\max_{j < k} \|X_{j,i} - X^\star_i\|_{2 \to 2}",
        _reach,
        _reach_resolution,
        needs=("x_star",),
        unit="x",
        nonnegative=True,
        every_step=True,
    ),
    "root_trace_i": Quantity(
        "trace of the root of the sum of G G' of a layer",
        r"\mathrm{tr}\, V_{k,i}^{1/2}",
        _trace,
        _root_resolution,
        unit="f / x",
        nonnegative=True,
    ),
    "root_length_i": Quantity(
        "Euclidean length of the root of the sum of G G' of a layer",
        r"\|V_{k,i}^{1/2}\|_F",
        _root_length,
        _root_resolution,
        unit="f / x",
        nonnegative=True,
    ),
    "linear": Quantity(
        "<G, x_{k-1} - x_star> for the gradient G of the step that led to x_k; 0 at the start",
        r"\langle G_{k-1}, x_{k-1} - x^\star\rangle",
        _linear,
        _linear_resolution,
        _linear_size,
        needs=("x_star",),
        unit="f",
        every_step=True,
    ),
}
"""Quantities of methods whose state holds g and root."""
