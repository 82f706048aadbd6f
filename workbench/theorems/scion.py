"""Scion with noise: what a buffer that starts at 0 keeps of it. With proofs; the constants are ours."""

from typing import Any

import sympy as sp

from assumptions import Lp
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.noise.skewed import SkewedNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.scion import Scion
from workbench.orthogonal import EXACT
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_sum, symbols
from workbench.theorem import Theorem

k, gap0, beta, radius_i, gradnorm_i = symbols("k gap0 beta radius_i gradnorm_i")
momentum_error_i, rho_i, sigma_i, L_i = symbols("momentum_error_i rho_i sigma_i L_i")
ALPHA = 1 - beta

SOURCE = Source(
    "arXiv:2502.07529",
    "DERIVED",
    "Algorithm 1 as coded, with a buffer that starts at 0",
    "Training Deep Models with LMOs",
)

SIGNS = Noisy(
    SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, Lp(float("inf")), start=(1e-12, 0.0, 0.0, 0.0)),
    SignNoise(2.0),
)
"""|X|_F^2 / 2 in the norm of the largest entry, next to 0; noise +-1 in each of four entries: rho = 2."""
LONELY = Noisy(SpectralQuadratic(((1.0,),), 1, start=(1.0,)), SignNoise(1e-14))
"""x^2 / 2 from 1, with noise that is next to nothing."""
TINY = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.005,)), SignNoise(1e-14))
SKEWED = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.005,)), SkewedNoise(1.1))
"""x^2 / 2 near 0; noise of size 1.1 whose sign is more often the one than the other."""


def left_over(j: Any) -> Any:
    """Size that is left of noise of size 1 in the mean of gradients 0, ..., j with weights beta^(j - i)."""
    q = beta ** (j + 1)
    return sp.sqrt(ALPHA / (1 + beta) * (1 + q) / (1 - q))


def plain(radius: Any, momentum: Any) -> dict[str, Any]:
    """Rules with exact directions, one draw a step."""
    return {
        "radius_i": radius,
        "beta": momentum,
        "minibatch": sp.Integer(1),
        "orthogonaliser": EXACT,
    }


AGES = sp.Min(beta / ALPHA, (k - 1) / 2)
"""Mean age of the gradients in the buffer after k steps, the newest of age 0, at most."""

MOMENTUM_ERROR = Theorem(
    id="scion/momentum-error",
    title="A buffer that starts at 0 keeps sqrt(alpha/(1+beta) (1+beta^k)/(1-beta^k)) of the noise",
    source=SOURCE,
    method=Scion,
    parameters=plain(sp.sqrt(gap0 / L_i) / 8, (sp.Rational(1, 2), sp.Rational(9, 10))),
    assumes=(LayerSmooth, LayerVariance),
    when=k >= 1,
    kind="mean",
    measured=layer_sum(momentum_error_i),
    bound=layer_sum(rho_i * sigma_i * left_over(k - 1) + L_i * radius_i * (1 + AGES)),
    proof="The mean of the buffer is sum_j w_j G_j over j < k with w_j = alpha beta^(k-1-j) / (1 - "
    "beta^k). The squares of the weights sum to alpha (1 + beta^k) / ((1 + beta) (1 - beta^k)), noises "
    "of different steps are orthogonal on average, and |n|_{i*} <= rho_i |n|_F. G_j without noise "
    "differs from the gradient at x_k by L_i radius_i (k - j) at most; ages k - 1 - j have the mean beta "
    "/ alpha for k = inf and less before, and at most (k - 1) / 2, for weights fall with age.",
    mutants=(
        Mutant(
            "noise averages out in the dual norm as in the Euclidean one",
            SIGNS,
            {
                "parameters": plain(sp.Float(1e-9), sp.Rational(1, 2)),
                "bound": layer_sum(sigma_i * left_over(k - 1) + L_i * radius_i * (1 + AGES)),
            },
            steps=1,
        ),
        Mutant(
            "the noise of a buffer without a start, sqrt(alpha/(2-alpha)), from the first step on",
            SIGNS,
            {
                "parameters": plain(sp.Float(1e-9), sp.Rational(9, 10)),
                "bound": layer_sum(
                    rho_i * sigma_i * sp.sqrt(ALPHA / (1 + beta)) + L_i * radius_i * (1 + AGES)
                ),
            },
            steps=1,
        ),
        Mutant(
            "old gradients count as new ones",
            LONELY,
            {
                "parameters": plain(sp.Float(0.01), sp.Rational(9, 10)),
                "bound": layer_sum(rho_i * sigma_i * left_over(k - 1) + L_i * radius_i),
            },
            steps=8,
        ),
    ),
    tight=(Tight(SIGNS, 1.0, steps=1),),
)


def stochastic_bound(noise: Any = 1, drift: Any = 1, curvature: Any = 1) -> Any:
    """The bound of ``STOCHASTIC``, of which mutants leave something out."""
    each = 2 * rho_i * sigma_i * noise * avg(left_over(k)) + 2 * drift * L_i * radius_i * sp.Min(
        beta / ALPHA, (k - 1) / 4
    )
    return gap0 / k + layer_sum(radius_i * each + curvature * L_i * radius_i**2 / 2)


STOCHASTIC = Theorem(
    id="scion/stochastic",
    title="Unconstrained Scion: the mean of radius_i |grad_i f|_{i*} falls to noise, drift and curvature",
    source=SOURCE,
    method=Scion,
    parameters=plain((sp.sqrt(2 * gap0 / L_i), sp.sqrt(gap0 / L_i) / 8), (sp.Integer(0), sp.Rational(9, 10))),
    assumes=(LayerSmooth, LayerVariance),
    kind="mean",
    measured=avg(layer_sum(radius_i * gradnorm_i)),
    bound=stochastic_bound(),
    proof="f(X_next) <= f(X) - sum_i t_i g_i + 2 t_i |M_i - grad_i f|_{i*} + L_i t_i^2 / 2 with M the "
    "mean of the buffer, for the direction does not see its length. At step j its error is at most rho_i "
    "sigma_i left_over(j) + L_i t_i min(beta / alpha, j / 2) by the proof of scion/momentum-error, one "
    "gradient later.",
    mutants=(
        Mutant(
            "a step costs no curvature",
            TINY,
            {"parameters": plain(sp.Float(1.0), sp.Integer(0)), "bound": stochastic_bound(curvature=0)},
            steps=4,
        ),
        Mutant(
            "old gradients count as new ones",
            LONELY,
            {
                "parameters": plain(sp.Float(0.25), sp.Rational(99, 100)),
                "bound": stochastic_bound(drift=0),
            },
            steps=10,
        ),
        Mutant(
            "signs of gradients average noise out without momentum",
            SKEWED,
            {"parameters": plain(sp.Float(0.1), sp.Integer(0)), "bound": stochastic_bound(noise=0)},
            steps=8,
        ),
        Mutant(
            "the weights of the old and of the new gradient are exchanged",
            LONELY,
            {
                "parameters": plain(sp.Float(0.25), sp.Rational(99, 100)),
                "bound": stochastic_bound().xreplace({beta: ALPHA}),
            },
            steps=8,
        ),
    ),
    tight=(Tight(LONELY, 1.0, steps=1),),
)

THEOREMS = (MOMENTUM_ERROR, STOCHASTIC)
