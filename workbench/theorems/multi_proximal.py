"""The stochastic multi-proximal method: smooth terms, and terms that are only convex."""

from dataclasses import dataclass
from typing import Any

import sympy as sp
import torch
from torch import Tensor

from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.smooth_terms import SmoothTerms
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from problems import AbsAffine, Problem, Quadratic
from problems.composite.composite import Composite
from workbench.methods.multi_proximal import MultiProximal
from workbench.parts import Mutant, Source, Tight
from workbench.samplings import AllOrNothing, Independent, Nice, Single
from workbench.symbols import after, avg, client_max, client_mean, symbols
from workbench.theorem import Theorem

stepsize, tau, p, v, n, k = symbols("stepsize dual_stepsize_j p_j v_j n_parts k")
L_f, mu_f, mu_g, L_j = symbols("L_f mu_f mu_g L_j")
dist, dist0, dual, dual0, bregman_next = symbols("dist dist0 dual_error_j dual_error_j0 bregman_j_next")

SAMPLINGS = (Single(), Nice(2), Independent(0.5), AllOrNothing(0.3))
RULE = 1 / (stepsize * v)
FLAT = Composite.around((0.0,), terms=(Quadratic((50.0,), (0.0,), seed=None),) * 4, mu_g=0.01)
"""25 x^2 four times, and x^2 / 200."""
SPLIT = Composite.around(
    (0.0,),
    ((1.0,), (-1.0,), (0.0,), (0.0,)),
    terms=tuple(Quadratic((64.0,), (c,), seed=None) for c in (-(2.0**-6), 2.0**-6, 0.0, 0.0)),
    mu_g=2.0**-7,
    start=(0.0,),
)
"""32 (x - c_j)^2 with c = (-1, 1, 0, 0) / 64, and x^2 / 256: x is right at the start, the duals, 0, not."""
KINK = Composite.around((0.0,), ((0.0,),), terms=(AbsAffine((1.0,)),), mu_g=2.0**-20, start=(10.0,))
"""|x| and very little of x^2."""
KINKS = Composite.around((0.0,), ((0.5,), (-0.5,)), terms=(AbsAffine((1.0,)), AbsAffine((1.0,))), mu_g=1.0)
"""|x| twice and x^2 / 2."""
STARTED = {"x": (0.0,), "u": ((0.0,),) * 4}
FAR = {"x": (5.0,), "u": ((0.0,),)}
INSIDE = {"x": (0.0,), "u": ((0.25,), (-0.25,))}
"""The duals balance each other within the slopes of the kinks: nothing moves."""

SOURCE = Source(
    "arXiv:2505.12409", "DERIVED", title="A Stochastic Multi-Proximal Method for Nonsmooth Optimization"
)
"""Derived for the method as it is reconstructed; the constants of the paper may differ."""

DESCENT = (
    "Write w = x - stepsize grad f(x), u^_j for what u_j_next is if j is drawn, d_j = u^_j - u_j, z for "
    "the point before the draw. z minus stepsize sum d_j is the mean of x_next, whose variance is "
    "stepsize^2 (E|sum_drawn d_j / p_j|^2 - |sum d_j|^2): E|x_next - x_star|^2 <= |z - x_star|^2 - 2 "
    "stepsize <z - x_star, sum d_j> + stepsize^2 sum v_j |d_j|^2. Since z = prox_{stepsize g}(w - stepsize "
    "sum u_j) and g is mu_g-strongly convex, <z - x_star, w - w_star - stepsize sum(u_j - u_j*)> >= (1 + "
    "stepsize mu_g)|z - x_star|^2, and 2 <z - x_star, w - w_star> <= (1 + 2 stepsize mu_g)|z - x_star|^2 + "
    "|w - w_star|^2 / (1 + 2 stepsize mu_g): (I) E|x_next - x_star|^2 <= |w - w_star|^2 / (1 + 2 stepsize "
    "mu_g) - 2 stepsize sum <z - x_star, u^_j - u_j*> + stepsize^2 sum v_j |d_j|^2. With y_j the proximal "
    "point, u^_j in dh_j(y_j) and y_j = z - d_j / tau_j, so <z - x_star, u^_j - u_j*> = M_j + (|u^_j - "
    "u_j*|^2 + |d_j|^2 - |u_j - u_j*|^2) / (2 tau_j), M_j = <y_j - x_star, u^_j - u_j*>; as stepsize tau_j "
    "v_j <= 1 the terms |d_j|^2 cancel. Hence (II): E|x_next - x_star|^2 / stepsize <= |w - w_star|^2 / "
    "(stepsize (1 + 2 stepsize mu_g)) + sum (|u_j - u_j*|^2 - |u^_j - u_j*|^2) / tau_j - 2 sum M_j, while "
    "E|u_j_next - u_j*|^2 = (1 - p_j)|u_j - u_j*|^2 + p_j |u^_j - u_j*|^2. "
)


