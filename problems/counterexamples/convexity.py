"""Convexity, and growth away from minimisers."""

import math

from assumptions import PL, BallConvex, Convex, Smooth, StronglyConvex
from problems.counterexamples.base import Counterexample
from problems.double_well import DoubleWell
from problems.log_loss import LogLoss
from problems.quadratic import Quadratic

CONVEXITY: tuple[Counterexample, ...] = (
    Counterexample(
        name="every-ball",
        claim="ball-convex for one radius, ball-convex for all",
        on=DoubleWell(),
        holds=(BallConvex(1.0),),
        fails=BallConvex(0.9),
        points=((0.0,),),
        ratio=1.001,
        lesson="larger radii only",
    ),
    Counterexample(
        name="pl-without-strong-convexity",
        claim="PL functions are strongly convex near their minimisers",
        on=Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0)),
        holds=(PL(1.0),),
        fails=StronglyConvex(1e-6),
        points=((0.0, 0.0), (0.0, 1.0)),
        ratio=math.inf,
        lesson="quadratic growth away from the set of minimisers",
    ),
    Counterexample(
        name="convex-and-smooth-without-pl",
        claim="a smooth convex function that is bounded below is PL",
        on=LogLoss((1.0,)),
        holds=(Convex(), Smooth(0.25)),
        fails=PL(0.001),
        points=((20.0,),),
        ratio=100.0,
        lesson="only where it grows quadratically away from its minimisers",
    ),
)
