"""Gluon with constant radii: known gradients; stochastic ones on smooth or coupled layers; with proofs."""

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from assumptions.norms import Lp
from problems import CoupledQuadratic, LinkMatrix, Noisy, SignNoise, SkewedNoise, SpectralQuadratic
from workbench.methods.gluon import Gluon
from workbench.orthogonal import Exact
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_max, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.gluon import EXPONENTIAL, MIN, multiple_of_identity, scalar

L, L0, L1, h_sum, sigma = symbols("L_i L0_i L1_i h_sum_i sigma_i")
g, rho, radius, beta, with_noise = symbols("gradnorm_i rho_i radius_i beta with_noise")
k, gap0, n_terms = symbols("k gap0 n_terms")
L0_descent, L1_descent = symbols("L0_descent_i L1_descent_i")

ALPHA = 1 - beta
AVERAGED = 1 / (ALPHA * k) + sp.sqrt(ALPHA / (2 - ALPHA))
"""Mean over k steps of the size of the averaged noise, in units of sigma, at most."""
DRIFT = 2 * beta / ALPHA + sp.Rational(1, 2)
NOISE = layer_sum(2 * radius * rho * sigma) * AVERAGED
RADII = sp.Rational(1, 20)
BETAS = (sp.Rational(1, 2), sp.Integer(0))


def source(where: str = "") -> Source:
    """The paper; the bounds are proved here, for noise of bounded variance in the Euclidean norm."""
    return Source("arXiv:2505.13416", "DERIVED", where, "Gluon: Making Muon and Scion Great Again!")


def ruled(radius_rule: object, beta_rule: object = BETAS) -> dict[str, object]:
    """Rules of all fields of Gluon: one draw for each gradient."""
    return {
        "radius_i": radius_rule,
        "beta": beta_rule,
        "minibatch": sp.Integer(1),
        "orthogonaliser": Exact(),
    }


SKEWED = Noisy(scalar(0.005), SkewedNoise(1.1))
"""x^2 / 2 from near 0, gradients off by -1.1 three times of four."""
CALM = Noisy(scalar(1.0), SignNoise(1e-6))
ROUGH = Noisy(SpectralQuadratic(((1.0,),), 100, norm=Lp(float("inf")), start=(0.09,) * 100), SignNoise(1.0))
"""|x|^2 / 2 in 100 dimensions by signs: rho = 10, and each entry of the noise is 1/10 or -1/10."""
PAIR = Noisy(CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0)), SignNoise(1e-6))
HALVED = Noisy(LinkMatrix("exp", 1, 1, (1.0,), (5.0,), start=(0.0,)), SignNoise(1e-6))
"""e^(-5 x) with radius 1 / L1 = ln 2 / 5: each step halves f, where radius times gradient is ln 2 of it."""
STEEP = Noisy(LinkMatrix("cosh", 1, 1, (1.0,), start=(0.1,)), SkewedNoise(1.1))

KNOWN = {"beta": sp.Integer(0), "minibatch": n_terms, "orthogonaliser": Exact()}
"""Gradients without noise, no momentum."""

CONSTANT = Theorem(
    id="gluon/constant-radius",
    title="With constant radii up to 1 / L1 the mean gradient falls to the order of L0 times the radius",
    source=source("unconstrained Scion with known gradients"),
    method=Gluon,
    parameters={**KNOWN, "radius_i": (sp.Min(RADII, 1 / L1_descent), sp.Min(1, 1 / L1_descent) / 2)},
    assumes=(BlockDescent,),
    requires=(with_noise < 1) & (layer_max(L1_descent * radius) <= 1),
    measured=avg(layer_sum(radius * (1 - L1_descent * radius / 2) * g)),
    bound=gap0 / k + layer_sum(L0_descent * radius**2) / 2,
    proof=MIN + "Add up over the steps, divide by k.",
    mutants=(
        Mutant(
            "the gradients go to 0",
            scalar(0.005),
            {"parameters": {**KNOWN, "radius_i": sp.Integer(1)}, "bound": gap0 / k},
            steps=2,
        ),
        Mutant(
            "the largest eigenvalue where the spectral norm needs their sum",
            multiple_of_identity(3, 0.005),
            {
                "parameters": {**KNOWN, "radius_i": sp.Integer(1)},
                "bound": gap0 / k + layer_sum(L0_descent / rho**2 * radius**2) / 2,
            },
            steps=2,
        ),
        Mutant("without L1 radius / 2", EXPONENTIAL, {"measured": avg(layer_sum(radius * g))}, steps=100),
    ),
    tight=(Tight(multiple_of_identity(3, 0.05), 1.0, steps=20),),
)

LEMMA = (
    "Let n^k be the noise, E_i^k = M_i^k - grad_i f(X^k), alpha = 1 - beta. <M_i, dir_i(M_i)> = |M_i|_{i*}, "
    "so <grad_i f, X_i_next - X_i> <= -radius_i g_i + 2 radius_i |E_i|_{i*}. E^k = beta^k n^0 + alpha sum_{j "
    ">= 1} beta^(k-j) n^j + sum_{j >= 1} beta^(k-j+1) (grad f(X^(j-1)) - grad f(X^j)). |.|_{i*} <= rho_i "
    "|.|_2, and in the Euclidean norm the n^j are orthogonal in the mean: the noise costs at most rho_i "
    "sigma_i (beta^k + sqrt(alpha / (2 - alpha))), on average over k steps rho_i sigma_i (1 / (alpha k) + "
    "sqrt(alpha / (2 - alpha))). "
)

