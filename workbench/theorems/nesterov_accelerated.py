"""Nesterov's acceleration on smooth convex and strongly convex functions, with proofs."""

import sympy as sp

from assumptions.convex import Convex
from assumptions.smooth import Smooth
from assumptions.strongly_convex import StronglyConvex
from problems import Huber, Quadratic
from workbench.methods.nesterov import Nesterov
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, symbols
from workbench.theorem import Theorem

stepsize, beta, L, mu, k = symbols("stepsize beta L mu k")
gap, gap0, dist, dist0, estimate_dist = symbols("gap gap0 dist dist0 estimate_dist")

TITLE = "Introductory Lectures on Convex Optimization"
FLAT = Huber(L=1.0, delta=1 / 690, d=1, start=(1.0,))
FLATTER = Huber(L=1.0, delta=1e-4, d=1, start=(1.0,))
"""On a slope c the method moves by c k^2 / 8 nearly: half way to 0, all of the bound is left as k -> oo."""
LINE = Quadratic(eigenvalues=(1.0,), center=(0.0,), seed=None, start=(1.0,))
ELLIPSE = Quadratic(eigenvalues=(1.0, 25.0), center=(0.0, 0.0), seed=None, start=(1.0, 0.0))
STEEP = Quadratic(eigenvalues=(1.0, 1e4), center=(0.0, 0.0), seed=None, start=(0.0, 1.0))
"""From the steep axis, where the gap is L / mu times the other term of the bound: tight at k = 0."""

CONVEX = Theorem(
    id="nesterov/convex",
    title="With momentum k / (k + 3) the gap falls like 1/k^2",
    source=Source("Nesterov (1983)", "DERIVED", "with t_k = (k + 2) / 2 as in Beck and Teboulle (2009)"),
    method=Nesterov,
    parameters={"stepsize": (1 / L, 1 / (3 * L)), "beta": k / (k + 3)},
    assumes=(Convex, Smooth),
    requires=stepsize <= 1 / L,
    measured=gap,
    bound=2 * dist0**2 / (stepsize * (k + 1) ** 2),
    proof="Let x' = x_next, g = grad f(y). For all z, f(x') <= f(y) - stepsize |g|^2 / 2 and f(y) <= f(z) + "
    "<g, y - z>. With t = (k + 2) / 2, weights (t - 1) at z = x and 1 at z = x_star: t (f(x') - f_star) - "
    "(t - 1) (f(x) - f_star) <= <g, t y - (t - 1) x - x_star> - t stepsize |g|^2 / 2. Let u_k = t_k y_k - "
    "(t_k - 1) x_k - x_star; since beta = (t - 1) / t_next, u_{k+1} = u_k - t stepsize g. Times 2 stepsize "
    "t: 2 stepsize t^2 gap_{k+1} + |u_{k+1}|^2 <= 2 stepsize (t^2 - t) gap_k + |u_k|^2, and t_k^2 - t_k = k "
    "(k + 2) / 4 <= t_{k-1}^2; at k = 0 it is 0 and u_0 = x_0 - x_star. So gap_k <= dist0^2 / (2 stepsize "
    "t_{k-1}^2). At k = 0, gap <= L dist0^2 / 2.",
    mutants=(
        Mutant("a ninth of the constant", FLAT, {"bound": 2 * dist0**2 / (9 * stepsize * (k + 1) ** 2)}),
        Mutant(
            "without momentum",
            FLAT,
            {"parameters": {"stepsize": 1 / L, "beta": 0}, "bound": dist0**2 / (2 * stepsize * (k + 1) ** 2)},
        ),
        Mutant(
            "a rate of 1/k^3",
            FLAT,
            {"bound": 2 * dist0**2 / (stepsize * (k + 1) ** 3)},
        ),
    ),
    tight=(Tight(FLATTER, 0.9850748750, steps=200), Tight(FLAT, 0.9437570888468833)),
)

ROOT = sp.sqrt(mu * stepsize)
STRONG_BETA = (1 - ROOT) / (1 + ROOT)

STRONGLY_CONVEX_STEP = Theorem(
    id="nesterov/strongly-convex-step",
    title="With constant momentum the gap and the distance of the estimate point contract together",
    source=Source("Nesterov (2003)", "DERIVED", "section 2.2", TITLE),
    method=Nesterov,
    parameters={"stepsize": (1 / L, 1 / (4 * L)), "beta": STRONG_BETA},
    assumes=(StronglyConvex, Smooth),
    requires=stepsize <= 1 / L,
    measured=after(gap + mu / 2 * estimate_dist**2),
    bound=(1 - ROOT) * (gap + mu / 2 * estimate_dist**2),
    kind="step",
    proof="Let s = sqrt(mu stepsize), g = grad f(y), z = y + (y - x) / s; y = (x + s z) / (1 + s) and "
    "z_next = (1 - s) z + s y - (s / mu) g. f(x_next) <= f(y) - stepsize |g|^2 / 2. Convexity, (1 - s) "
    "times: f(y) <= f(x) + <g, y - x>; strong convexity, s times: f(y) <= f_star + <g, y - x_star> - mu |y "
    "- x_star|^2 / 2. And mu |z_next - x_star|^2 / 2 <= mu ((1 - s) |z - x_star|^2 + s |y - x_star|^2) / 2 "
    "- s <g, (1 - s) z + s y - x_star> + stepsize |g|^2 / 2. In the sum the inner products cancel: (1 - s) "
    "(y - x) + s (y - x_star) = s ((1 - s) z + s y - x_star), for y - x = s (z - y).",
    mutants=(
        Mutant(
            "twice the rate",
            LINE,
            {
                "parameters": {"stepsize": 1 / (16 * L), "beta": STRONG_BETA},
                "bound": (1 - 2 * ROOT) * (gap + mu / 2 * estimate_dist**2),
            },
        ),
        Mutant(
            "the gap alone",
            ELLIPSE,
            {"measured": after(gap), "bound": (1 - ROOT) * gap},
        ),
    ),
    tight=(Tight(ELLIPSE, 0.9946124297752394, state={"x": (1.02743607, 0.0), "y": (1.03222291, 0.0)}),),
)

STRONGLY_CONVEX = Theorem(
    id="nesterov/strongly-convex",
    title="With constant momentum the gap falls like (1 - sqrt(mu stepsize))^k",
    source=STRONGLY_CONVEX_STEP.source,
    method=Nesterov,
    parameters={"stepsize": (1 / L, 1 / (4 * L)), "beta": STRONG_BETA},
    assumes=(StronglyConvex, Smooth),
    requires=stepsize <= 1 / L,
    measured=gap,
    bound=(1 - ROOT) ** k * (gap0 + mu / 2 * dist0**2),
    proof="nesterov/strongly-convex-step, k times; the estimate point of the start is the start.",
    mutants=(
        Mutant(
            "twice the rate",
            Quadratic(eigenvalues=(1.0, 100.0), center=(0.0, 0.0), seed=None, start=(1.0, 0.0)),
            {"bound": (1 - 2 * ROOT) ** k * (gap0 + mu / 2 * dist0**2)},
        ),
        Mutant(
            "without momentum",
            Quadratic(eigenvalues=(1.0, 100.0), center=(0.0, 0.0), seed=None, start=(1.0, 0.0)),
            {"parameters": {"stepsize": 1 / L, "beta": 0}},
        ),
    ),
    tight=(Tight(STEEP, 0.9999000099990001), Tight(ELLIPSE, 0.6992939826449989)),
)

THEOREMS = (CONVEX, STRONGLY_CONVEX_STEP, STRONGLY_CONVEX)
