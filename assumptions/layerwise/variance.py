"""Noise of bounded variance in each layer."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import torch
from torch import Tensor

from assumptions.base import Check, Function, Sides
from assumptions.inequality import EntryInequality
from assumptions.layers import Layers
from assumptions.layerwise.inequality import layers_of, require_layer_constants
from assumptions.moments.bound import SampledCheck, draw_options, estimate_moment, lacks_noise
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.moments.e_value import LOG_REFUTED
from assumptions.moments.noise_law import Noise, Noisy, is_drawn
from assumptions.region import EVERYWHERE, Region


@dataclass(frozen=True)
class LayerVariance(EntryInequality):
    """E |n_i(x)|_2^2 <= sigma_i^2 for all layers i and all x, n_i the noise of layer i of the gradient.

    sigma_i: finite, >= 0, one per layer, units of the gradient; the length is the Euclidean one of all
    entries, whatever the norm of the layer. ValueError otherwise, and for a problem with another number of
    layers. Layers of one draw may depend on each other. Which noise, and what is exact: ``MomentBound``.
    """

    sigma_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"sigma_i": -1}
    needs: ClassVar[tuple[str, ...]] = ("layers",)
    arity: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Tuple of floats, checked."""
        require_layer_constants(self, self.constants())

    @classmethod
    def lacking(cls, problem: Function) -> str:
        """Neither noise nor terms, or no layers."""
        return lacks_noise(cls.__name__, problem) or super().lacking(problem)

    def entry_sides(self, problem: Function, *points: Tensor) -> Sides:
        """The roots of the exact second moments at x, (*batch, d), and sigma_i; each (*batch, n_layers)."""
        layers = layers_of(problem, sigma_i=self.sigma_i)
        each = [one.sides(view, *points) for one, view in self._by_layer(problem, layers)]
        return Sides(
            *(torch.stack(torch.broadcast_tensors(*side), dim=-1) for side in zip(*each, strict=True))
        )

    def check(self, problem: Function, *points: Tensor) -> Check:
        """At points x, (*batch, d). A law without listed outcomes: 2^15 draws for each layer."""
        self.require(problem)
        if not is_drawn(problem) or len(points) != 1 or points[0].numel() == 0:
            return super().check(problem, *points)
        layers = layers_of(problem, sigma_i=self.sigma_i)
        return self._joined([one.check(view, *points) for one, view in self._by_layer(problem, layers)])

    @classmethod
    def sample(
        cls, problem: Function, n: int, seed: int = 0, region: Region = EVERYWHERE
    ) -> tuple[Tensor, ...]:
        """As ``BoundedVariance``."""
        cls.require(problem)
        return BoundedVariance.sample(problem, n, seed, region)

    def refute(
        self, problem: Function, budget: int = 20_000, seed: int = 0, region: Region = EVERYWHERE
    ) -> Check:
        """Ascent on the exact moments; else ``BoundedVariance.refute`` layer by layer, the budget shared."""
        self.require(problem)
        if not is_drawn(problem):
            return super().refute(problem, budget, seed, region)
        layers = layers_of(problem, sigma_i=self.sigma_i)
        share = max(1, budget // layers.n_layers)
        return self._joined(
            [one.refute(view, share, seed, region) for one, view in self._by_layer(problem, layers)]
        )

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """sigma_i_seen: for each layer the largest root mean square of its noise over the points x.

        Exact at the points, (*batch, d), or of draws. draws: int = 2^15, shared by the points; seed: int = 0.
        ValueError where a tail is so heavy that the sample moment does not settle, TypeError without noise.
        """
        cls.require(problem)
        draws, seed = draw_options(options)
        layers, (x,) = layers_of(problem), points
        views = [_one_layer(problem, layers, i) for i in range(layers.n_layers)]
        return {"sigma_i_seen": tuple(estimate_moment(view, x, 2.0, draws, seed)[0] for view in views)}

    def _by_layer(self, problem: Function, layers: Layers) -> list[tuple[BoundedVariance, Function]]:
        """For each layer its statement and the problem whose noise is that of the layer alone."""
        return [
            (BoundedVariance(sigma), _one_layer(problem, layers, i)) for i, sigma in enumerate(self.sigma_i)
        ]

    def _joined(self, checks: list[Check]) -> SampledCheck:
        """The mean of the e-values of the layers is one; the ratio is that of the layer most against it."""
        found = cast(list[SampledCheck], checks)
        logs = torch.tensor([check.log_e_value for check in found], dtype=torch.float64)
        log_e = float(torch.logsumexp(logs, 0) - math.log(len(found)))
        verdict = "undefined" if math.isnan(log_e) else "refuted" if log_e >= LOG_REFUTED else "not refuted"
        worst = found[int(logs.nan_to_num(nan=math.inf).argmax())]
        return replace(worst, assumption=self, verdict=verdict, log_e_value=log_e)


def _one_layer(problem: Function, layers: Layers, i: int) -> Function:
    return cast(Function, _OneLayer(problem, layers, i))


class _OneLayer:
    """A problem whose noise, or the gradients of whose terms, are 0 outside one layer; else the same."""

    def __init__(self, problem: Function, layers: Layers, i: int) -> None:
        owner = [j for j, size in enumerate(layers.sizes) for _ in range(size)]
        self._problem, self._inside = problem, torch.tensor([j == i for j in owner])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._problem, name)

    def __repr__(self) -> str:
        return repr(self._problem)

    @property
    def noise(self) -> "_NoiseOfLayer":
        """The noise in the layer."""
        return _NoiseOfLayer(cast(Noisy, self._problem).noise, self._inside)

    def part_grads(self, x: Tensor) -> Tensor:
        """Gradients of terms in the layer. x: (*batch, d). Returns (*batch, n_terms, d)."""
        return torch.where(self._inside.to(x.device), self._problem.part_grads(x), 0.0)  # pyright: ignore[reportAttributeAccessIssue]


class _NoiseOfLayer:
    """A noise whose entries outside a layer are 0."""

    def __init__(self, noise: Noise, inside: Tensor) -> None:
        self._noise, self._inside = noise, inside

    def width(self, d: int) -> int:
        """As the noise."""
        return self._noise.width(d)

    def draw(self, u: Tensor, x: Tensor) -> Tensor:
        """Shapes as ``Noise.draw``."""
        return torch.where(self._inside.to(x.device), self._noise.draw(u, x), 0.0)

    def outcomes(self, d: int) -> tuple[Tensor, Tensor] | None:
        """All values in the layer, with their probabilities."""
        listed = self._noise.outcomes(d)
        return None if listed is None else (torch.where(self._inside, listed[0], 0.0), listed[1])
