"""What can be said about a function: norms, inequalities, their checkers, what implies what."""

from assumptions.affine import Affine
from assumptions.affine_gradient import AffineGradient
from assumptions.ball_convex import BallConvex
from assumptions.base import Assumption, Certificate, Check, Function, Sides
from assumptions.closure import closure
from assumptions.continuous import Continuous
from assumptions.convex import Convex
from assumptions.implications import IMPLICATIONS
from assumptions.implies import Implies
from assumptions.inequality import Inequality
from assumptions.layers import Layers
from assumptions.lipschitz import Lipschitz
from assumptions.norms import EUCLIDEAN, Lp, Norm
from assumptions.pl import PL
from assumptions.region import EVERYWHERE, Ball, Everywhere, Region
from assumptions.sampling import sample_points
from assumptions.smooth import Smooth
from assumptions.specification import Specified, parse_specification
from assumptions.strongly_convex import StronglyConvex
from assumptions.weighted import Weighted

ASSUMPTIONS: tuple[type[Assumption], ...] = (
    Convex,
    StronglyConvex,
    Smooth,
    PL,
    Lipschitz,
    Affine,
    AffineGradient,
    BallConvex,
    Continuous,
)
"""The room's list."""

__all__ = [
    "ASSUMPTIONS",
    "EUCLIDEAN",
    "EVERYWHERE",
    "IMPLICATIONS",
    "PL",
    "Affine",
    "AffineGradient",
    "Assumption",
    "Ball",
    "BallConvex",
    "Certificate",
    "Check",
    "Continuous",
    "Convex",
    "Everywhere",
    "Function",
    "Implies",
    "Inequality",
    "Layers",
    "Lipschitz",
    "Lp",
    "Norm",
    "Region",
    "Sides",
    "Smooth",
    "Specified",
    "StronglyConvex",
    "Weighted",
    "closure",
    "parse_specification",
    "sample_points",
]
