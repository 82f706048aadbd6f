"""The stochastic multi-proximal method where g is strongly convex and the terms may have kinks."""

from typing import Any

import sympy as sp

from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from problems import Linear
from problems.composite.composite import Composite
from workbench.methods.multi_proximal import MultiProximal
from workbench.parts import Mutant, Tight
from workbench.samplings import Nice
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.theorems.multi_proximal import DESCENT, INSIDE, KINKS, RULE, SAMPLINGS, SOURCE, sum_j

stepsize, p, v, k, L_f, mu_g = symbols("stepsize p_j v_j k L_f mu_g")
dist, dist0, dual, dual0 = symbols("dist dist0 dual_error_j dual_error_j0")
dist_next, dual_next = symbols("dist_next dual_error_j_next")

SLOPED = Composite.around((0.0,), ((1.0,),), terms=(Linear((1.0,)),), mu_g=1.0, start=(64.0,))
"""x and x^2 / 2."""
TILTED = Composite.around((0.0,), ((1.0,), (-1.0,)), terms=(Linear((1.0,)), Linear((-1.0,))), mu_g=1.0)
"""x, -x and x^2 / 2."""


def falling(step: Any) -> Any:
    """The stepsize at a step."""
    return 2 / (mu_g * (step + 2))


def in_steps(step: Any, x: Any, u: Any) -> Any:
    """Squared distances of x in units of a stepsize, and of the duals."""
    return x**2 / ((1 + 2 * step * mu_g) * step**2) + sum_j(v / p * u**2)


def scheduled(schedule: Any, sampling: Any = SAMPLINGS) -> dict[str, Any]:
    """Rules of the fields for a schedule."""
    return {"stepsize": schedule, "dual_stepsize_j": RULE, "sampling": sampling}


STRONG = (SmoothPart, StronglyConvexProxPart, ConvexTerms)
NO_SMOOTH_PART = sp.Eq(L_f, 0)
start = in_steps(falling(0), dist0, dual0)
quadratic_rate = (1 + 2 * stepsize * mu_g) * stepsize**2 * start
HALF = {"parameters": scheduled(1 / (mu_g * (k + 2)), Nice(2))}

STRONG_STEP = Theorem(
    id="multi-proximal/strongly-convex",
    title="g strongly convex: distances in units of a falling stepsize do not grow in the mean",
    source=SOURCE,
    kind="step",
    method=MultiProximal,
    parameters=scheduled(falling(k)),
    assumes=STRONG,
    requires=NO_SMOOTH_PART,
    measured=in_steps(falling(k + 1), dist_next, dual_next),
    bound=in_steps(stepsize, dist, dual),
    proof=DESCENT
    + "f = 0, M_j >= 0 and 1 / tau_j = stepsize v_j: divide (II) by stepsize and add sum (v_j / p_j) "
    "E|u_j_next - u_j*|^2. Then |x_next - x_star|^2 / gamma^2 >= |x_next - x_star|^2 / ((1 + 2 mu_g "
    "gamma_next) gamma_next^2) if gamma^2 <= (1 + 2 mu_g gamma_next) gamma_next^2; for gamma = 2 / (mu_g "
    "(k + 2)) that is (k + 3)^3 <= (k + 7)(k + 2)^2, which is k^3 + 9 k^2 + 27 k + 27 <= k^3 + 11 k^2 + 32 "
    "k + 28.",
    mutants=(
        Mutant(
            "stepsizes half as long, which fall too fast",
            TILTED,
            {
                **HALF,
                "measured": in_steps(1 / (mu_g * (k + 3)), dist_next, dual_next),
            },
            state={"x": (1.0,), "u": ((1.0,), (-1.0,))},
        ),
    ),
    tight=(Tight(KINKS, 1.0, steps=1, state=INSIDE),),
)

STRONG_MEAN = Theorem(
    id="multi-proximal/strongly-convex-mean",
    title="g strongly convex: the mean squared distance falls like 1 / (mu_g k)^2",
    source=SOURCE,
    kind="mean",
    method=MultiProximal,
    parameters=scheduled(falling(k)),
    assumes=STRONG,
    requires=NO_SMOOTH_PART,
    measured=dist**2,
    bound=quadratic_rate,
    when=k >= 1,
    proof="The step claim, k times; the bound is 4 (k + 6) / (mu_g^2 (k + 2)^3) times the start's.",
    mutants=(Mutant("half the constant", SLOPED, {"bound": quadratic_rate / 2}, steps=3),),
    tight=(Tight(SLOPED, 0.70028, steps=3),),
)

STRONG_SLOPE = Theorem(
    id="multi-proximal/strongly-convex-slope",
    title="g strongly convex: the mean squared distance falls like k^-2",
    source=SOURCE,
    kind="slope",
    exponent=-2,
    method=MultiProximal,
    parameters=scheduled(falling(k)),
    assumes=STRONG,
    requires=NO_SMOOTH_PART,
    measured=dist**2,
    bound=quadratic_rate,
    proof="As multi-proximal/strongly-convex-mean.",
    mutants=(
        Mutant("the cube of the rate", SLOPED, {"exponent": -6, "bound": stepsize**6 * start}, steps=100),
    ),
    tight=(Tight(SLOPED, -3.015, steps=100),),
)

THEOREMS = (STRONG_STEP, STRONG_MEAN, STRONG_SLOPE)
