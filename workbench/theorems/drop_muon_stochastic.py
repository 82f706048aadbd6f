"""Drop-Muon with momentum and lengths that stay the same, with proofs."""

from dataclasses import replace

import sympy as sp

from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems import LayerSum
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.noise.skewed import SkewedNoise
from workbench.layer_laws import RPT, Full
from workbench.methods.drop_muon import DropMuon
from workbench.orthogonal.exact import Exact
from workbench.parts import Mutant, Tight
from workbench.symbols import avg, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.drop_muon import ALONE, LAWS, source, square

p, g, k, gap0, with_noise, n_terms = symbols("p_i gradnorm_i k gap0 with_noise n_terms")
radius, beta, L, sigma, rho = symbols("radius_i beta L_i sigma_i rho_i")

PLAIN = {"minibatch": sp.Integer(1), "orthogonaliser": Exact()}
HALF = sp.Rational(1, 2)
MEASURED = avg(layer_sum(p * radius * g))
DRIFT = 2 * beta / (1 - beta) + HALF
"""Half for the step itself, the rest for the gradients of earlier steps in the momentum."""
MOVES = layer_sum(p * L * radius**2 * DRIFT)
LASTING = sp.sqrt((1 - beta) / (1 + beta))
NOISE = layer_sum(2 * radius * rho * sigma * (1 / ((1 - beta) * k) + p * LASTING))

DESCENT = (
    "Smoothness and <M_i, dir_i(M_i)> = |M_i|_{i*} give, with E_i = M_i - grad_i f after the update, "
    "f(x_next) <= f(x) + sum_{i in S} (-radius_i g_i + 2 radius_i |E_i|_{i*} + L_i radius_i^2 / 2). S is "
    "independent of the past: the mean of the first terms is -sum_i p_i radius_i E g_i. grad_i f depends on "
    "X_i alone, which moves by radius_i in each update: D = (grad_i f at one update) - (at the next) has "
    "|D|_{i*} <= L_i radius_i. "
)

QUIET = LayerSum((square(), square()), start=(0.5, 0.5))
SHORT = {"radius_i": sp.Rational(1, 100), "beta": sp.Integer(0), "law": RPT(), **PLAIN}

EXACT = Theorem(
    id="drop-muon/fixed-lengths",
    title="Exact gradients, momentum, fixed lengths: the mean of sum_i p_i radius_i g_i",
    source=source(),
    method=DropMuon,
    parameters={
        "radius_i": (1 / (1 + L), 1 / (10 * (1 + L))),
        "beta": (sp.Integer(0), HALF),
        "law": LAWS,
        **PLAIN,
    },
    assumes=(LayerSmooth,),
    requires=sp.And(with_noise < 1, n_terms < 2),
    when=k >= 1,
    measured=MEASURED,
    bound=gap0 / k + MOVES,
    kind="mean",
    proof=DESCENT
    + "At update m of layer i, counted from 0, E_i = sum_{1 <= j <= m} beta^(m - j + 1) D_j, at "
    "most L_i radius_i beta / (1 - beta) long. Add up over the steps: layer i is updated p_i k times in the "
    "mean.",
    mutants=(
        Mutant(
            "without the square of the lengths",
            QUIET,
            {
                "bound": gap0 / k,
                "parameters": {"radius_i": sp.Integer(1), "beta": sp.Integer(0), "law": RPT(), **PLAIN},
            },
            steps=8,
        ),
        Mutant(
            "without the drift of the momentum",
            LayerSum((square(), square()), start=(1.0, 1.0)),
            {
                "bound": gap0 / k + layer_sum(p * L * radius**2) / 2,
                "parameters": {
                    "radius_i": sp.Rational(1, 10),
                    "beta": sp.Rational(99, 100),
                    "law": Full(),
                    **PLAIN,
                },
            },
            steps=17,
        ),
        Mutant(
            "every layer counts as if it were updated",
            LayerSum((square(), square()), start=(3.0, 0.0)),
            {
                "measured": avg(layer_sum(radius * g)),
                "parameters": {"radius_i": HALF, "beta": sp.Integer(0), "law": RPT((0.05, 0.95)), **PLAIN},
            },
            steps=5,
        ),
    ),
    tight=(
        # two steps of 1 / (1 + L) reach the minimiser, and both lose just L radius^2 / 2
        Tight(ALONE, 1.0, steps=2),
        Tight(LayerSum((square(), square()), start=(0.25, 0.25)), 21 / 22, steps=7),
    ),
)

STOCHASTIC = Theorem(
    id="drop-muon/stochastic",
    title="Stochastic gradients, momentum, fixed lengths: the mean of sum_i p_i radius_i g_i",
    source=source("of the kind of the stochastic versions of Theorems 4.1 and 4.2"),
    method=DropMuon,
    parameters={"radius_i": 1 / (10 * (1 + L)), "beta": (sp.Integer(0), HALF), "law": LAWS, **PLAIN},
    assumes=(LayerSmooth, LayerVariance),
    when=k >= 1,
    measured=MEASURED,
    bound=gap0 / k + NOISE + MOVES,
    kind="mean",
    proof=DESCENT
    + "At update m of layer i, counted from 0, with n_j the noise of update j, E_i = beta^m n_0 + (1 - "
    "beta) sum_{1 <= j <= m} beta^(m - j) n_j + sum_{1 <= j <= m} beta^(m - j + 1) D_j. S is independent of "
    "the noise, whose terms are orthogonal in the mean: E|beta^m n_0 + ...|_2 <= sigma_i (beta^m + sqrt((1 "
    "- beta) / (1 + beta))), and |.|_{i*} <= rho_i |.|_2. Over the updates beta^m adds up to at most 1 / (1 "
    "- beta), the rest to their number, p_i k in the mean.",
    mutants=(
        Mutant(
            "without the noise",
            Noisy(replace(QUIET, start=(0.005, 0.005)), SkewedNoise(1.0, (1.0, 1.0))),
            {"bound": gap0 / k + MOVES, "parameters": SHORT},
            steps=5,
        ),
    ),
    tight=(Tight(Noisy(replace(QUIET, start=(0.025, 0.025)), SignNoise(1e-4)), 0.9312443526308489, steps=5),),
)

THEOREMS = (EXACT, STOCHASTIC)
