"""AdaGO: ours, in the setting of arXiv:2509.02981; the theorems there may differ. Any norms, any layers."""

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from assumptions.norms import Lp
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.adago import AdaGO
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, best, layer_max, layer_sum, symbols
from workbench.theorem import Theorem

eta, eps, gamma, v0, beta, k = symbols("eta eps gamma v0 beta k")
with_noise, n_layers, n_terms, rho_i, rho_low_i = symbols("with_noise n_layers n_terms rho_i rho_low_i")
L0_descent_i, L1_descent_i, L_i, sigma_i = symbols("L0_descent_i L1_descent_i L_i sigma_i")
gap0, gradnorm0, gradnorm_i, v_i, v_i0, clipped_i = symbols("gap0 gradnorm0 gradnorm_i v_i v_i0 clipped_i")

SOURCE = Source("arXiv:2509.02981", "DERIVED", "our theorem in the setting of the paper")

LINE = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
SQUARE = SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, start=(2.0, 0.0, 0.0, 2.0))
NEAR = SpectralQuadratic(((1.0,),), 1, start=(0.25,))
WIDE = SpectralQuadratic(((1.0,),), 64, Lp(1), start=(1.0,) * 64)
"""|x|^2 / 2 in 64 dimensions, steps along one entry at a time: the dual norm is an eighth of the length."""
SMALL_START = SpectralQuadratic(((1.0,),), 1, start=(0.001,))
STILL = Noisy(LINE, SignNoise(1e-9))
FAIR = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.1,)), SignNoise(1.0))

EXACT = sp.And(with_noise < 1, layer_max(L1_descent_i) <= 0)
"""Exact gradients and a quadratic bound."""

REACH = sp.sqrt(2 * gap0 / layer_sum(L0_descent_i))
SQUARES = eps**2 * k + 2 * eta**2 * sp.log(v_i / v_i0)
"""At least the sum of the squared radii of a layer."""

DESCENT = (
    "f(x_next) <= f(x) - sum_i a_i |grad_i f|_* + sum_i L_i a_i^2 / 2, as <G_i, dir_i(G_i)> = |G_i|_*. With "
    "c = min(|G_i|, gamma): a_i^2 <= eps^2 + eta^2 c^2 / v_i^2, and c^2 / v_i^2 <= "
    "log(v_i^2 / (v_i^2 - c^2)) sums to 2 log(v_i / v_i0). "
)

FIXED = {"beta": 0, "minibatch": n_terms, "gamma": gradnorm0, "v0": gradnorm0}

DETERMINISTIC = Theorem(
    id="adago/deterministic",
    title="Exact gradients: their dual norms fall on average like 1 / (eps k) + eps, up to a logarithm",
    source=SOURCE,
    method=AdaGO,
    parameters={"eps": (REACH, REACH / 8), "eta": (eps / 1000, 4 * eps), **FIXED},
    assumes=(BlockDescent,),
    requires=sp.And(EXACT, eps > 0),
    measured=avg(layer_sum(gradnorm_i)),
    bound=(gap0 + layer_sum(L0_descent_i * SQUARES) / 2) / (eps * k),
    proof=DESCENT + "Sum over j < k, and a_i >= eps.",
    mutants=(
        Mutant(
            "without L eps / 2",
            NEAR,
            {
                "parameters": {"eps": 0.5, "eta": 0.01, "gamma": 1, "v0": 1, "beta": 0, "minibatch": 1},
                "bound": (gap0 + layer_sum(L0_descent_i * (SQUARES - eps**2 * k)) / 2) / (eps * k),
            },
            steps=1000,
        ),
        Mutant(
            "the largest constant in place of their sum",
            SQUARE,
            {"bound": gap0 / (eps * k) + layer_max(L0_descent_i) * layer_max(SQUARES) / (4 * eps * k)},
            steps=1,
        ),
    ),
    tight=(Tight(LINE, 0.999999653427, steps=1), Tight(SQUARE, 0.999999653427, steps=1)),
)

GROWTH = Theorem(
    id="adago/growth",
    title="Exact gradients, eps = 0: the accumulated lengths stay bounded whatever the stepsize",
    source=SOURCE,
    method=AdaGO,
    parameters={"eps": 0, "eta": (REACH / 8, REACH, 8 * REACH), **FIXED},
    assumes=(BlockDescent,),
    requires=EXACT,
    measured=eta * layer_sum(rho_low_i * (v_i - v_i0)),
    bound=gap0 + eta**2 * layer_sum(L0_descent_i * sp.log(v_i / v_i0)),
    proof=DESCENT + "Here a_i = eta c / v_i, |G_i|_* >= rho_low_i |G_i| >= rho_low_i c, and c^2 / v_i = "
    "(v_i^2 - v_i,before^2) / v_i >= v_i - v_i,before.",
    mutants=(
        Mutant(
            "without the logarithm",
            LINE,
            {"parameters": {"eps": 0, "eta": 8, **FIXED}, "bound": gap0},
            steps=1,
        ),
        Mutant(
            "a third of the logarithm",
            SMALL_START,
            {
                "parameters": {"eps": 0, "eta": 1, "gamma": 100, "v0": 0.4, "beta": 0, "minibatch": 1},
                "bound": gap0 + eta**2 * layer_sum(L0_descent_i * sp.log(v_i / v_i0)) / 3,
            },
            steps=100,
        ),
        Mutant(
            "the dual norm is the length",
            WIDE,
            {
                "parameters": {"eps": 0, "eta": 1, "gamma": 1e9, "v0": 8, "beta": 0, "minibatch": 1},
                "measured": eta * layer_sum(v_i - v_i0),
            },
            steps=60,
        ),
    ),
    tight=(Tight(LINE, 0.5202821849, steps=50),),
)

