"""Minibatch SGD where every term is stationary at the minimiser, with proofs."""

import sympy as sp

from assumptions.sums.interpolation import Interpolation
from problems import QuadraticSum
from workbench.methods.sgd import SGD
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import symbols
from workbench.theorem import Theorem
from workbench.theorems.gower2019 import ANY_BATCH, AXES, L_BATCH, SPREAD, TERMS, source

stepsize, with_noise, k, mu = symbols("stepsize with_noise k mu")
gap, dist, dist_next, dist0 = symbols("gap dist dist_next dist0")

INTERPOLATED_STEP = Theorem(
    id="sgd/interpolation-step",
    title="Where every term is stationary at the minimiser, a step contracts like one of gradient descent",
    source=source("the case of no noise at the minimiser, with a stepsize twice as long"),
    method=SGD,
    parameters={"stepsize": (1 / L_BATCH, 1 / (2 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(*TERMS, Interpolation),
    requires=sp.And(with_noise < 1, stepsize <= 1 / L_BATCH),
    measured=dist_next**2 + 2 * stepsize * (1 - stepsize * L_BATCH) * gap,
    bound=(1 - stepsize * mu) * dist**2,
    kind="step",
    proof=SPREAD
    + "Here grad f_S(x) = d_S, so E |x_next - x_star|^2 <= dist^2 - 2 stepsize (gap + mu dist^2 / 2) + "
    "2 stepsize^2 L_b gap.",
    mutants=(
        Mutant(
            "one in a thousand more",
            AXES,
            {
                "parameters": {"stepsize": 1 / L_BATCH, "minibatch": 1},
                "bound": sp.Rational(999, 1000) * (1 - stepsize * mu) * dist**2,
            },
        ),
        Mutant(
            "three times the stepsize",
            AXES,
            {
                "parameters": {"stepsize": 3 / L_BATCH, "minibatch": 1},
                "requires": with_noise < 1,
                "measured": dist_next**2,
            },
        ),
    ),
    tight=(Tight(AXES, 1.0),),
)

INTERPOLATED = Theorem(
    id="sgd/interpolation",
    title="Where every term is stationary at the minimiser, minibatch SGD converges linearly",
    source=source("the case of no noise at the minimiser, with a stepsize twice as long"),
    method=SGD,
    parameters={"stepsize": (1 / L_BATCH, 1 / (2 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(*TERMS, Interpolation),
    requires=sp.And(with_noise < 1, stepsize <= 1 / L_BATCH),
    when=k >= 1,
    measured=dist**2,
    bound=(1 - stepsize * mu) ** k * dist0**2,
    kind="mean",
    proof="sgd/interpolation-step, k times.",
    mutants=(
        Mutant(
            "the rate of a step twice as long",
            AXES,
            {
                "parameters": {"stepsize": 1 / (2 * L_BATCH), "minibatch": 1},
                "bound": (1 - 2 * stepsize * mu) ** k * dist0**2,
            },
            steps=4,
        ),
    ),
    tight=(Tight(AXES, 1.0, steps=4),),
)

WITH_PROBABILITY = Theorem(
    id="sgd/interpolation-hp",
    title="On nine runs in ten the squared distance stays below ten times the linear rate at all steps",
    source=Source("Ville (1939)", "DERIVED", title="Etude critique de la notion de collectif"),
    method=SGD,
    parameters={"stepsize": (1 / L_BATCH, 1 / (2 * L_BATCH)), "minibatch": ANY_BATCH},
    assumes=(*TERMS, Interpolation),
    requires=sp.And(with_noise < 1, stepsize <= 1 / L_BATCH),
    measured=dist**2,
    bound=10 * (1 - stepsize * mu) ** k * dist0**2,
    kind="hp",
    failure=0.1,
    proof="By sgd/interpolation-step, dist^2 / (1 - stepsize mu)^k is a nonnegative supermartingale. Ville: "
    "the probability that it ever reaches 10 times its start is at most 1/10. (Where stepsize mu = 1 the "
    "distance is 0 after one step, almost surely.)",
    mutants=(
        Mutant(
            "no room for chance",
            QuadraticSum.coordinates(2),
            {
                "parameters": {"stepsize": 1 / L_BATCH, "minibatch": 1},
                "bound": (1 - stepsize * mu) ** k * dist0**2,
            },
            steps=6,
        ),
        Mutant(
            "the rate of the full gradient",
            QuadraticSum.coordinates(2),
            {
                "parameters": {"stepsize": 1 / L_BATCH, "minibatch": 1},
                "bound": 10 * (1 - 2 * stepsize * mu) ** k * dist0**2,
            },
            steps=6,
        ),
    ),
)

THEOREMS = (INTERPOLATED_STEP, INTERPOLATED, WITH_PROBABILITY)
