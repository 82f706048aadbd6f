"""Gluon with radii and momentum that change from step to step, and the rate that they reach; with proofs."""

import sympy as sp

from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems import LinkMatrix, Noisy, SignNoise, SkewedNoise
from workbench.claims import Recurrence
from workbench.methods.gluon import Gluon
from workbench.parts import Mutant, Tight
from workbench.symbols import avg, layer_sum, symbols, total
from workbench.theorem import Theorem
from workbench.theorems.gluon import scalar
from workbench.theorems.gluon_stochastic import DRIFT, LEMMA, ruled, source

L, L0, L1, sigma = symbols("L_i L0_i L1_i sigma_i")
g, rho, radius, beta, with_noise = symbols("gradnorm_i rho_i radius_i beta with_noise")
k, K, gap0 = symbols("k K gap0")
bound, spread, lag = symbols("bound spread lag")
"""Of the recursion: the bound; E of the squared weights of the noise in M; how far M lags behind."""

NEW = 1 / sp.sqrt(k + 1)
"""Weight of the new gradient in the schedule of the paper's Theorem 2."""
SHRINK = (k + 1) ** sp.Rational(-3, 4)
"""Its radii, over their first."""
SLOW_NEW, SLOW = sp.Rational(1, 2), 1 / sp.sqrt(k + 1)
"""Half of the new gradient at each step, radii like the root of 1/k."""


def accumulated(
    first: sp.Expr,
    smoothness: sp.Expr,
    weights: tuple[sp.Expr, sp.Expr],
    factor: int = 1,
    parts: tuple[int, int] = (1, 1),
) -> Recurrence:
    """The bound of the scheduled theorems, weights: alpha, that of the new gradient, and tau, of the radii.

    Radii are t_i tau with ``first`` = t_i. spread_0 = 1, spread_k = beta_k^2 spread_(k-1) + alpha_k^2;
    lag_0 = 0, lag_k = beta_k (lag_(k-1) + tau_(k-1)). The value at k is ``factor`` times gap0 + sum_{j < k}
    (2 sum_i t_i rho_i sigma_i tau_j sqrt(spread_j) + sum_i L_i t_i^2 (tau_j^2 / 2 + 2 tau_j lag_j)).
    ``parts``: what counts of noise and curvature, 1 or 0.
    """
    new, shrink = weights
    next_new = new.subs(k, k + 1)
    noise = 2 * parts[0] * layer_sum(first * rho * sigma) * shrink * sp.sqrt(spread)
    curve = parts[1] * layer_sum(smoothness * first**2) * (shrink**2 / 2 + 2 * shrink * lag)
    return Recurrence(
        start={"bound": factor * gap0, "spread": sp.Integer(1), "lag": sp.Integer(0)},
        update={
            "bound": bound + factor * (noise + curve),
            "spread": (1 - next_new) ** 2 * spread + next_new**2,
            "lag": (1 - next_new) * (lag + shrink),
        },
        value="bound",
    )


SCHEDULED = (
    LEMMA
    + "With weights alpha_j = 1 - beta_j and radii t_i tau_j the squared weights of n^0, ..., n^j in M^j "
    "add up to spread_j, and the differences of gradients come into M^j with lag_j times their constants at "
    "most. Add up tau_j times the inequality for step j. "
)
FIRST = sp.Rational(1, 5)
CAPPED = sp.Min(sp.Rational(1, 5), 1 / (6 * L1))
CALM = Noisy(scalar(0.05), SignNoise(1e-6))
NEXT_TO = Noisy(scalar(0.2), SignNoise(1e-6))
"""x^2 / 2 as far from 0 as the first radius: the first step arrives, and loses just L radius^2 / 2."""
SKEWED = Noisy(scalar(1.0), SkewedNoise(1.0))
WELL = Noisy(LinkMatrix("cosh", 1, 1, (1.0,), start=(0.05,)), SignNoise(1e-6))


def smooth_schedule(name: str, title: str, new: sp.Expr, shrink: sp.Expr) -> Theorem:
    """The theorem for layers smooth in their norms."""
    return Theorem(
        id=f"gluon/{name}",
        title=title,
        source=source("Theorem 2; radii and weights of any schedule, with explicit constants"),
        method=Gluon,
        parameters=ruled(FIRST * shrink, 1 - new),
        assumes=(LayerSmooth, LayerVariance),
        requires=with_noise > 0,
        measured=total(layer_sum(radius * g)),
        bound=accumulated(FIRST, L, (new, shrink)),
        kind="mean",
        proof=SCHEDULED + "The constants are L_i: every step is charged L_i t_i tau_j.",
        mutants=(
            Mutant(
                "without the noise",
                Noisy(scalar(0.005), SkewedNoise(1.1)),
                {"bound": accumulated(FIRST, L, (new, shrink), parts=(0, 1))},
                steps=12,
            ),
            Mutant(
                "without the curvature",
                CALM,
                {"bound": accumulated(FIRST, L, (new, shrink), parts=(1, 0))},
                steps=12,
            ),
        ),
        tight=(Tight(NEXT_TO, 0.99999, steps=1),),
    )


