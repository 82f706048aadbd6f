"""Gluon with known gradients: every step, sums of steps, linear convergence; with proofs."""

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.pl import LayerPL
from problems import CoupledQuadratic, LayerSum, LinkMatrix, Quadratic, SpectralQuadratic
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.orthogonal import Exact
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, layer_max, layer_sum, symbols, total
from workbench.theorem import Theorem

L0, L1 = symbols("L0_descent_i L1_descent_i")
g, rho = symbols("gradnorm_i rho_i")
k, n_layers, mu = symbols("k n_layers mu_layers")
gap, gap0, gap_next = symbols("gap gap0 gap_next")


def source(where: str = "") -> Source:
    """The paper; the bounds are proved here, in the setting of BlockDescent."""
    return Source("arXiv:2505.13416", "DERIVED", where, "Gluon: Making Muon and Scion Great Again!")


def gain(g_i: sp.Expr, L0_i: sp.Expr, L1_i: sp.Expr | int = 0) -> sp.Expr:
    """g^2 / (2 (L0 + L1 g)), what a layer adds to the decrease of f; 0 where g = 0, even if L0 = 0."""
    return sp.Piecewise((g_i / (2 * (L0_i / g_i + L1_i)), sp.Gt(g_i, 0)), (0, True))


def diagonal(*entries: float) -> tuple[tuple[float, ...], ...]:
    """Rows of a diagonal matrix."""
    return tuple(tuple(a if i == j else 0.0 for j in range(len(entries))) for i, a in enumerate(entries))


def scalar(start: float) -> SpectralQuadratic:
    """x^2 / 2 from a start."""
    return SpectralQuadratic(((1.0,),), 1, start=(start,))


def multiple_of_identity(m: int, size: float) -> SpectralQuadratic:
    """|X|_F^2 / 2 for X of m rows and columns, from size times I: L0 = m in the spectral norm."""
    start = tuple(x for row in diagonal(*[size] * m) for x in row)
    return SpectralQuadratic(diagonal(*[1.0] * m), m, start=start)


def valley(steep: float) -> LayerSum:
    """(x^2 + steep y^2) / 2 from (1, 0), one Euclidean layer."""
    return LayerSum((Quadratic((1.0, steep), (0.0, 0.0), seed=None, start=(1.0, 0.0)),))


ROUND = multiple_of_identity(3, 2.0)
"""f = 6, g = 6, L0 = 3 at the start."""
STEEP = LinkMatrix("cosh", 1, 1, (1.0,), start=(3.0,))
"""cosh x - 1 from 3, where L0 = L1 = 1 / ln 2."""
SQUARE_OF_SUM = CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0))
"""(x + y)^2 / 2 from (1, 1): rows of h add up to 2, its diagonal is 1."""
TWENTY = LayerSum((scalar(1.0),) * 20)
EASY, HARD = (Quadratic((a,), (0.0,), seed=None) for a in (1.0, 8.0))
TWO_SLOPES = LayerSum((HARD, EASY), start=(0.0, 1.0))
"""4 x^2 + y^2 / 2, two layers, from (0, 1)."""
EXPONENTIAL = LinkMatrix("exp", 1, 1, (1.0,), start=(0.0,))
"""e^-x from 0: L0 = 0, L1 = 1 / ln 2."""
NEAR = LinkMatrix("cosh", 1, 1, (1.0,), start=(1e-4,))
"""cosh x - 1 so near 0 that it is x^2 / 2, where L0 = 1 would do: tightness sqrt(ln 2), up to the start."""

DECREASE = layer_sum(gain(g, L0, L1))
BY_EIGENVALUE = layer_sum(gain(g, L0 / rho**2))
ADAPTIVE = {"offset_i": L0, "slope_i": L1, "orthogonaliser": Exact()}
MIN = (
    "By BlockDescent and <grad_i f(X), dir_i> = g_i, f falls by at least sum_i (t_i g_i - (L0_i + L1_i "
    "g_i) t_i^2 / 2) for all t_i <= 1 / L1_i. "
)

STEP = Theorem(
    id="gluon/descent",
    title="With radii g / (L0 + L1 g) every layer adds g^2 / (2 (L0 + L1 g)) to the decrease of f",
    source=source("the step of the proof of Theorem 1"),
    method=AdaptiveGluon,
    parameters=ADAPTIVE,
    assumes=(BlockDescent,),
    measured=gap_next + DECREASE,
    bound=gap,
    proof=MIN + "t_i = g_i / (L0_i + L1_i g_i) <= 1 / L1_i is the best.",
    mutants=(
        Mutant("no factor 1/2", ROUND, {"measured": gap_next + 2 * DECREASE}, steps=1),
        Mutant(
            "the largest eigenvalue where the spectral norm needs their sum",
            ROUND,
            {
                "parameters": {**ADAPTIVE, "offset_i": L0 / rho**2},
                "measured": gap_next + BY_EIGENVALUE,
            },
            steps=1,
        ),
        Mutant("radii g / L0", STEEP, {"parameters": {**ADAPTIVE, "slope_i": sp.Integer(0)}}, steps=1),
        Mutant(
            "L1 four times too small",
            STEEP,
            {
                "parameters": {**ADAPTIVE, "slope_i": L1 / 4},
                "measured": gap_next + layer_sum(gain(g, L0, L1 / 4)),
            },
            steps=1,
        ),
        Mutant(
            "the constants of the layers alone where layers are coupled",
            SQUARE_OF_SUM,
            {
                "parameters": {**ADAPTIVE, "offset_i": L0 / n_layers},
                "measured": gap_next + layer_sum(gain(g, L0 / n_layers)),
            },
            steps=1,
        ),
    ),
    tight=(Tight(ROUND, 1.0, steps=1), Tight(SQUARE_OF_SUM, 1.0, steps=1)),
)

