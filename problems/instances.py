"""Members of each family: the short list of every verification, and the longer one."""

from math import inf

from assumptions import PL, Smooth
from problems.abs_affine import AbsAffine
from problems.abs_sum import AbsSum
from problems.ball_envelope import BallEnvelope
from problems.ball_sets import EuclideanBall, L1Ball
from problems.base import Problem
from problems.calculus.linear_map import LinearMap
from problems.calculus.noisy import Noisy
from problems.calculus.regularised import Regularised
from problems.calculus.scaled import Scaled
from problems.calculus.shifted import Shifted
from problems.calculus.sum import Mean, Sum
from problems.composite.distributed import Distributed
from problems.composite.instances import COMPOSITE_INSTANCES
from problems.constrained import Constrained
from problems.cosh_ridge import CoshRidge
from problems.cosine import Cosine
from problems.cosine_ridge import CosineRidge
from problems.distance_to import DistanceTo
from problems.double_well import DoubleWell
from problems.euclidean_norm import EuclideanNorm
from problems.exp_ridge import ExpRidge
from problems.general_quadratic import GeneralQuadratic
from problems.hinge import Hinge
from problems.huber import Huber
from problems.integer_jump import IntegerJump
from problems.interpolant import Interpolant
from problems.lattice_abs import LatticeAbs
from problems.layered_instances import LAYERED_INSTANCES
from problems.least_squares import LeastSquares
from problems.linear import Linear
from problems.linear_network import LinearNetwork
from problems.linf_norm import LInfNorm
from problems.link_sum import LinkSum
from problems.log_cosh_ridge import LogCoshRidge
from problems.log_loss import LogLoss
from problems.log_sum_exp import LogSumExp
from problems.logistic import LogisticRegression
from problems.max_affine import MaxAffine
from problems.nesterov_worst import NesterovWorst
from problems.noise.pareto import ParetoNoise
from problems.noise.skewed import SkewedNoise
from problems.nonsmooth_worst import NonsmoothWorst
from problems.piecewise_linear import PiecewiseLinear
from problems.power import Power
from problems.quadratic import Quadratic
from problems.quadratic_sum import QuadraticSum
from problems.quartic_ridge import QuarticRidge
from problems.sets import Box
from problems.sphere_distance import SphereDistance
from problems.squared_hinge import SquaredHinge
from problems.symbolic.problem import SymbolicProblem
from problems.weighted_l1 import WeightedL1

INSTANCES: tuple[Problem, ...] = (
    AbsAffine((1.0,), start=(5.3,)),
    AbsAffine((1.0, -2.0, 0.5), b=1.0, start=(4.0, -3.0, 2.0)),
    WeightedL1(tuple(10.0 ** (-4 * i) for i in range(6)), start=(1.01,) * 6),
    WeightedL1((1.0, 0.0, 0.3), center=(1.0, -2.0, 0.5), start=(4.0, 1.0, -2.0)),
    EuclideanNorm(3),
    EuclideanNorm(2, profile="quartic", start=(2.0, 1.0)),
    LInfNorm(3, start=(3.0, -2.0, 0.5)),
    Interpolant(((2.0,), (0.0,), (-3.0,)), ((1.0,), (0.0,), (-1.0,)), (2.0, 0.0, 3.0)),
    Interpolant(((2.0, 0.0), (0.0, 0.0)), ((1.0, 0.0), (0.0, 0.0)), (1.5, 0.0), L=1.0),
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
    ExpRidge((1.0, -0.5)),
    CoshRidge((1.0, -0.5)),
    LogCoshRidge((1.0, -0.5)),
    CosineRidge((1.0,)),
    Power(p=4.0),
    Power(p=3.0, d=3, center=(1.0, 0.0, -1.0)),
    LinkSum("logistic", ((1.0, 0.5), (0.3, 1.0), (2.0, -0.5))),
    LinkSum("quartic", ((1.0, 0.0), (0.0, 1.0), (1.0, -1.0))),
    LinkSum("robust", ((1.0, 0.5), (0.3, 1.0), (-1.0, 1.0)), targets=(0.5, -0.3, 2.0)),
    QuadraticSum.opposite_pair(5.0, 1.0),
    QuadraticSum.coordinates(4),
    QuadraticSum.rank_one(((1.0, 0.0, 1.0), (0.0, 2.0, 0.0))),
    QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0))),
    QuadraticSum.isotropic(1.0, ((1.0, 0.0), (0.0, 2.0), (-1.0, -2.0))),
    AbsSum(
        ((1.0, 0.5), (0.5, -1.0), (-1.0, 0.25), (0.0, 1.0)),
        (0.5, -0.25, 1.0, 0.0),
        mu=0.5,
        residuals=(0.0, 0.0, 2.0, 0.0),
        center=(1.0, -1.0),
    ),
    AbsSum(
        ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (1.0, 1.0, 1.0), (1.0, -1.0, 0.0)),
        (-0.5, -0.5, -0.5, 0.5, 0.0),
        mu=0.0,
    ),
    *COMPOSITE_INSTANCES,
    NesterovWorst(),
    NonsmoothWorst(),
    *LAYERED_INSTANCES,
    Scaled(Huber(), factor=3.0, unit=0.5),
    Shifted(CoshRidge((1.0,)), (2.0,)),
    LinearMap(LogSumExp(2, 3, seed=1), ((1.0, 0.5), (0.0, 2.0))),
    Regularised(LogLoss((1.0, -2.0)), 0.1),
    Sum((Huber(d=2), Cosine(2))),
    Mean((Quadratic((1.0, 3.0), seed=1), CoshRidge((1.0, 1.0)))),
    SymbolicProblem("x**2 + 3*sin(x)**2", ((-4.0, 5.0),), prove=(Smooth(8.0), PL(1 / 32)), minimiser=(0.0,)),
    LeastSquares("iris"),
    LeastSquares("breast_cancer"),
    LogisticRegression("iris", reg=0.01),
    LogisticRegression("breast_cancer", reg=0.01),
    Distributed(LogisticRegression("iris", reg=0.1), 4),
    Distributed(LogisticRegression("breast_cancer", reg=0.1), 4),
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
        Box((-1.0, 0.5, -inf), (2.0, 4.0, 1.0)),
    ),
    Huber(L=30.0, delta=5.0, d=20),
    Quadratic((3.0, 1e-2, 0.0, 0.0, 1.0), seed=3),
    Quadratic(tuple(10.0 ** (-i / 5) for i in range(31)), seed=4),
    BallEnvelope(Quadratic((1.0, 4.0, 0.1), seed=3), 0.7),
    SphereDistance(3, a=1.0, start=(3.0, 0.0, 1.0)),
    DoubleWell(1, start=(0.1,)),
    LinkSum("cosh", ((1.0, 0.0, 0.5), (0.0, 1.0, -0.5)), center=(1.0, -1.0, 0.0)),
    NesterovWorst(11, 4.0, 0.1),
    NonsmoothWorst(6, 2.0, 0.5),
    Noisy(Quadratic((1.0, 2.0), seed=0), ParetoNoise(1.5)),
    Noisy(Huber(), SkewedNoise()),
    LinearNetwork(((1.0, 0.5, 0.0), (0.2, -1.0, 0.3)), 2, 1.5, 0.7),
    LeastSquares("digits"),
    LogisticRegression("breast_cancer", reg=1.0),
    LogisticRegression("digits", reg=0.01),
)
"""The longer list."""
