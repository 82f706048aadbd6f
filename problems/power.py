"""Powers of the Euclidean norm above the second: not smooth, (L0, L1)-smooth for every L1."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import ClassVar

import torch
from torch import Tensor

from assumptions import Certificate, Convex
from assumptions.base import EPS
from assumptions.guards import require_dimension, require_finite, require_positive
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.outward import certify
from problems.arguments import require_start
from problems.oracle_guards import require_vector
from problems.profiles import Profile
from problems.radial_problem import RadialProblem
from problems.scalar_root import increasing_root
from problems.space import Integers, Range, Uniform


@dataclass(frozen=True)
class Power(RadialProblem):
    """f(x) = |x - c|^p / p, |.| Euclidean, p > 2 any real number.

    d: dimension. p: finite, > 2. l1 > 0: the L1 of the certificate, 1 / units of x. center: c, (d,), 0 if
    empty. start: overrides x0, by default c + (5, ..., 5). ValueError otherwise. Source: definition.

    (L0, L1) = (((p - 2) / l1)^(p - 2), l1) for the Hessian, for every l1 > 0, and no smaller L0 serves: with
    r = |x - c| the Hessian has the eigenvalues (p - 1) r^(p - 2) (along x - c) and r^(p - 2), and the
    gradient the norm r^(p - 1). The largest (p - 1) r^(p - 2) - l1 r^(p - 1) is at r = (p - 2) / l1, where it
    is r^(p - 2). The certificate is left out where that L0 is beyond the floats.
    """

    p: float = 3.0
    d: int = 1  # pyright: ignore[reportIncompatibleMethodOverride]
    l1: float = 1.0
    center: tuple[float, ...] = ()
    start: tuple[float, ...] = ()

    space: ClassVar[Mapping[str, Range]] = {
        "p": Uniform(2.2, 6.0),
        "d": Integers(1, 5),
        "l1": Uniform(0.2, 4.0),
    }

    def __post_init__(self) -> None:
        """Check the arguments."""
        require_finite(p=self.p)
        if not self.p > 2:
            raise ValueError(f"p must be > 2, got {self.p!r}")
        require_dimension(d=self.d)
        require_positive(l1=self.l1)
        object.__setattr__(self, "p", float(self.p))
        object.__setattr__(self, "l1", float(self.l1))
        if self.center:
            object.__setattr__(self, "center", require_vector("center", self.center, self.d))
        require_start(self.start, self.d)

    @property
    def _phi(self) -> Profile:
        return _profile(float(self.p), float(self.l1))


@lru_cache(maxsize=256)
def _profile(p: float, l1: float) -> Profile:
    """r^p / p."""
    q = p / (p - 1)
    return Profile(
        value=lambda r: r**p / p,
        slope=lambda r: r ** (p - 1),
        curvature=lambda r: (p - 1) * r ** (p - 2),
        kept=lambda r, g: _kept(r, g, p),
        conjugate=lambda s: s**q / q,
        # cvxpy takes a near rational for the power
        conic=(lambda y, cp: cp.power(cp.norm(y), p) / p) if p == _near(p) else None,
        certified=(
            Certificate(Convex(), proof="a convex increasing function of |x - c|"),
            *certify(
                lambda L0: HessianL0L1(L0, l1),
                _level(p, l1),
                "max_r (p - 1) r^(p - 2) - l1 r^(p - 1) is r^(p - 2) at r = (p - 2) / l1",
            ),
        ),
    )


def _near(p: float) -> float:
    return float(Fraction(p).limit_denominator(1000))


def _level(p: float, l1: float) -> float:
    """At least ((p - 2) / l1)^(p - 2): two roundings of the base, one of the exponent, two of the power.

    At least the smallest normal float: below it roundings are not relative. inf beyond the floats.
    """
    try:
        power = max(((p - 2) / l1) ** (p - 2), sys.float_info.min)
    except OverflowError:
        return math.inf
    return power * (1 + 4 * EPS * (p + abs(math.log(power)))) if power < math.inf else math.inf


def _kept(r: Tensor, g: Tensor, p: float) -> Tensor:
    """The part s / r with s + g s^(p - 1) = r.

    s is between r / (1 + g U^(p - 2)) and U = min(r, (r / g)^(1 / (p - 1))).
    """
    r, g = torch.broadcast_tensors(r, g)
    high = torch.minimum(r, (r / g) ** (1 / (p - 1)))
    low = torch.minimum(r / (1 + g * high ** (p - 2)), high)

    def residual(s: Tensor) -> tuple[Tensor, Tensor]:
        power = g * s ** (p - 2)
        return s - r + s * power, 1 + (p - 1) * power

    return increasing_root(residual, low, high) / torch.where(r == 0, 1.0, r)
