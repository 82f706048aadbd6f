"""Steps of the ball-proximal point method: their length, and the gradients where they end.

Ours in the setting of Gruntkowska, Li, Rane, Richtarik (2025), each with its proof. u = x_next, t = radius.
"""

import sympy as sp

from assumptions import Convex, Smooth
from problems import AbsAffine, Huber
from workbench.methods import BPM, ProximalPoint
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols, total
from workbench.theorem import Theorem

PAPER = "arXiv:2502.02002"
TITLE = 'The Ball-Proximal (="Broximal") Point Method'

radius, dist, dist0, moved_next, k = symbols("radius dist dist0 moved_next k")
gap, gap0, gap_next = symbols("gap gap0 gap_next")
gradnorm, gradnorm_next = symbols("gradnorm gradnorm_next")

ABS = AbsAffine(a=(1.0,), start=(5.3,))
STRAIGHT = Huber(L=100.0, delta=0.01, d=1, start=(5.3,))
RADII = (dist0 / 7, dist0 / 20, dist0 / 2, dist0 / (5 * sp.sqrt(k + 1)))

GRADIENT = Theorem(
    id="bpm/gradient-norm",
    title="The gradient norm does not grow",
    source=Source(PAPER, "DERIVED", "stated for smooth f; differentiability suffices", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex, Smooth),
    measured=gradnorm_next,
    bound=gradnorm,
    proof="grad f(u) = c (x - u); monotonicity gives |grad f(u)|^2 <= <grad f(u), grad f(x)>.",
    mutants=(Mutant("gradients halve", STRAIGHT, {"bound": gradnorm / 2}),),
    tight=(Tight(STRAIGHT, 1.0),),
)

DECREASE = Theorem(
    id="bpm/decrease",
    title="The function drops by at least the radius times the next gradient norm",
    source=Source(PAPER, "DERIVED", "stated for smooth f; differentiability suffices", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex, Smooth),
    measured=radius * gradnorm_next,
    bound=gap - gap_next,
    proof="f(x) - f(u) >= <grad f(u), x - u> = t |grad f(u)|, for grad f(u) is parallel to x - u (or 0).",
    mutants=(Mutant("twice the radius", STRAIGHT, {"measured": 2 * radius * gradnorm_next}),),
    tight=(Tight(STRAIGHT, 1.0),),
)

GRADIENT_RATE = Theorem(
    id="bpm/gradient-rate",
    title="The gradient norm is below gap0 over the sum of the radii",
    source=Source(PAPER, "DERIVED", "stated for smooth f; differentiability suffices", TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex, Smooth),
    measured=gradnorm,
    bound=gap0 / total(radius),
    proof="Sum bpm/decrease and use bpm/gradient-norm.",
    mutants=(
        Mutant(
            "half the constant",
            STRAIGHT,
            {"parameters": {"radius": sp.Rational(1, 2)}, "bound": gap0 / (2 * total(radius))},
            steps=10,
        ),
    ),
    tight=(Tight(STRAIGHT, 0.95 * 5.3 / 5.295),),
)

STEP_LENGTH = Theorem(
    id="bpm/step-length",
    title="Until a minimiser is within reach, the step has the length of the radius",
    source=Source(PAPER, "DERIVED", title=TITLE),
    method=BPM,
    parameters={"radius": RADII},
    assumes=(Convex,),
    kind="exact",
    when=radius < dist,
    measured=moved_next,
    bound=radius,
    proof="A minimiser over the ball that lies inside it is a local, hence a global one.",
    mutants=(
        Mutant(
            "the proximal point method instead: it moves by stepsize |g|",
            ABS,
            {
                "method": ProximalPoint,
                "parameters": {"stepsize": sp.Rational(1, 10)},
                "when": dist > sp.Rational(1, 2),
                "bound": sp.Rational(1, 2),
            },
        ),
    ),
)

THEOREMS = (GRADIENT, DECREASE, GRADIENT_RATE, STEP_LENGTH)
