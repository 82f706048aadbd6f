"""The subgradient method: Nesterov (2003), section 3.2.3."""

import sympy as sp

from assumptions import Convex, Lipschitz, Smooth
from problems import AbsAffine, Quadratic
from workbench.methods import GradientDescent, ProximalPoint, Subgradient
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import best, symbols, total
from workbench.theorem import Theorem

stepsize, G, L, K, k, gap, dist0 = symbols("stepsize G L K k gap dist0")

TITLE = "Introductory Lectures on Convex Optimization"
ABS = AbsAffine(a=(1.0,), start=(5.3,))
STEEP = AbsAffine(a=(3.0,), start=(5.3,))

KNOWN_HORIZON = Theorem(
    id="subgradient/horizon",
    title="With the stepsize for a known horizon the best gap falls like 1/sqrt(K)",
    source=Source(
        "Nesterov (2003)",
        "SOURCED",
        "section 3.2.3 as stated in the PEPit 0.5 example subgradient_method",
        TITLE,
    ),
    method=Subgradient,
    parameters={"stepsize": dist0 / (G * sp.sqrt(K))},
    assumes=(Convex, Lipschitz),
    measured=best(gap),
    bound=G * dist0 / sp.sqrt(K),
    mutants=(
        Mutant("half the constant", ABS, {"bound": G * dist0 / (2 * sp.sqrt(K))}, steps=1),
        Mutant("without the Lipschitz constant", STEEP, {"bound": dist0 / sp.sqrt(K)}, steps=1),
    ),
    tight=(Tight(ABS, 1.0, steps=1),),
)

ANY_STEPSIZES = Theorem(
    id="subgradient/any-stepsizes",
    title="The best gap for any sequence of stepsizes",
    source=Source("Nesterov (2003)", "DERIVED", "the classical argument of section 3.2.3", TITLE),
    method=Subgradient,
    parameters={"stepsize": (dist0 / (G * sp.sqrt(k + 1)), dist0 / (10 * G), dist0 / (G * (k + 1)))},
    assumes=(Convex, Lipschitz),
    measured=best(gap),
    bound=(dist0**2 + G**2 * total(stepsize**2)) / (2 * total(stepsize)),
    proof="|x_next - x_star|^2 <= |x - x_star|^2 - 2 stepsize (f(x) - f_star) + stepsize^2 G^2; "
    "sum over j < k.",
    mutants=(Mutant("without the second term", ABS, {"bound": dist0**2 / (2 * total(stepsize))}),),
    tight=(Tight(ABS, 1.0),),
)

SMOOTH = Theorem(
    id="subgradient/smooth",
    title="On differentiable functions it is gradient descent",
    source=Source("Nesterov (2003)", "DERIVED", title=TITLE),
    method=(Subgradient, GradientDescent),
    parameters={"stepsize": 1 / L},
    assumes=(Convex, Smooth),
    kind="equal",
    proof="The subdifferential of a differentiable convex function holds its gradient alone.",
    mutants=(
        Mutant(
            "it is the proximal point method",
            Quadratic(eigenvalues=(1.0, 10.0), center=(0.0, 0.0), seed=None, start=(1.0, 1.0)),
            {"method": (Subgradient, ProximalPoint)},
        ),
    ),
)

THEOREMS = (KNOWN_HORIZON, ANY_STEPSIZES, SMOOTH)
