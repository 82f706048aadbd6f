"""Linear minimisation over products of layers with an inexact polar factor, and how inexact it is."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral
from assumptions.norms import Norm
from workbench.orthogonal.base import Orthogonaliser


@dataclass(frozen=True)
class _Oriented(Norm):
    """``base`` with the directions of an orthogonaliser: maximisers up to its error alone."""

    base: Spectral
    orthogonaliser: Orthogonaliser

    def norm(self, x: Tensor) -> Tensor:
        return self.base.norm(x)

    def dual(self, g: Tensor) -> Tensor:
        return self.base.dual(g)

    def lmo_direction(self, g: Tensor) -> Tensor:
        """O / scale."""
        direction, scale = unit_direction(self.base, self.orthogonaliser, g)
        return direction / scale

    def fits(self, d: int) -> bool:
        return self.base.fits(d)

    def rho(self, d: int) -> float:
        return self.base.rho(d)


def unit_direction(norm: Norm, orthogonaliser: Orthogonaliser, g: Tensor) -> tuple[Tensor, float]:
    """(D, s), where D / s maximises <g, z> over |z| <= 1: for spectral norms O and their scale.

    g: (*batch, d). Apart, so that whoever multiplies D by a length does it once.
    """
    if isinstance(norm, Spectral):
        return orthogonaliser(norm.matrix(g)).flatten(-2), norm.scale
    return norm.lmo_direction(g), 1.0


def inexact_direction(
    layers: Layers, orthogonaliser: Orthogonaliser, g: Tensor, lengths_i: float | Tensor = 1.0
) -> Tensor:
    """``layers.lmo_direction(g, lengths_i)`` where spectral layers have O / scale instead of U V' / scale.

    g: (*batch, d); lengths_i >= 0: a float or (*batch, n_layers). Returns (*batch, d). ValueError on another
    shape, TypeError unless ``orthogonaliser`` is one.
    """
    if not isinstance(orthogonaliser, Orthogonaliser):
        raise TypeError(f"orthogonaliser must be one such as Exact(), got {orthogonaliser!r}")
    norms = tuple(_Oriented(n, orthogonaliser) if isinstance(n, Spectral) else n for n in layers.norms)
    return replace(layers, norms=norms).lmo_direction(g, lengths_i)


def lmo_factors(layers: Layers, g: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """(a_i, b_i), measured: a_i = <G_i, D_i> / |G_i|_{i*} and b_i = |D_i|_i for directions D of length 1.

    g, direction: (*batch, d). Returns two (*batch, n_layers). Where G_i = 0 every a_i is right, and 1 is
    given; nan where g or direction is. ValueError on another shape.
    """
    if g.shape != direction.shape:
        raise ValueError(
            f"direction must have the shape of g, {tuple(g.shape)}, got {tuple(direction.shape)}"
        )
    duals, norms = layers.dual_i(g), layers.norm_i(direction)
    g = g / layers.per_entry(torch.where((duals > 0) & duals.isfinite(), duals, 1.0))
    products = (g * direction).split(list(layers.sizes), dim=-1)
    gains = torch.stack([part.sum(dim=-1) for part in products], dim=-1)
    return torch.where(duals == 0, torch.ones_like(gains), gains), norms