@dataclass(frozen=True)
class _Unweighted(MultiProximal):
    """A false method: its iterate forgets that j is drawn with probability p_j only."""

    def _p(self, problem: Problem, x: Tensor) -> Tensor:
        """1 instead of p_j, (n, 1)."""
        return torch.ones_like(super()._p(problem, x))


def sum_j(e: Any) -> Any:
    """Sum over the terms."""
    return n * client_mean(e)


def rules(*stepsizes: Any, dual_stepsize: Any = RULE, sampling: Any = SAMPLINGS) -> dict[str, Any]:
    """Rules of the fields, the theorem's unless told otherwise."""
    return {"stepsize": stepsizes, "dual_stepsize_j": dual_stepsize, "sampling": sampling}


# -- smooth terms -----------------------------------------------------------------------------------

inverse = sp.Piecewise((1 / L_j, L_j < sp.Integer(10) ** 300), (0, True))
"""1 / L_j, 0 for a term with a kink."""
smooth_duals = (1 / tau + 2 * inverse) / p
primal_rate = sp.Max((1 - stepsize * mu_f) ** 2, (stepsize * L_f - 1) ** 2) / (1 + 2 * stepsize * mu_g)
rate = sp.Max(primal_rate, client_max(1 - p * 2 * tau * inverse / (1 + 2 * tau * inverse)))
lyapunov = dist**2 / stepsize + sum_j(smooth_duals * dual**2)
lyapunov0 = dist0**2 / stepsize + sum_j(smooth_duals * dual0**2)
ALL_SMOOTH = (SmoothPart, StronglyConvexSmoothPart, StronglyConvexProxPart, ConvexTerms, SmoothTerms)
SMOOTH = rules(sp.Rational(9, 5) / (L_f + mu_g), 1 / (L_f + 1 / client_max(inverse)))
UNIT_STEP = sp.Integer(1)

SMOOTH_STEP = Theorem(
    id="multi-proximal/smooth",
    title="Smooth terms: the distances of iterate and duals contract together in the mean",
    source=SOURCE,
    kind="step",
    method=MultiProximal,
    parameters=SMOOTH,
    assumes=ALL_SMOOTH,
    requires=stepsize * L_f < 2,
    measured=after(lyapunov),
    bound=rate * lyapunov,
    proof=DESCENT
    + "h_j is L_j-smooth, so M_j >= |u^_j - u_j*|^2 / L_j; |w - w_star| <= max(|1 - stepsize mu_f|, "
    "|stepsize L_f - 1|) |x - x_star|. Insert both into (II) and add sum (1/p_j)(1/tau_j + 2/L_j) "
    "E|u_j_next - u_j*|^2: the terms |u^_j - u_j*|^2 cancel, |u_j - u_j*|^2 keeps 1 - 2 p_j tau_j / (L_j + "
    "2 tau_j) of its weight.",
    mutants=(
        Mutant(
            "dual stepsizes twice as long",
            FLAT,
            {"parameters": rules(UNIT_STEP, dual_stepsize=2 * RULE, sampling=Single())},
            state={"x": (-0.858,), "u": ((0.09,),) * 4},
        ),
        Mutant(
            "dual stepsizes that forget v",
            FLAT,
            {"parameters": rules(UNIT_STEP, dual_stepsize=1 / stepsize, sampling=Single())},
            state={"x": (-0.727,), "u": ((0.168,),) * 4},
        ),
        Mutant(
            "corrections that forget 1 / p_j",
            FLAT,
            {"method": _Unweighted, "parameters": rules(UNIT_STEP, sampling=Single())},
            state={"x": (-0.94,), "u": ((0.042,),) * 4},
        ),
    ),
    tight=(Tight(SPLIT, 1.0, steps=1, state=STARTED),),
)

