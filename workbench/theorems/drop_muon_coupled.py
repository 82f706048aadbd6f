"""Drop-Muon on layers that act on each other: fewer layers at a time may step further."""

import sympy as sp

from assumptions.layerwise.coupled_smooth import CoupledSmooth
from problems.coupled_quadratic import CoupledQuadratic
from workbench.layer_laws import RPT
from workbench.methods.coupled_drop_muon import CoupledDropMuon
from workbench.parts import Mutant, Tight
from workbench.samplings import Independent, Nice
from workbench.symbols import avg, layer_max, layer_sum, symbols
from workbench.theorem import Theorem
from workbench.theorems.drop_muon import COUPLED, source

gain, p, g, k, factor = symbols("gain_i p_i gradnorm_i k factor")
gap, gap_next, gap0 = symbols("gap gap_next gap0")

LAWS = (RPT(), Nice(1), Independent(0.5))
ONE = {"factor": sp.Integer(1), "law": LAWS}
SHARE = factor * (2 - factor)
FALL = SHARE * layer_sum(gain * g**2) / 2

CHAIN = CoupledQuadratic(
    ((1.0, 1.0, 0.0), (1.0, 2.0, 1.0), (0.0, 1.0, 1.0)), (1, 1, 1), start=(1.0, -2.0, 1.0)
)
"""(x + y)^2 / 2 + (y + z)^2 / 2."""

STEP = Theorem(
    id="drop-muon/coupled-step",
    title="With lengths for the layers that step together f falls by half of sum_i gain_i g_i^2 in the mean",
    source=source("for coupled layers"),
    method=CoupledDropMuon,
    parameters=ONE,
    assumes=(CoupledSmooth,),
    requires=factor < 2,
    measured=gap_next,
    bound=gap - FALL,
    kind="step",
    proof="f(x + D) - f(x) - <grad f(x), D> <= sum_{i, j in S} h_ij |D_i|_i |D_j|_j / 2 <= sum_{i in S} "
    "(sum_{j in S} h_ij) |D_i|_i^2 / 2 for a D that moves the layers of S alone: h is symmetric, 2 a b <= "
    "a^2 + b^2. With |D_i|_i = factor g_i / sum_{j in S} h_ij this is a fall by at least (factor - factor^2 "
    "/ 2) sum_{i in S} g_i^2 / sum_{j in S} h_ij, whose mean over S is (factor - factor^2 / 2) sum_i gain_i "
    "g_i^2.",
    mutants=(
        Mutant("without the 1/2", COUPLED, {"bound": gap - 2 * FALL}, state={"x": (1.0, 1.0)}),
        Mutant(
            "the fall of the factor 1 for another one",
            COUPLED,
            {
                "bound": gap - layer_sum(gain * g**2) / 2,
                "parameters": {"factor": sp.Rational(3, 2), "law": RPT()},
            },
            state={"x": (1.0, 1.0)},
        ),
        Mutant(
            "every layer counts as if it were updated",
            COUPLED,
            {
                "bound": gap - SHARE * layer_sum(gain / p * g**2) / 2,
                "parameters": {"factor": sp.Integer(1), "law": Nice(1)},
            },
            state={"x": (1.0, 1.0)},
        ),
    ),
    tight=(Tight(COUPLED, 1.0, state={"x": (1.0, 1.0)}),),
)

SQUARES = Theorem(
    id="drop-muon/coupled-squares",
    title="With lengths for the layers that step together the mean of sum_i g_i^2 falls like 1/k",
    source=source("for coupled layers"),
    method=CoupledDropMuon,
    parameters={"factor": (sp.Integer(1), sp.Rational(3, 2)), "law": LAWS},
    assumes=(CoupledSmooth,),
    requires=sp.And(factor < 2, layer_max(-gain) < 0),
    when=k >= 1,
    measured=avg(layer_sum(g**2)),
    bound=2 * gap0 * layer_max(1 / gain) / (SHARE * k),
    kind="mean",
    proof="Add up drop-muon/coupled-step over the steps before k.",
    mutants=(
        Mutant(
            "every layer counts as if it were updated",
            COUPLED,
            {
                "bound": 2 * gap0 * layer_max(p / gain) / (SHARE * k),
                "parameters": {"factor": sp.Integer(1), "law": Nice(1)},
            },
            steps=2,
        ),
    ),
    tight=(Tight(COUPLED, 1.0, steps=6), Tight(CHAIN, 0.688693879890181, steps=4)),
)

THEOREMS = (STEP, SQUARES)
