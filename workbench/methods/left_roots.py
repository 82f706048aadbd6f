"""Roots of sums of G G' for each layer, and what multiplies gradients by their inverses."""

import math

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number
from assumptions.layers import Layers


def rows_of(layers: Layers) -> tuple[int, ...]:
    """Rows of each layer: its first axis. A vector is a column."""
    return tuple(shape[0] for shape in layers.shapes)


def matrices(layers: Layers, g: Tensor) -> list[Tensor]:
    """Each layer as (*batch, m_i, n_i). g: (*batch, d)."""
    return [part.reshape(*g.shape[:-1], part.shape[g.dim() - 1], -1) for part in layers.split(g)]


def no_roots(layers: Layers, x: Tensor) -> Tensor:
    """All 0, (*batch, sum m_i^2). x: (*batch, d)."""
    return x.new_zeros(*x.shape[:-1], sum(m * m for m in rows_of(layers)))


def roots(layers: Layers, root: Tensor) -> list[Tensor]:
    """Each root as (*batch, m_i, m_i). root: (*batch, sum m_i^2)."""
    rows = rows_of(layers)
    parts = root.split([m * m for m in rows], dim=-1)
    return [part.reshape(*root.shape[:-1], m, m) for part, m in zip(parts, rows, strict=True)]


def joined_roots(each: list[Tensor]) -> Tensor:
    """Undo ``roots``."""
    return torch.cat([root.flatten(-2) for root in each], dim=-1)


def roots_added(layers: Layers, root: Tensor, g: Tensor, old: Number = 1.0, new: Number = 1.0) -> Tensor:
    """(old S S + new G G')^(1/2) for each layer, S = S' its root. g: (*batch, d). Shapes as root.

    old, new >= 0: floats or (*batch, 1).
    """
    pairs = zip(roots(layers, root), matrices(layers, g), strict=True)
    a, b = _root_of(old, g), _root_of(new, g)
    return joined_roots([left_root(torch.cat([a * s, b * m], dim=-1)) for s, m in pairs])


def left_root(a: Tensor) -> Tensor:
    """(A A')^(1/2) = U diag(s) U' for A = U diag(s) W'; nan in matrices that are not finite.

    a: (*batch, m, n). Returns (*batch, m, m).
    """
    u, s = _left(a)
    return (u * s.unsqueeze(-2)) @ u.mT


def inverted(layers: Layers, root: Tensor, g: Tensor, eps: Number = 0.0) -> Tensor:
    """(S + eps I)^(-1) G for each layer; where eps = 0 with the pseudo-inverse. g: (*batch, d). Shapes as g.

    eps: a float or (*batch, 1). Singular values of S below its m roundings of the largest count as 0.
    """
    shift = torch.as_tensor(eps, dtype=g.dtype, device=g.device)
    found = []
    for s, m in zip(roots(layers, root), matrices(layers, g), strict=True):
        u, values = _left(s)
        values = torch.where(values > 4 * s.shape[-1] * EPS * values[..., :1], values, 0.0) + shift
        inverse = torch.where(values > 0, 1 / torch.where(values > 0, values, 1.0), values)
        found.append((u @ (inverse.unsqueeze(-1) * (u.mT @ m))).flatten(-2))
    return torch.cat(found, dim=-1)


def _left(a: Tensor) -> tuple[Tensor, Tensor]:
    """Left singular vectors (*batch, m, m) and singular values (*batch, m), padded with 0.

    nan where a matrix is not finite: a decomposition refuses it. Entries are scaled near 1 first.
    """
    m = a.shape[-2]
    size = a.abs().amax(dim=(-2, -1), keepdim=True)
    defined = size.isfinite()
    scale = torch.where(defined & (size > 0), size, 1.0)
    clean = torch.where(defined, a, 0.0) / scale
    if a.shape[-1] < m:
        clean = torch.cat([clean, clean.new_zeros(*clean.shape[:-1], m - a.shape[-1])], dim=-1)
    u, s, _ = torch.linalg.svd(clean, full_matrices=False)
    nan = torch.where(defined, 0.0, math.nan)
    return u + nan, (s * scale.squeeze(-1)) + nan.squeeze(-1)


def _root_of(weight: Number, g: Tensor) -> Tensor:
    """The root of a weight, ready for (*batch, m, n)."""
    root = torch.as_tensor(weight, dtype=g.dtype, device=g.device).sqrt()
    return root.unsqueeze(-1) if root.dim() else root