WEIGHT_i = 2 * L0_descent_i * eta / (rho_low_i * v0)
PRICE_i = sp.Piecewise((L0_descent_i * eta * (sp.log(WEIGHT_i) - 1), sp.Gt(L0_descent_i, 0)), (0, True))
LIMIT = 2 * gap0 / eta + 2 * layer_sum(rho_low_i * v0 + PRICE_i)
"""At least the sum of rho_low_i v_i, for all steps."""

UNTUNED = Theorem(
    id="adago/untuned",
    title="Exact gradients, eps = 0: the best clipped length falls like 1 / sqrt(k) for every eta",
    source=SOURCE,
    method=AdaGO,
    parameters={"eps": 0, "eta": (REACH / 8, REACH, 8 * REACH), **FIXED},
    assumes=(BlockDescent,),
    requires=sp.And(EXACT, layer_max(-rho_low_i) < 0),
    measured=best(layer_sum(clipped_i**2)),
    bound=((LIMIT * layer_max(1 / rho_low_i)) ** 2 - n_layers * v0**2) / k,
    proof="adago/growth with log u <= u / w + log w - 1 at u = v_i / v_0 and w = 2 L_i eta / (rho_low_i v0): "
    "half of eta rho_low_i v_i stays on the left, so that sum_i rho_low_i v_i <= LIMIT, the bracket. The "
    "squares c^2 of a layer sum to v_i^2 - v0^2 over j < k, and sum_i v_i^2 <= (sum_i v_i)^2.",
    mutants=(
        Mutant(
            "without the logarithm",
            LINE,
            {
                "parameters": {"eps": 0, "eta": 30 * REACH, **FIXED},
                "bound": ((2 * gap0 / eta + 2 * v0) ** 2 - v0**2) / k,
            },
            steps=20,
        ),
        Mutant(
            "no price for a long step",
            LINE,
            {
                "parameters": {"eps": 0, "eta": 8 * REACH, **FIXED},
                "bound": ((gap0 / eta + v0) ** 2 - v0**2) / k,
            },
            steps=1,
        ),
    ),
    tight=(Tight(LINE, 0.2130197329, steps=1),),
)

alpha = 1 - beta
ROOT = sp.sqrt(eps**2 * k + eta**2 * sp.log(1 + gamma**2 * k / v0**2))
"""At least the Euclidean length of the radii of a layer, whatever the gradients."""
OF_NOISE_i = rho_i * sigma_i * (1 / sp.sqrt(1 - beta**2) + sp.sqrt(k * alpha / (1 + beta)))
OF_DRIFT_i = beta / alpha * L_i * ROOT
STOCHASTIC_BOUND = gap0 + 2 * ROOT * layer_sum(OF_NOISE_i + OF_DRIFT_i) + layer_sum(L_i) * ROOT**2 / 2

REACH_L = sp.sqrt(2 * gap0 / layer_sum(L_i))
NUMBERS = {"minibatch": 1, "eta": eps / 4, "gamma": gradnorm0, "v0": gradnorm0}

STOCHASTIC = Theorem(
    id="adago/stochastic",
    title="Noise: the mean dual norm of the gradient is bounded by the length of all radii, in expectation",
    source=SOURCE,
    method=AdaGO,
    parameters={"eps": (REACH_L, REACH_L / 8), "beta": (0, 0.9), **NUMBERS},
    assumes=(LayerSmooth, LayerVariance),
    requires=eps > 0,
    measured=avg(layer_sum(gradnorm_i)),
    bound=STOCHASTIC_BOUND / (eps * k),
    kind="mean",
    proof="With E = M - grad f(x): f(x_next) <= f(x) - sum_i a_i |grad_i f|_* + 2 sum_i a_i |E_i|_* + "
    "sum_i L_i a_i^2 / 2. The a_i of the first k steps have length at most R = ROOT, for v_i^2 <= v0^2 + "
    "k gamma^2, so by Cauchy and Schwarz sum a_i |E_i|_* <= R (sum |E_i|_*^2)^(1/2). E_i has a part of "
    "noise, of variance at most sigma_i^2 (beta^(2j) + (1 - beta) / (1 + beta)) at step j in Euclidean "
    "length, rho_i times that in the dual norm; and a part of drift, sum_l beta^(j - l + 1) (change of "
    "grad_i in step l), where the change is at most L_i a_i: its length over the steps is at most "
    "beta / (1 - beta) L_i R (Young). Finally a_i >= eps.",
    mutants=(
        Mutant(
            "without the drift of the momentum",
            STILL,
            {
                "parameters": {"eps": 0.1, "eta": 1e-3, "gamma": 1, "v0": 1, "beta": 0.99, "minibatch": 1},
                "bound": (gap0 + 2 * ROOT * layer_sum(OF_NOISE_i) + layer_sum(L_i) * ROOT**2 / 2) / (eps * k),
            },
            steps=1000,
        ),
        Mutant(
            "without noise",
            FAIR,
            {
                "parameters": {"eps": 0.01, "eta": 1e-4, "gamma": 1, "v0": 1, "beta": 0, "minibatch": 1},
                "bound": (gap0 + layer_sum(L_i) * ROOT**2 / 2) / (eps * k),
            },
            steps=6,
        ),
    ),
    tight=(Tight(STILL, 0.9787983915, steps=1),),
)

THEOREMS = (DETERMINISTIC, GROWTH, UNTUNED, STOCHASTIC)
