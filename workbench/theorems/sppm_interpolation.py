"""The stochastic proximal point method where every term is minimal at every minimiser of the mean.

The setting of arXiv:2502.03401; each statement has its proof here. S are the terms drawn, f_S their mean, y
the minimiser of f nearest to x, which under interpolation minimises every f_S.
"""

import sympy as sp

from assumptions import QuadraticGrowth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.interpolation import Interpolation
from problems import LinkSum, QuadraticSum
from workbench.methods.stochastic_proximal_point import SPPM
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, symbols
from workbench.theorem import Theorem

stepsize, gap, dist, dist_next, dist0, n_terms, k = symbols("stepsize gap dist dist_next dist0 n_terms k")
L_max, L0_max, L1_max, mu_qg, mu_component = symbols("L_max L0_max L1_max mu_qg mu_component")

SOURCE = Source(
    "arXiv:2502.03401",
    "DERIVED",
    title="Revisiting Stochastic Proximal Point Methods: Generalized Smoothness and Similarity",
)
SIZES = (1, sp.Min(2, n_terms))
LOCAL, LOCAL0 = L0_max * sp.exp(L1_max * dist), L0_max * sp.exp(L1_max * dist0)
"""Smoothness of every term on the ball around y on which x lies, or x0."""

SQUARE = QuadraticSum((((1.0,),),), start=(3.0,))
AXES = QuadraticSum(QuadraticSum.coordinates(8).hessians, start=(1.0, *([0.0] * 7)))
COSH = LinkSum("cosh", ((1.0,),), start=(5.0,))
COSH_NEAR = LinkSum("cosh", ((1.0,),), start=(1e-4,))
COSH_AXES = LinkSum("cosh", ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), start=(1e-4, 0.0, 0.0))

STEP_PROOF = (
    "Let L be the smoothness of f_S on B(y, |x - y|), u = x_next, g = grad f_S(u), x = u + stepsize g. "
    "The proximal objective is strongly convex: |u - y|^2 <= |x - y|^2 - 2 stepsize (f_S(u) + stepsize "
    "|g|^2 / 2 - f_S(y)), so u and, since the mean Hessian between y and u is in [0, L] (mollify f_S if "
    "it has none), u - g / L stay in the ball, and f_S(u) - f_S(y) >= |g|^2 / (2 L). With f_S(x) <= "
    "f_S(u) + stepsize |g|^2 + L stepsize^2 |g|^2 / 2 this gives f_S(x) - f_S(y) <= (1 + stepsize L) "
    "(f_S(u) + stepsize |g|^2 / 2 - f_S(y)). Take the mean over S. "
)
LOCAL_PROOF = (
    "On the ball |grad f_j| <= (L0_max / L1_max) (e^{L1_max r} - 1) at distance r from y, by Gronwall, "
    "for grad f_j vanishes at y; so L0_max + L1_max |grad f_j| <= L0_max e^{L1_max |x - y|} = L. "
)
SUM_PROOF = "Add the inequality of one step over j < k, with the same y; |x_j - y| does not grow."
LINEAR_PROOF = "f(x) - f_star >= mu_qg |x - y|^2 / 2 in the inequality of one step."


def steps(L: sp.Expr) -> tuple[sp.Expr, ...]:
    """Short, usual and long steps for terms of smoothness L."""
    return sp.Rational(1, 10) / L, 1 / L, 1000 / L


def gain(L: sp.Expr) -> sp.Expr:
    """2 stepsize / (1 + stepsize L)."""
    return 2 * stepsize / (1 + stepsize * L)


SHORT = {"stepsize": 1 / (10 * L_max), "minibatch": 1}
LONGER = {"stepsize": 9 / (10 * L_max), "minibatch": 1}

DISTANCE = Theorem(
    id="sppm/distance",
    title="No draw takes the iterate away from the minimisers",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": (dist0**2 / 10, 100 * dist0**2), "minibatch": SIZES},
    assumes=(ComponentConvex, Interpolation),
    measured=dist_next,
    bound=dist,
    proof="y is a fixed point of the proximal step of every convex f_S, and proximal steps do not expand.",
    mutants=(
        Mutant(
            "every draw halves it",
            SQUARE,
            {"bound": dist / 2, "parameters": {"stepsize": 0.5, "minibatch": 1}},
        ),
    ),
    tight=(Tight(AXES, 1.0),),
)

CONTRACTION = Theorem(
    id="sppm/interpolated-contraction",
    title="Every draw contracts the distance where terms are strongly convex",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(mu_component), "minibatch": SIZES},
    assumes=(ComponentStronglyConvex, Interpolation),
    measured=dist_next,
    bound=dist / (1 + stepsize * mu_component),
    proof="y is a fixed point; the step of a mu-strongly convex f_S is 1 / (1 + stepsize mu)-Lipschitz.",
    mutants=(Mutant("twice the rate", SQUARE, {"bound": dist / (1 + 2 * stepsize * mu_component)}),),
    tight=(Tight(SQUARE, 1.0),),
)

