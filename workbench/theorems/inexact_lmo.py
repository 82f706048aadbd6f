"""Inexact linear minimisation: <M, O_i> >= a_i |M|_{i*}, |O_i|_i <= b_i. With proofs; constants are ours."""

from dataclasses import replace
from typing import Any

import sympy as sp

from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from problems.calculus.noisy import Noisy
from problems.noise.sign import SignNoise
from problems.spectral_quadratic import SpectralQuadratic
from workbench.methods.gluon import Gluon
from workbench.methods.inexact_gluon import InexactGluon
from workbench.methods.scion import Scion
from workbench.orthogonal import Exact, NewtonSchulz, PolarExpress
from workbench.orthogonal.rescaled import Rescaled
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import avg, best, layer_max, layer_sum, symbols, total
from workbench.theorem import Theorem
from workbench.theorems.gluon import gain

k, gap, gap0, gap_next = symbols("k gap gap0 gap_next")
gradnorm_i, gradnorm_i0, lmo_a_i, lmo_b_i = symbols("gradnorm_i gradnorm_i0 lmo_a_i lmo_b_i")
L0_i, L1_i = symbols("L0_descent_i L1_descent_i")
a_i, b_i, rho_i, sigma_i, L_i, radius_i, beta = symbols("a_i b_i rho_i sigma_i L_i radius_i beta")

ORTHOGONALISERS = (Exact(), Rescaled(0.7, 1.2), NewtonSchulz(5, eps=0.0), PolarExpress(5, eps=0.0))
"""Without the eps of the published ones, which leaves a = 0 for matrices of its size."""

THREE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
TWICE_I = SpectralQuadratic(THREE, 3, start=(2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0))
"""|X|_F^2 / 2 from 2 I: g = 6, L = 3, and a step of g / L lowers f by 6, to 0."""
EXACT_DECREASE = gain(gradnorm_i, L0_i)


def source(where: str) -> Source:
    """Of the model; its constants are derived here."""
    return Source(
        "arXiv:2510.19933",
        "DERIVED",
        where,
        "On inexact linear minimisation oracles in Muon, the (a, b) model",
    )


def decrease(a: Any, b: Any) -> Any:
    """a^2 g^2 / (2 b^2 (L0 + L1 g)) of each layer, 0 unless b > 0 and g > 0."""
    return sp.Piecewise((a**2 / b**2 * gain(gradnorm_i, L0_i, L1_i), sp.Gt(b, 0)), (0, True))


ADAPTED = {"offset_i": L0_i, "slope_i": L1_i, "orthogonaliser": ORTHOGONALISERS}
ONE_STEP = {"beta": sp.Integer(0), "minibatch": sp.Integer(1), "radius_i": gradnorm_i0 / L0_i}


def fixed_step(factor: float, why: str) -> Mutant:
    """A step of g / L along ``factor`` times the exact direction, which claims what the exact one does."""
    change = {
        "method": Gluon,
        "parameters": {**ONE_STEP, "orthogonaliser": Rescaled(factor, factor)},
        "measured": layer_sum(EXACT_DECREASE),
    }
    return Mutant(why, TWICE_I, change, steps=1)


DESCENT = Theorem(
    id="inexact-gluon/descent",
    title="A step with an inexact oracle lowers f by (a/b)^2 of what the exact one is sure of",
    source=source("a step, with the factors that it has"),
    method=InexactGluon,
    parameters=ADAPTED,
    assumes=(BlockDescent,),
    measured=layer_sum(decrease(lmo_a_i, lmo_b_i)),
    bound=gap - gap_next,
    proof="f(X_next) <= f(X) + sum_i -t_i <grad_i f, O_i> + (L0_i + L1_i g_i) t_i^2 |O_i|_i^2 / 2, where "
    "<grad_i f, O_i> = a_i g_i and |O_i|_i = b_i; t_i minimises it. It holds for b_i t_i <= 1 / L1_i: "
    "here b_i t_i <= (a_i / b_i) / L1_i, and a_i <= b_i.",
    mutants=(
        fixed_step(1.2, "a direction that is 1.2 times too long goes unnoticed: 5.76 for 6"),
        fixed_step(0.7, "a direction that is 0.7 of the exact one goes unnoticed: 5.46 for 6"),
        Mutant(
            "the factor 1/2 is lost",
            TWICE_I,
            {"measured": 2 * layer_sum(decrease(lmo_a_i, lmo_b_i))},
            steps=1,
        ),
    ),
    tight=(Tight(TWICE_I, 1.0, steps=1),),
)

