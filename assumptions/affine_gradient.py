"""Functions of constant curvature."""

from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions.base import Function
from assumptions.bregman import bregman
from assumptions.inequality import Inequality, Sides


@dataclass(frozen=True)
class AffineGradient(Inequality):
    """f(y) - f(x) = <grad f(x) + grad f(y), y - x> / 2 for all x, y: f is a polynomial of degree <= 2.

    No constants. The trapezoidal rule is exact along every line if and only if f is quadratic on it.
    Written as a ratio like ``Affine``, from the mean of the rule's two halves.
    """

    def sides(self, problem: Function, *points: Tensor) -> Sides:
        """Both sides at x, y, each (*batch, d). Returns (*batch,) each."""
        x, y = points
        forward, size, resolution = bregman(problem, x, y)
        backward, other, noise = bregman(problem, y, x)
        # f(y) - f(x) - <g(x), y - x> and f(x) - f(y) - <g(y), x - y> are equal for a quadratic
        return Sides(
            size + other + (forward - backward).abs() / 2, size + other, torch.maximum(resolution, noise)
        )
