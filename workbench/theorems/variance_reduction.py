"""Loopless SVRG, SAGA and SVRG on sums of smooth convex terms: textbook rates with their proofs."""

import sympy as sp

from assumptions.convex import Convex
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from problems import Huber, Quadratic, QuadraticSum
from workbench.methods.loopless_svrg import LooplessSVRG
from workbench.methods.saga import SAGA
from workbench.methods.svrg import SVRG
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, avg, symbols
from workbench.theorem import Theorem

stepsize, p, period, minibatch, n_terms, k, K = symbols("stepsize p period minibatch n_terms k K")
L_max, mu, gap, gap0, dist, dist0 = symbols("L_max mu gap gap0 dist dist0")
snapshot_error, snapshot_error0 = symbols("snapshot_error snapshot_error0")
table_error, table_error0 = symbols("table_error table_error0")

TERMS = (StronglyConvex, ComponentConvex, ComponentSmooth)
LONGEST = 1 / (6 * L_max)
ANY_BATCH = (1, sp.Min(2, n_terms))

AXES = QuadraticSum.coordinates(4)
PAIR = QuadraticSum((((2.0,),), ((0.0,),)), ((1.0,), (-1.0,)), start=(0.0,))
"""x^2 - x and x, minimiser 0: the terms pull in different directions."""
ROUND = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -3.0)))
LONE = QuadraticSum.isotropic(2.0, ((0.0,),))
VALLEY = Quadratic((1.0, 1000.0), (0.0, 0.0), seed=None, start=(1.0, 0.0))
"""One term, from its flat axis: the squared distance falls by (1 - stepsize mu)^2, all else is small."""
SLOPE = Huber(L=1.0, delta=0.042, d=1, start=(1.0,))
"""One term, linear but at the end."""

VARIANCE = (
    "Each f_j is convex and L_max-smooth, so |grad f_j(x) - grad f_j(x_star)|^2 <= 2 L_max (f_j(x) - "
    "f_j(x_star) - <grad f_j(x_star), x - x_star>), with mean 2 L_max gap. "
)
STEP = (
    "The direction v has mean grad f(x), so E |x_next - x_star|^2 = dist^2 - 2 stepsize <grad f(x), x - "
    "x_star> + stepsize^2 E |v|^2 <= (1 - stepsize mu) dist^2 - 2 stepsize gap + stepsize^2 E |v|^2. "
)

LSVRG_WEIGHT = 4 * stepsize**2 / p
LSVRG_STEP = Theorem(
    id="lsvrg/step",
    title="Loopless SVRG contracts the squared distance and the error of the snapshot together",
    source=Source(
        "arXiv:1901.08689", "DERIVED", "Theorem 5", "Don't Jump Through Hoops and Remove Those Loops"
    ),
    method=LooplessSVRG,
    parameters={"stepsize": (LONGEST, LONGEST / 4), "p": (1 / n_terms, 1), "minibatch": ANY_BATCH},
    assumes=TERMS,
    requires=stepsize <= LONGEST,
    measured=after(dist**2 + LSVRG_WEIGHT * snapshot_error**2)
    + 2 * stepsize * (1 - 6 * stepsize * L_max) * gap,
    bound=(1 - stepsize * mu) * dist**2 + (1 - p / 2) * LSVRG_WEIGHT * snapshot_error**2,
    kind="step",
    proof=VARIANCE
    + STEP
    + "By |a + b|^2 <= 2 |a|^2 + 2 |b|^2 and since a variance is at most a second moment, that of a "
    "minibatch at most that of one term, E |v|^2 <= 4 L_max gap + 2 e^2 with e = snapshot_error. The "
    "snapshot moves to x with probability p: E e_next^2 <= (1 - p) e^2 + 2 p L_max gap. With the weight 4 "
    "stepsize^2 / p, the terms in e^2 are 1 - p + p / 2 and those in gap -2 stepsize + 4 stepsize^2 L_max + "
    "8 stepsize^2 L_max.",
    mutants=(
        Mutant(
            "the snapshot forgotten at the rate p",
            PAIR,
            {
                "parameters": {"stepsize": LONGEST, "p": 1 / n_terms, "minibatch": 1},
                "bound": (1 - stepsize * mu) * dist**2 + (1 - p) * LSVRG_WEIGHT * snapshot_error**2,
            },
        ),
        Mutant(
            "without the memory",
            PAIR,
            {
                "parameters": {"stepsize": LONGEST, "p": 1 / n_terms, "minibatch": 1},
                "measured": after(dist**2),
                "bound": (1 - stepsize * mu) * dist**2,
            },
        ),
        Mutant(
            "fifteen times the stepsize",
            AXES,
            {
                "parameters": {"stepsize": 15 * LONGEST, "p": 1 / n_terms, "minibatch": 1},
                "requires": True,
                "measured": after(dist**2 + LSVRG_WEIGHT * snapshot_error**2),
            },
        ),
    ),
    tight=(Tight(LONE, 551 / 552, state={"x": (1.0,), "snapshot": (0.0,), "full": (0.0,)}),),
)

