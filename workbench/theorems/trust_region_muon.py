"""Extrapolated momentum under a Lipschitz Hessian: ours, in the setting of arXiv:2503.12645."""

import sympy as sp

from assumptions import AffineGradient
from assumptions.layerwise.hessian_lipschitz import LayerHessianLipschitz
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.link_matrix import LinkMatrix
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.trust_region_muon import TrustRegionMuon
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_sum, symbols
from workbench.theorem import Theorem

radius_i, beta, with_noise, n_terms, k = symbols("radius_i beta with_noise n_terms k")
rho_i, L_i, L_h_i, sigma_i = symbols("rho_i L_i L_h_i sigma_i")
gap0, gradnorm_i, lag_i_next = symbols("gap0 gradnorm_i lag_i_next")

SOURCE = Source("arXiv:2503.12645", "DERIVED", "our theorem in the setting of the paper")

LINE = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
STILL = Noisy(LINE, SignNoise(1e-9))
FAIR = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.05,)), SignNoise(1.0))
WAVE = LinkMatrix("cosine", 1, 1, (1.0,), seed=None, start=(1.5,))
RIPPLE = Noisy(LinkMatrix("cosine", 1, 1, (1.0,), seed=None, start=(0.5,)), SignNoise(1e-9))

alpha = 1 - beta
LAG_i = beta * L_h_i * radius_i**2 / (2 * alpha**2)
"""How far the momentum is from the gradient without noise."""
OF_NOISE_i = 2 * radius_i * rho_i * sigma_i * ((1 - beta**k) / (alpha * k) + sp.sqrt(alpha / (1 + beta)))
OF_STEP_i = L_i * radius_i**2 / 2

REACH = sp.sqrt(2 * gap0 / layer_sum(L_i))
HALF = sp.Rational(1, 2)

EXPANSION = (
    "With E = M - grad f(x), g = grad_i f and D = X_i_next - X_i: E_next = beta E + beta (g(x) - g(x_next)) "
    "+ alpha (g(y_next) - g(x_next)) + noise. Expand both brackets at x_next: -H D and H (beta / alpha) D, "
    "which cancel with the weights beta and alpha, and remainders of at most L_h_i radius_i^2 / 2 and "
    "L_h_i (beta / alpha)^2 radius_i^2 / 2. So a step adds at most beta L_h_i radius_i^2 / (2 alpha), and "
    "all of them, weighed by 1, beta, beta^2, ..., at most beta L_h_i radius_i^2 / (2 alpha^2). "
)

NO_LAG = Theorem(
    id="trust-region-muon/affine",
    title="Exact gradients of a quadratic: the extrapolated momentum is the gradient",
    source=SOURCE,
    method=TrustRegionMuon,
    parameters={"radius_i": (REACH / 8, REACH), "beta": (HALF, 0.9), "minibatch": n_terms},
    assumes=(AffineGradient, LayerSmooth),
    requires=with_noise < 1,
    measured=layer_sum(lag_i_next),
    bound=0,
    proof=EXPANSION + "The Hessian is constant: no remainders.",
    mutants=(Mutant("of any smooth function", WAVE, {"assumes": (LayerSmooth,)}, steps=5),),
)

LAG = Theorem(
    id="trust-region-muon/lag",
    title="Exact gradients: the lag of the extrapolated momentum is of second order in the radius",
    source=SOURCE,
    method=TrustRegionMuon,
    parameters={"radius_i": (REACH / 8, REACH), "beta": (HALF, 0.9), "minibatch": n_terms},
    assumes=(LayerSmooth, LayerHessianLipschitz),
    requires=with_noise < 1,
    measured=layer_sum(lag_i_next),
    bound=layer_sum(LAG_i),
    proof=EXPANSION,
    mutants=(
        Mutant(
            "without the second division by alpha",
            WAVE,
            {
                "parameters": {"radius_i": 0.02, "beta": 0.9, "minibatch": 1},
                "bound": layer_sum(alpha * LAG_i),
            },
            steps=40,
        ),
    ),
    tight=(Tight(WAVE, 0.7663185542, steps=50),),
)

STOCHASTIC = Theorem(
    id="trust-region-muon/stochastic",
    title="Extrapolated momentum: the drift in the bound is radius^3 / alpha^2, not radius^2 / alpha",
    source=SOURCE,
    method=TrustRegionMuon,
    parameters={"radius_i": REACH, "beta": (0, 0.9), "minibatch": 1},
    assumes=(LayerSmooth, LayerHessianLipschitz, LayerVariance),
    measured=avg(layer_sum(radius_i * gradnorm_i)),
    bound=gap0 / k + layer_sum(OF_NOISE_i + 2 * radius_i * LAG_i + OF_STEP_i),
    kind="mean",
    proof="f(x_next) <= f(x) - sum_i radius_i |grad_i f|_* + 2 sum_i radius_i |E_i|_* + "
    "sum_i L_i radius_i^2 / 2. " + EXPANSION + "The noise in E_i at step j has variance at most "
    "sigma_i^2 (beta^(2j) + (1 - beta) / (1 + beta)) in Euclidean length, the dual norm at most rho_i times "
    "that. Sum over j < k.",
    mutants=(
        Mutant(
            "without noise",
            FAIR,
            {
                "parameters": {"radius_i": 0.01, "beta": 0, "minibatch": 1},
                "bound": gap0 / k + layer_sum(2 * radius_i * LAG_i + OF_STEP_i),
            },
            steps=8,
        ),
        Mutant(
            "without the lag",
            RIPPLE,
            {
                "parameters": {"radius_i": 0.3, "beta": 0.95, "minibatch": 1},
                "bound": gap0 / k + layer_sum(OF_NOISE_i + OF_STEP_i),
            },
            steps=8,
        ),
    ),
    tight=(Tight(STILL, 0.999999996, steps=1),),
)

THEOREMS = (NO_LAG, LAG, STOCHASTIC)
