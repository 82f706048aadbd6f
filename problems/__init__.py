"""Functions whose constants are proved beside them."""

from problems.abs_affine import AbsAffine
from problems.ball_newton import SolverError
from problems.base import Problem
from problems.function import FunctionProblem, from_function
from problems.huber import Huber
from problems.least_squares import LeastSquares
from problems.logistic import LogisticRegression
from problems.quadratic import Quadratic
from problems.weighted_l1 import WeightedL1

PROBLEMS: tuple[type[Problem], ...] = (
    AbsAffine,
    Huber,
    LeastSquares,
    LogisticRegression,
    Quadratic,
    WeightedL1,
)
"""The room's list of families. ``FunctionProblem`` is made by ``from_function`` only."""

INSTANCES: tuple[Problem, ...] = (
    AbsAffine((1.0,), start=(5.3,)),
    AbsAffine((1.0, -2.0, 0.5), b=1.0, start=(4.0, -3.0, 2.0)),
    WeightedL1(tuple(10.0 ** (-4 * i) for i in range(6)), start=(1.01,) * 6),
    WeightedL1((1.0, 0.0, 0.3), center=(1.0, -2.0, 0.5), start=(4.0, 1.0, -2.0)),
    Huber(),
    Huber(L=2.0, delta=0.5, d=4),
    Quadratic((1.0, 2.0, 5.0), f_star=7.0, seed=1),
    Quadratic((1e-3, 0.1, 1.0, 10.0), seed=2),
    Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0)),
    Quadratic((2.0, 2.0, 2.0), seed=None, start=(3.0, -4.0, 1.0)),
    LeastSquares("breast_cancer"),
    LogisticRegression("breast_cancer", reg=0.01),
)
"""Small members of each family, the first of a family also in quick runs."""

FULL_INSTANCES: tuple[Problem, ...] = (
    *INSTANCES,
    AbsAffine((-0.2, 0.1, 0.0, 3.0, 1.0)),
    WeightedL1((0.5,) * 20, start=tuple(0.3 * (i + 1) for i in range(20))),
    Huber(L=30.0, delta=5.0, d=20),
    Quadratic((3.0, 1e-2, 0.0, 0.0, 1.0), seed=3),
    Quadratic(tuple(10.0 ** (-i / 5) for i in range(31)), seed=4),
    LeastSquares("digits"),
    LogisticRegression("breast_cancer", reg=1.0),
    LogisticRegression("digits", reg=0.01),
)
"""The longer list."""

__all__ = [
    "FULL_INSTANCES",
    "INSTANCES",
    "PROBLEMS",
    "AbsAffine",
    "FunctionProblem",
    "Huber",
    "LeastSquares",
    "LogisticRegression",
    "Problem",
    "Quadratic",
    "SolverError",
    "WeightedL1",
    "from_function",
]
