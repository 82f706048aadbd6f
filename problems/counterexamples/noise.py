"""Noise: what moments do not say."""

from assumptions import BoundedMoment, BoundedVariance
from problems.calculus.noisy import Noisy
from problems.counterexamples.base import Counterexample
from problems.noise.pareto import ParetoNoise
from problems.quadratic import Quadratic

NOISE: tuple[Counterexample, ...] = (
    Counterexample(
        name="moment-below-two",
        claim="a bounded moment of order p < 2 bounds the variance",
        on=Noisy(Quadratic((1.0,)), ParetoNoise(tail=1.5)),
        holds=(BoundedMoment(4.2, 1.25),),
        fails=BoundedVariance(4.0),
        points=((0.0,),),
        ratio=1.001,
        lesson="the variance is infinite where the tail index is at most 2",
    ),
)
