"""LANTON: a bound for momentum with any radii below given ones, in the setting of arXiv:2510.14009."""

import sympy as sp

from assumptions.column_norms import MaxColumn
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.layer_sum import LayerSum
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.lanton import LANTON
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_max, layer_sum, symbols
from workbench.theorem import Theorem

radius_i, beta, k = symbols("radius_i beta k")
rho_i, L_i, sigma_i = symbols("rho_i L_i sigma_i")
gap0, gradnorm0, gradnorm_i, used_i_next = symbols("gap0 gradnorm0 gradnorm_i used_i_next")

LINE = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
STILL = Noisy(LINE, SignNoise(1e-9))
FAIR = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.05,)), SignNoise(1.0))
NEAR = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.005,)), SignNoise(1e-9))
TWO_LAYERS = Noisy(
    LayerSum(
        (
            SpectralQuadratic(((1.0,),), 1, start=(1.0,)),
            SpectralQuadratic(((1.0, 0.0), (0.0, 3.0)), 1, norm=MaxColumn(2, 1), start=(1.0, 0.5)),
        )
    ),
    SignNoise(0.7),
)

alpha = 1 - beta
OF_NOISE_i = 2 * radius_i * rho_i * sigma_i * ((1 - beta**k) / (alpha * k) + sp.sqrt(alpha / (1 + beta)))
OF_DRIFT_i = 2 * beta / alpha * L_i * radius_i**2
OF_STEP_i = L_i * radius_i**2 / 2

REACH = sp.sqrt(2 * gap0 / layer_sum(L_i))
OTHERS = {"beta_h": 0.5, "noise_scale": gradnorm0, "minibatch": 1}
LITERAL = {"beta_h": 0.5, "noise_scale": 1, "minibatch": 1, "difference": "previous"}

ANY_RADII = Theorem(
    id="lanton/any-radii",
    title="Momentum with radii that depend on the gradients: radius times gradient is small on average",
    source=Source("arXiv:2510.14009", "DERIVED", "our theorem in the setting of the paper"),
    method=LANTON,
    parameters={
        "radius_i": REACH,
        "beta": (0, 0.9),
        "difference": ("previous", "fresh"),
        **OTHERS,
    },
    assumes=(LayerSmooth, LayerVariance),
    measured=avg(layer_sum(used_i_next * gradnorm_i)),
    bound=gap0 / k + layer_sum(OF_NOISE_i + OF_DRIFT_i + OF_STEP_i),
    kind="mean",
    proof="With E = M - grad f(x) and t_i <= radius_i: f(x_next) <= f(x) - sum_i t_i |grad_i f|_* + "
    "2 sum_i radius_i |E_i|_* + sum_i L_i radius_i^2 / 2, whatever t_i depends on. At step j the noise "
    "in E_i has variance at most sigma_i^2 (beta^(2j) + (1 - beta) / (1 + beta)) in Euclidean length, and "
    "its dual norm is at most rho_i times that; each step adds a drift of at most L_i radius_i, which beta, "
    "beta^2, ... weigh. Sum over j < k.",
    mutants=(
        Mutant(
            "without noise",
            FAIR,
            {
                "parameters": {"radius_i": 0.01, "beta": 0, **LITERAL},
                "bound": gap0 / k + layer_sum(OF_DRIFT_i + OF_STEP_i),
            },
            steps=8,
        ),
        Mutant(
            "without L radius^2 / 2",
            NEAR,
            {
                "parameters": {"radius_i": 1, "beta": 0, **LITERAL},
                "bound": gap0 / k + layer_sum(OF_NOISE_i + OF_DRIFT_i),
            },
            steps=4,
        ),
        Mutant(
            "without the drift of the momentum",
            STILL,
            {
                "parameters": {"radius_i": 0.1, "beta": 0.99, **LITERAL},
                "bound": gap0 / k + layer_sum(OF_NOISE_i + OF_STEP_i),
            },
            steps=20,
        ),
        Mutant(
            "the smoothness of the best layer alone",
            TWO_LAYERS,
            {
                "parameters": {"radius_i": 4, "beta": 0, **LITERAL},
                "bound": gap0 / k + layer_max(OF_NOISE_i) + layer_max(OF_STEP_i) / 3,
            },
            steps=2,
        ),
    ),
    tight=(Tight(STILL, 0.999999996, steps=1),),
)

THEOREMS = (ANY_RADII,)
