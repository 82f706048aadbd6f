"""EF21-Muon with compressors that shrink errors in Euclidean norms, whatever the norms of the layers.

Ours, in the setting of arXiv:2510.00643; the constants there may differ. It needs Euclidean constants alone,
so it covers layers that act on one another.
"""

from typing import Any

import sympy as sp

from assumptions import Smooth
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.sums.average_smooth import AverageSmooth
from problems.calculus.noisy import Noisy
from problems.noise.skewed import SkewedNoise
from problems.quadratic import Quadratic
from problems.quadratic_sum import QuadraticSum
from workbench.compressors import RandK, RankK, TopK
from workbench.methods.ef21_muon import EF21Muon
from workbench.parts import Mutant, Tight
from workbench.symbols import layer_max, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.ef21_muon import AVERAGED, FORGOTTEN, LINE, MEASURED, PLAIN, QUIET_LINE, SOURCE

radius_i, beta, rho_i, n_terms, k = symbols("radius_i beta rho_i n_terms k")
L, L_avg, sigma, with_noise = symbols("L L_avg sigma with_noise")
q_server_i, q_worker_i, gap0 = symbols("q_server_i q_worker_i gap0")

ROTATED = QuadraticSum(
    (((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),) * 3,
    ((3.0, -2.0, -2.0), (-2.0, 3.0, -2.0), (-2.0, -2.0, 3.0)),
    start=(0.0, 0.0, 0.0),
)
"""Three workers with gradients x + (-3, 2, 2) and its rotations: the largest entries hide the mean."""
PARABOLA = Quadratic((1.0,), (0.0,), seed=None, start=(1.0,))
"""One number is not compressed, and of x^2 / 2 every step loses just L radius^2 / 2; after 11 of them no gap
is left."""
NOISY_LINE = Noisy(LINE, SkewedNoise(0.3))

EUCLIDEAN = {**PLAIN, "contracts_in": "frobenius"}
TOP = {**EUCLIDEAN, "worker_compressor": TopK(1)}
BOTH = {**TOP, "server_compressor": TopK(1)}
SWEEP = {**EUCLIDEAN, "server_compressor": (TopK(1), RankK(1)), "worker_compressor": (TopK(2), RandK(1))}

q_server, q_worker = layer_max(q_server_i), layer_max(q_worker_i)
LENGTH = sp.sqrt(layer_sum((rho_i * radius_i) ** 2))
"""Bound on the Euclidean length of a step."""
MOVED = LENGTH * (1 + q_server) / (1 - q_server)
Q_LAG = q_worker / (1 - q_worker)
UNIT = sp.sqrt(gap0 / (4 * L)) / rho_i
RADII = {"radius_i": (UNIT / 4, 8 * UNIT), "beta": (sp.Rational(1, 2), 0)}

FIRST = gap0 / k + L * LENGTH**2 / 2
ERRORS = L * LENGTH * q_server / (1 - q_server) + FORGOTTEN * L * MOVED + Q_LAG * L_avg * MOVED
BOUND = FIRST + 2 * LENGTH * ERRORS
UNCOMPRESSED = FIRST + 2 * LENGTH * FORGOTTEN * L * LENGTH
NOISE = 2 * LENGTH * sigma * (AVERAGED / sp.sqrt(n_terms) + Q_LAG * (1 - beta) * (1 + AVERAGED))

PROOF = (
    "As ef21-muon/layers, all lengths Euclidean: |X_next - X|_2 <= (sum_i (rho_i radius_i)^2)^(1/2), for "
    "|Z|_2 <= rho_i |Z|_i by duality; E|C(z) - z|_2 <= max_i q_i |z|_2 over all layers; the mean over j of "
    "|grad f_j(W) - grad f_j(W_before)|_2 is at most its root mean square, L_avg |W - W_before|_2; and "
    "sum_i radius_i |e_i|_{i*} <= sum_i radius_i rho_i |e_i|_2 <= LENGTH |e|_2 for e = mean_j G_j - "
    "grad f(X)."
)


def fixed(radius: Any, options: dict) -> dict:
    """One radius, no momentum."""
    return {"radius_i": sp.Rational(radius), "beta": 0, **options}


FROBENIUS = Theorem(
    id="ef21-muon/frobenius",
    title="Compressors that shrink Euclidean errors: small gradients on average, in any norms of layers",
    source=SOURCE,
    method=EF21Muon,
    parameters={**RADII, **SWEEP},
    assumes=(Smooth, AverageSmooth),
    requires=sp.Eq(with_noise, 0),
    when=k >= 1,
    measured=MEASURED,
    bound=BOUND,
    kind="mean",
    proof=PROOF,
    mutants=(
        Mutant(
            "without error feedback",
            ROTATED,
            {"parameters": fixed(sp.Rational(1, 100), {**TOP, "feedback": False})},
            steps=200,
        ),
        Mutant(
            "the bound without compression",
            ROTATED,
            {"parameters": fixed(sp.Rational(1, 100), BOTH), "bound": UNCOMPRESSED},
            steps=250,
        ),
    ),
    tight=(Tight(PARABOLA, 0.9992919926, steps=11), Tight(ROTATED, 0.7081731695, steps=20)),
)

FROBENIUS_NOISE = Theorem(
    id="ef21-muon/frobenius-noise",
    title="The same with noise, of which the averaged part falls with the root of the number of workers",
    source=SOURCE,
    method=EF21Muon,
    parameters={**RADII, **SWEEP},
    assumes=(Smooth, AverageSmooth, BoundedVariance),
    requires=with_noise > 0,
    when=k >= 1,
    measured=MEASURED,
    bound=BOUND + NOISE,
    kind="mean",
    proof=PROOF + " Noise as in ef21-muon/layers-noise, sigma that of all layers together.",
    mutants=(
        Mutant(
            "without the noise",
            NOISY_LINE,
            {"parameters": fixed(sp.Rational(1, 50), EUCLIDEAN), "bound": BOUND},
            steps=100,
        ),
    ),
    tight=(Tight(QUIET_LINE, 0.9320599985, steps=3),),
)

THEOREMS = (FROBENIUS, FROBENIUS_NOISE)
