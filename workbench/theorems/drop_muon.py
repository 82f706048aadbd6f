"""Drop-Muon with exact gradients and adaptive lengths, with proofs."""

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from problems import LayerSum, Quadratic, SpectralQuadratic
from problems.coupled_quadratic import CoupledQuadratic
from problems.link_matrix import LinkMatrix
from workbench.layer_laws import RPT, Full
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.parts import Mutant, Source, Tight
from workbench.samplings import Independent
from workbench.symbols import avg, layer_max, layer_sum, symbols, total
from workbench.theorem import Theorem
from workbench.theorems.gluon import gain

p, g, k, gap, gap_next, gap0 = symbols("p_i gradnorm_i k gap gap_next gap0")
L0, L1 = symbols("L0_descent_i L1_descent_i")

LAWS = (RPT(), Independent(0.5))
ADAPTED = {"offset_i": L0, "slope_i": L1, "law": LAWS}
PROGRESSIVE = {"offset_i": L0, "slope_i": L1, "law": RPT()}
TITLE = "Drop-Muon"


GAIN = layer_sum(p * gain(g, L0, L1))
"""The decrease of f in one step, in the mean, at least."""


def source(where: str = "") -> Source:
    """The method; the bounds are proved here."""
    return Source("arXiv:2510.02239", "DERIVED", where, TITLE)


def square(size: float = 1.0) -> Quadratic:
    """size x^2 / 2."""
    return Quadratic((size,), (0.0,), seed=None)


TWO = LayerSum((square(), square()), start=(3.0, 0.0))
"""Two scalar layers x_i^2 / 2; the second is at its minimum."""
EVEN = LayerSum((square(), square()), start=(1.0, 1.0))
ALONE = LayerSum((square(),), start=(1.0,))
"""One layer, which every law updates."""
TWENTY = LayerSum((square(),) * 20, start=(1.0,) * 20)
ROUND = SpectralQuadratic(
    ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    3,
    start=(2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0),
)
"""|X|_F^2 / 2 in the spectral norm, from 2 I: L = 3."""
MIXED = LayerSum((ROUND, square(4.0)), start=(*ROUND.start, 1.0))
"""A spectral layer and a scalar one."""
COUPLED = CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0))
"""(x + y)^2 / 2."""
COSH = LayerSum((LinkMatrix("cosh", 1, 1, start=(3.0,)), LinkMatrix("cosh", 1, 1, start=(3.0,))))
"""cosh(x) - 1 + cosh(y) - 1 from (3, 3)."""
NEAR = LinkMatrix("cosh", 1, 1, start=(1e-2,))
RARE = {"offset_i": L0, "slope_i": L1, "law": RPT((0.05, 0.95))}

DESCENT = (
    "Block descent with D_i = -radius_i dir_i, radius_i = g_i / (L0_i + L1_i g_i) <= 1 / L1_i, in the "
    "layers of S and D_i = 0 in others: f falls by at least sum_{i in S} radius_i g_i - (L0_i + L1_i g_i) "
    "radius_i^2 / 2 = sum_{i in S} g_i^2 / (2 (L0_i + L1_i g_i)). S is drawn independently of x, P(i in S) "
    "= p_i. "
)

STEP = Theorem(
    id="drop-muon/step",
    title="One step lowers f in the mean by the sum of p_i g_i^2 / (2 (L0_i + L1_i g_i))",
    source=source(),
    method=AdaptiveDropMuon,
    parameters=ADAPTED,
    assumes=(BlockDescent,),
    measured=gap_next,
    bound=gap - GAIN,
    kind="step",
    proof=DESCENT,
    mutants=(
        Mutant("without the 1/2", ROUND, {"bound": gap - 2 * GAIN}),
        Mutant(
            "every layer counts as if it were updated",
            TWO,
            {"bound": gap - layer_sum(gain(g, L0, L1)), "parameters": RARE},
            state={"x": (3.0, 0.0)},
        ),
        Mutant(
            "the constant of a layer alone where layers act on each other",
            COUPLED,
            {
                "parameters": {"offset_i": L0 / 2, "slope_i": L1, "law": Full()},
                "bound": gap - 2 * GAIN,
            },
            state={"x": (1.0, 1.0)},
        ),
        Mutant(
            "the slope left out",
            COSH,
            {"parameters": {"offset_i": L0, "slope_i": sp.Integer(0), "law": RPT()}},
            state={"x": (3.0, 3.0)},
        ),
    ),
    tight=(Tight(MIXED, 1.0, state={"x": MIXED.start}),),
)

ALL_STEPS = Theorem(
    id="drop-muon/total",
    title="The decreases of all steps add up to at most the first gap, in the mean",
    source=source(),
    method=AdaptiveDropMuon,
    parameters=PROGRESSIVE,
    assumes=(BlockDescent,),
    when=k >= 1,
    measured=total(GAIN),
    bound=gap0,
    kind="mean",
    proof="Add up drop-muon/step over the steps before k; the gap at k is >= 0.",
    mutants=(
        Mutant("without the 1/2", EVEN, {"measured": 2 * total(GAIN)}, steps=3),
        Mutant(
            "every layer counts as if it were updated",
            TWO,
            {"measured": total(layer_sum(gain(g, L0, L1))), "parameters": RARE},
            steps=10,
        ),
    ),
    tight=(Tight(ALONE, 1.0, steps=1), Tight(EVEN, 1 - 2.0**-7, steps=6)),
)

