"""What methods that step layer by layer share: lengths, guards, facts of the layers."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.guards import Number, require_nonnegative
from assumptions.layers import Layers
from assumptions.matrix_norms import Spectral, matrix_shape
from assumptions.norms import EUCLIDEAN, Lp, Norm
from problems.base import Problem
from problems.matrix_constants import comparison
from workbench.methods.base import ones
from workbench.orthogonal import Orthogonaliser
from workbench.quantity import Reading

LARGEST_ENTRY = Lp(float("inf"))


def adaptive_length(g: Tensor, offset: Number, slope: Number) -> Tensor:
    """g / (offset + slope g) for g >= 0, as 1 / (offset / g + slope): no product overflows.

    0 where g = 0, and where offset = slope = 0, the constants of a layer on which f does not depend.
    """
    length = 1 / (offset / torch.where(g == 0, 1.0, g) + slope)
    return torch.where((g == 0) | (offset + slope == 0), 0.0 * g, length)


def require_offset_or_slope(offset_i: Number, slope_i: Number) -> None:
    """ValueError unless all are finite and >= 0 and, for each element of the batch, one of them is > 0."""
    require_nonnegative(offset_i=offset_i, slope_i=slope_i)
    offset, slope = (torch.as_tensor(c, dtype=torch.float64) for c in (offset_i, slope_i))
    if not bool((offset + slope > 0).any(dim=-1).all()):
        said = f"offset_i={offset_i!r} and slope_i={slope_i!r}"
        raise ValueError(f"offset_i and slope_i must not both be 0 in every layer, got {said}")


def averaged(beta: float | Tensor, old: Tensor, new: Tensor, steps: Tensor) -> Tensor:
    """beta old + (1 - beta) new; at the first step new alone. old, new: (*batch, d or layers).

    beta: a float or (*batch, 1). steps: taken so far, int64 (*batch,).
    """
    return torch.where(steps.unsqueeze(-1) == 0, new, beta * old + (1 - beta) * new)


def smallest_rho_i(layers: Layers) -> Tensor:
    """For each layer the largest r with |G|_{i*} >= r |G|_2, up to a rounding; 0 where none is known.

    (n_layers,). By duality 1 / r is the least c with |Z|_i <= c |Z|_2.
    """
    found = []
    for shape, norm in zip(layers.shapes, layers.norms, strict=True):
        try:
            found.append(float(comparison(*matrix_shape(shape), norm)) ** -0.5 * (1 - 4 * EPS))
        except TypeError:
            found.append(0.0)
    return torch.tensor(found, dtype=torch.float64)


def running_resolution(r: Reading, value: Tensor) -> Tensor:
    """Of a sum of squares, or its root, that grows step by step: 8 roundings, and 4 for each step.

    value: (batch, K + 1, layers).
    """
    return (8 + 4 * r.state.steps.unsqueeze(-1)) * EPS * value.abs()


def over_layers(layers: Layers, value: Number, x: Tensor, name: str = "radius_i") -> Tensor:
    """A number for each layer, (*batch, n_layers), in the type of x.

    value: a float or (*batch, 1 or n_layers). ValueError for a tensor with another last axis.
    """
    numbers = torch.as_tensor(value, dtype=x.dtype, device=x.device)
    if numbers.dim() and numbers.shape[-1] not in (1, layers.n_layers):
        raise ValueError(
            f"{name} must have one entry, or one for each of the {layers.n_layers} layers, "
            f"got {numbers.shape[-1]}"
        )
    return numbers.expand(*numbers.shape[:-1], layers.n_layers)


def step_cost(problem: Problem, x: Tensor, gradients: int) -> Mapping[str, Tensor]:
    """That many gradients of terms, and one linear minimisation for each layer. x: (*batch, d)."""
    one = ones(x)
    return {"grad_calls": gradients * one, "lmo_calls": problem.layers.n_layers * one}


def require_orthogonaliser(orthogonaliser: object) -> None:
    """TypeError unless it is an ``Orthogonaliser``."""
    if not isinstance(orthogonaliser, Orthogonaliser):
        raise TypeError(f"orthogonaliser must be one such as Exact(), got {orthogonaliser!r}")


def factors_i(layers: Layers, orthogonaliser: Orthogonaliser) -> Mapping[str, Tensor]:
    """a_i and b_i, (n_layers,): <M, O> >= a_i |M|_{i*} and |O|_i <= b_i for the direction O of every M.

    Those of the orthogonaliser for Spectral layers, where it stands for the polar factor; else 1.
    """
    pairs = [
        orthogonaliser.factors(min(norm.m, norm.n)) if isinstance(norm, Spectral) else (1.0, 1.0)
        for norm in layers.norms
    ]
    a, b = torch.tensor(pairs, dtype=torch.float64).unbind(-1)
    return {"a_i": a, "b_i": b}


GRADIENT_FACTS = ("with_noise", "euclidean_layers", "sign_layers")
"""Names of ``gradient_facts``."""


def gradient_facts(problem: Problem) -> Mapping[str, float]:
    """with_noise: 1 where gradients come with noise, else 0; and of which kind all layers are.

    euclidean_layers, sign_layers: 1 where the norms of all layers are Lp(2), or Lp(inf), of scale 1, or any
    Lp of scale 1 on one entry; else 0.
    """
    layers = problem.layers
    return {
        "with_noise": float(problem.offers("noise")),
        "euclidean_layers": float(_all_like(layers, EUCLIDEAN)),
        "sign_layers": float(_all_like(layers, LARGEST_ENTRY)),
    }


def _all_like(layers: Layers, norm: Norm) -> bool:
    pairs = zip(layers.norms, layers.sizes, strict=True)
    return all(one == norm or (size == 1 and isinstance(one, Lp) and one.scale == 1) for one, size in pairs)


DIRECTION_FACTS = ("a_i", "b_i", *GRADIENT_FACTS)
"""Names of ``direction_facts``."""


def direction_facts(problem: Problem, options: Mapping[str, Any]) -> Mapping[str, float | Tensor]:
    """a_i and b_i of the option ``orthogonaliser``, (n_layers,), and what ``gradient_facts`` say."""
    return {**factors_i(problem.layers, options["orthogonaliser"]), **gradient_facts(problem)}
