"""Gradient descent, textbook bounds with their proofs: strongly convex, PL, nonconvex."""

import sympy as sp

from assumptions import PL, Smooth, StronglyConvex
from problems import Quadratic
from workbench.methods import GradientDescent
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import best, symbols
from workbench.theorem import Theorem

stepsize, L, mu, mu_pl, k = symbols("stepsize L mu mu_pl k")
gap, gap0, gap_next, dist, dist_next, gradnorm = symbols("gap gap0 gap_next dist dist_next gradnorm")

ELLIPSE = Quadratic(eigenvalues=(1.0, 10.0), center=(0.0, 0.0), seed=None, start=(1.0, 0.0))
ROUND = Quadratic(eigenvalues=(2.0, 2.0), center=(0.0, 0.0), f_star=7.0, seed=None, start=(1.0, 2.0))

STRONGLY_CONVEX = Theorem(
    id="gd/strongly-convex",
    title="The distance contracts by the worse of |1 - stepsize mu| and |1 - stepsize L|",
    source=Source("Polyak (1963)", "DERIVED", title="Gradient methods for the minimisation of functionals"),
    method=GradientDescent,
    parameters={"stepsize": (1 / L, 2 / (L + mu), sp.Rational(9, 5) / L)},
    assumes=(StronglyConvex, Smooth),
    measured=dist_next**2,
    bound=sp.Max((1 - stepsize * mu) ** 2, (1 - stepsize * L) ** 2) * dist**2,
    proof="h = f - mu |.|^2 / 2 is convex and (L - mu)-smooth, so its gradient difference d obeys "
    "|d|^2 <= (L - mu) <d, x - x_star> <= (L - mu)^2 |x - x_star|^2; expand |(1 - stepsize mu)(x - x_star) - "
    "stepsize d|^2.",
    mutants=(
        Mutant(
            "the rate of a step twice as long",
            ELLIPSE,
            {"parameters": {"stepsize": 1 / (2 * L)}, "bound": (1 - 2 * stepsize * mu) ** 2 * dist**2},
        ),
        Mutant(
            "forgets L beyond 2 / (L + mu)",
            Quadratic(eigenvalues=(1.0, 10.0), center=(0.0, 0.0), seed=None, start=(0.0, 1.0)),
            {
                "parameters": {"stepsize": sp.Rational(39, 20) / L},
                "bound": (1 - stepsize * mu) ** 2 * dist**2,
            },
        ),
    ),
    tight=(Tight(ELLIPSE, 1.0),),
)

LINEAR_RATE = Theorem(
    id="gd/pl",
    title="Under the Polyak-Lojasiewicz inequality the gap contracts at each step",
    source=Source("Polyak (1963)", "DERIVED", title="Gradient methods for the minimisation of functionals"),
    method=GradientDescent,
    parameters={"stepsize": (1 / (2 * L), 1 / L, sp.Rational(3, 2) / L)},
    assumes=(Smooth, PL),
    requires=stepsize <= 2 / L,
    measured=gap_next,
    bound=(1 - mu_pl * stepsize * (2 - L * stepsize)) * gap,
    proof="f(x_next) <= f(x) - stepsize (1 - L stepsize / 2) |grad f(x)|^2 by smoothness, and "
    "|grad f(x)|^2 >= 2 mu_pl (f(x) - f_star).",
    mutants=(
        Mutant(
            "twice the rate",
            ROUND,
            {
                "parameters": {"stepsize": 1 / (4 * L)},
                "bound": (1 - 2 * mu_pl * stepsize * (2 - L * stepsize)) * gap,
            },
        ),
        Mutant(
            "one in a million more",
            ROUND,
            {
                "parameters": {"stepsize": 1 / (2 * L)},
                "bound": (1 - 1e-6) * (1 - mu_pl * stepsize * (2 - L * stepsize)) * gap,
            },
        ),
    ),
    tight=(Tight(ROUND, 1.0),),
)

NONCONVEX = Theorem(
    id="gd/nonconvex",
    title="The best squared gradient norm falls like 1/k, without convexity",
    source=Source(
        "Nesterov (2003)", "DERIVED", "section 1.2.3", "Introductory Lectures on Convex Optimization"
    ),
    method=GradientDescent,
    parameters={"stepsize": (1 / L, 1 / (2 * L), sp.Rational(3, 2) / L)},
    assumes=(Smooth,),
    requires=stepsize < 2 / L,
    measured=best(gradnorm) ** 2,
    bound=2 * gap0 / (stepsize * (2 - L * stepsize) * k),
    proof="Sum stepsize (1 - L stepsize / 2) |grad f(x_j)|^2 <= f(x_j) - f(x_{j+1}) over j < k.",
    mutants=(
        Mutant("half the constant", ROUND, {"bound": gap0 / (stepsize * (2 - L * stepsize) * k)}, steps=1),
        Mutant("a rate of 1/k^2", ROUND, {"bound": gap0 / (stepsize * (2 - L * stepsize) * k**2)}, steps=2),
    ),
    tight=(Tight(ROUND, 1.0, steps=1),),
)

THEOREMS = (STRONGLY_CONVEX, LINEAR_RATE, NONCONVEX)