SMOOTH_MEAN = Theorem(
    id="multi-proximal/smooth-mean",
    title="Smooth terms: linear convergence in the mean",
    source=SOURCE,
    kind="mean",
    method=MultiProximal,
    parameters=SMOOTH,
    assumes=ALL_SMOOTH,
    requires=stepsize * L_f < 2,
    measured=lyapunov,
    bound=rate**k * lyapunov0,
    when=k >= 1,
    proof="The step claim, k times.",
    mutants=(
        Mutant(
            "dual stepsizes that forget v",
            FLAT,
            {"parameters": rules(UNIT_STEP, dual_stepsize=1 / stepsize, sampling=Single())},
            steps=3,
        ),
    ),
    tight=(Tight(SPLIT, 1.0, steps=3),),
)

# -- convex terms -----------------------------------------------------------------------------------

distances = dist**2 / stepsize + sum_j(dual**2 / (p * tau))
distances0 = dist0**2 / stepsize + sum_j(dual0**2 / (p * tau))
gain = sum_j(bregman_next / p)
CONVEX = rules(1 / (1 + L_f), 2 / (sp.Rational(1, 8) + L_f))
"""Where f = 0 any stepsize will do."""

CONVEX_STEP = Theorem(
    id="multi-proximal/convex",
    title="Convex terms: the distances fall in the mean by twice the Bregman terms of those drawn",
    source=SOURCE,
    kind="step",
    method=MultiProximal,
    parameters=CONVEX,
    assumes=(SmoothPart, ConvexTerms),
    requires=stepsize * L_f <= 2,
    measured=after(distances) + 2 * gain,
    bound=distances,
    proof=DESCENT
    + "h_j(x_star) >= h_j(y_j) + <u^_j, x_star - y_j> says M_j >= B_j = h_j(y_j) - h_j(x_star) - <u_j*, "
    "y_j - x_star>, and |w - w_star| <= |x - x_star|. Insert both into (II), add sum E|u_j_next - u_j*|^2 "
    "/ (p_j tau_j); the mean of the sum of B_j / p_j over those drawn is sum_j B_j.",
    mutants=(
        Mutant("twice the gain", KINK, {"measured": after(distances) + 4 * gain}, state=FAR),
        Mutant(
            "dual stepsizes twice as long",
            FLAT,
            {"parameters": rules(UNIT_STEP, dual_stepsize=2 * RULE, sampling=Single())},
            state={"x": (-0.855,), "u": ((0.092,),) * 4},
        ),
    ),
    tight=(Tight(KINKS, 1.0, steps=1, state=INSIDE),),
)

CONVEX_MEAN = Theorem(
    id="multi-proximal/convex-mean",
    title="Convex terms: the average of the Bregman terms falls like 1/k in the mean",
    source=SOURCE,
    kind="mean",
    method=MultiProximal,
    parameters=CONVEX,
    assumes=(SmoothPart, ConvexTerms),
    requires=stepsize * L_f <= 2,
    measured=avg(gain),
    bound=distances0 / (2 * k),
    proof="The step claim, summed over j < k.",
    mutants=(Mutant("half the constant", KINK, {"bound": distances0 / (4 * k)}, steps=9),),
    tight=(Tight(KINK, 0.9, steps=9),),
)

THEOREMS = (SMOOTH_STEP, SMOOTH_MEAN, CONVEX_STEP, CONVEX_MEAN)
