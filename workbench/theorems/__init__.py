"""Theorems: one file per paper, one list."""

from workbench.theorem import Theorem
from workbench.theorems import drori2014, gradient_descent, gruntkowska2025, nesterov2003, taylor2017

THEOREMS: tuple[Theorem, ...] = (
    *gradient_descent.THEOREMS,
    *drori2014.THEOREMS,
    *nesterov2003.THEOREMS,
    *taylor2017.THEOREMS,
    *gruntkowska2025.THEOREMS,
)
"""Every theorem of the library."""
