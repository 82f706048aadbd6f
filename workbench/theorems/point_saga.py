"""Point-SAGA on finite sums of strongly convex terms: smooth terms, Defazio's stepsize, terms with kinks."""

import sympy as sp

from assumptions import ComponentSmooth, ComponentStronglyConvex
from problems import QuadraticSum
from workbench.claims import Recurrence
from workbench.methods.point_saga import PointSAGA
from workbench.parts import Mutant, Source, Tight
from workbench.symbols import after, symbols
from workbench.theorem import Theorem

stepsize, minibatch, L_max, mu_component = symbols("stepsize minibatch L_max mu_component")
n_terms, k, gamma = symbols("n_terms k gamma")
dist, dist0, table_error, table_error0 = symbols("dist dist0 table_error table_error0")
L, mu, n, s = L_max, mu_component, n_terms, minibatch

UNIT = (((1.0,),),) * 4
CENTRES = QuadraticSum(UNIT, linear=((1.0,), (-1.0,), (0.0,), (0.0,)), start=(0.0,))
"""(x - c_j)^2 / 2 with c = (1, -1, 0, 0): at the start x is right and the table, which is 0, is not."""
COMMON = QuadraticSum(UNIT, start=(1.0,))
"""x^2 / 2 four times: at the start the table is right and x is not."""
SINGLE = QuadraticSum(UNIT[:1], start=(1.0,))
"""x^2 / 2 alone."""

TABLE_OFF = {"x": (0.0,), "G": ((0.0,), (0.0,), (0.0,), (0.0,))}
X_OFF = {"x": (1.0,), "G": ((0.0,), (0.0,), (0.0,), (0.0,))}

IDENTITY = (
    "Write a = x - x_star, e_j = G_j - G_j*, dx_j = y_j - x_star, dg_j = G_j_next - G_j* for every j, "
    "drawn or not, and S = mean_j |e_j|^2. Both proximal steps are y + stepsize G_next = z, so dx_j + "
    "stepsize dg_j = a + stepsize (e_j - mean e), whose mean square is at most |a|^2 + stepsize^2 S. Hence "
    "(I): mean_j (|dx_j|^2 + 2 stepsize <dx_j, dg_j> + stepsize^2 |dg_j|^2) <= |a|^2 + stepsize^2 S. By "
    "convexity E|x_next - x_star|^2 <= mean_j |dx_j|^2; and E S_next = (1 - s/n) S + (s/n) mean_j "
    "|dg_j|^2. "
)

grow = 1 + 2 * stepsize * mu * L / (mu + L)
weight = n * (stepsize**2 + 2 * stepsize / (mu + L)) / (s * grow)
lyapunov = dist**2 + weight * table_error**2
lyapunov0 = dist0**2 + weight * table_error0**2
slow = 1 - (s / n) * 2 / (2 + stepsize * (mu + L))
rate = sp.Max(1 / grow, slow)

STEPSIZES = (5 / L, 1 / L, 1 / sp.sqrt(mu * L * n))
MINIBATCHES = (1, sp.Min(2, n), n)
SMOOTH = {"stepsize": STEPSIZES, "minibatch": MINIBATCHES}
ONE = {"stepsize": 5 / L, "minibatch": sp.Integer(1)}

SMOOTH_STEP = Theorem(
    id="point-saga/smooth",
    title="Smooth strongly convex terms: the Lyapunov function contracts in the mean, for every stepsize",
    source=Source(
        "arXiv:1602.02442", "DERIVED", title="A simple practical accelerated method for finite sums"
    ),
    kind="step",
    method=PointSAGA,
    parameters=SMOOTH,
    assumes=(ComponentStronglyConvex, ComponentSmooth),
    measured=after(lyapunov),
    bound=rate * lyapunov,
    proof=IDENTITY
    + "With <dx, dg> >= (mu L |dx|^2 + |dg|^2) / (mu + L) in (I): A mean|dx_j|^2 + B mean|dg_j|^2 <= |a|^2 "
    "+ stepsize^2 S, A = 1 + 2 stepsize mu L / (mu + L), B = stepsize^2 + 2 stepsize / (mu + L). With the "
    "weight w = n B / (s A), E[|x_next - x_star|^2 + w S_next] <= (|a|^2 + stepsize^2 S) / A + w (1 - s/n) "
    "S, and stepsize^2 / A = w (s/n) stepsize^2 / B, where 1 - stepsize^2 / B = 2 / (2 + stepsize (mu + "
    "L)).",
    mutants=(
        Mutant(
            "forgets that the table lags",
            CENTRES,
            {"parameters": ONE, "bound": lyapunov / grow},
            state=TABLE_OFF,
        ),
        Mutant(
            "n times the part of the table that a step refreshes",
            CENTRES,
            {
                "parameters": ONE,
                "bound": sp.Max(1 / grow, 1 - s * 2 / (2 + stepsize * (mu + L))) * lyapunov,
            },
            state=TABLE_OFF,
        ),
    ),
    tight=(Tight(CENTRES, 1.0, steps=1, state=TABLE_OFF),),
)

SMOOTH_MEAN = Theorem(
    id="point-saga/smooth-mean",
    title="Smooth strongly convex terms: linear convergence in the mean, for every stepsize",
    source=SMOOTH_STEP.source,
    kind="mean",
    method=PointSAGA,
    parameters=SMOOTH,
    assumes=(ComponentStronglyConvex, ComponentSmooth),
    measured=lyapunov,
    bound=rate**k * lyapunov0,
    when=k >= 1,
    proof="The step claim, k times.",
    mutants=(
        Mutant(
            "forgets that the table lags",
            CENTRES,
            {"parameters": ONE, "bound": grow ** (-k) * lyapunov0},
            steps=3,
        ),
    ),
    tight=(Tight(CENTRES, 1.0, steps=3),),
)

