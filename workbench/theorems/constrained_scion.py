"""Constrained Scion as a conditional gradient method with momentum. With proofs; the constants are ours."""

from typing import Any

import sympy as sp

from assumptions import Convex
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.constrained_scion import ConstrainedScion, frank_wolfe_gap
from workbench.methods.scion import Scion
from workbench.orthogonal import EXACT
from workbench.orthogonal.rescaled import Rescaled
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_max, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.scion import left_over

k, gap, gap0, beta, weight, radius_i = symbols("k gap gap0 beta weight ball_radius_i")
reach, reach0, fw_gap, start_i, star_i, b_i = symbols("reach reach0 fw_gap start_i star_i b_i")
rho_i, sigma_i, L_i, with_noise, n_terms = symbols("rho_i sigma_i L_i with_noise n_terms")
ALPHA = 1 - beta
HOLDS_START_i = 2 * sp.Max(start_i, star_i)
"""A radius at which the balls hold the start and the minimiser."""


def source(where: str) -> Source:
    """Of the method; the bounds are derived here."""
    return Source("arXiv:2502.07529", "DERIVED", where, "Training Deep Models with LMOs")


def rules(radius: Any, share: Any, momentum: Any, orthogonaliser: Any = EXACT) -> dict[str, Any]:
    """One draw a step."""
    return {
        "ball_radius_i": radius,
        "weight": share,
        "beta": momentum,
        "minibatch": sp.Integer(1),
        "orthogonaliser": orthogonaliser,
    }


def scalar(x0: float, center: float = 0.0) -> SpectralQuadratic:
    """(x - center)^2 / 2 from x0."""
    return SpectralQuadratic(((1.0,),), 1, center=(center,), start=(x0,))


OUTSIDE = scalar(3.0)
OUTWARD = scalar(0.5, center=9.0)
"""The minimiser is far outside of the unit ball, on the side of the start."""
NEAR = Noisy(scalar(0.9), SignNoise(1e-14))
"""x^2 / 2 from 0.9, with noise that is next to nothing."""

BALL = Theorem(
    id="constrained-scion/ball",
    title="Iterates stay in the balls in which they start, and come nearer from outside",
    source=source("the update"),
    method=ConstrainedScion,
    parameters=rules(
        sp.Integer(1), (sp.Rational(1, 10), sp.Rational(3, 4)), sp.Rational(1, 2), (EXACT, Rescaled(0.7, 1.2))
    ),
    measured=reach,
    bound=layer_max(b_i) + (1 - weight) ** k * (reach0 - layer_max(b_i)),
    proof="|X_i_next|_i <= (1 - weight) |X_i|_i + weight radius_i b_i, over radius_i, and the largest "
    "over i.",
    mutants=(
        Mutant(
            "the ball holds iterates that start outside: 2.6 for 1",
            OUTSIDE,
            {
                "parameters": rules(sp.Integer(1), sp.Rational(1, 10), sp.Integer(0)),
                "when": k >= 1,
                "bound": sp.Integer(1),
            },
            steps=1,
        ),
        Mutant(
            "directions that are 1.2 times too long go unnoticed",
            OUTWARD,
            {
                "parameters": rules(sp.Integer(1), sp.Rational(1, 2), sp.Integer(0), Rescaled(1.2, 1.2)),
                "bound": sp.Max(1, reach0),
            },
            steps=9,
        ),
    ),
    tight=(Tight(OUTWARD, 1.0, steps=5),),
)

ERROR_i = rho_i * sigma_i * avg(left_over(k)) + 2 * L_i * radius_i * weight * sp.Min(
    beta / ALPHA, (k - 1) / 4
)
"""Mean error of the momentum over j < k."""
GAP_BOUND = gap0 / (weight * k) + layer_sum(2 * radius_i * ERROR_i + 2 * L_i * radius_i**2 * weight)

