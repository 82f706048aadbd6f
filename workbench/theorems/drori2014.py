"""Gradient descent on smooth convex functions, the exact constant: Drori and Teboulle (2014)."""

import sympy as sp

from assumptions import Convex, Smooth
from problems import Huber, Quadratic
from workbench.methods import GradientDescent
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols
from workbench.theorem import Theorem

stepsize, L, k, gap, dist0 = symbols("stepsize L k gap dist0")

WORST = Huber(L=1.0, delta=1 / 101, d=1, start=(1.0,))
"""The worst function for 50 steps of length 1/L from distance 1: all steps on the straight part."""

CONVEX = Theorem(
    id="gd/convex",
    title="On smooth convex functions the gap falls like 1/k, with the exact constant",
    source=Source(
        "Drori and Teboulle (2014)",
        "SOURCED",
        "Theorem 3.1 as stated in the PEPit 0.5 example gradient_descent",
        "Performance of first-order methods for smooth convex minimization: a novel approach",
    ),
    method=GradientDescent,
    parameters={"stepsize": (1 / L, 1 / (2 * L))},
    assumes=(Convex, Smooth),
    requires=stepsize <= 1 / L,
    measured=gap,
    bound=L * dist0**2 / (4 * k * L * stepsize + 2),
    mutants=(
        Mutant("half the constant", WORST, {"bound": L * dist0**2 / (8 * k * L * stepsize + 4)}),
        Mutant("4k + 3 instead of 4k + 2", WORST, {"bound": L * dist0**2 / (4 * k * L * stepsize + 3)}),
        Mutant(
            "any stepsize",
            Quadratic(eigenvalues=(1.0,), center=(0.0,), seed=None, start=(1.0,)),
            {"parameters": {"stepsize": sp.Rational(5, 2) / L}, "requires": True},
        ),
    ),
    tight=(Tight(WORST, 1.0),),
)

THEOREMS = (CONVEX,)
