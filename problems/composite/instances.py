"""Small members of the composite families: indicators, and f + g + sum_j h_j with known solutions."""

from problems.abs_affine import AbsAffine
from problems.ball_sets import EuclideanBall
from problems.base import Problem
from problems.composite.composite import Composite
from problems.composite.flat_sets import Consensus, Singleton
from problems.composite.indicator import Indicator
from problems.huber import Huber
from problems.quadratic import Quadratic
from problems.weighted_l1 import WeightedL1

COMPOSITE_INSTANCES: tuple[Problem, ...] = (
    Indicator(EuclideanBall(1.0, (0.0, 0.0))),
    Composite.around(
        (0.5, -0.25),
        smooth=Quadratic((1.0, 2.0), center=(1.0, 0.0), seed=None),
        terms=(Huber(2.0, 1.0, 2), Quadratic((1.0, 3.0), center=(0.0, 1.0), seed=None), Huber(1.0, 4.0, 2)),
        mu_g=0.5,
    ),
    Composite(
        Quadratic((1.0, 4.0), center=(1.0, 2.0), seed=None),
        None,
        (Indicator(Singleton((0.0, 0.0))),),
        (0.0, 0.0),
        ((1.0, 8.0),),
        (3.0, -2.0),
    ),
    Composite(
        Quadratic((1.0, 4.0), center=(2.0, 0.125), seed=None),
        None,
        (WeightedL1((1.0, 1.0)),),
        (1.0, 0.0),
        ((1.0, 0.5),),
    ),
    Composite(
        Quadratic((1.0, 2.0, 1.0), center=(1.0, 2.0, -1.0), seed=None),
        None,
        (Indicator(Consensus(3)),),
        (1.0, 1.0, 1.0),
        ((0.0, 2.0, -2.0),),
        (3.0, -2.0, 0.0),
    ),
    Composite.around(
        (0.5, -1.0),
        ((0.5, -0.5), (1.0, 0.0), (0.25, 0.25), (-0.5, 0.5)),
        terms=(
            AbsAffine((1.0, -1.0), b=1.5),
            AbsAffine((2.0, 0.0), b=1.0),
            AbsAffine((1.0, 1.0), b=-0.5),
            AbsAffine((-1.0, 1.0), b=-1.5),
        ),
        mu_g=0.5,
    ),
    Composite(
        Quadratic((1.0, 4.0), center=(2.0, 0.125), seed=None), WeightedL1((1.0, 1.0)), minimiser=(1.0, 0.0)
    ),
    Composite(
        Quadratic((1.0, 1.0), center=(6.0, 8.0), seed=None),
        Indicator(EuclideanBall(5.0, (0.0, 0.0))),
        minimiser=(3.0, 4.0),
        start=(5.0, 0.0),
    ),
)
"""Small members, in the order of the room's list."""
