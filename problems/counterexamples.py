"""What does not imply what: a function that has the one and, at given points, breaks the other."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from assumptions import (
    PL,
    Assumption,
    AverageSmooth,
    BallConvex,
    BlockDescent,
    BoundedMoment,
    BoundedVariance,
    ComponentConvex,
    ComponentSmooth,
    Convex,
    CoupledSmooth,
    ExpectedSimilarity,
    HessianL0L1,
    LiteralL0L1,
    LiteralLayerL0L1,
    LocalL0L1,
    Lp,
    Smooth,
    Spectral,
    StronglyConvex,
    UniformSimilarity,
)
from problems.base import Problem
from problems.calculus.noisy import Noisy
from problems.coupled_quadratic import CoupledQuadratic
from problems.double_well import DoubleWell
from problems.exp_ridge import ExpRidge
from problems.general_quadratic import GeneralQuadratic
from problems.link_sum import LinkSum
from problems.log_loss import LogLoss
from problems.noise.pareto import ParetoNoise
from problems.quadratic import Quadratic
from problems.quadratic_sum import QuadraticSum
from problems.quartic_ridge import QuarticRidge
from problems.spectral_quadratic import SpectralQuadratic

Points = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Counterexample:
    """``holds`` is certified for the problem; ``fails`` is refuted at the points, by at least ``ratio``.

    claim: the false implication in words. lesson: what is true instead. ValueError without points or for a
    ratio that is not > 1.
    """

    name: str
    claim: str
    on: Problem
    holds: tuple[Assumption, ...]
    fails: Assumption
    points: Points
    ratio: float
    lesson: str

    def __post_init__(self) -> None:
        """A counterexample that breaks nothing is none."""
        if not self.points or not self.ratio > 1:
            raise ValueError(f"{self.name} needs points and a ratio > 1, got {self.points!r}, {self.ratio!r}")

    def tensors(self) -> tuple[Tensor, ...]:
        """The points, each (1, d)."""
        return tuple(torch.tensor([p], dtype=torch.float64) for p in self.points)


_PRODUCT = CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (1, 1))
_SUM_SQUARED = CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1))
_PAIR = QuadraticSum.opposite_pair(50.0, 1.0)
_COORDINATES = QuadraticSum.coordinates(4)
_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

SMOOTHNESS = (
    Counterexample(
        name="one-gradient-no-exponential",
        claim="|Hessian| <= L0 + L1 |grad f| bounds |grad f(x) - grad f(y)| by (L0 + L1 |grad f(x)|) |x - y|",
        on=QuarticRidge((1.0,)),
        holds=(HessianL0L1(4.0, 1.0),),
        fails=LiteralL0L1(4.0, 1.0),
        points=((0.0,), (6.0,)),
        ratio=9.0,
        lesson="with the factor (e^{L1 r} - 1) / (L1 r), or the largest gradient on the segment",
    ),
    Counterexample(
        name="local-without-ln-2",
        claim="within distance 1 / L1 the constants of the Hessian serve as they are",
        on=ExpRidge((1.0,)),
        holds=(HessianL0L1(0.0, 1.0),),
        fails=LocalL0L1(0.0, 1.0),
        points=((0.0,), (1.0,)),
        ratio=1.718,
        lesson="both constants over ln 2: (e^u - 1) / u <= 1 / ln 2 for u <= ln 2",
    ),
    Counterexample(
        name="local-without-ln-2-smooth",
        claim="the same for a function that is smooth as well",
        on=LogLoss((1.0,)),
        holds=(HessianL0L1(0.0, 1.0),),
        fails=LocalL0L1(0.0, 1.0),
        points=((20.0,), (19.0,)),
        ratio=1.718,
        lesson="both constants over ln 2",
    ),
    Counterexample(
        name="any-distance-on-exponentials",
        claim="|grad f(x) - grad f(y)| <= (L0 + L1 |grad f(x)|) |x - y| at any distance allows exponentials",
        on=ExpRidge((1.0,)),
        holds=(HessianL0L1(0.0, 1.0),),
        fails=LiteralL0L1(10.0, 10.0),
        points=((0.0,), (10.0,)),
        ratio=100.0,
        lesson="only with a radius, |x - y| <= 1 / L1, or an exponential",
    ),
    Counterexample(
        name="quadratic-form-only",
        claim="|D^2 f[z, z]| <= L |z|^2 makes the gradient L-Lipschitz in any norm",
        on=_PRODUCT,
        holds=(),
        fails=Smooth(0.5, Lp(1.0)),
        points=((0.0, 0.0), (1.0, 0.0)),
        ratio=2.0 - 1e-9,
        lesson="bound D^2 f[z, w] for independent z, w; the form serves if f is convex or the norm Euclidean",
    ),
    Counterexample(
        name="largest-eigenvalue-in-the-spectral-norm",
        claim="the largest eigenvalue of the Hessian is the smoothness constant in the spectral norm",
        on=SpectralQuadratic(((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)), 3),
        holds=(Smooth(3.0, Spectral(3, 3)), Smooth(1.0 + 1e-9)),
        fails=Smooth(1.0 + 1e-9, Spectral(3, 3)),
        points=((0.0,) * 9, _IDENTITY),
        ratio=2.99,
        lesson="the sum of the min(m, n) largest eigenvalues of Q, for <X, Q X> / 2",
    ),
    Counterexample(
        name="eigenvalue-sum-of-a-general-operator",
        claim="the sum of the eigenvalues serves for any psd operator on matrices, not only from the left",
        on=GeneralQuadratic(tuple(tuple(a * b / 3 for b in _IDENTITY) for a in _IDENTITY)),
        holds=(Convex(),),
        fails=Smooth(1.0, Spectral(3, 3)),
        points=((0.0,) * 9, _IDENTITY),
        ratio=3.0 - 1e-9,
        lesson="rho^2 times the largest eigenvalue, rho^2 = min(m, n)",
    ),
    Counterexample(
        name="trace-of-a-dense-matrix",
        claim="the trace of Q is the smoothness constant of x'Qx / 2 in the max norm",
        on=SpectralQuadratic(((1.0, 1.0), (1.0, 1.0)), 1, Lp(math.inf)),
        holds=(Smooth(4.0 + 1e-9, Lp(math.inf)),),
        fails=Smooth(2.0, Lp(math.inf)),
        points=((0.0, 0.0), (1.0, 1.0)),
        ratio=2.0 - 1e-9,
        lesson="the trace serves for diagonal Q; else the maximum of z'Qz over signs z",
    ),
    Counterexample(
        name="convex-is-not-smooth",
        claim="a convex twice differentiable function is smooth with the constant seen near its minimiser",
        on=QuarticRidge((1.0,)),
        holds=(Convex(),),
        fails=Smooth(12.0),
        points=((20.0,), (21.0,)),
        ratio=100.0,
        lesson="(L0, L1)-smooth",
    ),
)

LAYERS = (
    Counterexample(
        name="literal-layers-on-a-product",
        claim="layer-wise (L0, L1)-smoothness in its literal form can hold for coupled layers",
        on=_PRODUCT,
        holds=(CoupledSmooth(((0.0, 1.0), (1.0, 0.0))),),
        fails=LiteralLayerL0L1((1e6, 1e6), (1e6, 1e6)),
        points=((0.0, 0.0), (0.0, 1.0)),
        ratio=math.inf,
        lesson="it forces f = sum_i f_i(X_i); along a trajectory, or with coupling constants h_ij",
    ),
    Counterexample(
        name="diagonal-blocks",
        claim="all layers may step at once with the smoothness constants of their own blocks",
        on=_SUM_SQUARED,
        holds=(CoupledSmooth(((1.0, 1.0), (1.0, 1.0))), BlockDescent((2.0, 2.0), (0.0, 0.0))),
        fails=BlockDescent((1.0, 1.0), (0.0, 0.0)),
        points=((1.0, 1.0), (-1.0, -1.0)),
        ratio=2.0 - 1e-9,
        lesson="L_i = sum_j h_ij",
    ),
)

SUMS = (
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

CONVEXITY = (
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

NOISE = (
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

COUNTEREXAMPLES: tuple[Counterexample, ...] = (*SMOOTHNESS, *LAYERS, *SUMS, *CONVEXITY, *NOISE)
"""False implications that the literature or a first guess suggests."""
