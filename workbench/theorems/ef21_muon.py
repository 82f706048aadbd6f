"""EF21-Muon in the norms of the layers: gradients are small on average.

Ours, in the setting of arXiv:2510.00643; the constants there may differ. The letter beta of the paper is the
weight of the new gradient, 1 - beta here.
"""

import sympy as sp

from assumptions.layerwise.mean_smooth import MeanLayerSmooth
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.matrix_sum import MatrixSum
from problems.noise.skewed import SkewedNoise
from workbench.compressors import Identity, RandomSkip, RankK
from workbench.methods.ef21_muon import EF21Muon
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_sum, symbols
from workbench.theorem import Theorem

radius_i, beta, rho_i, n_terms, k = symbols("radius_i beta rho_i n_terms k")
L_i, L_mean_i, sigma_i, with_noise = symbols("L_i L_mean_i sigma_i with_noise")
q_server_i, q_worker_i, gradnorm_i, gap0 = symbols("q_server_i q_worker_i gradnorm_i gap0")

SOURCE = Source("arXiv:2510.00643", "DERIVED", "our theorem in the setting of the paper")

HALF = RandomSkip(0.5)
PLAIN = {
    "server_compressor": Identity(),
    "worker_compressor": Identity(),
    "contracts_in": "layers",
    "feedback": True,
}
SWEEP = {**PLAIN, "server_compressor": (HALF, Identity()), "worker_compressor": (HALF, RankK(1), Identity())}
UNIT = sp.sqrt(gap0 / (4 * L_i))
RADII = {"radius_i": (UNIT / 4, 8 * UNIT), "beta": (sp.Rational(1, 2), 0)}


def identity(m: int) -> tuple[tuple[float, ...], ...]:
    """The m x m identity."""
    return tuple(tuple(float(i == j) for j in range(m)) for i in range(m))


LINE = MatrixSum.one_layer((identity(1),) * 2, 1, linear=((1.0,), (-1.0,)), start=(0.25,))
"""(x - 1)^2 / 2 and (x + 1)^2 / 2, less 1/2: x^2 / 2 in the mean."""
NOISY_LINE = Noisy(LINE, SkewedNoise(0.3))
QUIET_LINE = Noisy(LINE, SkewedNoise(0.001))

q_lag = q_worker_i / (1 - q_worker_i)
MOVED_i = radius_i * (1 + q_server_i) / (1 - q_server_i)
"""Bound on E|W_next - W| in layer i."""
FORGOTTEN = beta / (1 - beta)
AVERAGED = 1 / ((1 - beta) * k) + sp.sqrt((1 - beta) / (1 + beta))
"""The mean over k steps of the root of the noise left in a momentum, over sigma, at most."""

DRIFT = L_i * radius_i * q_server_i / (1 - q_server_i)
MOMENTUM = FORGOTTEN * L_i * MOVED_i
LAG = q_lag * L_mean_i * MOVED_i
BOUND = gap0 / k + layer_sum(L_i * radius_i**2 / 2 + 2 * radius_i * (DRIFT + MOMENTUM + LAG))
UNCOMPRESSED = gap0 / k + layer_sum(L_i * radius_i**2 / 2 + 2 * radius_i * FORGOTTEN * L_i * radius_i)
OF_NOISE = AVERAGED / sp.sqrt(n_terms) + q_lag * (1 - beta) * (1 + AVERAGED)
NOISE = layer_sum(2 * radius_i * rho_i * sigma_i * OF_NOISE)
MEASURED = avg(layer_sum(radius_i * gradnorm_i))

PROOF = (
    "Layer by layer. A = |X - W|: E A_next <= q_server (A + radius), and E|W_next - W| <= (1 + q_server) "
    "(A + radius); from A = 0, A <= radius q_server / (1 - q_server) and |W_next - W| <= dW = radius "
    "(1 + q_server) / (1 - q_server) in expectation. M = mean_j M_j less grad f(W) is a sum of "
    "beta^i (grad f(W_before) - grad f(W)), i = 1, 2, ..., at most beta/(1 - beta) L dW"
)
OF_LAG = (
    "mean_j |G_j - M_j| <= q_worker mean_j (|G_j_before - M_j_before| + (1 - beta) |g_j - M_j_before|), "
    "where g_j - M_j_before is grad f_j(W) - grad f_j(W_before), at most L_mean dW in the mean over j, and "
    "the error of M_j_before"
)
DESCENT = (
    "f(X_next) <= f(X) - sum_i radius_i |grad_i f(X)| + 2 sum_i radius_i |mean_j G_j - grad_i f(X)| + "
    "sum_i L_i radius_i^2 / 2; the distance is at most lag + error of M + L A. Sum over the steps."
)

LAYERS = Theorem(
    id="ef21-muon/layers",
    title="Compressors that shrink errors in the norms of the layers: gradients are small on average",
    source=SOURCE,
    method=EF21Muon,
    parameters={**RADII, **SWEEP},
    assumes=(LayerSmooth, MeanLayerSmooth),
    requires=sp.Eq(with_noise, 0),
    when=k >= 1,
    measured=MEASURED,
    bound=BOUND,
    kind="mean",
    proof=f"{PROOF}. {OF_LAG}, beta/(1 - beta) L_mean dW in the mean: together q_worker / (1 - q_worker) "
    "L_mean dW. " + DESCENT,
    mutants=(
        Mutant(
            "without the smoothness along the step",
            LINE,
            {
                "parameters": {"radius_i": sp.Integer(1), "beta": 0, **PLAIN},
                "bound": gap0 / k,
            },
            steps=20,
        ),
        Mutant(
            "the bound without compression",
            LINE,
            {
                "parameters": {
                    "radius_i": sp.Rational(1, 4),
                    "beta": 0,
                    **PLAIN,
                    "server_compressor": HALF,
                    "worker_compressor": HALF,
                },
                "bound": UNCOMPRESSED,
            },
            steps=60,
        ),
    ),
    tight=(Tight(LINE, 0.9696969697, steps=4),),
)

LAYERS_NOISE = Theorem(
    id="ef21-muon/layers-noise",
    title="The same with noise, of which the averaged part falls with the root of the number of workers",
    source=SOURCE,
    method=EF21Muon,
    parameters={**RADII, **SWEEP},
    assumes=(LayerSmooth, MeanLayerSmooth, LayerVariance),
    requires=with_noise > 0,
    when=k >= 1,
    measured=MEASURED,
    bound=BOUND + NOISE,
    kind="mean",
    proof=f"{PROOF}, and a sum of independent noise, of length at most (beta^k + ((1 - beta)/(1 + "
    f"beta))^(1/2)) sigma / n^(1/2), rho times that in the dual norm. {OF_LAG}, without the "
    "root of n, and the noise of g_j. " + DESCENT,
    mutants=(
        Mutant(
            "without the noise",
            NOISY_LINE,
            {"parameters": {"radius_i": sp.Rational(1, 50), "beta": 0, **PLAIN}, "bound": BOUND},
            steps=100,
        ),
        Mutant(
            "a quarter of the noise",
            NOISY_LINE,
            {"parameters": {"radius_i": sp.Rational(1, 50), "beta": 0, **PLAIN}, "bound": BOUND + NOISE / 4},
            steps=400,
        ),
    ),
    tight=(Tight(QUIET_LINE, 0.9320599985, steps=3),),
)

THEOREMS = (LAYERS, LAYERS_NOISE)