LOST_i = b_i**2 / a_i**2
"""What the factors of the oracle cost, at most."""

SUM = Theorem(
    id="inexact-gluon/sum",
    title="With an inexact oracle the decreases of exact steps add up to at most (b/a)^2 of the first gap",
    source=source("sum over steps, with factors for every matrix"),
    method=InexactGluon,
    parameters=ADAPTED,
    assumes=(BlockDescent,),
    requires=layer_max(-a_i) < 0,
    measured=total(layer_sum(decrease(a_i, b_i))),
    bound=gap0,
    proof="inexact-gluon/descent with a >= a_i > 0 and b <= b_i, summed; f(X_k) >= f_star.",
    mutants=(
        Mutant(
            "ten steps of the quintic count as exact",
            SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, start=(1.0, 0.0, 0.0, 0.9)),
            {
                "parameters": {**ADAPTED, "orthogonaliser": NewtonSchulz(10, eps=0.0)},
                "measured": total(layer_sum(EXACT_DECREASE)),
            },
            steps=20,
        ),
    ),
    tight=(Tight(TWICE_I, 1.0, steps=1),),
)

MEAN_GAP = layer_max(LOST_i * L1_i) * gap0 / k

RATE = Theorem(
    id="inexact-gluon/rate",
    title="With an inexact oracle the least sum of gradient norms needs (b/a)^2 as many steps, at most",
    source=source("complexity, with factors for every matrix"),
    method=InexactGluon,
    parameters=ADAPTED,
    assumes=(BlockDescent,),
    requires=layer_max(-a_i) < 0,
    measured=best(layer_sum(gradnorm_i)),
    bound=MEAN_GAP + sp.sqrt(MEAN_GAP**2 + 2 * gap0 / k * layer_sum(LOST_i * L0_i)),
    proof="With c_i = (b_i / a_i)^2, Cauchy and Schwarz: (sum_i g_i)^2 <= sum_i g_i^2 / (c_i (L0_i + "
    "L1_i g_i)) (sum_i c_i L0_i + max_i c_i L1_i sum_i g_i); at one of k steps the first sum is at most "
    "2 gap0 / k. Solve for sum_i g_i.",
    mutants=(
        Mutant(
            "the largest of the constants for their sum",
            TWICE_I,
            {"bound": sp.sqrt(2 * gap0 / k * layer_sum(LOST_i * L0_i) / 3)},
            steps=1,
        ),
    ),
    tight=(Tight(TWICE_I, 1.0, steps=1),),
)

ALPHA = 1 - beta
NOISE = 1 / (ALPHA * k) + sp.sqrt(ALPHA / (2 - ALPHA))
"""Mean over j < k of what averaging leaves of noise of size 1, at most."""


def stochastic_bound(a: Any, b: Any, curvature: Any = b_i**2, drift: Any = 1) -> Any:
    """The bound of ``STOCHASTIC``, of which mutants leave something out."""
    noise = (a + b) * (rho_i * sigma_i * NOISE + drift * b * L_i * radius_i * beta / ALPHA)
    return gap0 / k + layer_sum(radius_i * noise + curvature * L_i * radius_i**2 / 2)


LONELY = Noisy(SpectralQuadratic(((1.0,),), 1, start=(1.0,)), SignNoise(1e-14))
"""x^2 / 2 from 1, with noise that is next to nothing."""
TINY = Noisy(SpectralQuadratic(((1.0,),), 1, start=(0.005,)), SignNoise(1e-14))


