"""Steps no longer than the measured one that change the gradient most: a fit that they exceed is no bound."""

import torch
from torch import Tensor

from assumptions.guards import require_dimension, require_seed
from assumptions.matrix_norms import Spectral
from workbench.orthogonal import GramPolar
from workbench.probes.batches import Batch
from workbench.probes.ends import Ends, difference, moved_by
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.layers import NetworkLayers, Point
from workbench.probes.levels.lmo import directions
from workbench.probes.levels.ratio import per_length

LEAST = 1e-6
"""Layers whose |change_i|_{i*} |dX_i|_i is a smaller share of the largest one are weighed as if it were this
share: changes that are rounding alone do not rule the search."""

NOISE = 1e-4
"""Random entries over the root mean square of a gradient. See ``_filled``."""


def adversarial(
    oracle: GradientOracle, layers: NetworkLayers, batch: Batch, ends: Ends, rounds: int = 4, seed: int = 0
) -> Tensor:
    """The largest |G_i(X + D) - G_i(X)|_{i*} / |D_i|_i found, |D_i|_i = |dX_i|_i, for each layer its own D.

    Ascent on phi(D) = sum_i w_i |G_i(X + D) - G_i(X)|_{i*} from D = dX, so that the result is never below the
    measured ratio. The gradient of phi is H(X + D) W with
    W_i = w_i argmax {<G_i(X + D) - G_i(X), Z> : |Z|_i <= 1},
    and a round goes to the point of the ball that is best for it, D_i = |dX_i|_i argmax {<(H W)_i, Z> :
    |Z|_i <= 1}: Frank and Wolfe with step 1, a generalised power method. The w_i are
    1 / |G_i(X') - G_i(X)|_{i*} (but see ``LEAST``): phi adds up how many times larger than at dX each ratio
    is, so that no layer rules by its unit or its norm.

    On a quadratic phi is convex and does not fall. If its blocks do not interact as well, the rounds approach
    the smoothness constants, slowly where eigenvalues are close, or a lesser local maximum. If they do, all
    layers move at once and what is found is at most sum_j h_ij |dX_j|_j / |dX_i|_i, h_ij the norms of the
    blocks of H, and not h_ii. It bounds from below what a constant would have to be, nothing more.

    Each round takes one Hessian product and one gradient; the search ends early where one is not finite.
    seed: of what gradients leave open, see ``_filled``. Returns (n_layers,), nan for layers that did not
    move, which stay where they are. ValueError unless rounds is an integer >= 1.
    """
    require_dimension(rounds=rounds)
    require_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    lengths, changes = layers.norm_i(ends.step), layers.dual_i(ends.change)
    weights = _weights(lengths, changes)
    best = per_length(changes, lengths)
    point, change = ends.x_next, ends.change
    for _ in range(rounds):
        if not _finite(change):
            break
        uphill = oracle.hvp(point, _longest(layers, change, weights), batch)
        if not _finite(uphill):
            break
        point = moved_by(ends.x, _longest(layers, _filled(uphill, generator), lengths))
        change = difference(oracle.evaluate(point, batch).gradient, ends.here.gradient)
        found = per_length(layers.dual_i(change), lengths)
        best = torch.where(found.isfinite(), torch.maximum(best, found), best)
    return best


def _weights(lengths: Tensor, changes: Tensor) -> Tensor:
    """w_i up to one factor, so that products with W have the size of those with a step; 0 without a step."""
    share = lengths * changes
    share = (share / share.max()).nan_to_num(0.0)
    return lengths / share.clamp(min=LEAST)


def _longest(layers: NetworkLayers, g: Point, lengths: Tensor) -> Point:
    """argmax {<G_i, Z_i> : |Z_i|_i <= lengths_i}."""
    by = GramPolar()
    polar = [by if isinstance(layer.layout.norm, Spectral) else None for layer in layers.layers]
    parts = zip(directions(layers, g, polar), lengths, strict=True)
    return tuple(length * part for part, length in parts)


def _filled(g: Point, generator: torch.Generator) -> Point:
    """G and a little noise.

    Where G leaves the direction open (entries or singular values that are 0) it would be 0, and stay so: from
    a step of rank one the search would see steps of rank one alone.
    """
    filled = []
    for part in g:
        part = part.double()
        noise = torch.randn(part.shape, dtype=torch.float64, generator=generator).to(part.device)
        size = part.square().mean().sqrt() + torch.finfo(torch.float64).tiny
        filled.append(part + NOISE * size * noise)
    return tuple(filled)


def _finite(g: Point) -> bool:
    return all(bool(part.isfinite().all()) for part in g)
