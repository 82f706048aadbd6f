"""How far a vector is from the subdifferential at a point: exactly, where the family allows it."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from torch import Tensor

from assumptions import Smooth
from assumptions.base import EPS
from assumptions.outward import root_up, round_up
from assumptions.rounding import ROUNDINGS
from problems.abs_affine import AbsAffine
from problems.ball_sets import EuclideanBall, L1Ball
from problems.base import Problem
from problems.composite.flat_sets import Consensus, Singleton
from problems.composite.indicator import Indicator
from problems.composite.views import known
from problems.general_quadratic import GeneralQuadratic
from problems.hinge import Hinge
from problems.huber import Huber
from problems.linear import Linear
from problems.quadratic import Quadratic
from problems.quartic_ridge import QuarticRidge
from problems.ridge import Ridge
from problems.sets import Box, ConvexSet, HalfSpace
from problems.weighted_l1 import WeightedL1

Exact = tuple[Fraction, ...]
FAR = Fraction(10) ** 600
"""Stands for the distance from an empty subdifferential."""


def exact(x: Tensor) -> Exact:
    """The entries of x, (d,), as fractions."""
    return tuple(Fraction(entry) for entry in x.tolist())


def added(*vectors: Exact) -> Exact:
    """Their sum."""
    return tuple(sum(entries, Fraction(0)) for entries in zip(*vectors, strict=True))


def dot(a: Any, b: Exact) -> Fraction:
    """The inner product; a: numbers."""
    return sum((Fraction(s) * t for s, t in zip(a, b, strict=True)), Fraction(0))


def square(a: Exact) -> Fraction:
    """The squared length."""
    return dot(a, a)


def exact_gradient(problem: Problem, x: Tensor) -> Exact | None:
    """grad f(x) without rounding, where the formula is rational; else None. x: (d,)."""
    z = exact(x)
    match problem:
        case Quadratic(eigenvalues=a, seed=None):
            c = exact(problem.x_star)
            return tuple(Fraction(s) * (t - u) for s, t, u in zip(a, z, c, strict=True))
        case GeneralQuadratic(hessian=rows):
            y = added(z, tuple(-c for c in exact(problem.x_star)))
            return tuple(dot(row, y) for row in rows)
        case Linear(a=a):
            return tuple(Fraction(s) for s in a)
        case Huber(L=L, delta=delta) if square(z) <= Fraction(delta) ** 2:
            return tuple(Fraction(L) * s for s in z)
        case QuarticRidge(a=a, b=b):
            cube = (dot(a, z) - Fraction(b)) ** 3
            return tuple(cube * Fraction(s) for s in a)
    return None


def rational(problem: Problem) -> bool:
    """True of the families with a rational formula here; their values take a few operations."""
    axes = not isinstance(problem, Quadratic) or problem.seed is None
    return type(problem) in (*_RULES, *_RATIONAL) and axes


def distance_up(problem: Problem, x: Tensor, u: Exact) -> float:
    """At least the distance from u to the subdifferential of the problem at x; inf where that is empty.

    x: (d,). Exact, and rounded up once, for quadratics with given axes, Huber inside, linear functions,
    QuarticRidge, AbsAffine, Hinge, WeightedL1 and indicators. Of other smooth families u - grad f(x) and
    64 roundings of the gradient and of its argument. TypeError for other families.
    """
    rule = _RULES.get(type(problem))
    gradient = exact_gradient(problem, x)
    if gradient is not None:
        return size_up(added(u, tuple(-g for g in gradient)))
    if rule is not None:
        least = rule(problem, exact(x), u)
        return math.inf if least >= FAR else round_up(root_up(least))
    smooth = known(problem, Smooth)
    if smooth is None:
        names = ", ".join(sorted(family.__name__ for family in _RULES))
        raise TypeError(f"subgradients are known of smooth families and of {names}; got {problem!r}")
    g = problem.grad(x)
    allowed = ROUNDINGS * float(g.norm() + smooth.L * x.norm())
    return (size_up(added(u, tuple(-s for s in exact(g)))) + allowed) * (1 + 4 * EPS)


def size_up(v: Exact) -> float:
    """The length of v, rounded up."""
    return round_up(root_up(square(v)))


Side = Fraction | None
"""One end of an interval; None is infinite."""


def _to_interval(u: Fraction, low: Side, high: Side) -> Fraction:
    """The squared distance from u to [low, high]."""
    below = low - u if low is not None and u < low else Fraction(0)
    above = u - high if high is not None and u > high else Fraction(0)
    return (below + above) ** 2


def _slopes(problem: Ridge, s: Fraction) -> tuple[Fraction, Fraction]:
    """The subdifferential of h at s, an interval."""
    one, zero = Fraction(1), Fraction(0)
    if isinstance(problem, AbsAffine):
        return (-one, one) if s == 0 else (one, one) if s > 0 else (-one, -one)
    y = problem.label if isinstance(problem, Hinge) else 1
    if y * s == 1:
        return min(Fraction(-y), zero), max(Fraction(-y), zero)
    return (Fraction(-y), Fraction(-y)) if y * s < 1 else (zero, zero)


def _ridge(problem: Ridge, x: Exact, u: Exact) -> Fraction:
    low, high = _slopes(problem, dot(problem.a, x) - Fraction(problem.b))
    a = tuple(Fraction(s) for s in problem.a)
    s = min(max(dot(a, u) / square(a), low), high)
    return square(added(u, tuple(-s * t for t in a)))


def _weighted_l1(problem: WeightedL1, x: Exact, u: Exact) -> Fraction:
    total = Fraction(0)
    for w, s, t, c in zip(problem.weights, x, u, exact(problem.x_star), strict=True):
        weight = Fraction(w)
        low, high = (weight, weight) if s > c else (-weight, -weight) if s < c else (-weight, weight)
        total += _to_interval(t, low, high)
    return total


def _indicator(problem: Indicator, x: Exact, u: Exact) -> Fraction:
    return _to_normal_cone(problem.within, x, u)


def _to_normal_cone(within: ConvexSet, x: Exact, u: Exact) -> Fraction:
    """The squared distance from u to the normal cone of the set at x; ``FAR`` outside the set."""
    match within:
        case Singleton(point=point):
            return Fraction(0) if x == tuple(Fraction(c) for c in point) else FAR
        case Box(low=low, high=high):
            return _to_box_cone(low, high, x, u)
        case Consensus(copies=copies, block=block):
            if any(x[i] != x[i % block] for i in range(len(x))):
                return FAR
            sums = tuple(sum(u[i::block], Fraction(0)) for i in range(block))
            return square(sums) / copies
        case HalfSpace(a=a, b=b):
            return _to_ray(tuple(Fraction(s) for s in a), dot(a, x) - Fraction(b), u)
        case EuclideanBall(radius=radius, center=center):
            y = added(x, tuple(-Fraction(c) for c in center))
            return _to_ray(y, square(y) - Fraction(radius) ** 2, u)
        case L1Ball(radius=radius, center=center):
            y = added(x, tuple(-Fraction(c) for c in center))
            return _to_l1_cone(y, Fraction(radius), u)
    raise TypeError(f"normal cones of {within!r} are not known")


def _to_ray(normal: Exact, beyond: Fraction, u: Exact) -> Fraction:
    """From u to {s normal : s >= 0} on the boundary (beyond = 0), to 0 inside."""
    if beyond > 0:
        return FAR
    s = max(dot(normal, u) / square(normal), Fraction(0)) if beyond == 0 else Fraction(0)
    return square(added(u, tuple(-s * t for t in normal)))


def _to_box_cone(low: tuple[float, ...], high: tuple[float, ...], x: Exact, u: Exact) -> Fraction:
    total = Fraction(0)
    for a, b, s, t in zip(low, high, x, u, strict=True):
        if s < a or s > b:
            return FAR
        total += _to_interval(t, None if s == a else Fraction(0), None if s == b else Fraction(0))
    return total


def _to_l1_cone(y: Exact, radius: Fraction, u: Exact) -> Fraction:
    """An upper bound: at the level of the mean of sign(y_i) u_i over the support, exact for u in the cone."""
    beyond = sum((abs(s) for s in y), Fraction(0)) - radius
    if beyond > 0:
        return FAR
    if beyond < 0:
        return square(u)
    signed = [t if s > 0 else -t for s, t in zip(y, u, strict=True) if s]
    level = max(sum(signed, Fraction(0)) / len(signed), Fraction(0))
    off = (_to_interval(t, -level, level) for s, t in zip(y, u, strict=True) if not s)
    return sum(((s - level) ** 2 for s in signed), Fraction(0)) + sum(off, Fraction(0))


_RULES: dict[type[Problem], Callable[[Any, Exact, Exact], Fraction]] = {
    AbsAffine: _ridge,
    Hinge: _ridge,
    WeightedL1: _weighted_l1,
    Indicator: _indicator,
}

_RATIONAL = (Quadratic, GeneralQuadratic, Linear, Huber, QuarticRidge)
