"""Drop-Muon that drops nothing, iterate by iterate on the same draws."""

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from problems import LayerSum
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from workbench.layer_laws import RPT, Full
from workbench.methods.adaptive_drop_muon import AdaptiveDropMuon
from workbench.methods.adaptive_gluon import AdaptiveGluon
from workbench.methods.drop_muon import DropMuon
from workbench.methods.gluon import Gluon
from workbench.orthogonal import Exact
from workbench.parts import Mutant
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.theorems.drop_muon import COSH, source, square

L0, L1 = symbols("L0_descent_i L1_descent_i")

NOISY = Noisy(LayerSum((square(), square(4.0)), start=(1.0, -1.0)), SignNoise(0.5))
ADAPTED = {"offset_i": L0, "slope_i": L1, "orthogonaliser": Exact()}
MOMENTUM = {
    "radius_i": (1 / (10 * (1 + L0)), 1 / (1 + L0)),
    "beta": (sp.Integer(0), sp.Rational(9, 10)),
    "minibatch": sp.Integer(1),
    "orthogonaliser": Exact(),
}

AS_ADAPTIVE_GLUON = Theorem(
    id="drop-muon/adaptive-gluon",
    title="All layers always updated, exact gradients, adaptive lengths: Gluon",
    source=source(),
    kind="equal",
    method=(AdaptiveDropMuon, AdaptiveGluon),
    parameters={**ADAPTED, "law": Full()},
    assumes=(BlockDescent,),
    proof="The same lengths and directions in every layer.",
    mutants=(Mutant("some layers are left out", COSH, {"parameters": {**ADAPTED, "law": RPT()}}, steps=5),),
)

AS_GLUON = Theorem(
    id="drop-muon/gluon",
    title="All layers always updated: Gluon, with momentum and on the same stochastic gradients",
    source=source(),
    kind="equal",
    method=(DropMuon, Gluon),
    parameters={**MOMENTUM, "law": Full()},
    assumes=(BlockDescent,),
    proof="Every layer is updated first at the first step, where both momenta are the first gradient.",
    mutants=(
        Mutant(
            "some layers are left out",
            NOISY,
            {"parameters": {**MOMENTUM, "beta": sp.Integer(0), "radius_i": 1 / (1 + L0), "law": RPT()}},
            steps=5,
        ),
    ),
)

THEOREMS = (AS_ADAPTIVE_GLUON, AS_GLUON)
