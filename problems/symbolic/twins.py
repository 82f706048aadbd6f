"""Problems beside the same function as a formula: two independent codings, two independent proofs."""

from dataclasses import dataclass, replace
from fractions import Fraction

from assumptions import EUCLIDEAN, PL, Assumption, Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.weakly_convex import WeaklyConvex
from problems.base import Problem
from problems.cosh_ridge import CoshRidge
from problems.cosine import Cosine
from problems.cosine_ridge import CosineRidge
from problems.double_well import DoubleWell
from problems.euclidean_norm import EuclideanNorm
from problems.exp_ridge import ExpRidge
from problems.general_quadratic import GeneralQuadratic
from problems.link_sum import LinkSum
from problems.log_cosh_ridge import LogCoshRidge
from problems.log_loss import LogLoss
from problems.log_sum_exp import LogSumExp
from problems.power import Power
from problems.quadratic import Quadratic
from problems.quartic_ridge import QuarticRidge
from problems.symbolic.problem import SymbolicProblem


@dataclass(frozen=True)
class Twin:
    """A problem and its formula on a box.

    tight, loose: classes certified for the problem that are to be proved of the formula; the constants of the
    tight ones are the best on the box to 3 %.
    """

    problem: Problem
    formula: SymbolicProblem
    tight: tuple[type[Assumption], ...] = ()
    loose: tuple[type[Assumption], ...] = ()

    def certified(self, *kinds: type[Assumption]) -> tuple[Assumption, ...]:
        """What is certified for the problem of these classes, in the Euclidean norm."""
        found = (c.assumption for c in self.problem.certified)
        return tuple(a for a in found if type(a) in kinds and getattr(a, "norm", EUCLIDEAN) == EUCLIDEAN)


def stronger(assumption: Assumption, factor: float) -> Assumption:
    """The assumption with every constant better by a factor: smaller, or larger where that says more."""
    better = {name: getattr(assumption, name) * factor**-sense for name, sense in assumption.sense.items()}
    return replace(assumption, **better)  # pyright: ignore[reportArgumentType, reportCallIssue]


def _log_sum_exp(problem: LogSumExp) -> str:
    """The formula of a member in one or two variables, its numbers as fractions."""
    rows, log_p, center = problem._drawn
    names = ("x", "y")[: problem.d]

    def exact(number: float) -> str:
        return f"({Fraction(number)})"

    terms = []
    for row, weight in zip(rows.tolist(), log_p.exp().tolist(), strict=True):
        moved = (f"{exact(a)}*({n}-{exact(c)})" for a, n, c in zip(row, names, center.tolist(), strict=True))
        terms.append(f"{exact(weight)}*exp({' + '.join(moved)})")
    return f"log({' + '.join(terms)})"


def _mixture() -> Twin:
    problem = LogSumExp(d=2, terms=3)
    formula = SymbolicProblem(_log_sum_exp(problem), ((-2.0, 2.0), (-2.0, 2.0)))
    return Twin(problem, formula, loose=(Convex, Smooth, Lipschitz))


SQUARE = ((-2.0, 2.0), (-1.0, 2.0))

TWINS: tuple[Twin, ...] = (
    Twin(Cosine(1), SymbolicProblem("1 - cos(x)", ((-4.0, 9.0),)), tight=(Smooth, Lipschitz)),
    Twin(
        CosineRidge(a=(1.0, 2.0)),
        SymbolicProblem("1 - cos(x + 2*y)", SQUARE),
        tight=(Smooth, Lipschitz, WeaklyConvex),
    ),
    Twin(DoubleWell(1), SymbolicProblem("(x**2 - 1)**2", ((-2.0, 2.0),), minimiser=(1.0,))),
    Twin(DoubleWell(2), SymbolicProblem("(x1**2 + x2**2 - 1)**2", SQUARE, minimiser=(1.0, 0.0))),
    Twin(
        QuarticRidge(a=(1.0,)),
        SymbolicProblem("x**4/4", ((-3.0, 3.0),), minimiser=(0.0,)),
        tight=(HessianL0L1,),
        loose=(Convex,),
    ),
    Twin(
        QuarticRidge(a=(1.0, 1.0), b=0.5),
        SymbolicProblem("(x + y - 0.5)**4/4", SQUARE),
        tight=(HessianL0L1,),
        loose=(Convex,),
    ),
    Twin(
        LogLoss(a=(1.0, 2.0)),
        SymbolicProblem("log(1 + exp(-x - 2*y))", ((-2.0, 2.0), (-1.0, 1.0))),
        tight=(Smooth, Lipschitz, HessianL0L1),
        loose=(Convex,),
    ),
    Twin(
        Quadratic(eigenvalues=(2.0,), center=(0.0,)),
        SymbolicProblem("x**2", ((-3.0, 2.0),), minimiser=(0.0,)),
        tight=(Smooth, StronglyConvex, PL),
        loose=(Convex,),
    ),
    Twin(
        GeneralQuadratic(hessian=((2.0, 1.0), (1.0, 3.0))),
        SymbolicProblem("x**2 + x*y + 3*y**2/2", SQUARE, minimiser=(0.0, 0.0)),
        tight=(Smooth, StronglyConvex, PL),
        loose=(Convex,),
    ),
    Twin(
        EuclideanNorm(d=2, profile="pseudo-huber"),
        SymbolicProblem("sqrt(1 + x**2 + y**2) - 1", ((-5.0, 5.0), (-4.0, 4.0)), minimiser=(0.0, 0.0)),
        tight=(Smooth, Lipschitz),
        loose=(Convex,),
    ),
    Twin(
        EuclideanNorm(d=2, profile="quartic"),
        SymbolicProblem("(x**2 + y**2)**2/4", SQUARE, minimiser=(0.0, 0.0)),
        tight=(HessianL0L1,),
        loose=(Convex,),
    ),
    _mixture(),
    Twin(
        ExpRidge(a=(1.0,)),
        SymbolicProblem("exp(x)", ((-3.0, 2.0),)),
        tight=(HessianL0L1,),
        loose=(Convex,),
    ),
    Twin(
        CoshRidge(a=(1.0,)),
        SymbolicProblem("cosh(x) - 1", ((-5.0, 5.0),), minimiser=(0.0,)),
        tight=(HessianL0L1, PL),
        loose=(Convex,),
    ),
    Twin(
        LogCoshRidge(a=(1.5,)),
        SymbolicProblem("log(cosh(1.5*x))", ((-3.0, 3.0),), minimiser=(0.0,)),
        tight=(Smooth, Lipschitz),
        loose=(Convex,),
    ),
    Twin(
        Power(p=3.0, d=2),
        # at 0 the Hessian exists, but a formula with roots does not show it
        SymbolicProblem("(x**2 + y**2)**(3/2)/3", ((0.5, 3.0), (-1.0, 2.0))),
        tight=(HessianL0L1,),
        loose=(Convex,),
    ),
    Twin(
        LinkSum(link="robust", rows=((1.0,),)),
        SymbolicProblem("x**2/(1 + x**2)", ((-3.0, 3.0),), minimiser=(0.0,)),
        tight=(Smooth, Lipschitz, WeaklyConvex),
    ),
    Twin(
        LinkSum(link="robust", rows=((1.0,), (2.0,)), targets=(0.0, 1.0)),
        SymbolicProblem("(x**2/(1 + x**2) + (2*x - 1)**2/(1 + (2*x - 1)**2))/2", ((-3.0, 3.0),)),
        loose=(Smooth, Lipschitz, WeaklyConvex),
    ),
)
"""One or two variables, twice differentiable."""