def scalar(factor: float, radius: float, momentum: Any = 0) -> dict[str, Any]:
    """Steps of ``radius`` along ``factor`` times the sign."""
    return {
        "radius_i": sp.Float(radius),
        "beta": sp.sympify(momentum),
        "minibatch": sp.Integer(1),
        "orthogonaliser": Rescaled(factor, factor),
    }


STOCHASTIC = Theorem(
    id="inexact-lmo/stochastic",
    title="With an inexact oracle and noise, the mean of a_i radius_i |grad_i f|_{i*} is bounded on average",
    source=source("stochastic, layer-wise smooth, constant radii"),
    method=Scion,
    parameters={
        "radius_i": sp.sqrt(gap0 / (2 * L_i)),
        "beta": (sp.Rational(1, 2), sp.Rational(9, 10)),
        "minibatch": sp.Integer(1),
        "orthogonaliser": ORTHOGONALISERS,
    },
    assumes=(LayerSmooth, LayerVariance),
    kind="mean",
    measured=avg(layer_sum(a_i * radius_i * gradnorm_i)),
    bound=stochastic_bound(a_i, b_i),
    proof="The direction O_i of the buffer is one of its mean M. <grad_i f, O_i> = <M_i, O_i> - <M_i - "
    "grad_i f, O_i> >= a_i g_i - (a_i + b_i) |M_i - grad_i f|_{i*}, so f(X_next) <= f(X) - sum_i a_i t_i "
    "g_i + (a_i + b_i) t_i |M_i - grad_i f|_{i*} + L_i b_i^2 t_i^2 / 2. Of the error, the noise has mean "
    "at most rho_i sigma_i nu_j at step j, nu_j^2 = c (1 + q) / (1 - q) with c = alpha / (2 - alpha), q "
    "= beta^(j+1), and nu_j <= beta^j + sqrt(c) (scion/momentum-error); gradients before step j differ "
    "by L_i b_i t_i (beta / alpha) on weighted average. Gluon, whose buffer starts with the first "
    "gradient, has beta^j + sqrt(c) too.",
    mutants=(
        Mutant(
            "b is ignored where it is 1.2",
            LONELY,
            {"parameters": scalar(1.2, 1 / 1.2), "bound": stochastic_bound(a_i, b_i, curvature=1)},
            steps=1,
        ),
        Mutant(
            "a is ignored where it is 0.7",
            LONELY,
            {"parameters": scalar(0.7, 1 / 0.7), "measured": avg(layer_sum(radius_i * gradnorm_i))},
            steps=1,
        ),
        Mutant(
            "a step costs no curvature",
            TINY,
            {"parameters": scalar(1.0, 1.0), "bound": stochastic_bound(a_i, b_i, curvature=0)},
            steps=4,
        ),
        Mutant(
            "old gradients count as new ones",
            LONELY,
            {
                "parameters": scalar(1.0, 0.25, sp.Rational(99, 100)),
                "bound": stochastic_bound(a_i, b_i, drift=0),
            },
            steps=10,
        ),
    ),
    tight=(Tight(LONELY, 0.4471281, steps=1),),
)

STOCHASTIC_GLUON = replace(
    STOCHASTIC,
    id="inexact-lmo/gluon",
    title="The same where the momentum starts with the first gradient",
    method=Gluon,
    proof="That of inexact-lmo/stochastic: the squares of the weights of the noise at step j add up to "
    "beta^(2 j) + alpha^2 (1 + beta^2 + ... + beta^(2 j - 2)) <= (beta^j + sqrt(alpha / (2 - alpha)))^2, "
    "and gradients before step j differ by L_i b_i t_i (beta / alpha) at most.",
)

THEOREMS = (DESCENT, SUM, RATE, STOCHASTIC, STOCHASTIC_GLUON)
