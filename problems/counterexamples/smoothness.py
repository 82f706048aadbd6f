"""Smoothness: which forms, constants and norms do not replace each other."""

import math

from assumptions import Convex, HessianL0L1, LiteralL0L1, LocalL0L1, Lp, Smooth, Spectral
from problems.counterexamples.base import Counterexample
from problems.coupled_quadratic import CoupledQuadratic
from problems.exp_ridge import ExpRidge
from problems.general_quadratic import GeneralQuadratic
from problems.log_loss import LogLoss
from problems.quartic_ridge import QuarticRidge
from problems.spectral_quadratic import SpectralQuadratic

_IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

SMOOTHNESS: tuple[Counterexample, ...] = (
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
        on=CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (1, 1)),
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
