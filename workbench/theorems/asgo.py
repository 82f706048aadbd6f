"""ASGO, one-sided Shampoo: regret bounds, ours, in the setting of arXiv:2503.20762."""

import sympy as sp

from assumptions import Convex
from assumptions.layerwise.left_smooth import LeftSmooth
from problems.abs_affine import AbsAffine
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.asgo import ASGO
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import layer_sum, symbols, total
from workbench.theorem import Theorem

eta, eps, with_noise, rows_i, n_terms, trace_i = symbols("eta eps with_noise rows_i n_terms trace_i")
gap, dist0, gradnorm0, linear_next = symbols("gap dist0 gradnorm0 linear_next")
reach_i, root_trace_i, root_length_i = symbols("reach_i root_trace_i root_length_i")

SOURCE = Source("arXiv:2503.20762", "DERIVED", "our theorem in the setting of the paper")

EYE = tuple(tuple(float(k == j) for j in range(8)) for k in range(8))
ROUND = SpectralQuadratic(EYE, 8, center=tuple(e for row in EYE for e in row), start=(0.0,) * 64)
LINE = SpectralQuadratic(((1.0,),), 1, start=(1.0,))
KINK = AbsAffine((1.0,), start=(1.0,))
"""Linear up to its minimiser: the gap is <G, X - X_star>, twice that of LINE."""
LONG = SpectralQuadratic(((4.0, 0.0), (0.0, 1.0)), 2, start=(1.0, 0.0, 0.0, 1.0))

DISTANCE = reach_i**2 / (2 * eta)
REGRET = layer_sum(DISTANCE * (root_trace_i + eps * rows_i) + eta * root_trace_i)
IN_LENGTH = layer_sum(DISTANCE * root_length_i + eta * root_length_i)

PROOF = (
    "For one layer, S_t = V_t^(1/2), P_t = S_t + eps I, E_t = X_t - X_star: tr(E_next' P_t E_next) = "
    "tr(E' P_t E) - 2 eta <G, E> + eta^2 tr(G' P_t^+ G), G being in the range of S_t. Sum: the root is "
    "operator monotone, so P_t - P_before >= 0 and tr(E' (P_t - P_before) E) <= |E|_op^2 tr(P_t - P_before); "
    "and tr(G' S_t^+ G) <= 2 (tr S_t - tr S_before). Then add the layers. "
)

PLAIN = {"eta": 0.5, "eps": 0, "minibatch": n_terms}

LINEAR = Theorem(
    id="asgo/linear",
    title="Whatever the gradients are: sum <G, X - X_star> is bounded by the trace of the root of sum G G'",
    source=SOURCE,
    method=ASGO,
    parameters={"eta": dist0 / sp.sqrt(2), "eps": (0, gradnorm0 / 4), "minibatch": 1},
    measured=total(linear_next),
    bound=REGRET,
    proof=PROOF,
    mutants=(
        Mutant(
            "the length of the root in place of its trace",
            ROUND,
            {"parameters": PLAIN, "bound": IN_LENGTH},
            steps=20,
        ),
        Mutant(
            "without the distance",
            LINE,
            {"parameters": {**PLAIN, "eta": 0.125}, "bound": 2 * layer_sum(eta * root_trace_i)},
            steps=1,
        ),
        Mutant(
            "half of the distance",
            LINE,
            {"parameters": {**PLAIN, "eta": 0.0625}, "bound": layer_sum((DISTANCE / 2 + eta) * root_trace_i)},
            steps=50,
        ),
        Mutant(
            "no price for eps",
            LINE,
            {
                "parameters": {**PLAIN, "eta": 0.125, "eps": 100},
                "bound": layer_sum((DISTANCE + eta) * root_trace_i),
            },
            steps=200,
        ),
    ),
    tight=(Tight(LINE, 0.7071067812, steps=1),),
)

CONVEX = Theorem(
    id="asgo/regret",
    title="Convex f, exact gradients: the sum of the gaps is bounded by the trace of the root of sum G G'",
    source=SOURCE,
    method=ASGO,
    parameters={"eta": (dist0 / sp.sqrt(2), dist0 / 16), "eps": 0, "minibatch": n_terms},
    assumes=(Convex,),
    requires=with_noise < 1,
    measured=total(gap),
    bound=REGRET,
    proof=PROOF + "f(X) - f_star <= <grad f(X), X - X_star>.",
    mutants=(
        Mutant(
            "the length of the root in place of its trace",
            ROUND,
            {"parameters": PLAIN, "bound": IN_LENGTH},
            steps=20,
        ),
    ),
    tight=(Tight(KINK, 0.7071067812, steps=1), Tight(LINE, 0.3535533906, steps=1)),
)

FACTOR_i = DISTANCE + eta

SMOOTH = Theorem(
    id="asgo/smooth",
    title="Convex f with a quadratic bound by matrices from the left: the sum of the gaps stays bounded",
    source=SOURCE,
    method=ASGO,
    parameters={"eta": (dist0 / sp.sqrt(2), dist0 / 16), "eps": 0, "minibatch": n_terms},
    assumes=(Convex, LeftSmooth),
    requires=with_noise < 1,
    measured=total(gap),
    bound=2 * layer_sum(FACTOR_i**2 * trace_i),
    proof="Let c_i = reach_i^2 / (2 eta) + eta and S = sum of the gaps. By asgo/regret S <= sum_i c_i "
    "tr V_i^(1/2) <= sum_i c_i (tr Q_i tr(Q_i^+ V_i))^(1/2) (Cauchy and Schwarz; the gradients are in the "
    "range of Q_i, or f had no infimum). The quadratic bound at X - Q^+ G gives sum_i tr(G_i' Q_i^+ G_i) <= "
    "2 (f(X) - f_star), so sum_i tr(Q_i^+ V_i) <= 2 S and S <= (2 S sum_i c_i^2 tr Q_i)^(1/2).",
    mutants=(
        Mutant(
            "the largest eigenvalue in place of the trace",
            ROUND,
            {"parameters": {**PLAIN, "eta": 0.7}, "bound": 2 * layer_sum(FACTOR_i**2 * trace_i) / 8},
            steps=20,
        ),
    ),
    tight=(Tight(LINE, 0.1369610983),),
)

THEOREMS = (LINEAR, CONVEX, SMOOTH)
