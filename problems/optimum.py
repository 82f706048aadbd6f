"""A minimiser known to a tolerance, and how far it can be from the exact one."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LONG_EPS = float(np.finfo(np.longdouble).eps)
"""Rounding of the extended precision in which gradients at a minimiser are evaluated."""

Array = NDArray[np.floating[Any]]


class Optimum(NamedTuple):
    """x, (d,), with f_star - f_star_error <= inf f <= f_star, |x - x_star| <= x_error.

    ``grad_bound`` bounds |grad f(x)|.
    """

    x: Tensor
    f_star: float
    f_star_error: float
    x_error: float
    grad_bound: float


def certified_optimum(
    x: Tensor, value: Array, value_error: float, grad: Array, grad_error: Array, mu: float
) -> Optimum:
    """The certificate at x of a mu-strongly convex f, as an ``Optimum``.

    value, grad: f and its gradient at x, off by at most ``value_error`` and, entry by entry, by
    ``grad_error``. Proof: f(x) - inf f <= |g|^2 / (2 mu) and |x - x_star| <= |g| / mu. The factors
    1 + 1e-12 and the step to the next float round outward.
    """
    bound = float(np.linalg.norm(np.abs(grad) + grad_error)) * (1 + 1e-12)
    upper = math.nextafter(float(value + value_error), math.inf)
    below = (2 * value_error + bound**2 / (2 * mu)) * (1 + 1e-12)
    error = math.nextafter(below + (upper - float(value)) + 2 * math.ulp(upper), math.inf)
    return Optimum(x, upper, error, bound / mu * (1 + 1e-12), bound)


def longdouble(x: Tensor) -> Array:
    """A tensor as an array of extended precision."""
    return x.numpy().astype(np.longdouble)


def shifted(x: Tensor, step: Array) -> Tensor:
    """x - step, rounded once to float64."""
    return torch.from_numpy((longdouble(x) - step).astype(np.float64))
