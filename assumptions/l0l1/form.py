"""What the forms of (L0, L1)-smoothness share: two constants, samples, and their front.

All forms bound a curvature s by L0 + L1 q, where q is the dual norm of a gradient. In units: L0 is of f per
squared unit of x, L1 per unit of x.

Which form says what, for a differentiable f whose gradient is bounded on segments; (L0, L1) -> the form with
these constants:
  Hessian (l0, l1) = segment (l0, l1) = exponential (l0, l1)       equivalent; the first needs f in C^2
  segment (l0, l1)  =>  local (l0 / ln 2, l1 / ln 2)               (e^u - 1) / u <= 1 / ln 2 for u <= ln 2
  local (L0, L1)    =>  segment (L0, L1)                           cut the segment into short pieces
  literal (L0, L1)  =>  local (L0, L1)                             the radius is dropped
"""

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor

from assumptions.base import Function, Sides
from assumptions.guards import require_nonnegative
from assumptions.inequality import Inequality
from assumptions.l0l1.front import Front, Rule, outside, polyhedral_front
from assumptions.norms import EUCLIDEAN, Norm, norm_option, require_norm
from assumptions.rounding import NOISE, ROUNDINGS, VISIBLE, gradient_noise, gradient_rounding


class Samples(NamedTuple):
    """Curvature s over the length r, and the gradient norm q; ``error`` is that of s. Each (*batch,)."""

    q: Tensor
    s: Tensor
    r: Tensor
    error: Tensor


