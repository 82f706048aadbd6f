"""Functions whose constants are proved beside them."""

from problems.abs_affine import AbsAffine
from problems.ball_envelope import BallEnvelope
from problems.ball_newton import SolverError
from problems.ball_oracle import BallOracle
from problems.ball_sets import EuclideanBall, L1Ball
from problems.ball_step import BallStep
from problems.base import Problem
from problems.constrained import Constrained
from problems.cosine import Cosine
from problems.distance_to import DistanceTo
from problems.double_well import DoubleWell
from problems.euclidean_norm import EuclideanNorm
from problems.function import FunctionProblem, from_function
from problems.general_quadratic import GeneralQuadratic
from problems.hinge import Hinge
from problems.huber import Huber
from problems.integer_jump import IntegerJump
from problems.lattice_abs import LatticeAbs
from problems.least_squares import LeastSquares
from problems.linear import Linear
from problems.linf_norm import LInfNorm
from problems.log_loss import LogLoss
from problems.log_sum_exp import LogSumExp
from problems.logistic import LogisticRegression
from problems.max_affine import MaxAffine
from problems.piecewise_linear import PiecewiseLinear
from problems.quadratic import Quadratic
from problems.quartic_ridge import QuarticRidge
from problems.sets import Box, ConvexSet, HalfSpace
from problems.sphere_distance import SphereDistance
from problems.squared_hinge import SquaredHinge
from problems.weighted_l1 import WeightedL1

PROBLEMS: tuple[type[Problem], ...] = (
    AbsAffine,
    BallEnvelope,
    Constrained,
    Cosine,
    DistanceTo,
    DoubleWell,
    EuclideanNorm,
    GeneralQuadratic,
    Hinge,
    Huber,
    IntegerJump,
    LInfNorm,
    LatticeAbs,
    LeastSquares,
    Linear,
    LogLoss,
    LogSumExp,
    LogisticRegression,
    MaxAffine,
    PiecewiseLinear,
    Quadratic,
    QuarticRidge,
    SphereDistance,
    SquaredHinge,
    WeightedL1,
)
"""The room's list of families. ``FunctionProblem`` is made by ``from_function`` only."""

INSTANCES: tuple[Problem, ...] = (
    AbsAffine((1.0,), start=(5.3,)),
    AbsAffine((1.0, -2.0, 0.5), b=1.0, start=(4.0, -3.0, 2.0)),
    WeightedL1(tuple(10.0 ** (-4 * i) for i in range(6)), start=(1.01,) * 6),
    WeightedL1((1.0, 0.0, 0.3), center=(1.0, -2.0, 0.5), start=(4.0, 1.0, -2.0)),
    EuclideanNorm(3),
    EuclideanNorm(2, profile="quartic", start=(2.0, 1.0)),
    LInfNorm(3, start=(3.0, -2.0, 0.5)),
    MaxAffine(2, 5),
    MaxAffine(3, 9, seed=2, f_star=1.0),
    DistanceTo(Box((-1.0, 0.0), (2.0, 0.5)), start=(4.0, 3.0)),
    Hinge((1.0, -2.0)),
    SquaredHinge((1.0, -2.0)),
    QuarticRidge((1.0, 0.5)),
    LogLoss((1.0, -2.0)),
    Linear((1.0, -2.0, 0.5)),
    Huber(),
    Huber(L=2.0, delta=0.5, d=4),
    LogSumExp(4, 3, seed=2),
    Constrained(WeightedL1((1.0, 0.3), center=(3.0, 1.0)), Box((-1.0, 0.5), (2.0, 4.0))),
    Quadratic((1.0, 2.0, 5.0), f_star=7.0, seed=1),
    Quadratic((1e-3, 0.1, 1.0, 10.0), seed=2),
    Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0)),
    Quadratic((2.0, 2.0, 2.0), seed=None, start=(3.0, -4.0, 1.0)),
    GeneralQuadratic(((2.0, -0.5), (-0.5, 0.3)), center=(1.0, -1.0), start=(4.0, 3.0)),
    BallEnvelope(WeightedL1((1.0, 0.3), start=(4.0, -3.0)), 0.5),
    Cosine(),
    Cosine(2, start=(2.0, -1.0)),
    SphereDistance(2, a=0.5, start=(0.2, 0.1)),
    DoubleWell(2, start=(3.0, 1.0)),
    PiecewiseLinear(),
    LatticeAbs(),
    IntegerJump(),
    LeastSquares("breast_cancer"),
    LogisticRegression("breast_cancer", reg=0.01),
)
"""Small members of each family, the first of a family also in quick runs."""

FULL_INSTANCES: tuple[Problem, ...] = (
    *INSTANCES,
    AbsAffine((-0.2, 0.1, 0.0, 3.0, 1.0)),
    WeightedL1((0.5,) * 20, start=tuple(0.3 * (i + 1) for i in range(20))),
    EuclideanNorm(5, center=(1.0, 0.0, -1.0, 2.0, 0.5), profile="half-square"),
    EuclideanNorm(3, profile="pseudo-huber"),
    EuclideanNorm(2, profile="log"),
    LInfNorm(8, center=tuple(0.5 * i for i in range(8))),
    MaxAffine(6, 20, seed=1),
    DistanceTo(EuclideanBall(1.0, (0.0, 0.0, 0.0)), start=(2.0, 2.0, -1.0)),
    DistanceTo(L1Ball(1.0, (0.0, 0.0, 0.0)), start=(2.0, 2.0, -1.0)),
    Hinge((0.3, 1.0, -2.0), label=-1),
    QuarticRidge((3.0,), b=1.0),
    LogLoss((0.5,), label=-1),
    LogSumExp(6, 20, seed=1, scale=0.1),
    Constrained(
        Quadratic((2.0, 0.1, 5.0), center=(0.5, -2.0, 3.0), seed=None, f_star=4.0),
        Box((-1.0, 0.5, -float("inf")), (2.0, 4.0, 1.0)),
    ),
    Huber(L=30.0, delta=5.0, d=20),
    Quadratic((3.0, 1e-2, 0.0, 0.0, 1.0), seed=3),
    Quadratic(tuple(10.0 ** (-i / 5) for i in range(31)), seed=4),
    BallEnvelope(Quadratic((1.0, 4.0, 0.1), seed=3), 0.7),
    SphereDistance(3, a=1.0, start=(3.0, 0.0, 1.0)),
    DoubleWell(1, start=(0.1,)),
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
    "BallEnvelope",
    "BallOracle",
    "BallStep",
    "Box",
    "Constrained",
    "ConvexSet",
    "Cosine",
    "DistanceTo",
    "DoubleWell",
    "EuclideanBall",
    "EuclideanNorm",
    "FunctionProblem",
    "GeneralQuadratic",
    "HalfSpace",
    "Hinge",
    "Huber",
    "IntegerJump",
    "L1Ball",
    "LInfNorm",
    "LatticeAbs",
    "LeastSquares",
    "Linear",
    "LogLoss",
    "LogSumExp",
    "LogisticRegression",
    "MaxAffine",
    "PiecewiseLinear",
    "Problem",
    "Quadratic",
    "QuarticRidge",
    "SolverError",
    "SphereDistance",
    "SquaredHinge",
    "WeightedL1",
    "from_function",
]
