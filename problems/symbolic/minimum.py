"""A minimiser on a box, proved: where it is, how low f is there, and that no point is lower."""

import math
from dataclasses import dataclass, replace
from fractions import Fraction

import sympy as sp
from flint import arb

from assumptions import EUCLIDEAN
from assumptions.outward import round_up
from problems.symbolic.ball_arithmetic import above, below
from problems.symbolic.bounds import Curvature, Value
from problems.symbolic.derivatives import Cell, Derivatives
from problems.symbolic.search import search
from problems.symbolic.shorter_form import shorter
from problems.symbolic.sign import sign_on
from problems.symbolic.tensor_norms import tensor_norm

SHRINKS = 40
"""Halvings of the neighbourhood in which f has to be strongly convex."""
CLOSE = 1e-6
"""Distance of a point to the minimiser that it stands for, at most, in units of the longest side."""
LOCAL, FEW, GLOBAL = 1000, 5000, 100_000
"""Boxes spent on one neighbourhood; on the rest, if the minimum is known to be one, and if it is not."""


@dataclass(frozen=True)
class Minimum:
    """f_star - f_star_error <= inf f <= f_star on the box; a minimiser is within x_error of ``point``.

    unique: there is no other. neighbourhood: a box around that minimiser where grad f vanishes at it alone
    and the Hessian is at least mu > 0; empty if there is none.
    """

    point: tuple[float, ...]
    f_star: float
    f_star_error: float = 0.0
    x_error: float = 0.0
    unique: bool = False
    neighbourhood: Cell = ()
    mu: float = 0.0

    @property
    def f_lower(self) -> float:
        """At most the infimum."""
        error = self.f_star_error
        return math.nextafter(self.f_star - error, -math.inf) if error else self.f_star


def prove_minimum(f: Derivatives, box: Cell, point: tuple[float, ...]) -> Minimum:
    """The minimum of f on the box near ``point``; ValueError if it cannot be proved.

    First a strongly convex neighbourhood N: the minimiser z of f over N has <grad f(z), p - z> >= 0, so
    mu |p - z|^2 <= <grad f(p) - grad f(z), p - z> <= |grad f(p)| |p - z|; if |grad f(p)| / mu keeps z off the
    sides of N, grad f(z) = 0 and f(z) >= f(p) - |grad f(p)|^2 / (2 mu). Outside N, f > f(p) by branch and
    bound. Else the form of f - f(p) must show that it is >= 0.
    """
    start = Minimum(point, above(_value(f, point)))
    formal = _by_form(f, box, point)
    near = strongly_convex_around(f, box, formal or start, 0.0)
    if near is not None and formal is not None:
        near = replace(near, f_star_error=formal.f_star_error, x_error=0.0)
    found = None if near is None else _alone(f, box, near, FEW if formal else GLOBAL)
    if near is not None and not near.x_error <= CLOSE * max(high - low for low, high in box):
        raise ValueError(
            f"minimiser must be within {CLOSE:g} of the longest side of a minimiser, got {point!r}, "
            f"which may be {near.x_error:.3g} away"
        )
    if found or formal:
        return found or formal  # pyright: ignore[reportReturnType]
    raise ValueError(
        f"minimiser {point!r} could not be proved: f has to be strongly convex around it, with |grad f| "
        "small there, inside the box, and f larger elsewhere; or f - f(minimiser) a sum of squares as written"
    )


def _by_form(f: Derivatives, box: Cell, point: tuple[float, ...]) -> Minimum | None:
    """The minimum where f(point) is rational and the form of f - f(point) shows that it is >= 0."""
    exact = [sp.Rational(*p.as_integer_ratio()) for p in point]
    lowest = f.tree.subs(dict(zip(f.symbols, exact, strict=True)))
    if not isinstance(lowest, sp.Rational) or sign_on(shorter(f.tree - lowest), f.symbols, box) < 1:
        return None
    value = Fraction(int(lowest.p), int(lowest.q))
    f_star = round_up(value)
    return Minimum(point, f_star, round_up(Fraction(f_star) - value))


def strongly_convex_around(f: Derivatives, box: Cell, minimum: Minimum, mu: float) -> Minimum | None:
    """The minimum with a neighbourhood where every eigenvalue of the Hessian is > 0 and >= mu.

    The largest found by halving that holds the zero of the gradient; None if there is none.
    """
    point = minimum.point
    slope = tensor_norm(f.at(point, (1,))[0], 1, EUCLIDEAN)
    for k in range(SHRINKS):
        cell = tuple(
            (max(low, p - 2.0**-k * (high - low)), min(high, p + 2.0**-k * (high - low)))
            for p, (low, high) in zip(point, box, strict=True)
        )
        gaps = [(arb(p) - arb(a), arb(b) - arb(p)) for p, (a, b) in zip(point, cell, strict=True)]
        room = min(below(gap) for pair in gaps for gap in pair)
        if not room > 0:
            return None
        found = search(
            f, Curvature(-1), cell, lambda u, low: (u < 0 and u <= -mu) or low > -mu or low >= 0, LOCAL
        )
        if not (found.upper < 0 and found.upper <= -mu):
            continue
        least = -found.upper
        x_error = above(slope / arb(least))
        if not x_error < room:
            continue
        value = _value(f, point)
        lowest = below(value - slope**2 / (2 * arb(least)))
        error = above(arb(minimum.f_star) - arb(lowest))
        return replace(minimum, f_star_error=error, x_error=x_error, neighbourhood=cell, mu=least)
    return None


def _alone(f: Derivatives, box: Cell, near: Minimum, budget: int) -> Minimum | None:
    """The minimum, unique, if f is larger outside its neighbourhood; ValueError if it is smaller."""
    target = -near.f_star
    found = search(
        f,
        Value(-1),
        box,
        lambda upper, lower: upper < target or lower > target + near.f_star_error,
        budget,
        enough=math.nextafter(target, -math.inf),
        settled=lambda cell: inside(cell, near.neighbourhood),
    )
    if found.upper < target:
        return replace(near, unique=True)
    if found.lower > target + near.f_star_error:
        raise ValueError(
            f"minimiser must minimise f on the box, got {near.point!r} with f = {near.f_star!r}; "
            f"f is at most {-found.lower!r} at {found.point!r}"
        )
    return None


def inside(cell: Cell, other: Cell) -> bool:
    """True if a box is part of another one."""
    return all(b <= a and c <= d for (a, c), (b, d) in zip(cell, other, strict=True))


def _value(f: Derivatives, point: tuple[float, ...]) -> arb:
    return f.at(point, (0,))[0][0]
