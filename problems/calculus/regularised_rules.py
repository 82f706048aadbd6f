"""How assumptions pass from f to f + reg/2 |x - c|^2."""

import dataclasses
import math
from fractions import Fraction

from assumptions import EUCLIDEAN, Affine, AffineGradient, Continuous, Convex, StronglyConvex
from assumptions.base import Assumption
from assumptions.outward import round_down, round_up
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.weakly_convex import WeaklyConvex

ADDED = {"L", "mu", "L_max", "L_avg", "mu_component"}
"""Constants of curvature: reg comes on top, for the gradient of reg/2 |x - c|^2 is reg (x - c)."""
KEPT = {"L_h", "delta", "delta_avg", "sigma", "sigma_p"}
"""Constants of differences of Hessians or of terms, from which the quadratic drops out."""


def regularised_assumption(assumption: Assumption, reg: float) -> Assumption | None:
    """What an assumption on f says of f + reg/2 |x - c|^2, c any; None where no rule says so.

    Norms are Euclidean. tau-weak convexity is convexity of f + tau/2 |x|^2: what reg exceeds it by is strong
    convexity.
    """
    if getattr(assumption, "norm", EUCLIDEAN) != EUCLIDEAN:
        return None
    match assumption:
        case Convex():
            return StronglyConvex(reg)
        case ComponentConvex():
            return ComponentStronglyConvex(reg)
        case WeaklyConvex(tau=tau):
            if tau == reg:
                return Convex()
            return WeaklyConvex(_less(tau, reg, up=True)) if tau > reg else StronglyConvex(_less(reg, tau))
        case ComponentWeaklyConvex(tau_component=tau):
            if tau < reg:
                return ComponentStronglyConvex(_less(reg, tau))
            return ComponentWeaklyConvex(_less(tau, reg, up=True)) if tau > reg else ComponentConvex()
        case Affine():
            return AffineGradient()
        case AffineGradient() | Continuous():
            return assumption
    names = set(type(assumption).constants())
    if names and names <= KEPT:
        return assumption
    return _with_added(assumption, reg) if names and names <= ADDED else None


def _with_added(assumption: Assumption, reg: float) -> Assumption | None:
    total = {n: Fraction(getattr(assumption, n)) + Fraction(reg) for n in type(assumption).sense}
    added = {n: (round_down if type(assumption).sense[n] > 0 else round_up)(t) for n, t in total.items()}
    usable = all(value < math.inf for value in added.values())
    return dataclasses.replace(assumption, **added) if usable else None  # pyright: ignore[reportArgumentType]


def _less(large: float, small: float, *, up: bool = False) -> float:
    """The difference of two numbers, rounded down, or up."""
    return (round_up if up else round_down)(Fraction(large) - Fraction(small))
