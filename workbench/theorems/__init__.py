"""Theorems: one file per paper (or part of one), one list."""

from workbench.theorem import Theorem
from workbench.theorems import (
    drori2014,
    gradient_descent,
    gruntkowska2025,
    gruntkowska2025_ball_convex,
    gruntkowska2025_operator,
    gruntkowska_richtarik2025,
    nesterov2003,
    taylor2017,
)

THEOREMS: tuple[Theorem, ...] = (
    *gradient_descent.THEOREMS,
    *drori2014.THEOREMS,
    *nesterov2003.THEOREMS,
    *taylor2017.THEOREMS,
    *gruntkowska2025.THEOREMS,
    *gruntkowska2025_operator.THEOREMS,
    *gruntkowska2025_ball_convex.THEOREMS,
    *gruntkowska_richtarik2025.THEOREMS,
)
"""Every theorem of the library."""