LSVRG = Theorem(
    id="lsvrg/strongly-convex",
    title="Loopless SVRG converges linearly at the slower of stepsize mu and p / 2",
    source=LSVRG_STEP.source,
    method=LooplessSVRG,
    parameters={"stepsize": LONGEST, "p": (1 / n_terms, 1), "minibatch": ANY_BATCH},
    assumes=TERMS,
    requires=stepsize <= LONGEST,
    when=k >= 1,
    measured=dist**2 + LSVRG_WEIGHT * snapshot_error**2,
    bound=sp.Max(1 - stepsize * mu, 1 - p / 2) ** k * (dist0**2 + LSVRG_WEIGHT * snapshot_error0**2),
    kind="mean",
    proof="lsvrg/step, k times.",
    mutants=(
        Mutant(
            "the rate of the iterate alone",
            QuadraticSum.isotropic(2.0, ((0.0,), (0.0,), (0.0,), (0.0,), (0.0,), (0.0,))),
            {
                "parameters": {"stepsize": LONGEST, "p": 1 / n_terms, "minibatch": 1},
                "bound": (1 - 2 * stepsize * mu) ** k * (dist0**2 + LSVRG_WEIGHT * snapshot_error0**2),
            },
            steps=3,
        ),
    ),
    tight=(Tight(VALLEY, 0.9998333334, steps=1), Tight(LONE, 0.87, steps=1)),
)

SAGA_WEIGHT = 4 * stepsize**2 * n_terms
SAGA_STEP = Theorem(
    id="saga/step",
    title="SAGA contracts the squared distance and the error of its table together, whatever the table holds",
    source=Source(
        "arXiv:1407.0202",
        "DERIVED",
        "Theorem 1, with another potential",
        "SAGA: A Fast Incremental Gradient Method",
    ),
    method=SAGA,
    parameters={"stepsize": (LONGEST, LONGEST / 4)},
    assumes=TERMS,
    requires=stepsize <= LONGEST,
    measured=after(dist**2 + SAGA_WEIGHT * table_error**2) + 2 * stepsize * (1 - 6 * stepsize * L_max) * gap,
    bound=(1 - stepsize * mu) * dist**2 + (1 - 1 / (2 * n_terms)) * SAGA_WEIGHT * table_error**2,
    kind="step",
    proof=VARIANCE
    + STEP
    + "v = grad f_j(x) - grad f_j(x_star) - (t_j - grad f_j(x_star) - their mean), so E |v|^2 <= 4 L_max "
    "gap + 2 e^2 with e = table_error. One of the n rows changes: E e_next^2 <= (1 - 1/n) e^2 + 2 L_max gap "
    "/ n. With the weight 4 stepsize^2 n the terms in e^2 are 1 - 1/n + 1/(2 n) and those in gap -2 "
    "stepsize + 12 stepsize^2 L_max.",
    mutants=(
        Mutant(
            "the table forgotten at the rate 1 / n",
            PAIR,
            {
                "parameters": {"stepsize": LONGEST},
                "bound": (1 - stepsize * mu) * dist**2 + (1 - 1 / n_terms) * SAGA_WEIGHT * table_error**2,
            },
        ),
        Mutant(
            "without the table",
            PAIR,
            {
                "parameters": {"stepsize": LONGEST},
                "measured": after(dist**2),
                "bound": (1 - stepsize * mu) * dist**2,
            },
        ),
    ),
    tight=(Tight(LONE, 551 / 552, state={"x": (1.0,), "table": ((0.0,),)}),),
)

