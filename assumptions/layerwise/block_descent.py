"""The descent inequality of methods that step in all layers at once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.bregman import bregman
from assumptions.inequality import Inequality, Points
from assumptions.l0l1.form import product
from assumptions.layerwise.inequality import (
    layer_noise,
    layers_of,
    replace_layer,
    require_layer_constants,
    within,
)
from assumptions.layerwise.l0l1 import fit_front, pick, rule_option
from assumptions.rounding import NOISE, ROUNDINGS, VISIBLE


@dataclass(frozen=True)
class BlockDescent(Inequality):
    """f(Y) <= f(X) + <grad f(X), Y - X> + sum_i (L0_descent_i + L1_descent_i g_i) |Y_i - X_i|_i^2 / 2.

    g_i = |grad_i f(X)|_{i*}. For all X, Y with |Y_i - X_i|_i <= 1 / L1_descent_i in all layers (1 / 0 = inf).
    Constants: finite, >= 0, one per layer; ValueError otherwise, and for a problem with another number of
    layers. Layers may act on one another, unlike in ``LocalLayerL0L1``, which implies it by integration.
    """

    L0_descent_i: tuple[float, ...]
    L1_descent_i: tuple[float, ...]
    sense: ClassVar[Mapping[str, int]] = {"L0_descent_i": -1, "L1_descent_i": -1}
    needs: ClassVar[tuple[str, ...]] = ("layers",)
    instead: ClassVar[str] = "Smooth speaks of the whole variable"

    def __post_init__(self) -> None:
        """Tuples of floats, checked."""
        require_layer_constants(self, self.constants())

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """f(Y) - f(X) - <grad f(X), Y - X>, cut at 0, and the quadratic; 0 where a layer moves too far."""
        x, y = points
        layers = layers_of(problem, L0_descent_i=self.L0_descent_i, L1_descent_i=self.L1_descent_i)
        L0, L1 = x.new_tensor(self.L0_descent_i), x.new_tensor(self.L1_descent_i)
        gap, _, rounding = bregman(problem, x, y)
        distance = layers.norm_i(y - x)
        slope = L0 + product(L1, layers.dual_i(problem.grad(x)))
        rhs = product(slope, distance.square()).sum(dim=-1) / 2
        with torch.no_grad():
            noise = L1 * NOISE * layer_noise(problem, layers, x) + ROUNDINGS * slope
            resolution = rounding + (noise * distance.square()).sum(dim=-1) / 2
        # written so that nan is not too far: it stays in the sides
        far = (distance * L1 > 1).any(dim=-1)
        return Sides(*(torch.where(far, 0.0, side) for side in (gap.clamp(min=0), rhs, resolution)))

    def admissible(self, problem: Function, *points: Tensor) -> Points:
        """X, and Y with each layer moved to within 1 / L1_descent_i of X. Each (*batch, d)."""
        x, y = points
        layers = layers_of(problem, L0_descent_i=self.L0_descent_i, L1_descent_i=self.L1_descent_i)
        return x, within(layers, x, y, x.new_tensor(self.L1_descent_i))

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """One layer is moved at a time, then all is scaled by one factor to suit the pairs themselves.

        points: X and Y, each (*batch, d). For layer i, with Z = X but for its layer i, which is that of Y:
        q = g_i and s = 2 (f(Z) - f(X) - <grad f(X), Z - X>) / |Y_i - X_i|_i^2; the pair is picked from the
        front of (q, s) by ``rule`` ("mean" by default, see ``Front.pick``), a pair of points counting where
        |Y_i - X_i|_i <= 1 / L1. The factor is the largest ratio of the inequality over the pairs (X, Y) that
        it then speaks of, at least 1, and is returned as "joint"; larger constants speak of fewer pairs, so
        that it suits all. Gaps that are rounding alone are left out. "front": the vertices of each layer.
        """
        cls.require(problem)
        rule = rule_option(options)
        layers = layers_of(problem)
        x, y = (p.reshape(-1, layers.d) for p in torch.broadcast_tensors(*points))
        fits, fronts = [], []
        for i in range(layers.n_layers):
            z = replace_layer(layers, x, y, i)
            gap, _, resolution = bregman(problem, x, z)
            r = layers.norm_i(z - x)[:, i]
            kept = ~(gap <= VISIBLE * resolution) & ~(r == 0)
            q = layers.dual_i(problem.grad(x))[kept, i]
            s = 2 * gap[kept] / r[kept].square()
            front = fit_front(q, s, r[kept], local=True)
            fits.append(pick(front, s, rule))
            fronts.append(front.vertices)
        L0, L1 = (tuple(pair[k] for pair in fits) for k in range(2))
        joint = _joint(cls, problem, (L0, L1), x, y)
        L0, L1 = (tuple(joint * constant for constant in constants) for constants in (L0, L1))
        fitted = {"L0_descent_i_seen": L0, "L1_descent_i_seen": L1}
        return {**fitted, "rule": rule, "front": tuple(fronts), "joint": joint}


def _joint(
    cls: type[BlockDescent], problem: Function, fit: tuple[tuple[float, ...], ...], x: Tensor, y: Tensor
) -> float:
    """The largest ratio over the pairs, at least 1; nan if a constant is not finite or a gap is nan."""
    if not all(constant < math.inf for constants in fit for constant in constants):
        return math.nan
    lhs, rhs, resolution = cls(*fit).sides(problem, x, y)
    visible = ~(lhs <= VISIBLE * resolution)
    return max(1.0, float((lhs / rhs)[visible].max())) if bool(visible.any()) else 1.0