DEFAZIO_STEPSIZE = sp.sqrt((n - 1) ** 2 + 4 * n * L / mu) / (2 * L * n) - (1 - 1 / n) / (2 * L)
defazio = dist**2 + table_error**2 / (mu * L)

DEFAZIO = Theorem(
    id="point-saga/defazio",
    title="Defazio's stepsize: the Lyapunov function contracts by 1 / (1 + mu stepsize) in the mean",
    source=Source(
        "arXiv:1602.02442",
        "SOURCED",
        "as stated for the example point_saga of PEPit",
        "A simple practical accelerated method for finite sums",
    ),
    kind="step",
    method=PointSAGA,
    parameters={"stepsize": DEFAZIO_STEPSIZE, "minibatch": sp.Integer(1)},
    assumes=(ComponentStronglyConvex, ComponentSmooth),
    measured=after(defazio),
    bound=defazio / (1 + mu * stepsize),
    mutants=(
        Mutant("twice the rate", CENTRES, {"bound": defazio / (1 + 2 * mu * stepsize)}, state=TABLE_OFF),
        Mutant(
            "twice the stepsize",
            CENTRES,
            {"parameters": {"stepsize": 2 * DEFAZIO_STEPSIZE, "minibatch": sp.Integer(1)}},
            state=TABLE_OFF,
        ),
    ),
    tight=(Tight(CENTRES, 1.0, steps=1, state=TABLE_OFF),),
)

shorter = stepsize / sp.sqrt(1 + 2 * mu * stepsize)
scaled = dist**2 / stepsize**2 + n / s * table_error**2
SCHEDULE = Recurrence(
    start={"gamma": 1 / mu}, update={"gamma": gamma / sp.sqrt(1 + 2 * mu * gamma)}, value="gamma"
)
DECREASING = {"stepsize": SCHEDULE, "minibatch": MINIBATCHES}

KINKS_STEP = Theorem(
    id="point-saga/kinks",
    title="Strongly convex terms, perhaps with kinks: distances in units of a falling stepsize do not grow",
    source=Source(
        "arXiv:1602.02442", "DERIVED", title="A simple practical accelerated method for finite sums"
    ),
    kind="step",
    method=PointSAGA,
    parameters=DECREASING,
    assumes=(ComponentStronglyConvex,),
    measured=after(dist**2) / shorter**2 + n / s * after(table_error**2),
    bound=scaled,
    proof=IDENTITY
    + "With <dx, dg> >= mu |dx|^2 in (I): (1 + 2 mu stepsize) E|x_next - x_star|^2 <= |a|^2 + stepsize^2 S "
    "- stepsize^2 mean|dg_j|^2. The stepsize of the next step is stepsize / (1 + 2 mu stepsize)^(1/2): "
    "divide by stepsize^2 and add (n/s) E S_next = (n/s) S - S + mean|dg_j|^2.",
    mutants=(
        Mutant(
            "a stepsize that falls twice as fast",
            COMMON,
            {
                "measured": after(dist**2) * (1 + 4 * mu * stepsize) / stepsize**2
                + n / s * after(table_error**2),
                "parameters": {"stepsize": 1 / mu, "minibatch": sp.Integer(1)},
            },
            state=X_OFF,
        ),
        Mutant(
            "the table as if all of it were refreshed",
            CENTRES,
            {
                "measured": after(dist**2) / shorter**2 + after(table_error**2),
                "bound": dist**2 / stepsize**2 + table_error**2,
                "parameters": {"stepsize": 1 / mu, "minibatch": sp.Integer(1)},
            },
            state=TABLE_OFF,
        ),
    ),
    tight=(Tight(COMMON, 1.0, steps=1, state=X_OFF),),
)

FIRST = 1 / mu
started = dist0**2 / FIRST**2 + n / s * table_error0**2

KINKS_MEAN = Theorem(
    id="point-saga/kinks-mean",
    title="Strongly convex terms, perhaps with kinks: the mean squared distance falls like 1 / (mu k)^2",
    source=KINKS_STEP.source,
    kind="mean",
    method=PointSAGA,
    parameters=DECREASING,
    assumes=(ComponentStronglyConvex,),
    measured=dist**2,
    bound=stepsize**2 * started,
    when=k >= 1,
    proof="The step claim, k times; the stepsizes fall like 1 / (mu k): 1 / gamma_next^2 - 1 / gamma^2 = 2 "
    "mu / gamma.",
    mutants=(
        Mutant("half the constant", COMMON, {"bound": stepsize**2 * started / 2}, steps=3),
        Mutant("forgets the table", CENTRES, {"bound": stepsize**2 * dist0**2 / FIRST**2}, steps=3),
    ),
    tight=(Tight(COMMON, 0.75, steps=3),),
)

KINKS_SLOPE = Theorem(
    id="point-saga/kinks-slope",
    title="Strongly convex terms, perhaps with kinks: the mean squared distance falls like k^-2",
    source=KINKS_STEP.source,
    kind="slope",
    exponent=-2,
    method=PointSAGA,
    parameters=DECREASING,
    assumes=(ComponentStronglyConvex,),
    measured=dist**2,
    bound=stepsize**2 * started,
    proof="As point-saga/kinks-mean.",
    mutants=(
        Mutant("the cube of the rate", SINGLE, {"exponent": -6, "bound": stepsize**6 * started}, steps=100),
    ),
    tight=(Tight(SINGLE, -1.90675, steps=100),),
)

THEOREMS = (SMOOTH_STEP, SMOOTH_MEAN, DEFAZIO, KINKS_STEP, KINKS_MEAN, KINKS_SLOPE)