SAGA_RATE = Theorem(
    id="saga/strongly-convex",
    title="SAGA converges linearly at the slower of mu / (6 L_max) and 1 / (2 n)",
    source=SAGA_STEP.source,
    method=SAGA,
    parameters={"stepsize": LONGEST},
    assumes=TERMS,
    requires=stepsize <= LONGEST,
    when=k >= 1,
    measured=dist**2 + SAGA_WEIGHT * table_error**2,
    bound=sp.Max(1 - stepsize * mu, 1 - 1 / (2 * n_terms)) ** k * (dist0**2 + SAGA_WEIGHT * table_error0**2),
    kind="mean",
    proof="saga/step, k times.",
    mutants=(
        Mutant(
            "the rate of the iterate alone",
            QuadraticSum.isotropic(2.0, ((0.0,), (0.0,), (0.0,), (0.0,), (0.0,), (0.0,))),
            {"bound": (1 - 2 * stepsize * mu) ** k * (dist0**2 + SAGA_WEIGHT * table_error0**2)},
            steps=3,
        ),
    ),
    tight=(Tight(VALLEY, 0.9998333334, steps=1), Tight(LONE, 0.87, steps=1)),
)

SVRG_EPOCH = Theorem(
    id="svrg/epoch",
    title="Over one epoch of SVRG the mean gap is bounded by the start alone, however noisy the terms are",
    source=Source(
        "Johnson and Zhang (2013)",
        "DERIVED",
        "Theorem 1",
        "Accelerating Stochastic Gradient Descent using Predictive Variance Reduction",
    ),
    method=SVRG,
    parameters={"stepsize": (1 / (4 * L_max), 1 / (10 * L_max)), "period": K, "minibatch": ANY_BATCH},
    assumes=(Convex, ComponentConvex, ComponentSmooth),
    requires=stepsize < 1 / (2 * L_max),
    measured=avg(gap),
    bound=(dist0**2 + 4 * L_max * stepsize**2 * k * gap0) / (2 * stepsize * (1 - 2 * stepsize * L_max) * k),
    kind="mean",
    proof=VARIANCE
    + "With w = x_0 the snapshot and v the direction, v = (grad f_S(x) - grad f_S(x_star)) - (grad f_S(w) - "
    "grad f_S(x_star) - grad f(w)), so E |v|^2 <= 4 L_max (gap + gap0), and E |x_next - x_star|^2 <= dist^2 "
    "- 2 stepsize gap + 4 stepsize^2 L_max (gap + gap0). Sum over j < k. Where f is mu-strongly convex "
    "dist0^2 <= 2 gap0 / mu, and the bound is gap0 times 1 / (mu stepsize (1 - 2 stepsize L_max) k) + 2 "
    "stepsize L_max / (1 - 2 stepsize L_max).",
    mutants=(
        Mutant(
            "a quarter of the first term, no second",
            LONE,
            {"bound": dist0**2 / (8 * stepsize * k)},
            steps=12,
        ),
        Mutant(
            "a rate of 1/k^2",
            LONE,
            {
                "bound": (dist0**2 + 4 * L_max * stepsize**2 * k * gap0)
                / (2 * stepsize * (1 - 2 * stepsize * L_max) * k**2)
            },
            steps=40,
        ),
    ),
    tight=(Tight(SLOPE, 0.5674568680, steps=200), Tight(LONE, 1 / 9, steps=1)),
)

THEOREMS = (LSVRG_STEP, LSVRG, SAGA_STEP, SAGA_RATE, SVRG_EPOCH)
