"""Norms of gradients, Hessians and third derivatives in one or two variables, as balls.

A tensor is a list of coefficients as in ``Derivatives``. Its norm is the largest value of the multilinear
form over unit vectors; of a symmetric form the Euclidean norm is attained at equal vectors (Banach).
"""

import math

import numpy as np
from flint import arb

from assumptions import Lp, Norm
from problems.symbolic.ball_arithmetic import above, greatest, root

ANGLES = 512
"""Directions of the half circle at which a cubic form is read."""
_THETA = np.pi * np.arange(ANGLES) / ANGLES
_CUBIC = np.stack(
    [math.comb(3, j) * np.cos(_THETA) ** (3 - j) * np.sin(_THETA) ** j for j in range(4)], axis=1
)
_BETWEEN = 1 / math.cos(3 * math.pi / (2 * ANGLES)) * (1 + 1e-14)
_ROUNDING = 1e-13
"""Of a cubic form read in floating point, relative to the sum of its terms: 4 products and sums."""


def require_lp(norm: Norm, d: int) -> None:
    """TypeError unless tensors can be measured: Lp with p = 1, 2 or inf, or any Lp in one variable."""
    if not isinstance(norm, Lp) or (d == 2 and norm.p not in (1, 2, math.inf)):
        raise TypeError(
            "derivatives are bounded in the norms Lp(1.0), Lp(2.0) and Lp(inf), in one variable in every Lp, "
            f"got norm={norm!r}"
        )


def tensor_norm(a: list[arb], order: int, norm: Norm) -> arb:
    """sup of T[u, v, ...] over |u|, |v|, ... <= 1 for coefficients of order 1 to 3; a ball.

    Order 1: the dual norm of a gradient. p = 1: the largest entry. p = inf: the largest sum over signs,
    for the form is linear in each argument. p = 2: hypot, eigenvalues, or (order 3) a search over angles.
    """
    assert isinstance(norm, Lp)
    if len(a) == 1:
        plain = abs(a[0])
    elif norm.p == 1:
        plain = greatest(*(abs(entry) for entry in a))
    elif norm.p == math.inf:
        plain = greatest(*(abs(_signed(a, minus)) for minus in range(order + 1)))
    elif order == 1:
        plain = root(a[0] ** 2 + a[1] ** 2)
    elif order == 2:
        middle, spread = spectrum(a)
        plain = abs(middle) + spread
    else:
        plain = _cubic_norm(a)
    return plain if norm.scale == 1 else plain / arb(norm.scale) ** order


def spectrum(h: list[arb]) -> tuple[arb, arb]:
    """The eigenvalues of a symmetric 2 x 2 matrix are the first plus and minus the second."""
    return (h[0] + h[2]) / 2, root(((h[0] - h[2]) / 2) ** 2 + h[1] ** 2)


def largest_eigenvalue(h: list[arb]) -> arb:
    """Of a Hessian, in one or two variables."""
    if len(h) == 1:
        return h[0]
    middle, spread = spectrum(h)
    return middle + spread


def _signed(a: list[arb], minus: int) -> arb:
    """The form at vectors (1, s), s = -1 in ``minus`` of them and 1 in the others."""
    order = len(a) - 1
    total = arb(0)
    for j, entry in enumerate(a):
        weight = sum(
            (-1) ** k * math.comb(minus, k) * math.comb(order - minus, j - k)
            for k in range(min(minus, j) + 1)
        )
        total += weight * entry
    return total


def _cubic_norm(a: list[arb]) -> arb:
    """max over angles of |a0 c^3 + 3 a1 c^2 s + 3 a2 c s^2 + a3 s^3|.

    A trigonometric polynomial of degree 3 stays above cos(3 t) times its largest absolute value at distance
    t <= pi/6 from where that is attained (M. Riesz): angles pi/512 apart miss a factor cos(3 pi/1024).
    """
    if not all(entry.is_finite() for entry in a):
        return arb("nan")
    middle = np.array([float(entry.mid()) for entry in a])
    # what the middle leaves out: the radius, and a rounding of the middle itself
    radius = np.array([above(abs(entry - arb(m))) for entry, m in zip(a, middle, strict=True)])
    size = float(np.abs(middle) @ np.array([1.0, 3.0, 3.0, 1.0]))
    if not (middle.any() or radius.any()):
        return arb(0)
    left = float(radius @ np.array([1.0, 3.0, 3.0, 1.0])) * (1 + 1e-12) + _ROUNDING * size
    seen = float(np.abs(_CUBIC @ middle).max())
    return arb(max(0.0, seen - left)).union(arb(math.nextafter(seen * _BETWEEN, math.inf)) + arb(left))


def direction(g: list[arb], norm: Norm) -> list[float]:
    """A vector u of norm at most 1, nearly with <u, g> = |g|_*: <u, .> supports the dual norm at g."""
    assert isinstance(norm, Lp)
    values = [float(entry.mid()) for entry in g]
    shrink = (1 - 1e-14) / norm.scale
    if len(values) == 1:
        return [math.copysign(shrink, values[0])]
    if norm.p == 1:
        first = abs(values[0]) >= abs(values[1])
        return [math.copysign(shrink, values[0]) * first, math.copysign(shrink, values[1]) * (not first)]
    if norm.p == math.inf:
        return [math.copysign(shrink, value) for value in values]
    length = math.hypot(*values)
    return [value / length * shrink for value in values] if length > 0 else [0.0, 0.0]


def inner(u: list[float], g: list[arb]) -> arb:
    """<u, g>."""
    total = arb(0)
    for weight, entry in zip(u, g, strict=True):
        total += weight * entry
    return total
