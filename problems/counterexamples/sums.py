"""Sums: what the mean does not say of its terms, nor the terms of their mean."""

from assumptions import (
    AverageSmooth,
    ComponentConvex,
    ComponentSmooth,
    ExpectedSimilarity,
    HessianL0L1,
    Smooth,
    StronglyConvex,
    UniformSimilarity,
)
from problems.counterexamples.base import Counterexample
from problems.link_sum import LinkSum
from problems.quadratic_sum import QuadraticSum

_PAIR = QuadraticSum.opposite_pair(50.0, 1.0)
_COORDINATES = QuadraticSum.coordinates(4)

SUMS: tuple[Counterexample, ...] = (
    Counterexample(
        name="pairs-of-terms",
        claim="a pair (L0, L1) of every term serves for their mean",
        on=LinkSum("quartic", ((1.0,), (-1.0,)), targets=(6.0, 6.0)),
        holds=(),
        fails=HessianL0L1(4.0, 1.0),
        points=((0.0,), (1.0,)),
        ratio=20.0,
        lesson="gradients of terms cancel where their Hessians do not",
    ),
    Counterexample(
        name="smooth-mean-of-rough-terms",
        claim="if f is L-smooth, its terms are L-smooth on average",
        on=_PAIR,
        holds=(Smooth(1.0 + 1e-9),),
        fails=AverageSmooth(1.0 + 1e-9),
        points=((0.0,), (1.0,)),
        ratio=50.0,
        lesson="L_avg^2 is the mean of the squares: M^2 + m^2 for Hessians m +- M",
    ),
    Counterexample(
        name="convex-mean-of-nonconvex-terms",
        claim="if f is strongly convex, its terms are convex",
        on=_PAIR,
        holds=(StronglyConvex(1.0 - 1e-9),),
        fails=ComponentConvex(),
        points=((0.0,), (1.0,)),
        ratio=2.0 - 1e-9,
        lesson="an assumption of its own",
    ),
    Counterexample(
        name="average-is-not-largest",
        claim="every term has the smoothness constant of the average",
        on=_COORDINATES,
        holds=(AverageSmooth(0.5 + 1e-9),),
        fails=ComponentSmooth(0.5 + 1e-9),
        points=((0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
        ratio=1.99,
        lesson="L_max <= n^(1/2) L_avg",
    ),
    Counterexample(
        name="expected-is-not-uniform-similarity",
        claim="terms similar on average are similar one by one",
        on=_COORDINATES,
        holds=(ExpectedSimilarity(0.4331),),
        fails=UniformSimilarity(0.4331),
        points=((0.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)),
        ratio=1.73,
        lesson="delta <= n^(1/2) delta_avg",
    ),
)
