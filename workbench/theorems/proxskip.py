"""ProxSkip: one Lyapunov function for the iterate and the control variate."""

import sympy as sp

from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from problems import Linear, Quadratic
from problems.composite.composite import Composite
from problems.composite.flat_sets import Singleton
from problems.composite.indicator import Indicator
from workbench.methods.proxskip import ProxSkip
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, symbols
from workbench.theorem import Theorem

stepsize, p, L_f, mu_f, k = symbols("stepsize p L_f mu_f k")
dist, dist0, control, control0 = symbols("dist dist0 control_error control_error0")

POINT = Composite(
    smooth=Quadratic((1.0,), (0.5,), seed=None),
    terms=(Indicator(Singleton((0.0,))),),
    minimiser=(0.0,),
    duals=((0.5,),),
    start=(0.0,),
)
"""(x - 1/2)^2 / 2 on the set {0}: at the start x is right and the control variate, which is 0, is not."""
SLOPED = Composite(
    smooth=Quadratic((1.0, 8.0), (1.0, 0.0), seed=None),
    terms=(Linear((1.0, 0.0)),),
    minimiser=(0.0, 0.0),
    duals=((1.0, 0.0),),
    start=(0.0, 1.0),
)
"""An ellipse, tilted by a linear psi."""
WRONG = {"x": (0.0,), "h": (1.0,)}
STEEP = {"x": (0.0, 1.0), "h": (-1.0, 0.0)}

SOURCE = Source(
    "arXiv:2202.09357",
    "DERIVED",
    "recalled, proved here",
    "ProxSkip: Yes! Local Gradient Steps Provably Lead to Communication Acceleration! Finally!",
)
ASSUMES = (SmoothPart, StronglyConvexSmoothPart, ConvexTerms)
PARAMETERS = {
    "stepsize": (1 / L_f, sp.Rational(9, 5) / L_f),
    "p": (sp.Rational(1, 10), sp.Rational(1, 2), sp.Integer(1)),
}
SELDOM = {"stepsize": 1 / L_f, "p": sp.Rational(1, 10)}

smooth_rate = sp.Max((1 - stepsize * mu_f) ** 2, (stepsize * L_f - 1) ** 2)
rate = sp.Max(smooth_rate, 1 - p**2)
lyapunov = dist**2 + (stepsize / p) ** 2 * control**2
lyapunov0 = dist0**2 + (stepsize / p) ** 2 * control0**2

STEP = Theorem(
    id="proxskip/step",
    title="The distances of the iterate and of the control variate contract together in the mean",
    source=SOURCE,
    kind="step",
    method=ProxSkip,
    parameters=PARAMETERS,
    assumes=ASSUMES,
    requires=stepsize * L_f < 2,
    measured=after(lyapunov),
    bound=rate * lyapunov,
    proof="Write a = x_hat - x_star, b = h - h*, h* = grad f(x_star), c = stepsize / p, P = prox_{c psi}. "
    "With heads x_next = P(q), q = x_hat - c h, and c h_next = P(q) - q; x_star = P(x_star - c h*), so by "
    "firm nonexpansiveness |x_next - x_star|^2 + c^2 |h_next - h*|^2 <= |a - c b|^2. With tails it is "
    "|a|^2 + c^2 |b|^2. In the mean |a|^2 - 2 stepsize <a, b> + c^2 |b|^2 = |a - stepsize b|^2 + c^2 (1 - "
    "p^2)|b|^2, and a - stepsize b = x - stepsize grad f(x) - (x_star - stepsize grad f(x_star)), of "
    "length at most max(|1 - stepsize mu_f|, |stepsize L_f - 1|) |x - x_star|.",
    mutants=(
        Mutant(
            "1 - p instead of 1 - p^2",
            POINT,
            {"parameters": SELDOM, "bound": sp.Max(smooth_rate, 1 - p) * lyapunov},
            state=WRONG,
        ),
        Mutant(
            "forgets the steepest direction",
            SLOPED,
            {
                "parameters": {"stepsize": sp.Rational(39, 20) / L_f, "p": sp.Integer(1)},
                "bound": sp.Max((1 - stepsize * mu_f) ** 2, 1 - p**2) * lyapunov,
            },
            state=STEEP,
        ),
    ),
    tight=(Tight(POINT, 1.0, steps=1, state=WRONG), Tight(SLOPED, 1.0, steps=1, state=STEEP)),
)

MEAN = Theorem(
    id="proxskip/mean",
    title="Linear convergence in the mean, with communications that a small p makes rare",
    source=SOURCE,
    kind="mean",
    method=ProxSkip,
    parameters=PARAMETERS,
    assumes=ASSUMES,
    requires=stepsize * L_f < 2,
    measured=lyapunov,
    bound=rate**k * lyapunov0,
    when=k >= 1,
    proof="The step claim, k times.",
    mutants=(
        Mutant(
            "1 - p instead of 1 - p^2",
            POINT,
            {"parameters": SELDOM, "bound": sp.Max(smooth_rate, 1 - p) ** k * lyapunov0},
            steps=3,
        ),
    ),
    tight=(Tight(POINT, 1.0, steps=3),),
)

THEOREMS = (STEP, MEAN)
