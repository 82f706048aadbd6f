"""EF21-Muon: the recursions behind the theorems, and the case without compression.

Ours, in the setting of arXiv:2510.00643.
"""

import sympy as sp

from assumptions import Smooth
from problems.matrix_sum import MatrixSum
from workbench.compressors import RankK, TopK
from workbench.methods.ef21_muon import EF21Muon
from workbench.methods.gluon import Gluon
from workbench.orthogonal import Exact
from workbench.parts import Mutant, Tight
from workbench.symbols import layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.ef21_muon import HALF, LINE, PLAIN, SOURCE, SWEEP, identity

radius_i, beta, n_terms, with_noise = symbols("radius_i beta n_terms with_noise")
q_server_i, q_worker_i = symbols("q_server_i q_worker_i")
drift_i, drift_i_next, lag_i, lag_i_next, stale_i = symbols("drift_i drift_i_next lag_i lag_i_next stale_i")

FOUR = MatrixSum.one_layer((identity(2),), 2)
NINE = MatrixSum.one_layer((identity(9),), 9)
ONE_WORKER = {
    "radius_i": (sp.Rational(1, 4), sp.Rational(1, 40)),
    "beta": (sp.Rational(9, 10), 0),
    **PLAIN,
    "minibatch": sp.Integer(1),
    "orthogonaliser": Exact(),
}

ONES = tuple(tuple(1.01 if i == j else 1.0 for j in range(9)) for i in range(9))


DRIFT_STEP = Theorem(
    id="ef21-muon/drift-step",
    title="The shared model lags behind the iterate by a share of the last lag and one step",
    source=SOURCE,
    method=EF21Muon,
    parameters={"radius_i": (sp.Rational(1, 4), sp.Integer(3)), "beta": 0, **SWEEP},
    assumes=(Smooth,),
    measured=layer_sum(drift_i_next / radius_i),
    bound=layer_sum(q_server_i * (drift_i + radius_i) / radius_i),
    kind="step",
    proof="W_next - X_next = C'(z) - z with z = X_next - W, |z| <= |X - W| + radius. "
    "Smooth says only that there is a gradient everywhere.",
    mutants=(
        Mutant(
            "the Frobenius factor of RankK in the spectral norm",
            NINE,
            {
                "parameters": {
                    "radius_i": sp.Rational(1, 100),
                    "beta": 0,
                    **PLAIN,
                    "server_compressor": RankK(5),
                    "contracts_in": "frobenius",
                }
            },
            state={"x": tuple(e for row in identity(9) for e in row), "w": (0.0,) * 81},
        ),
        Mutant(
            "forgets the step",
            LINE,
            {
                "parameters": {"radius_i": sp.Rational(1, 4), "beta": 0, **PLAIN, "server_compressor": HALF},
                "bound": layer_sum(q_server_i * drift_i / radius_i),
            },
        ),
    ),
    tight=(Tight(LINE, 1.0, steps=1),),
)

LAG_STEP = Theorem(
    id="ef21-muon/lag-step",
    title="Without noise, the server's knowledge lags by a share of the last lag and of the momenta's change",
    source=SOURCE,
    method=EF21Muon,
    parameters={"radius_i": sp.Rational(1, 4), "beta": (sp.Rational(1, 2), 0), **SWEEP},
    assumes=(Smooth,),
    requires=sp.Eq(with_noise, 0),
    measured=layer_sum(radius_i * lag_i_next),
    bound=layer_sum(radius_i * q_worker_i * (lag_i + (1 - beta) * stale_i)),
    kind="step",
    proof="G_j_next - M_j_next = C(z) - z with z = M_j_next - G_j, |z| <= |G_j - M_j| + |M_j_next - M_j|, "
    "M_j_next - M_j = (1 - beta) (grad f_j(W) - M_j); 0 at the first step.",
    mutants=(
        Mutant(
            "the Frobenius factor of TopK in the nuclear norm",
            NINE,
            {
                "parameters": {
                    "radius_i": sp.Rational(1, 4),
                    "beta": 0,
                    **PLAIN,
                    "worker_compressor": TopK(9),
                    "contracts_in": "frobenius",
                }
            },
            state={"w": tuple(e for row in ONES for e in row), "steps": 1},
        ),
        Mutant(
            "without error feedback",
            LINE,
            {
                "parameters": {
                    "radius_i": sp.Rational(1, 4),
                    "beta": 0,
                    **PLAIN,
                    "worker_compressor": HALF,
                    "feedback": False,
                }
            },
            state={"x": (0.0,), "w": (0.0,), "g": ((-1.0,), (1.0,)), "m": ((-1.0,), (1.0,)), "steps": 1},
        ),
    ),
    tight=(Tight(LINE, 1.0, steps=1, state={"w": (1.0,), "x": (1.0,), "steps": 1}),),
)

AS_GLUON = Theorem(
    id="ef21-muon/gluon",
    title="One worker and no compression: Gluon, on the same draws of the noise",
    source=SOURCE,
    kind="equal",
    method=(EF21Muon, Gluon),
    parameters=ONE_WORKER,
    requires=sp.Eq(n_terms, 1),
    proof="W = X, and G_1 = M_1 is the momentum.",
    mutants=(
        Mutant(
            "with a compressor",
            FOUR,
            {"parameters": {**ONE_WORKER, "server_compressor": TopK(1), "contracts_in": "frobenius"}},
        ),
    ),
)
"""Of several workers the mean of the momenta is that of the mean gradient, up to rounding, which steps of a
fixed length enlarge: it is tested, not claimed."""

THEOREMS = (DRIFT_STEP, LAG_STEP, AS_GLUON)