SMOOTH_STEP = Theorem(
    id="sppm/smooth-step",
    title="One step gains 2 stepsize / (1 + stepsize L_max) times the gap in squared distance",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(L_max), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentSmooth, Interpolation),
    kind="step",
    measured=dist_next**2,
    bound=dist**2 - gain(L_max) * gap,
    proof=STEP_PROOF,
    mutants=(
        Mutant("twice the gain", SQUARE, {"bound": dist**2 - 2 * gain(L_max) * gap, "parameters": SHORT}),
    ),
    tight=(Tight(AXES, (7 / 8 + 1 / 8 / 1001**2) / (1 - 125 / 1001)),),
)

SMOOTH = Theorem(
    id="sppm/smooth",
    title="The mean gap falls like 1/k for every stepsize, the faster the longer it is",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(L_max), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentSmooth, Interpolation),
    kind="mean",
    measured=avg(gap),
    bound=(1 / stepsize + L_max) * dist0**2 / (2 * k),
    proof=STEP_PROOF + SUM_PROOF,
    mutants=(
        Mutant("half the constant", SQUARE, {"bound": (1 / stepsize + L_max) * dist0**2 / (4 * k)}, steps=1),
        Mutant("without L_max", SQUARE, {"bound": dist0**2 / (2 * stepsize * k)}, steps=1),
    ),
    tight=(Tight(SQUARE, 1000 / 1001, steps=1),),
)

L0L1_STEP = Theorem(
    id="sppm/l0l1-step",
    title="The gain of one step with the smoothness of the terms on the ball that x lies on",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(LOCAL0), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentL0L1, Interpolation),
    kind="step",
    measured=dist_next**2,
    bound=dist**2 - gain(LOCAL) * gap,
    proof=STEP_PROOF + LOCAL_PROOF,
    mutants=(
        Mutant(
            "L0 in place of L0 e^{L1 D}",
            COSH,
            {"bound": dist**2 - gain(L0_max) * gap, "parameters": {"stepsize": 1e6, "minibatch": 1}},
            state={"x": (5.0,)},
        ),
    ),
    tight=(Tight(COSH_AXES, (2 / 3 + 1 / 3 / 1001**2) / (1 - 1000 / 3003), state={"x": (1e-4, 0.0, 0.0)}),),
)

L0L1 = Theorem(
    id="sppm/l0l1",
    title="The mean gap falls like 1/k for every stepsize without smoothness",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(LOCAL0), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentL0L1, Interpolation),
    kind="mean",
    measured=avg(gap),
    bound=(1 / stepsize + LOCAL0) * dist0**2 / (2 * k),
    proof=STEP_PROOF + LOCAL_PROOF + SUM_PROOF,
    mutants=(
        Mutant(
            "L0 in place of L0 e^{L1 D}",
            COSH,
            {
                "bound": (1 / stepsize + L0_max) * dist0**2 / (2 * k),
                "parameters": {"stepsize": 1e6, "minibatch": 1},
            },
            steps=1,
        ),
    ),
    tight=(Tight(COSH_NEAR, 0.9989, steps=1),),
)

SMOOTH_LINEAR = Theorem(
    id="sppm/smooth-linear",
    title="Under quadratic growth the mean square distance falls geometrically, for every stepsize",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(L_max), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentSmooth, Interpolation, QuadraticGrowth),
    kind="mean",
    measured=dist_next**2,
    bound=(1 - stepsize * mu_qg / (1 + stepsize * L_max)) ** (k + 1) * dist0**2,
    proof=STEP_PROOF + LINEAR_PROOF,
    mutants=(
        Mutant(
            "twice the rate",
            SQUARE,
            {
                "bound": (1 - 2 * stepsize * mu_qg / (1 + stepsize * L_max)) ** (k + 1) * dist0**2,
                "parameters": SHORT,
            },
            steps=1,
        ),
        Mutant(
            "the rate of a short step",
            SQUARE,
            {"bound": (1 - stepsize * mu_qg) ** (k + 1) * dist0**2, "parameters": LONGER},
            steps=1,
        ),
    ),
    tight=(Tight(AXES, (7 / 8 + 1 / 8 / 1001**2) / (1 - 125 / 1001), steps=1),),
)

L0L1_LINEAR = Theorem(
    id="sppm/l0l1-linear",
    title="The same without smoothness",
    source=SOURCE,
    method=SPPM,
    parameters={"stepsize": steps(LOCAL0), "minibatch": SIZES},
    assumes=(ComponentConvex, ComponentL0L1, Interpolation, QuadraticGrowth),
    kind="mean",
    measured=dist_next**2,
    bound=(1 - stepsize * mu_qg / (1 + stepsize * LOCAL0)) ** (k + 1) * dist0**2,
    proof=STEP_PROOF + LOCAL_PROOF + LINEAR_PROOF,
    mutants=(
        Mutant(
            "twice the rate",
            COSH_AXES,
            {"bound": (1 - 2 * stepsize * mu_qg / (1 + stepsize * LOCAL0)) ** (k + 1) * dist0**2},
            steps=1,
        ),
    ),
    tight=(Tight(COSH_AXES, 0.99945, steps=1),),
)

THEOREMS = (
    DISTANCE,
    CONTRACTION,
    SMOOTH_STEP,
    SMOOTH,
    L0L1_STEP,
    L0L1,
    SMOOTH_LINEAR,
    L0L1_LINEAR,
)