SQUARES = Theorem(
    id="drop-muon/squares",
    title="With L1 = 0 the mean sum of squared gradient norms falls like 1/k, by the largest L_i / p_i",
    source=source("Theorem 4.1 is of this kind"),
    method=AdaptiveDropMuon,
    parameters=ADAPTED,
    assumes=(BlockDescent,),
    requires=sp.And(layer_max(L1) <= 0, layer_max(-p) < 0),
    when=k >= 1,
    measured=avg(layer_sum(g**2)),
    bound=2 * gap0 * layer_max(L0 / p) / k,
    kind="mean",
    proof="drop-muon/total with L1 = 0: sum_i p_i g_i^2 / (2 L0_i) >= min_i (p_i / L0_i) sum_i g_i^2 / 2.",
    mutants=(
        Mutant(
            "without 1 / p_i",
            TWO,
            {"bound": 2 * gap0 * layer_max(L0) / k, "parameters": RARE},
            steps=10,
        ),
        Mutant("half of it", EVEN, {"bound": gap0 * layer_max(L0 / p) / k}, steps=3),
    ),
    tight=(Tight(ALONE, 1.0, steps=1), Tight(EVEN, 1 - 2.0**-6, steps=6)),
)

MEAN = gap0 / k

NORMS = Theorem(
    id="drop-muon/norms",
    title="The mean sum of gradient norms falls like k^(-1/2), and like 1/k where every L0_i is 0",
    source=source("Theorem 4.2 is of this kind"),
    method=AdaptiveDropMuon,
    parameters=PROGRESSIVE,
    assumes=(BlockDescent,),
    requires=layer_max(-p) < 0,
    when=k >= 1,
    measured=avg(layer_sum(g)),
    bound=MEAN * layer_max(L1 / p) + sp.sqrt((MEAN * layer_max(L1 / p)) ** 2 + 2 * MEAN * layer_sum(L0 / p)),
    kind="mean",
    proof="Let A = sum_i L0_i / p_i, B = max_i L1_i / p_i, s = sum_i g_i. Cauchy-Schwarz: s^2 <= 2 sum_i p_i "
    "g_i^2 / (2 (L0_i + L1_i g_i)) sum_i (L0_i + L1_i g_i) / p_i <= 2 GAIN (A + B s). s^2 / (2 (A + B s)) is "
    "convex and increasing in s; by Jensen its value at the mean m of E s is at most gap0 / k: m^2 - 2 (gap0 "
    "/ k)(A + B m) <= 0.",
    mutants=(
        Mutant(
            "the largest L0_i / p_i instead of the sum",
            TWENTY,
            {
                "parameters": {"offset_i": L0, "slope_i": L1, "law": Full()},
                "bound": MEAN * layer_max(L1 / p)
                + sp.sqrt((MEAN * layer_max(L1 / p)) ** 2 + 2 * MEAN * layer_max(L0 / p)),
            },
            steps=1,
        ),
        Mutant(
            "without 1 / p_i",
            TWO,
            {
                "parameters": RARE,
                "bound": MEAN * layer_max(L1)
                + sp.sqrt((MEAN * layer_max(L1)) ** 2 + 2 * MEAN * layer_sum(L0)),
            },
            steps=10,
        ),
    ),
    tight=(Tight(ROUND, 1.0, steps=1),),
)

SPREAD = layer_sum(p * L0 / L1**2)

WEIGHTED = Theorem(
    id="drop-muon/weighted-norms",
    title="The mean of sum_i p_i g_i / L1_i falls like k^(-1/2), and like 1/k where every L0_i is 0",
    source=source("Theorem 4.2 is of this kind"),
    method=AdaptiveDropMuon,
    parameters=PROGRESSIVE,
    assumes=(BlockDescent,),
    requires=layer_max(-L1) < 0,
    when=k >= 1,
    measured=avg(layer_sum(p * g / L1)),
    bound=MEAN + sp.sqrt(MEAN**2 + 2 * MEAN * SPREAD),
    kind="mean",
    proof="Let A = sum_i p_i L0_i / L1_i^2, s = sum_i p_i g_i / L1_i. Cauchy-Schwarz: s^2 <= 2 sum_i p_i "
    "g_i^2 / (2 (L0_i + L1_i g_i)) sum_i p_i (L0_i + L1_i g_i) / L1_i^2 = 2 GAIN (A + s). Jensen, as in "
    "drop-muon/norms: the mean m of E s has m^2 <= 2 (gap0 / k)(A + m).",
    mutants=(
        Mutant("half of it", COSH, {"bound": (MEAN + sp.sqrt(MEAN**2 + 2 * MEAN * SPREAD)) / 2}, steps=4),
    ),
    tight=(Tight(NEAR, 0.827579948985376, steps=1), Tight(COSH, 0.5870004888258963, steps=4)),
)

THEOREMS = (STEP, ALL_STEPS, SQUARES, NORMS, WEIGHTED)
