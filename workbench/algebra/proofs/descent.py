"""Gradient steps on smooth functions: the descent lemma, PL, strong convexity, PAGE and Gluon."""

import sympy as sp

from workbench.algebra.identities import Derivation, Given, Identity, Wrong
from workbench.algebra.vectors import inner, square, vectors

L, mu, stepsize, t, a, b = sp.symbols("L mu stepsize t a b", positive=True)
gap, gap_next, grad_sq = sp.symbols("gap gap_next grad_sq", positive=True)
g, e, x, slope = *vectors("g e x"), sp.Symbol("slope", positive=True)

DESCENT = Identity(
    name="descent lemma",
    says="<g, y - x> + L/2 |y - x|^2 = -stepsize (1 - L stepsize / 2) |g|^2 at y = x - stepsize g",
    theorems=("gd/nonconvex", "gd/pl"),
    left=inner(g, -stepsize * g) + L / 2 * square(stepsize * g),
    right=-stepsize * (1 - L * stepsize / 2) * square(g),
    wrong=(Wrong("L in place of L/2", {"right": -stepsize * (1 - L * stepsize) * square(g)}),),
)

PL_STEP = Derivation(
    name="descent under PL",
    says="(1 - mu_pl stepsize (2 - L stepsize)) gap - gap_next is the descent lemma's slack plus "
    "stepsize (1 - L stepsize / 2) (|grad f|^2 - 2 mu_pl gap)",
    theorems=("gd/pl",),
    claim=(1 - mu * stepsize * (2 - L * stepsize)) * gap - gap_next,
    given=(
        Given(1, gap - stepsize * (1 - L * stepsize / 2) * grad_sq - gap_next, "descent lemma"),
        Given(stepsize * (1 - L * stepsize / 2), grad_sq - 2 * mu * gap, "PL"),
    ),
    domain={stepsize: 2 / (L + a)},
    wrong=(
        Wrong("twice the rate", {"claim": (1 - 2 * mu * stepsize * (2 - L * stepsize)) * gap - gap_next}),
    ),
)

SMOOTH_STRONGLY = ((L + mu) * inner(g, x) - square(g) - L * mu * square(x)) / (L - mu)
SQUARE = square(g - mu * x)
STRONGLY = Derivation(
    name="contraction of a gradient step",
    says="(1 - stepsize mu)^2 |x|^2 - |x - stepsize g|^2 is 2 stepsize (1 - stepsize mu) times the sum of "
    "the interpolation inequalities of x and x_star, and a square, for stepsize <= 2 / (L + mu); x_star = 0",
    theorems=("gd/strongly-convex", "sgd/noise-strongly-convex-step", "proxskip/step"),
    claim=(1 - stepsize * mu) ** 2 * square(x) - square(x - stepsize * g),
    given=(
        Given(2 * stepsize * (1 - stepsize * mu), SMOOTH_STRONGLY, "f is mu-strongly convex and L-smooth"),
        Given(stepsize * (2 - stepsize * (L + mu)) / (L - mu), SQUARE, "a square"),
    ),
    domain={stepsize: 2 / (2 * mu + a + b), L: mu + a},
    wrong=(
        Wrong("a faster rate", {"claim": (1 - 2 * stepsize * mu) * square(x) - square(x - stepsize * g)}),
        Wrong("steps up to 3 / (L + mu)", {"domain": {stepsize: 3 / (2 * mu + a + b), L: mu + a}}),
    ),
)

LONG_SQUARE = square(g - L * x)
STRONGLY_LONG = Derivation(
    name="contraction of a long gradient step",
    says="(stepsize L - 1)^2 |x|^2 - |x - stepsize g|^2 is 2 stepsize (stepsize L - 1) times the same sum, "
    "and a square, for stepsize >= 2 / (L + mu)",
    theorems=("gd/strongly-convex", "sgd/noise-strongly-convex-step", "proxskip/step"),
    claim=(stepsize * L - 1) ** 2 * square(x) - square(x - stepsize * g),
    given=(
        Given(2 * stepsize * (stepsize * L - 1), SMOOTH_STRONGLY, "f is mu-strongly convex and L-smooth"),
        Given(stepsize * (stepsize * (L + mu) - 2) / (L - mu), LONG_SQUARE, "a square"),
    ),
    domain={stepsize: 2 / (2 * mu + a) + b, L: mu + a},
    wrong=(
        Wrong(
            "the weight of a short step",
            {"claim": (1 - stepsize * mu) ** 2 * square(x) - square(x - stepsize * g)},
        ),
    ),
)

ESTIMATED = Identity(
    name="descent along an estimate",
    says="<grad f, -stepsize v> + L stepsize^2 / 2 |v|^2 = stepsize/2 |v - grad f|^2 - stepsize/2 |grad f|^2 "
    "- stepsize/2 (1 - L stepsize) |v|^2 for v = grad f + e",
    theorems=("page/nonconvex-step", "page/pl-step", "page/convex-step", "page/weakly-convex-step"),
    left=inner(g, -stepsize * (g + e)) + L / 2 * stepsize**2 * square(g + e),
    right=stepsize / 2 * (square(e) - square(g) - (1 - L * stepsize) * square(g + e)),
    wrong=(
        Wrong(
            "the error counted once more",
            {"right": stepsize / 2 * (2 * square(e) - square(g) - (1 - L * stepsize) * square(g + e))},
        ),
    ),
)

root = sp.Symbol("s", positive=True)
PAGE_STEPSIZE = Identity(
    name="the stepsize of PAGE",
    says="1 - a - s^2 a^2 = s / (1 + s)^2 at a = L_avg stepsize = 1 / (1 + s), s^2 = (1 - p) / (p minibatch)",
    theorems=("page/nonconvex-step",),
    left=1 - 1 / (1 + root) - root**2 / (1 + root) ** 2,
    right=root / (1 + root) ** 2,
    wrong=(Wrong("without s", {"right": root / (1 + root)}),),
)

L0, L1 = sp.symbols("L0 L1", positive=True)
LAYER = L0 + L1 * slope
GLUON = Identity(
    name="descent of one layer",
    says="-t g + (L0 + L1 g) t^2 / 2 = -g^2 / (2 (L0 + L1 g)) + (L0 + L1 g) / 2 (t - g / (L0 + L1 g))^2: "
    "least at t = g / (L0 + L1 g)",
    theorems=("gluon/descent", "gluon/sum", "drop-muon/step", "inexact-gluon/descent"),
    left=-t * slope + LAYER * t**2 / 2,
    right=-(slope**2) / (2 * LAYER) + LAYER / 2 * (t - slope / LAYER) ** 2,
    wrong=(Wrong("no factor 1/2", {"right": -(slope**2) / LAYER + LAYER / 2 * (t - slope / LAYER) ** 2}),),
)

PROOFS = (DESCENT, PL_STEP, STRONGLY, STRONGLY_LONG, ESTIMATED, PAGE_STEPSIZE, GLUON)
