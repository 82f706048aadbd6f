"""Scalar functions h(s) with proved constants, from which problems h(<a, x> - b) and their sums are made."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor


@dataclass(frozen=True)
class Link:
    """A twice continuously differentiable h on R with inf h = 0, and what is proved of it.

    h, slope, curvature: h, h' and h'', entry by entry, free of cancellation; nan gives nan, and what is too
    large is inf. l0, l1: |h''| <= l0 + l1 |h'|. L: sup |h''|, inf if there is none. tau: -inf h'' or 0, the
    least tau >= 0 with h + tau s^2 / 2 convex. mu: inf h'' or 0. G: sup |h'|, inf if there is none.
    J: at least sup |h'''|, inf if none is known. minimiser: an s with h(s) = 0, None where inf h is not
    attained; unique: whether it is the only one.
    why: the proof of all of them.
    """

    h: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]
    l0: float
    l1: float
    L: float
    tau: float
    mu: float
    G: float
    minimiser: float | None
    unique: bool
    why: str
    J: float = math.inf

    @property
    def convex(self) -> bool:
        """True if h'' >= 0."""
        return self.tau == 0


def square_of_sinh_half(s: Tensor) -> Tensor:
    """cosh s - 1 = 2 sinh^2(s / 2). Shapes as s."""
    return 2 * torch.sinh(s / 2).square()


def log_cosh(s: Tensor) -> Tensor:
    """log cosh s: log1p(2 sinh^2(s / 2)) near 0, |s| + log1p(e^(-2|s|)) - log 2 elsewhere. Shapes as s."""
    size = s.abs()
    near = torch.log1p(square_of_sinh_half(s.clamp(-1, 1)))
    far = size + torch.log1p(torch.exp(-2 * size)) - math.log(2)
    return torch.where(size <= 1, near, far)


def sech_square(s: Tensor) -> Tensor:
    """1 / cosh^2 s = 4 u / (1 + u)^2 with u = e^(-2|s|). Shapes as s."""
    u = torch.exp(-2 * s.abs())
    return 4 * u / (1 + u).square()


def _softplus_of_minus(s: Tensor) -> Tensor:
    """log(1 + e^(-s)). Shapes as s."""
    return torch.logaddexp(-s, torch.zeros_like(s))


def _sine_and_secant(s: Tensor) -> tuple[Tensor, Tensor]:
    """(s / sqrt(1 + s^2), 1 / sqrt(1 + s^2)); nothing overflows. Shapes as s."""
    secant = torch.hypot(torch.ones_like(s), s).reciprocal()
    # past 1e300 the reciprocal is no normal number; the quotient is a sign
    sine = torch.where(s.abs() > 1e300, s.sign(), s * secant)
    return sine, secant


def _robust_slope(s: Tensor) -> Tensor:
    """2 s / (1 + s^2)^2. Shapes as s."""
    sine, secant = _sine_and_secant(s)
    return 2 * sine * secant**3


def _robust_curvature(s: Tensor) -> Tensor:
    """(2 - 6 s^2) / (1 + s^2)^3. Shapes as s."""
    sine, secant = _sine_and_secant(s)
    return (2 - 8 * sine.square()) * secant**4


ROBUST_SLOPE = math.nextafter(3 * math.sqrt(3) / 8, math.inf)
"""A float >= 3 sqrt(3) / 8."""

CURVED_SIGMOID = math.nextafter(1 / (6 * math.sqrt(3)), math.inf)
"""A float >= sup p (1 - p) |1 - 2 p| over 0 <= p <= 1, attained where (1 - 2 p)^2 = 1/3."""

CURVED_TANH = math.nextafter(4 / (3 * math.sqrt(3)), math.inf)
"""A float >= sup 2 t (1 - t^2) over 0 <= t <= 1, attained at t^2 = 1/3."""

LINKS: Mapping[str, Link] = MappingProxyType(
    {
        "square": Link(
            h=lambda s: s.square() / 2,
            slope=lambda s: s,
            curvature=lambda s: torch.where(s.isnan(), s, 1.0),
            l0=1.0,
            l1=0.0,
            L=1.0,
            tau=0.0,
            mu=1.0,
            G=math.inf,
            minimiser=0.0,
            unique=True,
            why="h'' = 1",
            J=0.0,
        ),
        "quartic": Link(
            h=lambda s: s.square().square() / 4,
            slope=lambda s: s**3,
            curvature=lambda s: 3 * s.square(),
            l0=4.0,
            l1=1.0,
            L=math.inf,
            tau=0.0,
            mu=0.0,
            G=math.inf,
            minimiser=0.0,
            unique=True,
            why="4 + |s|^3 - 3 s^2 = (|s| - 2)^2 (|s| + 1) >= 0",
        ),
        "logistic": Link(
            h=_softplus_of_minus,
            slope=lambda s: -torch.sigmoid(-s),
            curvature=lambda s: torch.sigmoid(s) * torch.sigmoid(-s),
            l0=0.0,
            l1=1.0,
            L=0.25,
            tau=0.0,
            mu=0.0,
            G=1.0,
            minimiser=None,
            unique=False,
            why="with p = 1 / (1 + e^s) in (0, 1): h' = -p, h'' = p (1 - p) <= min(p, 1/4); h falls to 0",
            J=CURVED_SIGMOID,
        ),
        "exp": Link(
            h=torch.exp,
            slope=torch.exp,
            curvature=torch.exp,
            l0=0.0,
            l1=1.0,
            L=math.inf,
            tau=0.0,
            mu=0.0,
            G=math.inf,
            minimiser=None,
            unique=False,
            why="h'' = h' = e^s > 0, which falls to 0 at -inf",
        ),
        "cosh": Link(
            h=square_of_sinh_half,
            slope=torch.sinh,
            curvature=torch.cosh,
            l0=1.0,
            l1=1.0,
            L=math.inf,
            tau=0.0,
            mu=1.0,
            G=math.inf,
            minimiser=0.0,
            unique=True,
            why="h'' - |h'| = cosh s - |sinh s| = e^(-|s|) <= 1, and h'' >= 1",
        ),
        "log-cosh": Link(
            h=log_cosh,
            slope=torch.tanh,
            curvature=sech_square,
            l0=1.0,
            l1=0.0,
            L=1.0,
            tau=0.0,
            mu=0.0,
            G=1.0,
            minimiser=0.0,
            unique=True,
            why="h' = tanh s in (-1, 1), h'' = 1 / cosh^2 s in (0, 1]",
            J=CURVED_TANH,
        ),
        "cosine": Link(
            h=lambda s: 2 * torch.sin(s / 2).square(),
            slope=torch.sin,
            curvature=torch.cos,
            l0=1.0,
            l1=0.0,
            L=1.0,
            tau=1.0,
            mu=0.0,
            G=1.0,
            minimiser=0.0,
            unique=False,
            why="h' = sin s and h'' = cos s, both in [-1, 1]",
            J=1.0,
        ),
        "robust": Link(
            h=lambda s: _sine_and_secant(s)[0].square(),
            slope=_robust_slope,
            curvature=_robust_curvature,
            l0=2.0,
            l1=0.0,
            L=2.0,
            tau=0.5,
            mu=0.0,
            G=ROBUST_SLOPE,
            minimiser=0.0,
            unique=True,
            why=(
                "with u = s^2: h'' = (2 - 6 u) / (1 + u)^3 falls from 2 at u = 0 to -1/2 at u = 1, "
                "then rises to 0; |h'| is largest at u = 1/3, 3 sqrt(3) / 8"
            ),
            J=4.669,
        ),
    }
)
"""s^2/2, s^4/4, log(1 + e^(-s)), e^s, cosh s - 1, log cosh s, 1 - cos s, s^2/(1 + s^2).

The quartic has (l0, l1) = (4 / c^2, c) for every c > 0: put c s for s in the proof. c = 1 is listed.
"""


def require_link(link: object) -> Link:
    """The link of that name. ValueError listing the names otherwise."""
    if not isinstance(link, str) or link not in LINKS:
        raise ValueError(f"link must be one of {', '.join(sorted(LINKS))}, got {link!r}")
    return LINKS[link]
