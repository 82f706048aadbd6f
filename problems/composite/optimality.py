"""Whether a point minimises f + g + sum_j h_j, and how far the minimiser can be."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import Convex, Smooth, StronglyConvex
from assumptions.outward import round_down, round_up
from assumptions.rounding import NOISE, ROUNDINGS, value_noise
from problems.base import Problem
from problems.composite.indicator import Indicator
from problems.composite.membership import Exact, added, distance_up, exact, exact_gradient, rational, size_up
from problems.composite.views import known
from problems.linear import Linear

TOLERANCE = 1e-9
"""A vector this close to a subgradient, relative to its size and that of its neighbours, is rounding."""


@dataclass(frozen=True)
class Optimality:
    """x_star with subgradients of the terms that balance f' and a subgradient of g, up to ``residual``.

    Proof: let v_j in dh_j(x_star) be nearest to duals[j] and v in dg(x_star) nearest to -(grad f(x_star) +
    sum_j duals[j]). Then r = grad f(x_star) + v + sum_j v_j is a subgradient of F, |r| <= residual. F is
    mu-strongly convex, so its minimiser is within |r| / mu of x_star and F(x_star) - min F <= |r|^2 / (2 mu);
    for r = 0 it is x_star, for any mu >= 0.
    """

    smooth: Problem | None
    prox_part: Problem | None
    terms: tuple[Problem, ...]
    x_star: Tensor
    duals: tuple[Tensor, ...]

    @property
    def _members(self) -> tuple[Problem, ...]:
        return tuple(p for p in (self.smooth, self.prox_part, *self.terms) if p is not None)

    @cached_property
    def _gradient(self) -> tuple[Exact, float]:
        """grad f(x_star), and how far it may be from that."""
        if self.smooth is None:
            return (Fraction(0),) * len(self.x_star), 0.0
        g = exact_gradient(self.smooth, self.x_star)
        if g is not None:
            return g, 0.0
        g = exact(self.smooth.grad(self.x_star))
        return g, distance_up(self.smooth, self.x_star, g)

    @cached_property
    def slope(self) -> Exact:
        """Grad f(x_star) + sum_j duals[j], exact sum of what is known of them."""
        return added(self._gradient[0], *(exact(u) for u in self.duals))

    @cached_property
    def _rest(self) -> float:
        """How far -(grad f + sum of duals) is from dg."""
        w = tuple(-s for s in self.slope)
        if self.prox_part is not None:
            return distance_up(self.prox_part, self.x_star, w)
        return size_up(w)

    @cached_property
    def _missing(self) -> tuple[float, ...]:
        """How far each dual is from dh_j."""
        pairs = zip(self.terms, self.duals, strict=True)
        return tuple(distance_up(term, self.x_star, exact(u)) for term, u in pairs)

    @cached_property
    def residual(self) -> float:
        """The length of a subgradient of F at x_star, at most."""
        return _sum_up(self._rest, self._gradient[1], *self._missing)

    def require(self) -> None:
        """ValueError unless what is missing is rounding, and nothing is where F is not strongly convex."""
        sizes = [float(u.norm()) for u in self.duals]
        sizes.append(float(torch.tensor([float(s) for s in self._gradient[0]], dtype=torch.float64).norm()))
        small = TOLERANCE * max(sizes)
        for j, missing in enumerate(self._missing):
            if not missing <= small:
                raise ValueError(
                    f"duals[{j}] must be a subgradient of terms[{j}] at {self.x_star.tolist()}, got "
                    f"{self.duals[j].tolist()}, at distance {missing:.3g} from one"
                )
        if not self._rest <= small:
            raise ValueError(
                f"minimiser must be where -(grad f + sum of duals) is in dg, got {self.x_star.tolist()}, "
                f"where it is {self._rest:.3g} away"
            )
        if self.residual > 0 and not self.mu > 0:
            raise ValueError(
                f"minimiser must be exact where F is not strongly convex, got {self.x_star.tolist()} with a "
                f"subgradient of length {self.residual:.3g}"
            )

    @cached_property
    def mu(self) -> float:
        """Strong convexity of F, at least: the sum of what the members have, rounded down."""
        return strong_convexity(self._members)

    @property
    def x_star_error(self) -> float:
        """Residual over mu."""
        return round_up(Fraction(self.residual) / Fraction(self.mu)) if self.residual > 0 else 0.0

    @cached_property
    def dual_error(self) -> float:
        """0 where all is exact; else what smooth terms make of the error of x_star, inf with a kink."""
        if self.residual == 0:
            return 0.0
        smooth = [known(term, Smooth) for term in self.terms]
        if not all(smooth):
            return math.inf
        error = Fraction(self.x_star_error)
        moved = [round_up(Fraction(found.L) * error) if found else 0.0 for found in smooth]
        return max((_sum_up(*pair) for pair in zip(moved, self._missing, strict=True)), default=0.0)

    @cached_property
    def value(self) -> tuple[float, float]:
        """(f_star, f_star_error): F at x_star plus what rounding may hide; 3 times that plus |r|^2 / mu."""
        values = [float(p.value(self.x_star)) for p in self._members]
        rounding = [self._rounding(p, v) for p, v in zip(self._members, values, strict=True) if v]
        above, total = _sum_up(*rounding), sum(values)
        lost = 0.0 if self.residual == 0 else self.residual**2 / self.mu
        return total + above, _sum_up(above, above, above, lost)

    def _rounding(self, problem: Problem, value: float) -> float:
        """64 roundings of value and argument; and what is seen of a formula that may cancel inside."""
        x = self.x_star
        known_form = rational(problem)
        seen = 0.0 if known_form else NOISE * float(value_noise(problem, x))
        return ROUNDINGS * (abs(value) + float((problem.grad(x) * x).abs().sum())) + seen


def strong_convexity(members: tuple[Problem, ...]) -> float:
    """The sum of what is proved of each, rounded down."""
    found = (known(p, StronglyConvex) for p in members)
    total = sum((Fraction(one.mu) for one in found if one), Fraction(0))
    return round_down(total)


def is_convex(problem: Problem) -> bool:
    """True if it is proved on the whole space; indicators of convex sets are convex there, inf included."""
    return isinstance(problem, Indicator) or known(problem, Convex) is not None


def is_smooth(problem: Problem) -> bool:
    """True if it is proved on the whole space; a linear function has no L > 0 to name."""
    return isinstance(problem, Linear) or known(problem, Smooth) is not None


def _sum_up(*parts: float) -> float:
    if any(part == math.inf for part in parts):
        return math.inf
    return round_up(sum((Fraction(part) for part in parts), Fraction(0)))