GAP = Theorem(
    id="constrained-scion/gap",
    title="The mean Frank-Wolfe gap over the balls falls to noise and curvature, without convexity",
    source=source("stochastic, layer-wise smooth, constant weight"),
    method=ConstrainedScion,
    parameters=rules(
        HOLDS_START_i, (sp.Rational(1, 2), sp.Rational(1, 20)), (sp.Integer(0), sp.Rational(9, 10))
    ),
    assumes=(LayerSmooth, LayerVariance),
    requires=layer_max(start_i / radius_i) <= 1,
    kind="mean",
    measured=avg(fw_gap),
    bound=GAP_BOUND,
    proof="V = -R dir(M), V* = -R dir(grad f): <grad f, V - X> <= <grad f, V* - X> + <M - grad f, V* - "
    "V> <= -Gap + sum_i 2 R_i |M_i - grad_i f|_{i*}, M the mean of the buffer. X and V are in the balls, "
    "so a step is at most 2 R_i weight long, and f(X_next) <= f(X) + weight <grad f, V - X> + sum_i L_i "
    "(2 R_i weight)^2 / 2. Of the error of M see scion/stochastic.",
    mutants=(
        Mutant(
            "a step costs no curvature: 0.447 for 0.002",
            scalar(0.9),
            {
                "assumes": (LayerSmooth,),
                "parameters": rules(sp.Integer(1), sp.Rational(1, 2), sp.Integer(0)),
                "bound": gap0 / (weight * k),
            },
            steps=400,
        ),
        Mutant(
            "no weight decay, the gap of the ball all the same",
            scalar(0.9, center=20.0),
            {
                "method": Scion,
                "parameters": {
                    "radius_i": sp.Integer(1),
                    "beta": sp.Integer(0),
                    "minibatch": sp.Integer(1),
                    "orthogonaliser": EXACT,
                },
                "assumes": (LayerSmooth,),
                "requires": True,
                "quantities": {"fw_gap": frank_wolfe_gap(lambda _: 1.0)},
                "bound": gap0 / k + layer_sum(2 * L_i),
            },
            steps=100,
        ),
        Mutant(
            "old gradients count as new ones",
            scalar(0.9),
            {
                "assumes": (LayerSmooth,),
                "parameters": rules(sp.Integer(1), sp.Rational(1, 10), sp.Rational(99, 100)),
                "bound": gap0 / (weight * k) + layer_sum(2 * L_i * radius_i**2 * weight),
            },
            steps=100,
        ),
        Mutant(
            "the weights of the old and of the new gradient are exchanged",
            NEAR,
            {
                "parameters": rules(sp.Integer(1), sp.Rational(1, 10), sp.Rational(99, 100)),
                "bound": GAP_BOUND.xreplace({beta: ALPHA}),
            },
            steps=15,
        ),
    ),
    tight=(Tight(NEAR, 0.6, steps=1),),
)

CONVEX = Theorem(
    id="constrained-scion/convex",
    title="Where the balls hold a minimiser of a convex f, weights 2/(k+2) bring the gap down like 1/k",
    source=Source(
        "Jaggi (2013)",
        "DERIVED",
        "Theorem 1, over balls of layers",
        "Revisiting Frank-Wolfe: Projection-Free",
    ),
    method=ConstrainedScion,
    parameters=rules((HOLDS_START_i, sp.Max(start_i, 1.01 * star_i)), 2 / (k + 2), sp.Integer(0)),
    assumes=(Convex, LayerSmooth),
    requires=sp.Eq(with_noise, 0) & sp.Eq(n_terms, 1) & (layer_max(star_i / radius_i) < 1),
    when=(k >= 1) & (reach0 <= 1),
    measured=gap,
    bound=8 * layer_sum(L_i * radius_i**2) / (k + 2),
    proof="With D = sum_i L_i (2 R_i)^2 a step of weight w lowers the gap h to at most (1 - w) h + w^2 D "
    "/ 2: the balls hold x_star and the iterates, so that h <= <grad f, X - V> by convexity, and |V_i - "
    "X_i|_i <= 2 R_i. Hence h_1 <= D / 2, and h_k <= 2 D / (k + 2) by induction.",
    mutants=(
        Mutant(
            "a rate of 1/k^2",
            scalar(0.9, center=0.5),
            {
                "parameters": rules(sp.Integer(1), 2 / (k + 2), sp.Integer(0)),
                "bound": 8 * layer_sum(L_i * radius_i**2) / (k + 2) ** 2,
            },
            steps=50,
        ),
    ),
    tight=(Tight(scalar(1.0, center=0.98), 0.735075, steps=1),),
)

THEOREMS = (BALL, GAP, CONVEX)
