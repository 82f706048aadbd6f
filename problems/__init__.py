"""Functions whose constants are proved beside them."""

from problems.abs_affine import AbsAffine
from problems.abs_sum import AbsSum
from problems.ball_envelope import BallEnvelope
from problems.ball_newton import SolverError
from problems.ball_oracle import BallOracle
from problems.ball_sets import EuclideanBall, L1Ball
from problems.ball_step import BallStep
from problems.base import Problem
from problems.calculus.linear_map import LinearMap
from problems.calculus.noisy import Noisy
from problems.calculus.regularised import Regularised
from problems.calculus.scaled import Scaled
from problems.calculus.shifted import Shifted
from problems.calculus.sum import Mean, Sum
from problems.composite.composite import Composite
from problems.composite.distributed import Distributed
from problems.composite.flat_sets import Consensus, Singleton
from problems.composite.indicator import Indicator
from problems.constrained import Constrained
from problems.cosh_ridge import CoshRidge
from problems.cosine import Cosine
from problems.cosine_ridge import CosineRidge
from problems.counterexamples import COUNTEREXAMPLES, Counterexample
from problems.coupled_quadratic import CoupledQuadratic
from problems.distance_to import DistanceTo
from problems.double_well import DoubleWell
from problems.euclidean_norm import EuclideanNorm
from problems.exp_ridge import ExpRidge
from problems.function import from_function
from problems.function_problem import FunctionProblem
from problems.general_quadratic import GeneralQuadratic
from problems.hinge import Hinge
from problems.huber import Huber
from problems.instances import FULL_INSTANCES, INSTANCES
from problems.integer_jump import IntegerJump
from problems.interpolant import Interpolant
from problems.lattice_abs import LatticeAbs
from problems.layer_region import LayerBalls
from problems.layer_sum import LayerSum
from problems.least_squares import LeastSquares
from problems.linear import Linear
from problems.linear_network import LinearNetwork
from problems.linf_norm import LInfNorm
from problems.link_matrix import LinkMatrix
from problems.link_sum import LinkSum
from problems.log_cosh_ridge import LogCoshRidge
from problems.log_loss import LogLoss
from problems.log_sum_exp import LogSumExp
from problems.logistic import LogisticRegression
from problems.matrix_sum import MatrixSum
from problems.max_affine import MaxAffine
from problems.nesterov_worst import NesterovWorst
from problems.noise.base import Noise
from problems.noise.gaussian import GaussianNoise
from problems.noise.pareto import ParetoNoise
from problems.noise.sign import SignNoise
from problems.noise.sine import SineNoise
from problems.noise.skewed import SkewedNoise
from problems.nonsmooth_worst import NonsmoothWorst
from problems.piecewise_linear import PiecewiseLinear
from problems.power import Power
from problems.quadratic import Quadratic
from problems.quadratic_sum import QuadraticSum
from problems.quartic_ridge import QuarticRidge
from problems.sets import Box, ConvexSet, HalfSpace
from problems.spectral_quadratic import SpectralQuadratic
from problems.sphere_distance import SphereDistance
from problems.squared_hinge import SquaredHinge
from problems.symbolic.problem import SymbolicProblem
from problems.weighted_l1 import WeightedL1

PROBLEMS: tuple[type[Problem], ...] = (
    AbsAffine,
    AbsSum,
    BallEnvelope,
    Composite,
    Constrained,
    CoshRidge,
    Cosine,
    CosineRidge,
    CoupledQuadratic,
    DistanceTo,
    Distributed,
    DoubleWell,
    EuclideanNorm,
    ExpRidge,
    GeneralQuadratic,
    Hinge,
    Huber,
    Indicator,
    IntegerJump,
    Interpolant,
    LInfNorm,
    LatticeAbs,
    LayerSum,
    LeastSquares,
    Linear,
    LinearMap,
    LinearNetwork,
    LinkMatrix,
    LinkSum,
    LogCoshRidge,
    LogLoss,
    LogSumExp,
    LogisticRegression,
    MatrixSum,
    MaxAffine,
    Mean,
    NesterovWorst,
    Noisy,
    NonsmoothWorst,
    PiecewiseLinear,
    Power,
    Quadratic,
    QuadraticSum,
    QuarticRidge,
    Regularised,
    Scaled,
    Shifted,
    SpectralQuadratic,
    SphereDistance,
    SquaredHinge,
    Sum,
    SymbolicProblem,
    WeightedL1,
)
"""The room's list of families. ``FunctionProblem`` is made by ``from_function`` only."""

__all__ = [
    "COUNTEREXAMPLES",
    "FULL_INSTANCES",
    "INSTANCES",
    "PROBLEMS",
    "AbsAffine",
    "AbsSum",
    "BallEnvelope",
    "BallOracle",
    "BallStep",
    "Box",
    "Composite",
    "Consensus",
    "Constrained",
    "ConvexSet",
    "CoshRidge",
    "Cosine",
    "CosineRidge",
    "Counterexample",
    "CoupledQuadratic",
    "DistanceTo",
    "Distributed",
    "DoubleWell",
    "EuclideanBall",
    "EuclideanNorm",
    "ExpRidge",
    "FunctionProblem",
    "GaussianNoise",
    "GeneralQuadratic",
    "HalfSpace",
    "Hinge",
    "Huber",
    "Indicator",
    "IntegerJump",
    "Interpolant",
    "L1Ball",
    "LInfNorm",
    "LatticeAbs",
    "LayerBalls",
    "LayerSum",
    "LeastSquares",
    "Linear",
    "LinearMap",
    "LinearNetwork",
    "LinkMatrix",
    "LinkSum",
    "LogCoshRidge",
    "LogLoss",
    "LogSumExp",
    "LogisticRegression",
    "MatrixSum",
    "MaxAffine",
    "Mean",
    "NesterovWorst",
    "Noise",
    "Noisy",
    "NonsmoothWorst",
    "ParetoNoise",
    "PiecewiseLinear",
    "Power",
    "Problem",
    "Quadratic",
    "QuadraticSum",
    "QuarticRidge",
    "Regularised",
    "Scaled",
    "Shifted",
    "SignNoise",
    "SineNoise",
    "Singleton",
    "SkewedNoise",
    "SolverError",
    "SpectralQuadratic",
    "SphereDistance",
    "SquaredHinge",
    "Sum",
    "SymbolicProblem",
    "WeightedL1",
    "from_function",
]
