"""Special cases of the stochastic multi-proximal method, iterate by iterate on the same draws."""

import sympy as sp

from assumptions import ComponentConvex, Convex
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from problems import AbsAffine, Huber, Quadratic, QuadraticSum
from problems.composite.composite import Composite
from workbench.methods import ProximalPoint
from workbench.methods.multi_proximal import MultiProximal
from workbench.methods.point_saga import PointSAGA
from workbench.methods.proxskip import ProxSkip
from workbench.methods.randprox_minibatch import RandProxMinibatch
from workbench.parts import Mutant, Source
from workbench.samplings import AllOrNothing, Nice, Single
from workbench.symbols import symbols
from workbench.theorem import Theorem

stepsize, p, n_terms, n_clients, L_f = symbols("stepsize p n_terms n_clients L_f")

CENTRES = QuadraticSum((((1.0,),),) * 4, linear=((1.0,), (-1.0,), (0.0,), (2.0,)), start=(1.0,))
PARTS = Composite.around(
    (0.0, 1.0),
    ((0.5, 0.0), (0.0, -0.25), (1.0, 2.0)),
    smooth=Quadratic((1.0, 2.0), (1.0, 0.0), seed=None),
    terms=(AbsAffine((1.0, 0.0)), AbsAffine((0.0, 1.0), 1.0), Quadratic((1.0, 1.0), (-1.0, -1.0), seed=None)),
)
"""|x_1|, |x_2 - 1|, two quadratics, and g."""
SHRUNK = Composite(
    smooth=Quadratic((1.0, 4.0), (1.0, 0.0), seed=None),
    terms=(Quadratic((1.0, 1.0), (0.0, 0.0), seed=None),),
    minimiser=(0.5, 0.0),
)
"""An ellipse and |x|^2 / 2."""

SOURCE = Source(
    "arXiv:2505.12409", "DERIVED", title="A Stochastic Multi-Proximal Method for Nonsmooth Optimization"
)
"""The abstract names the special cases; the method is a reconstruction."""

AS_POINT_SAGA = Theorem(
    id="multi-proximal/point-saga",
    title="On a finite sum, with sets of two terms: Point-SAGA with a minibatch of two",
    source=SOURCE,
    kind="equal",
    method=(MultiProximal, PointSAGA),
    parameters={
        "stepsize": (sp.Rational(1, 2), sp.Integer(5)),
        "dual_stepsize_j": 1 / (stepsize * n_terms),
        "sampling": Nice(2),
        "minibatch": sp.Integer(2),
    },
    assumes=(ComponentConvex,),
    requires=n_terms >= 2,
    proof="h_j = f_j / n, u_j = G_j / n, tau_j = 1 / (stepsize n), p_j = 2 / n: z + u_j / tau_j = x + "
    "stepsize (G_j - mean G), of which y_j is the proximal point of stepsize f_j; n u_j_next = n tau_j (z "
    "+ u_j / tau_j - y_j) = G_j_next; and x_next = z - stepsize (n/2) sum tau_j (z - y_j) = z - (1/2) sum "
    "(z - y_j), the mean of the two y_j.",
    mutants=(
        Mutant(
            "n times the dual stepsize",
            CENTRES,
            {
                "parameters": {
                    "stepsize": sp.Rational(1, 2),
                    "dual_stepsize_j": 1 / stepsize,
                    "sampling": Nice(2),
                    "minibatch": sp.Integer(2),
                }
            },
            steps=3,
        ),
    ),
)

AS_PROXSKIP = Theorem(
    id="multi-proximal/proxskip",
    title="One term, drawn with probability p: ProxSkip",
    source=SOURCE,
    kind="equal",
    method=(MultiProximal, ProxSkip),
    parameters={
        "stepsize": (1 / (2 * L_f), sp.Rational(9, 5) / L_f),
        "dual_stepsize_j": p / stepsize,
        "sampling": AllOrNothing(0.3),
        "p": sp.Float(0.3),
    },
    assumes=(SmoothPart, ConvexTerms),
    proof="u = -h and tau = p / stepsize: z is x_hat, z + u / tau = x_hat - (stepsize / p) h, h_next = h + "
    "(p / stepsize)(y - x_hat), and x_next = z - (stepsize / p) tau (z - y) = y if the term is drawn, else "
    "x_hat.",
    mutants=(
        Mutant(
            "a dual stepsize that forgets p",
            SHRUNK,
            {
                "parameters": {
                    "stepsize": 1 / (2 * L_f),
                    "dual_stepsize_j": 1 / stepsize,
                    "sampling": AllOrNothing(0.3),
                    "p": sp.Float(0.3),
                }
            },
        ),
    ),
)

AS_RANDPROX = Theorem(
    id="multi-proximal/randprox-minibatch",
    title="Sets of two terms: RandProx with a minibatch of two",
    source=SOURCE,
    kind="equal",
    method=(MultiProximal, RandProxMinibatch),
    parameters={
        "stepsize": (1 / (1 + L_f), 2 / (sp.Rational(1, 8) + L_f)),
        "dual_stepsize_j": 1 / (stepsize * n_clients),
        "sampling": Nice(2),
        "minibatch": sp.Integer(2),
    },
    assumes=(SmoothPart, ConvexTerms),
    requires=(n_clients >= 2) & sp.Eq(n_terms, 1),
    proof="p_j = 2 / n, tau_j = 1 / (stepsize n); u_j + tau_j (z - y_j) is the proximal point of tau_j "
    "h_j^* at u_j + tau_j z by Moreau's identity.",
    mutants=(
        Mutant(
            "sets of one",
            PARTS,
            {
                "parameters": {
                    "stepsize": 1 / (1 + L_f),
                    "dual_stepsize_j": 1 / (stepsize * n_clients),
                    "sampling": Single(),
                    "minibatch": sp.Integer(2),
                }
            },
            steps=5,
        ),
    ),
)

AS_PROXIMAL_POINT = Theorem(
    id="multi-proximal/proximal-point",
    title="One term, always drawn, and nothing else: the proximal point method",
    source=SOURCE,
    kind="equal",
    method=(MultiProximal, ProximalPoint),
    parameters={
        "stepsize": (sp.Rational(1, 2), sp.Integer(5)),
        "dual_stepsize_j": 1 / stepsize,
        "sampling": Nice(1),
    },
    assumes=(Convex,),
    requires=sp.Eq(n_terms, 1) & sp.Eq(n_clients, 1),
    proof="z + u / tau = x - stepsize u + stepsize u, and x_next = z - stepsize tau (z - y) = y.",
    mutants=(
        Mutant(
            "twice the dual stepsize",
            Huber(L=1.0, delta=1.0, d=2),
            {
                "parameters": {
                    "stepsize": sp.Rational(1, 2),
                    "dual_stepsize_j": 2 / stepsize,
                    "sampling": Nice(1),
                }
            },
        ),
    ),
)

THEOREMS = (AS_POINT_SAGA, AS_PROXSKIP, AS_RANDPROX, AS_PROXIMAL_POINT)
