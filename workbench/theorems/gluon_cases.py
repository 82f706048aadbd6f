"""Methods that Gluon is on layers of one kind, iterate by iterate on the same draws."""

import sympy as sp

from assumptions.layerwise.variance import LayerVariance
from assumptions.norms import Lp
from problems import LayerSum, Noisy, Quadratic, SignNoise, SpectralQuadratic
from workbench.methods.gluon import Gluon
from workbench.methods.normalised_sgd import NormalisedSGD
from workbench.methods.signum import Signum
from workbench.orthogonal import Exact
from workbench.parts import Mutant, Source
from workbench.symbols import layer_max, symbols
from workbench.theorem import Theorem

euclidean_layers, sign_layers, k, rho = symbols("euclidean_layers sign_layers k rho_i")
sigma = symbols("sigma_i")

SOURCE = Source(
    "arXiv:2505.13416",
    "DERIVED",
    "the special cases named there",
    "Gluon: Making Muon and Scion Great Again!",
)
RULES = {
    "radius_i": (1 / (10 * (k + 1)), 1 / (5 * rho * (k + 1))),
    "beta": (sp.Rational(1, 2), sp.Integer(0)),
    "minibatch": sp.Integer(1),
    "orthogonaliser": Exact(),
}
"""Short steps: near a minimiser the direction of a gradient without noise hangs on its last digits."""

EUCLIDEAN = Noisy(
    LayerSum((Quadratic((1.0, 2.0), seed=0), Quadratic((3.0, 1.0, 0.5), seed=1))), SignNoise(0.5)
)
SIGNS = Noisy(
    LayerSum(
        (
            SpectralQuadratic(((1.0, 0.0), (0.0, 2.0)), 2, norm=Lp(float("inf"))),
            SpectralQuadratic(((3.0,),), 2, norm=Lp(float("inf"))),
        )
    ),
    SignNoise(0.5),
)

NORMALISED = Theorem(
    id="gluon/normalised-sgd",
    title="On Euclidean layers Gluon is normalised stochastic gradient descent with momentum",
    source=SOURCE,
    kind="equal",
    method=(Gluon, NormalisedSGD),
    parameters=RULES,
    assumes=(LayerVariance,),
    requires=(euclidean_layers > 0) & (layer_max(-sigma) < 0),
    proof="It is true of layers without noise too, whose runs cannot be compared: near a minimiser a step "
    "may double every rounding. <M_i, Z> over |Z|_2 <= 1 is largest at Z = M_i / |M_i|_2 (Cauchy).",
    mutants=(Mutant("on layers measured by their largest entry too", SIGNS, {"requires": True}, steps=3),),
)

SIGN = Theorem(
    id="gluon/signum",
    title="On layers measured by their largest entry Gluon is Signum, sign-SGD without a momentum",
    source=SOURCE,
    kind="equal",
    method=(Gluon, Signum),
    parameters=RULES,
    requires=sign_layers > 0,
    proof="<M_i, Z> over max_kl |Z_kl| <= 1 is largest at Z = sign(M_i), entry by entry.",
    mutants=(Mutant("on Euclidean layers too", EUCLIDEAN, {"requires": True}, steps=3),),
)

THEOREMS = (NORMALISED, SIGN)
