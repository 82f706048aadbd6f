"""Certified lower bounds of f, from what a problem knows of its infimum."""

from fractions import Fraction

from assumptions.outward import round_down, round_up
from problems.base import Problem


def lower_bound(problem: Problem) -> Fraction | None:
    """A lower bound of f without rounding: f_lower, or f_star less its error; None if neither is known."""
    if problem.offers("f_lower"):
        return Fraction(problem.f_lower)  # pyright: ignore[reportAttributeAccessIssue]
    if problem.offers("f_star"):
        return Fraction(problem.f_star) - Fraction(problem.f_star_error)  # pyright: ignore[reportAttributeAccessIssue]
    return None


def floor(exact: Fraction) -> float:
    """The largest float <= ``exact``, of any sign."""
    return round_down(exact) if exact >= 0 else -round_up(-exact)