class L0L1Form(Inequality):
    """One form of (L0, L1)-smoothness: an inequality with two constants that trade against each other.

    A subclass names the constants in ``sense`` (that of L0 first) and writes ``sides`` and ``sampled``;
    ``needed`` and ``fit`` where samples do not simply need L0 + L1 q >= s. ValueError for constants that are
    not finite and >= 0.
    """

    norm: Norm

    def __post_init__(self) -> None:
        """Both constants as floats."""
        for name in self.constants():
            require_nonnegative(**{name: getattr(self, name)})
            object.__setattr__(self, name, float(getattr(self, name)))
        require_norm(self.norm)

    @property
    def pair(self) -> tuple[float, float]:
        """The constants, whatever their names: (L0, L1)."""
        L0, L1 = (getattr(self, name) for name in self.constants())
        return L0, L1

    @classmethod
    @abstractmethod
    def sampled(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Samples:
        """What the points show; each (*batch, d). TypeError for a missing oracle."""

    @classmethod
    def needed(cls, samples: Samples, L1: float) -> Tensor:
        """The least L0 that each sample allows beside this L1; may be negative. (*batch,)."""
        return samples.s - L1 * samples.q

    @classmethod
    def fit(cls, samples: Samples) -> Front:
        """The front of the samples, each (n,)."""
        return polyhedral_front(samples.q, samples.s)

    @classmethod
    def front(cls, problem: Function, *points: Tensor, norm: Norm = EUCLIDEAN) -> Front:
        """The least L0 for each L1 at the points, each (*batch, d); what rounding made is left out."""
        return cls.fit(_visible(cls.sampled(problem, *points, norm=norm)))

    @classmethod
    def estimate(cls, problem: Function, *points: Tensor, **options: Any) -> dict[str, Any]:
        """The pair that ``rule`` picks on the front of the points, named ``_seen``, and the front.

        points: each (*batch, d). norm: Norm = EUCLIDEAN. rule: "mean", "L1=0" or "L0=0" (see ``Front.pick``).
        Samples within 100 roundings are left out. "front": the vertices (L0, L1). "outside": a pair is fitted
        on the samples of even number, and this is the share of the others that violate it; nan for fewer than
        two samples. TypeError for an unknown option or a missing oracle, ValueError for an unknown rule.
        """
        rule: Rule = options.get("rule", "mean")
        if rule not in get_args(Rule):
            raise ValueError(f"rule must be one of {', '.join(get_args(Rule))}, got {rule!r}")
        norm = norm_option({name: option for name, option in options.items() if name != "rule"})
        samples = _visible(cls.sampled(problem, *points, norm=norm))
        front = cls.fit(samples)
        seen = {f"{name}_seen": value for name, value in zip(cls.constants(), front.pick(rule), strict=True)}
        held = Samples(*(column[1::2] for column in samples))
        L0, L1 = cls.fit(Samples(*(column[::2] for column in samples))).pick(rule)
        # a pair with L1 = inf allows everything but samples with q = 0
        needed = torch.where(held.q > 0, -torch.inf, held.s) if math.isinf(L1) else cls.needed(held, L1)
        share = outside(needed, L0, held.error)
        return {**seen, "rule": rule, "front": front.vertices, "outside": share}


def rate(pair: tuple[float, float], q: Tensor) -> Tensor:
    """L0 + L1 q; L0 where L1 = 0, even if q is inf. q: (*batch,)."""
    L0, L1 = pair
    return torch.full_like(q, L0) if L1 == 0 else L0 + L1 * q


def product(a: Tensor, b: Tensor) -> Tensor:
    """Product a b of numbers in [0, inf] that is 0 where one factor is. (*batch,)."""
    return torch.where((a == 0) | (b == 0), torch.zeros_like(a * b), a * b)


def relative_growth(u: Tensor) -> Tensor:
    """(e^u - 1) / u, 1 at 0, inf where it overflows. u >= 0: (*batch,)."""
    nonzero = torch.where(u == 0, 1.0, u)
    return torch.where(u == 0, 1.0, torch.expm1(nonzero) / nonzero)


def anchor(q: Tensor) -> Tensor:
    """q, at least the smallest normal number: an entry below that has lost its digits, or is 0. (*batch,).

    Growth over a long distance makes large numbers even of those.
    """
    return q.clamp(min=torch.finfo(q.dtype).tiny)


def gradient_error(problem: Function, x: Tensor, q: Tensor, curvature: Tensor, norm: Norm) -> Tensor:
    """Rounding of the gradient at x in the dual norm: of itself, of its argument, and its noise. (*batch,).

    q: its size; curvature: a bound on how fast it moves at x.
    """
    with torch.no_grad():
        moved = q + product(curvature, norm.norm(x))
        return ROUNDINGS * moved + NOISE * gradient_noise(problem, x, norm)


def anchored_sides(
    form: L0L1Form, problem: Function, x: Tensor, y: Tensor, reach: Callable[[Tensor], Tensor]
) -> Sides:
    """|grad f(x) - grad f(y)|_* and (L0 + L1 |grad f(x)|_*) reach(|x - y|). x, y: (*batch, d).

    Rounding: that of both gradients, whose arguments move by 64 roundings, and what it does to the right.
    """
    norm, pair = form.norm, form.pair
    gx, gy = problem.grad(x), problem.grad(y)
    qx, qy = norm.dual(gx), norm.dual(gy)
    r = norm.norm(x - y)
    length, slope = reach(r), rate(pair, anchor(qx))
    rhs = product(slope, length)
    with torch.no_grad():
        at_x = gradient_error(problem, x, qx, slope, norm)
        at_y = gradient_error(problem, y, qy, rate(pair, qy), norm)
        right = pair[1] * product(at_x, length) + ROUNDINGS * (1 + pair[1] * r) * rhs
        resolution = at_x + at_y + right
    return Sides(norm.dual(gx - gy), rhs, resolution)


def anchored_samples(problem: Function, x: Tensor, y: Tensor, norm: Norm) -> Samples:
    """q = |grad f(x)|_* and s = |grad f(x) - grad f(y)|_* / |x - y|. x, y: (*batch, d)."""
    x, y = torch.broadcast_tensors(x, y)
    gx, gy = problem.grad(x), problem.grad(y)
    r = norm.norm(x - y)
    error = gradient_rounding(problem, x, norm) + gradient_rounding(problem, y, norm)
    return Samples(norm.dual(gx), norm.dual(gx - gy) / r, r, error / r)


def _visible(samples: Samples) -> Samples:
    """The samples whose curvature is more than 100 roundings, in one row; nan is kept."""
    kept = ~(samples.s <= VISIBLE * samples.error) & (samples.r > 0)
    return Samples(*(column[kept] for column in samples))
