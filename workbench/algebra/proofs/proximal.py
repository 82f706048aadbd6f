"""Proximal steps: the three-point identity, one proximal point step, proximal gradient's contraction."""

import sympy as sp

from workbench.algebra.identities import Derivation, Given, Identity, Wrong
from workbench.algebra.vectors import inner, square, vectors

stepsize, mu, G, length = sp.symbols("stepsize mu G |g|", positive=True)
gap, gap_next = sp.symbols("gap gap_next", positive=True)
x, u, z, g = vectors("x u z g")
PROXIMAL = (
    "ppm/convex",
    "sppm/lipschitz-step",
    "sppm/smooth-step",
    "sppm/strongly-convex-step",
    "bpm/distance",
)

THREE_POINTS = Identity(
    name="three-point identity",
    says="2 <x - u, u - z> = |x - z|^2 - |x - u|^2 - |u - z|^2",
    theorems=(*PROXIMAL, "proximal-gradient/convex", "multi-proximal/convex"),
    left=2 * inner(x - u, u - z),
    right=square(x - z) - square(x - u) - square(u - z),
    wrong=(Wrong("a sign", {"right": square(x - z) - square(x - u) + square(u - z)}),),
)

COSINE = Identity(
    name="cosine rule",
    says="|x - z|^2 = |x - u|^2 + |u - z|^2 + 2 <x - u, u - z>",
    theorems=("subgradient/any-stepsizes", "subgradient/horizon", "sgd/convex", "sgd/strongly-convex-step"),
    left=square(x - z),
    right=square(x - u) + square(u - z) + 2 * inner(x - u, u - z),
    wrong=(Wrong("the cross term once", {"right": square(x - u) + square(u - z) + inner(x - u, u - z)}),),
)

PPM_STEP = Derivation(
    name="one proximal point step",
    says="|x|^2 / (4 stepsize) - gap_next is the subgradient inequality at x_next = x - stepsize g and "
    "|x - 2 stepsize g|^2 / (4 stepsize); x_star = 0",
    theorems=("ppm/convex",),
    claim=square(x) / (4 * stepsize) - gap_next,
    given=(
        Given(1, inner(g, x - stepsize * g) - gap_next, "g is a subgradient at x_next"),
        Given(1 / (4 * stepsize), square(x - 2 * stepsize * g), "a square"),
    ),
    wrong=(Wrong("half the bound", {"claim": square(x) / (8 * stepsize) - gap_next}),),
)

STRONGLY = Derivation(
    name="contraction of a proximal step",
    says="|x|^2 - (1 + stepsize mu)^2 |u|^2 for x = u + stepsize g is 2 stepsize (1 + stepsize mu) times the "
    "strong monotonicity of the subgradients at u and x_star, and a square; x_star = 0",
    theorems=(
        "sppm/interpolated-contraction",
        "sppm/strongly-convex-step",
        "proximal-gradient/strongly-convex",
    ),
    claim=square(u + stepsize * g) - (1 + stepsize * mu) ** 2 * square(u),
    given=(
        Given(2 * stepsize * (1 + stepsize * mu), inner(g, u) - mu * square(u), "f is mu-strongly convex"),
        Given(stepsize**2, square(g - mu * u), "a square"),
    ),
    wrong=(
        Wrong(
            "a larger factor", {"claim": square(u + stepsize * g) - (1 + 2 * stepsize * mu) ** 2 * square(u)}
        ),
    ),
)

LENGTHS = square(u + stepsize * g) - square(u) - 2 * stepsize * gap
LIPSCHITZ = Derivation(
    name="a proximal step on a Lipschitz term",
    says="|x|^2 - |u|^2 - 2 stepsize (f(x) - f_star) + stepsize^2 G^2 for x = u + stepsize g is convexity at "
    "u, f(x) - f(u) <= G |x - u| = stepsize G |g|, and (|g| - G)^2; x_star = 0",
    theorems=("sppm/lipschitz-step", "sppm/lipschitz"),
    claim=LENGTHS + stepsize**2 * G**2,
    given=(
        Given(2 * stepsize, inner(g, u) - gap_next, "g is a subgradient at u"),
        Given(2 * stepsize, gap_next + stepsize * G * length - gap, "f is G-Lipschitz"),
        Given(stepsize**2, square(g) - 2 * G * length + G**2, "(|g| - G)^2 with |g|^2 = <g, g>"),
    ),
    wrong=(Wrong("half the noise", {"claim": LENGTHS + stepsize**2 * G**2 / 2}),),
)

PROOFS = (THREE_POINTS, COSINE, PPM_STEP, STRONGLY, LIPSCHITZ)