SUM = Theorem(
    id="gluon/sum",
    title="The decreases of all steps and layers add up to at most f(x_0) - f_star",
    source=source("Theorem 1, its proof summed up"),
    method=AdaptiveGluon,
    parameters=ADAPTIVE,
    assumes=(BlockDescent,),
    measured=total(DECREASE),
    bound=gap0,
    proof="Add gluon/descent over the steps; f(x_k) >= f_star.",
    mutants=(
        Mutant("half the sum", ROUND, {"bound": gap0 / 2}, steps=1),
        Mutant(
            "the largest eigenvalue where the spectral norm needs their sum",
            ROUND,
            {"measured": total(BY_EIGENVALUE)},
            steps=1,
        ),
    ),
    tight=(Tight(ROUND, 1.0, steps=1),),
)

D = gap0 / k
A = layer_sum(L0 / L1**2)
D1 = layer_max(L1) * D

WEIGHTED = Theorem(
    id="gluon/weighted-average",
    title="The mean of sum_i g_i / L1_i falls like the root of 1/k, like 1/k where L0 = 0",
    source=source("Theorem 1, for the mean instead of the smallest"),
    method=AdaptiveGluon,
    parameters=ADAPTIVE,
    assumes=(BlockDescent,),
    requires=layer_max(-L1) < 0,
    measured=avg(layer_sum(g / L1)),
    bound=D + sp.sqrt(D**2 + 2 * D * A),
    proof="phi = sum_i g_i / L1_i and A = sum_i L0_i / L1_i^2: phi^2 <= sum_i g_i^2 / (L0_i + L1_i g_i) "
    "times sum_i (L0_i + L1_i g_i) / L1_i^2 = A + phi (Cauchy). x^2 / (A + x) is convex and increases, so "
    "the mean p of phi over the steps obeys p^2 / (A + p) <= 2 gap0 / k by gluon/sum. Where A = 0 this is "
    "p <= 2 gap0 / k.",
    mutants=(
        Mutant("without L0", LinkMatrix("cosh", 1, 1, (1.0,), start=(0.1,)), {"bound": 2 * D}, steps=1),
        Mutant("a sixth of it", EXPONENTIAL, {"bound": D / 3}, steps=1),
    ),
    tight=(Tight(NEAR, 0.8325046137, steps=1), Tight(EXPONENTIAL, 0.34657359027997264, steps=1)),
)

AVERAGE = Theorem(
    id="gluon/average",
    title="The mean of sum_i g_i falls like the root of 1/k",
    source=source("Theorem 3, part 1, for the mean instead of the smallest"),
    method=AdaptiveGluon,
    parameters=ADAPTIVE,
    assumes=(BlockDescent,),
    measured=avg(layer_sum(g)),
    bound=D1 + sp.sqrt(D1**2 + 2 * D * layer_sum(L0)),
    proof="s = sum_i g_i, S = sum_i L0_i, M = max_i L1_i: s^2 <= sum_i g_i^2 / (L0_i + L1_i g_i) times "
    "S + M s (Cauchy). x^2 / (S + M x) is convex and increases, so the mean p of s over the steps obeys "
    "p^2 / (S + M p) <= 2 gap0 / k by gluon/sum.",
    mutants=(
        Mutant(
            "the largest L0 instead of their sum",
            TWENTY,
            {"bound": D1 + sp.sqrt(D1**2 + 2 * D * layer_max(L0))},
            steps=1,
        ),
        Mutant(
            "the Frobenius bound for the nuclear norm",
            multiple_of_identity(6, 1.0),
            {"bound": D1 + sp.sqrt(D1**2 + 2 * D * layer_sum(L0 / rho**2))},
            steps=1,
        ),
        Mutant("without L1", EXPONENTIAL, {"bound": sp.sqrt(2 * D * layer_sum(L0))}, steps=1),
    ),
    tight=(Tight(ROUND, 1.0, steps=1), Tight(TWENTY, 1.0, steps=1)),
)

LINEAR = Theorem(
    id="gluon/pl",
    title="Under the Polyak-Lojasiewicz inequality in the norms of the layers the gap contracts",
    source=source("the setting L1 = 0; a statement of our own"),
    method=AdaptiveGluon,
    parameters=ADAPTIVE,
    assumes=(BlockDescent, LayerPL),
    requires=layer_max(L1) <= 0,
    measured=gap_next,
    bound=(1 - mu / layer_max(L0)) * gap,
    proof="gluon/descent with L1 = 0: f falls by sum_i g_i^2 / (2 L0_i) >= sum_i g_i^2 / (2 max_i L0_i) >= "
    "mu gap / max_i L0_i.",
    mutants=(
        Mutant("twice the rate", valley(8.0), {"bound": (1 - 2 * mu / layer_max(L0)) * gap}, steps=1),
        Mutant("1.02 times the rate", scalar(1.0), {"bound": (1 - 1.02 * mu / layer_max(L0)) * gap}, steps=1),
        Mutant(
            "the radii of the steepest layer with the rate of the flattest",
            TWO_SLOPES,
            {
                "parameters": {**ADAPTIVE, "offset_i": layer_max(L0)},
                "bound": (1 + mu / layer_max(-L0)) * gap,
            },
            steps=1,
        ),
    ),
    tight=(Tight(valley(1e4), 0.9999, steps=1),),
)

THEOREMS = (STEP, SUM, WEIGHTED, AVERAGE, LINEAR)
