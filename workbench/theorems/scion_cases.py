"""Muon, Scion and Gluon as special cases of one another, iterate by iterate on the same draws."""

from typing import Any

import sympy as sp

from problems.layer_sum import LayerSum
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.constrained_scion import ConstrainedScion
from workbench.methods.gluon import Gluon
from workbench.methods.muon import Muon
from workbench.methods.scion import Scion
from workbench.orthogonal import EXACT, NewtonSchulz
from workbench.parts import Mutant, Source
from workbench.symbols import symbols
from workbench.theorem import Theorem

k, weight, ball_radius_i = symbols("k weight ball_radius_i")

TALL = SpectralQuadratic(((3.0, 1.0, 0.0), (1.0, 2.0, 0.5), (0.0, 0.5, 1.0)), 2)
"""Three rows, two columns: the factor of the code is (3/2)^(1/2)."""
BOTH = LayerSum((TALL, SpectralQuadratic(((1.0, 0.0), (0.0, 4.0)), 3)))
ORTHOGONALISERS = (EXACT, NewtonSchulz(5))


def source(where: str) -> Source:
    """Of the cases; the codes were read."""
    return Source(
        "arXiv:2502.07529",
        "DERIVED",
        where,
        "Training Deep Models with LMOs; LIONS-EPFL/scion, KellerJordan/Muon",
    )


def rules(beta: Any, radius: float = 0.125, **others: Any) -> dict[str, Any]:
    """One draw a step."""
    return {"radius_i": sp.Float(radius), "beta": beta, "minibatch": sp.Integer(1), **others}


HALVES = (sp.Rational(1, 2), sp.Rational(3, 4))
"""1 - beta is a power of two: the buffers differ by an exact factor."""
PLAIN = {"weight_decay": sp.Integer(0), "nesterov": False, "scale": "none", "orthogonaliser": ORTHOGONALISERS}

OVER_BALLS = {
    **rules(HALVES, **PLAIN),
    "ball_radius_i": sp.Integer(2),
    "weight": sp.Rational(1, 4),
    "radius_i": weight * ball_radius_i,
    "weight_decay": sp.Rational(1, 2),
}

WITHOUT_MOMENTUM = Theorem(
    id="scion/gluon",
    title="Without momentum, Scion is Gluon",
    source=source("beta = 0; for other beta the buffers start differently"),
    kind="equal",
    method=(Scion, Gluon),
    parameters=rules(sp.Integer(0), orthogonaliser=ORTHOGONALISERS),
    proof="M = G for both.",
    mutants=(
        Mutant(
            "with momentum: 0 and the first gradient are different starts",
            BOTH,
            {"parameters": rules(sp.Rational(1, 2), orthogonaliser=EXACT)},
            steps=5,
        ),
    ),
)

FIRST_STEP = Theorem(
    id="scion/gluon-first-step",
    title="The first step of Scion is that of Gluon, whatever the momentum",
    source=source("the first step"),
    kind="equal",
    method=(Scion, Gluon),
    parameters=rules(HALVES, orthogonaliser=EXACT),
    when=k < 1,
    proof="M = (1 - beta) G and M = G have the same direction.",
    mutants=(Mutant("the second step too", BOTH, {"when": k < 2}, steps=2),),
)

AS_SCION = Theorem(
    id="muon/scion",
    title="Muon without look ahead, decay and factor is Scion",
    source=source("spectral layers"),
    kind="equal",
    method=(Muon, Scion),
    parameters=rules(HALVES, **PLAIN),
    proof="The update is the same.",
    mutants=(
        Mutant(
            "Nesterov's look ahead",
            BOTH,
            {"parameters": rules(sp.Rational(1, 2), **{**PLAIN, "nesterov": True, "orthogonaliser": EXACT})},
            steps=5,
        ),
        Mutant(
            "the factor of the code",
            TALL,
            {"parameters": rules(sp.Rational(1, 2), **{**PLAIN, "scale": "jordan", "orthogonaliser": EXACT})},
            steps=2,
        ),
        Mutant(
            "weight decay",
            TALL,
            {
                "parameters": rules(
                    sp.Rational(1, 2),
                    **{**PLAIN, "weight_decay": sp.Rational(1, 10), "orthogonaliser": EXACT},
                )
            },
            steps=2,
        ),
    ),
)

AS_CONSTRAINED = Theorem(
    id="muon/constrained-scion",
    title="Constrained Scion is Muon with a decoupled weight decay of 1 / ball_radius",
    source=source("decoupled weight decay"),
    kind="equal",
    method=(Muon, ConstrainedScion),
    parameters=OVER_BALLS,
    proof="radius_i weight_decay = weight and radius_i = weight ball_radius_i: (1 - weight) X - weight "
    "ball_radius_i dir(M).",
    mutants=(
        Mutant(
            "no weight decay",
            TALL,
            {"parameters": {**OVER_BALLS, "weight_decay": sp.Integer(0)}},
            steps=2,
        ),
    ),
)

THEOREMS = (WITHOUT_MOMENTUM, FIRST_STEP, AS_SCION, AS_CONSTRAINED)
