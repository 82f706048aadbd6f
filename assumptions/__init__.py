"""What can be said about a function: norms, inequalities, their checkers, what implies what."""

from assumptions.affine import Affine
from assumptions.affine_gradient import AffineGradient
from assumptions.balls.ball_convex import BallConvex
from assumptions.base import Assumption, Certificate, Check, Function, Sides
from assumptions.column_norms import MaxColumn, MaxRow, SumColumns, SumRows
from assumptions.composite.bounded_domain import BoundedDomain
from assumptions.composite.convex_terms import ConvexTerms
from assumptions.composite.smooth_part import SmoothPart
from assumptions.composite.smooth_terms import SmoothTerms
from assumptions.composite.strongly_convex_prox_part import StronglyConvexProxPart
from assumptions.composite.strongly_convex_smooth_part import StronglyConvexSmoothPart
from assumptions.continuous import Continuous
from assumptions.convex import Convex
from assumptions.error_bound import ErrorBound
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.implications.closure import closure
from assumptions.implications.implies import Implies
from assumptions.implications.one_term import ONE_TERM
from assumptions.implications.rows import IMPLICATIONS
from assumptions.inequality import EntryInequality, Inequality, OneConstant
from assumptions.l0l1.exponential import ExponentialL0L1
from assumptions.l0l1.front import Front
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.l0l1.local import LocalL0L1
from assumptions.l0l1.segment import SegmentL0L1
from assumptions.layers import Layers
from assumptions.layerwise.block_descent import BlockDescent
from assumptions.layerwise.coupled_smooth import CoupledSmooth
from assumptions.layerwise.hessian_lipschitz import LayerHessianLipschitz
from assumptions.layerwise.left_smooth import LeftSmooth
from assumptions.layerwise.literal_l0l1 import LiteralLayerL0L1
from assumptions.layerwise.local_l0l1 import LocalLayerL0L1
from assumptions.layerwise.mean_smooth import MeanLayerSmooth
from assumptions.layerwise.path_l0l1 import PathLayerL0L1
from assumptions.layerwise.pl import LayerPL
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.layerwise.variance import LayerVariance
from assumptions.lipschitz import Lipschitz
from assumptions.matrix_norms import Nuclear, Spectral
from assumptions.moments.bounded_moment import BoundedMoment
from assumptions.moments.bounded_variance import BoundedVariance
from assumptions.norms import EUCLIDEAN, Lp, Norm
from assumptions.phi import ConstantPhi, ExponentialPhi, PowerPhi
from assumptions.phi_smooth import PhiSmooth
from assumptions.pl import PL
from assumptions.quadratic_growth import QuadraticGrowth
from assumptions.quasar_convex import QuasarConvex
from assumptions.quasi_convex import QuasiConvex
from assumptions.region import EVERYWHERE, Ball, Everywhere, Region
from assumptions.sampling import grid_points, sample_points
from assumptions.smooth import Smooth
from assumptions.specification import Specified, parse_specification
from assumptions.star_convex import StarConvex
from assumptions.strongly_convex import StronglyConvex
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.expected_similarity import ExpectedSimilarity
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.star_variance import StarVariance
from assumptions.sums.uniform_similarity import UniformSimilarity
from assumptions.weakly_convex import WeaklyConvex
from assumptions.weighted import Weighted

ASSUMPTIONS: tuple[type[Assumption], ...] = (
    Convex,
    StronglyConvex,
    WeaklyConvex,
    QuasiConvex,
    StarConvex,
    QuasarConvex,
    PL,
    QuadraticGrowth,
    ErrorBound,
    BallConvex,
    Continuous,
    Lipschitz,
    Affine,
    AffineGradient,
    Smooth,
    HessianLipschitz,
    HessianL0L1,
    SegmentL0L1,
    LocalL0L1,
    LiteralL0L1,
    ExponentialL0L1,
    PhiSmooth,
    LayerSmooth,
    LiteralLayerL0L1,
    LocalLayerL0L1,
    PathLayerL0L1,
    CoupledSmooth,
    BlockDescent,
    LeftSmooth,
    LayerHessianLipschitz,
    LayerPL,
    MeanLayerSmooth,
    ComponentConvex,
    ComponentStronglyConvex,
    ComponentWeaklyConvex,
    ComponentSmooth,
    ComponentL0L1,
    ComponentLipschitz,
    AverageSmooth,
    UniformSimilarity,
    ExpectedSimilarity,
    StarSimilarity,
    Interpolation,
    StarVariance,
    SmoothPart,
    StronglyConvexSmoothPart,
    StronglyConvexProxPart,
    SmoothTerms,
    ConvexTerms,
    BoundedDomain,
    BoundedVariance,
    BoundedMoment,
    LayerVariance,
)
"""The room's list: convexity and growth, smoothness, layers, means of terms, composite sums, noise."""

__all__ = [
    "ASSUMPTIONS",
    "EUCLIDEAN",
    "EVERYWHERE",
    "IMPLICATIONS",
    "ONE_TERM",
    "PL",
    "Affine",
    "AffineGradient",
    "Assumption",
    "AverageSmooth",
    "Ball",
    "BallConvex",
    "BlockDescent",
    "BoundedDomain",
    "BoundedMoment",
    "BoundedVariance",
    "Certificate",
    "Check",
    "ComponentConvex",
    "ComponentL0L1",
    "ComponentLipschitz",
    "ComponentSmooth",
    "ComponentStronglyConvex",
    "ComponentWeaklyConvex",
    "ConstantPhi",
    "Continuous",
    "Convex",
    "ConvexTerms",
    "CoupledSmooth",
    "EntryInequality",
    "ErrorBound",
    "Everywhere",
    "ExpectedSimilarity",
    "ExponentialL0L1",
    "ExponentialPhi",
    "Front",
    "Function",
    "HessianL0L1",
    "HessianLipschitz",
    "Implies",
    "Inequality",
    "Interpolation",
    "LayerHessianLipschitz",
    "LayerPL",
    "LayerSmooth",
    "LayerVariance",
    "Layers",
    "LeftSmooth",
    "Lipschitz",
    "LiteralL0L1",
    "LiteralLayerL0L1",
    "LocalL0L1",
    "LocalLayerL0L1",
    "Lp",
    "MaxColumn",
    "MaxRow",
    "MeanLayerSmooth",
    "Norm",
    "Nuclear",
    "OneConstant",
    "PathLayerL0L1",
    "PhiSmooth",
    "PowerPhi",
    "QuadraticGrowth",
    "QuasarConvex",
    "QuasiConvex",
    "Region",
    "SegmentL0L1",
    "Sides",
    "Smooth",
    "SmoothPart",
    "SmoothTerms",
    "Specified",
    "Spectral",
    "StarConvex",
    "StarSimilarity",
    "StarVariance",
    "StronglyConvex",
    "StronglyConvexProxPart",
    "StronglyConvexSmoothPart",
    "SumColumns",
    "SumRows",
    "UniformSimilarity",
    "WeaklyConvex",
    "Weighted",
    "closure",
    "grid_points",
    "parse_specification",
    "sample_points",
]