SMOOTH = Theorem(
    id="gluon/stochastic",
    title="The mean gradient falls to the order of noise and radius, layers smooth in their norms",
    source=source("unconstrained Scion and Muon included; constant radii and momentum"),
    method=Gluon,
    parameters=ruled(RADII),
    assumes=(LayerSmooth, LayerVariance),
    requires=with_noise > 0,
    measured=avg(layer_sum(radius * g)),
    bound=gap0 / k + NOISE + layer_sum(L * radius**2) * DRIFT,
    kind="mean",
    proof=LEMMA
    + "The last sum is at most L_i radius_i beta / alpha. f(X_next) <= f(X) + <grad f(X), X_next - "
    "X> + sum_i L_i radius_i^2 / 2. Add up, divide by k.",
    mutants=(
        Mutant(
            "the noise of signs averages out without a momentum",
            SKEWED,
            {
                "parameters": ruled(sp.Rational(1, 20), sp.Integer(0)),
                "bound": gap0 / k + layer_sum(L * radius**2) * DRIFT,
            },
            steps=12,
        ),
        Mutant(
            "without rho: as if the dual norm of the noise were averaged like its length",
            ROUGH,
            {
                "parameters": ruled(sp.Rational(1, 100), sp.Integer(0)),
                "bound": gap0 / k
                + layer_sum(2 * radius * sigma) * AVERAGED
                + layer_sum(L * radius**2) * DRIFT,
            },
            steps=50,
        ),
        Mutant(
            "without the drift of the gradient under the momentum",
            CALM,
            {
                "parameters": ruled(sp.Rational(1, 10), sp.Rational(99, 100)),
                "bound": gap0 / k + NOISE + layer_sum(L * radius**2) / 2,
            },
            steps=15,
        ),
        Mutant(
            "without L radius / 2",
            Noisy(scalar(0.005), SignNoise(1e-6)),
            {
                "parameters": ruled(sp.Integer(1), sp.Integer(0)),
                "bound": gap0 / k + NOISE,
            },
            steps=4,
        ),
    ),
    tight=(Tight(Noisy(scalar(0.05), SignNoise(1e-6)), 0.9999200063994805, steps=10),),
)

BOTH = Theorem(
    id="gluon/stochastic-l0l1",
    title="Radii up to alpha / (L1 (4 - 3 alpha)) cost a factor of two where layers are (L0, L1)-smooth",
    source=source("constant radii and momentum"),
    method=Gluon,
    parameters=ruled(sp.Min(sp.Rational(1, 5), ALPHA / (L1 * (4 - 3 * ALPHA)))),
    assumes=(LocalLayerL0L1, LayerVariance),
    requires=(with_noise > 0) & (layer_max(L1 * radius) * (4 - 3 * ALPHA) <= ALPHA * (1 + 1e-12)),
    measured=avg(layer_sum(radius * g)),
    bound=2 * (gap0 / k + NOISE + layer_sum(L0 * radius**2) * DRIFT),
    kind="mean",
    proof=LEMMA + "The last sum is at most sum_j beta^(k-j+1) (L0_i + L1_i g_i^(j-1)) radius_i. f(X_next) <= "
    "f(X) + <grad f(X), X_next - X> + sum_i (L0_i + L1_i g_i) radius_i^2 / 2. In the sum over the steps "
    "radius_i g_i has the factor 1 - L1_i radius_i (1/2 + 2 beta / alpha) >= 1/2 at least.",
    mutants=(
        Mutant(
            "the noise of signs averages out without a momentum",
            STEEP,
            {
                "parameters": ruled(sp.Rational(1, 20), sp.Integer(0)),
                "bound": 2 * (gap0 / k + layer_sum(L0 * radius**2) * DRIFT),
            },
            steps=12,
        ),
    ),
    tight=(
        Tight(HALVED, 0.6924174849, steps=10),
        Tight(
            Noisy(LinkMatrix("cosh", 1, 1, (1.0,), start=(0.05,)), SignNoise(1e-6)),
            0.34608066153913386,
            steps=10,
        ),
    ),
)

COUPLED_BOUND = gap0 / k + NOISE + layer_sum(h_sum * radius**2) * DRIFT

COUPLED = Theorem(
    id="gluon/stochastic-coupled",
    title="Where layers act on one another the row sums of h take the place of the smoothness constants",
    source=source("constant radii and momentum; coupled layers, which the paper's assumption excludes"),
    method=Gluon,
    parameters=ruled(sp.Rational(1, 2) / (1 + h_sum)),
    assumes=(CoupledSmooth, LayerVariance),
    requires=with_noise > 0,
    measured=avg(layer_sum(radius * g)),
    bound=COUPLED_BOUND,
    kind="mean",
    proof=LEMMA
    + "With steps of lengths r_j the last sum is at most sum_j h_ij r_j beta / alpha, and f(X_next) "
    "<= f(X) + <grad f(X), X_next - X> + sum_ij h_ij r_i r_j / 2. sum_ij h_ij r_i r_j <= sum_i h_sum_i r_i^2 "
    "for a symmetric h, with equality for equal radii.",
    mutants=(
        Mutant(
            "a layer's own constant alone",
            PAIR,
            {
                "parameters": ruled(sp.Rational(1, 2), sp.Integer(0)),
                "bound": gap0 / k + NOISE + layer_sum(h_sum * radius**2) * DRIFT / 2,
            },
            steps=15,
        ),
        Mutant(
            "the weights of the old and of the new gradient are exchanged",
            PAIR,
            {
                "parameters": ruled(sp.Rational(1, 4), sp.Rational(99, 100)),
                "bound": COUPLED_BOUND.xreplace({beta: ALPHA}),
            },
            steps=8,
        ),
    ),
    tight=(Tight(PAIR, 0.9999985857884384, steps=10),),
)

THEOREMS = (CONSTANT, SMOOTH, BOTH, COUPLED)