PAPER = smooth_schedule(
    "schedule",
    "Weights (k + 1)^(-1/2) and radii (k + 1)^(-3/4): the weighted sum of gradients, smooth layers",
    NEW,
    SHRINK,
)
STEADY = smooth_schedule(
    "schedule-steady",
    "Weight 1/2 and radii (k + 1)^(-1/2): the weighted sum of gradients, smooth layers",
    SLOW_NEW,
    SLOW,
)

BOTH = Theorem(
    id="gluon/schedule-l0l1",
    title="The schedule of weights (k + 1)^(-1/2) and radii (k + 1)^(-3/4) where layers are (L0, L1)-smooth",
    source=source("Theorem 2; first radii up to 1 / (6 L1), with explicit constants"),
    method=Gluon,
    parameters=ruled(CAPPED * SHRINK, 1 - NEW),
    assumes=(LocalLayerL0L1, LayerVariance),
    requires=with_noise > 0,
    measured=total(layer_sum(radius * g)),
    bound=accumulated(CAPPED, L0, (NEW, SHRINK), 2),
    kind="mean",
    proof=SCHEDULED + "The constants are L0_i + L1_i g_i^(j-1), so that t_i tau_j g_i^j has the factor F_j "
    "= 1 - L1_i t_i (tau_j / 2 + 2 T_(j+1)), T_j = sum_{m >= j} tau_m prod_{l=j..m} beta_l. As beta_l <= "
    "exp(-(l + 1)^(-1/2)), T_j <= tau_j sum_{m >= j} exp(-2 (sqrt(m + 2) - sqrt(j + 1))) <= tau_j (sqrt(j + "
    "1) + 1/2), by the integral of a decreasing function. tau_j / 2 + 2 tau_(j+1) (sqrt(j + 2) + 1/2) falls "
    "with j and is below 2.78 at j = 0. So L1_i t_i <= 1/6 gives F_j > 1/2.",
    mutants=(
        Mutant(
            "without the curvature",
            WELL,
            {"bound": accumulated(CAPPED, L0, (NEW, SHRINK), 2, (1, 0))},
            steps=12,
        ),
    ),
    tight=(Tight(NEXT_TO, 0.499995, steps=1), Tight(WELL, 0.26562236825510976, steps=10)),
)

HORIZON_ALPHA = 1 / sp.sqrt(K)
HORIZON_RADIUS = K ** sp.Rational(-3, 4)

RATE = Theorem(
    id="gluon/rate",
    title="With alpha = K^(-1/2) and radii K^(-3/4) the mean gradient falls like K^(-1/4)",
    source=source("the rate of Theorem 2, for constant weights and radii"),
    method=Gluon,
    parameters=ruled(HORIZON_RADIUS, 1 - HORIZON_ALPHA),
    assumes=(LayerSmooth, LayerVariance),
    requires=with_noise > 0,
    measured=avg(layer_sum(g)),
    bound=gap0 / (HORIZON_RADIUS * k)
    + layer_sum(2 * rho * sigma) * (1 / (HORIZON_ALPHA * k) + sp.sqrt(HORIZON_ALPHA / (2 - HORIZON_ALPHA)))
    + layer_sum(L) * HORIZON_RADIUS * DRIFT,
    kind="slope",
    exponent=-0.25,
    proof="gluon/stochastic divided by the radius: gap0 K^(-1/4), rho sigma (2 K^(-1/2) + 2 K^(-1/4)) and L "
    "K^(-3/4) (2 K^(1/2) + 1/2) at most.",
    mutants=(
        Mutant(
            "the rate of known gradients, with their radii and without a momentum",
            SKEWED,
            {
                "parameters": ruled(1 / sp.sqrt(K), sp.Integer(0)),
                "bound": gap0 / sp.sqrt(K) + layer_sum(L) / (2 * sp.sqrt(K)),
                "exponent": -0.5,
            },
            steps=1000,
        ),
    ),
    tight=(Tight(SKEWED, -0.25, steps=1000),),
)

THEOREMS = (PAPER, STEADY, BOTH, RATE)
