"""Kovalev (2025): the trust-region method with momentum in one norm, as a public note quotes it."""

from typing import Any

import sympy as sp

from assumptions import Lp
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.gluon import Gluon
from workbench.methods.momentum import momentum_error
from workbench.orthogonal import EXACT
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import best, layer_sum, symbols
from workbench.theorem import Theorem

k, gap0, beta, radius_i, gradnorm_i_next = symbols("k gap0 beta radius_i gradnorm_i_next")
momentum_error_i, rho_i, sigma_i, L_i, n_layers = symbols("momentum_error_i rho_i sigma_i L_i n_layers")
ALPHA = 1 - beta

SIGNS = Noisy(
    SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, Lp(float("inf")), start=(1e-12, 0.0, 0.0, 0.0)),
    SignNoise(2.0),
)
"""|X|_F^2 / 2 in the norm of the largest entry, next to 0; noise +-1 in each of four entries: rho = 2."""
FAR = Noisy(SpectralQuadratic(((1.0,),), 1, start=(1.0,)), SignNoise(1e-14))
"""x^2 / 2 from 1, with noise that is next to nothing."""
DEAF = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.85,)), SignNoise(1.0))
"""x^2 / 2 from 0.85, with noise +-1 that outvotes the gradient."""


def source(where: str) -> Source:
    """As quoted; the place was read, the paper was not."""
    title = (
        "Understanding Gradient Orthogonalization for Deep Learning via Non-Euclidean Trust-Region "
        "Optimization"
    )
    return Source(
        "arXiv:2503.12645", "SOURCED", f"{where}, as quoted in a public note of F. L. Cesista", title
    )


def rules(radius: Any, momentum: Any) -> dict[str, Any]:
    """Constant radius and weight, exact directions, one draw a step."""
    return {"radius_i": radius, "beta": momentum, "minibatch": sp.Integer(1), "orthogonaliser": EXACT}


def bound(noise: Any = 1, drift: Any = 1) -> Any:
    """The right side of Theorem 2, of which mutants leave something out."""
    averaged = 2 * rho_i * sigma_i * (noise / (ALPHA * k) + sp.sqrt(ALPHA))
    moved = sp.Rational(3, 2) * L_i * radius_i + 2 * L_i * radius_i / ALPHA
    return layer_sum(gap0 / (radius_i * k) + averaged + drift * moved)


THEOREM_2 = Theorem(
    id="kovalev/theorem-2",
    title="Of k steps of one layer one has a gradient of mean size gap0 / (radius k) + noise + drift at most",
    source=source("Theorem 2"),
    method=Gluon,
    parameters=rules(sp.sqrt(gap0 / (7 * L_i)), (sp.Integer(0), sp.Rational(9, 10))),
    assumes=(LayerSmooth, LayerVariance),
    requires=sp.Eq(n_layers, 1),
    kind="mean",
    measured=best(layer_sum(gradnorm_i_next)),
    bound=bound(),
    proof="The mean over j < k of g_j is at most gap0 / (t k) + 2 rho sigma (1 / (alpha k) + sqrt(alpha "
    "/ (2 - alpha))) + L t (2 beta / alpha + 1/2), by the descent inequality with 2 t |M - grad f|_*; "
    "g_(j+1) <= g_j + L t, and alpha / (2 - alpha) <= alpha.",
    mutants=(
        Mutant(
            "neither curvature nor drift",
            FAR,
            {"parameters": rules(sp.Float(2.5), sp.Integer(0)), "bound": bound(drift=0)},
            steps=1,
        ),
        Mutant(
            "a quarter of the drift",
            FAR,
            {"parameters": rules(sp.Float(100.0), sp.Integer(0)), "bound": bound(drift=sp.Rational(1, 4))},
            steps=1,
        ),
        Mutant(
            "the weights of the old and of the new gradient are exchanged",
            DEAF,
            {
                "parameters": rules(sp.Float(0.0015), sp.Rational(1, 20)),
                "when": k >= 1400,
                "bound": bound().xreplace({beta: ALPHA}),
            },
            steps=1500,
        ),
    ),
    tight=(Tight(FAR, 0.2611102, steps=1),),
)

LEMMA_3 = Theorem(
    id="kovalev/lemma-3",
    title="Momentum misses the gradient by ((1-alpha)^k + sqrt(alpha)) rho sigma + L radius / alpha",
    source=source("Lemma 3"),
    method=Gluon,
    parameters=rules(sp.sqrt(gap0 / L_i) / 8, (sp.Integer(0), sp.Rational(9, 10))),
    assumes=(LayerSmooth, LayerVariance),
    requires=sp.Eq(n_layers, 1),
    when=k >= 1,
    kind="mean",
    measured=layer_sum(momentum_error_i),
    bound=layer_sum(rho_i * sigma_i * (beta**k + sp.sqrt(ALPHA)) + L_i * radius_i / ALPHA),
    quantities={"momentum_error_i": momentum_error(lambda r: r.state.m)},
    proof="With m_1 = g(x_0) the noise in m_k has mean square sigma^2 (a^2 + alpha / (2 - alpha) (1 - "
    "a^2)), a = beta^(k-1), at most (beta a + sqrt(alpha))^2: the difference is a quadratic in a, concave as "
    "beta^2 <= 2 beta / (1 + beta), so that its minimum over [0, 1] is at a = 0 or 1, where it is >= 0. A "
    "gradient of age j in m_k, j >= 1, is off by L radius "
    "j, and the mean age is at most 1 / alpha.",
    mutants=(
        Mutant(
            "noise averages out in the dual norm as in the Euclidean one",
            SIGNS,
            {
                "parameters": rules(sp.Float(1e-9), sp.Integer(0)),
                "bound": layer_sum(sigma_i * (beta**k + sp.sqrt(ALPHA)) + L_i * radius_i / ALPHA),
            },
            steps=1,
        ),
        Mutant(
            "no memory of the first gradient",
            SIGNS,
            {
                "parameters": rules(sp.Float(1e-9), sp.Rational(9, 10)),
                "bound": layer_sum(rho_i * sigma_i * sp.sqrt(ALPHA) + L_i * radius_i / ALPHA),
            },
            steps=1,
        ),
        Mutant(
            "old gradients count as new ones",
            FAR,
            {
                "parameters": rules(sp.Float(0.01), sp.Rational(9, 10)),
                "bound": layer_sum(rho_i * sigma_i * (beta**k + sp.sqrt(ALPHA)) + L_i * radius_i),
            },
            steps=8,
        ),
    ),
    tight=(Tight(SIGNS, 1.0, steps=1),),
)

THEOREMS = (THEOREM_2, LEMMA_3)
