"""The ball envelope of a problem."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Certificate, Convex, Lipschitz, Norm, Smooth
from assumptions.guards import require_points, require_positive
from assumptions.norms import require_norm
from assumptions.region import EVERYWHERE
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.base import Problem
from problems.calculus.members import has_domain

FULL = 1e-9
"""Relative error of the length of a step that reaches the sphere."""


@dataclass(frozen=True)
class BallEnvelope(BallOracle):
    """N(x) = min {f(z) : |z - x| <= radius}: the inf-convolution of f and the indicator of the ball.

    problem: f, finite everywhere, whose balls in ``norm`` are minimised over exactly. radius: finite, > 0.
    TypeError, ValueError otherwise: where f is infinite somewhere, balls around points outside its domain may
    meet it.

    Facts, for convex f: N is convex, min N = min f, argmin N = argmin f + ball; N^* = f^* + radius |.|_*;
    the envelope with radius s of N is that of f with radius + s; the multiplier's subgradient of the ball
    problem is one of N at x. N need not be smoother than f: that of |x| is (|x| - radius)_+.
    Source: Gruntkowska, Li, Rane, Richtarik (2025), arXiv:2502.02002; proofs beside each method.
    """

    problem: Problem
    radius: float
    norm: Norm = EUCLIDEAN

    def __post_init__(self) -> None:
        """The inner problem must be able to do it."""
        require_positive(radius=self.radius)
        require_norm(self.norm)
        if not isinstance(self.problem, Problem):
            raise TypeError(f"problem must be a Problem, got {self.problem!r}")
        exact = self.problem.offers("brox_step") and self.problem.offers_brox(self.norm)
        if not exact or self.problem.oracle_errors.get("brox"):
            raise ValueError(
                f"problem must minimise exactly over balls of {self.norm!r} and say how (brox_step), "
                f"got {self.problem!r}"
            )
        if has_domain(self.problem):
            raise ValueError(f"problem must be finite everywhere, got {self.problem!r} with a domain")
        object.__setattr__(self, "radius", float(self.radius))

    @property
    def d(self) -> int:
        """Dimension of the inner problem."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """Start of the inner problem, (d,)."""
        return self.problem.x0

    @cached_property
    def f_star(self) -> float | None:
        """min N = min f."""
        return getattr(self.problem, "f_star", None)

    @cached_property
    def x_star(self) -> Tensor | None:
        """A minimiser of f, (d,)."""
        return getattr(self.problem, "x_star", None)

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of f: the infima are the same."""
        return self.problem.f_star_error

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of f: x_star is the same, and ``nearest_star`` projects on a ball that moves as much."""
        return self.problem.x_star_error

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """What passes from f to N, on the same word; what holds in a region of x says nothing of its ball."""
        whole = [c for c in self.problem.certified if c.region == EVERYWHERE]
        euclidean = [c for c in whole if getattr(c.assumption, "norm", EUCLIDEAN) == EUCLIDEAN]
        # of one kind, what is proved before what is declared
        inner = {type(c.assumption): c for c in sorted(euclidean, key=lambda c: c.status, reverse=True)}
        if Convex not in inner:
            return ()
        facts = [_passed("f(z) + indicator(|z - x| <= radius) is convex in (x, z)", inner[Convex])]
        if Lipschitz in inner:
            facts.append(_passed("a minimum over translates of f", inner[Lipschitz]))
        if Smooth in inner and self.norm == EUCLIDEAN:
            proof = "N^* = f^* + radius |.| is 1/L-strongly convex, for f^* is"
            facts.append(_passed(proof, inner[Smooth], inner[Convex]))
            if PL in inner:
                proof = "grad N(x) = grad f(u) and N(x) = f(u), u the minimiser over the ball"
                facts.append(_passed(proof, inner[PL], inner[Smooth], inner[Convex]))
        return tuple(facts)

    def _solved(self, x: Tensor) -> BallStep:
        require_points(x, self.d)
        return self.problem.brox_step(x, self.radius, self.norm)  # pyright: ignore[reportAttributeAccessIssue]

    def value(self, x: Tensor) -> Tensor:
        """f at the minimiser over the ball. x: (*batch, d). Returns (*batch,)."""
        return self.problem.value(self._solved(x).point)

    def gap(self, x: Tensor) -> Tensor:
        """The inner gap there, (*batch,)."""
        return self.problem.gap(self._solved(x).point)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """That of the inner gap, and |subgradient| |u| for the rounding of the minimiser u, (*batch,)."""
        solved = self._solved(x)
        size = solved.subgradient.norm(dim=-1) * (x.norm(dim=-1) + self.radius)
        return self.problem.gap_cancellation(solved.point, gap) + size

    def grad(self, x: Tensor) -> Tensor:
        """The multiplier's subgradient g: N(y) >= f(u) + <g, y - u> - radius |g|_* = N(x) + <g, y - x>."""
        return self._solved(x).subgradient

    def conjugate(self, g: Tensor) -> Tensor:
        """f^*(g) + radius |g|_*: conjugation turns an inf-convolution into a sum. (*batch,)."""
        return self.problem.conjugate(g) + self.radius * self.norm.dual(g)  # pyright: ignore[reportAttributeAccessIssue]

    def offers(self, name: str) -> bool:
        """Facts that rest on the inner problem are there where it has them."""
        inherited = ("nearest_star", "conjugate")
        return super().offers(name) and (name not in inherited or self.problem.offers(name))

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """In the norm of the envelope: balls of one norm add up."""
        return norm == self.norm

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """In the norm of the envelope, where the inner distance is known; exactly, if it is not Euclidean."""
        known = norm == EUCLIDEAN or self.problem.x_star_error == 0
        return norm == self.norm and known and self.problem.offers_dist(norm)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """On the way to the nearest minimiser of f, ``radius`` before it. Shapes (*batch, d).

        ValueError in another norm than that of the envelope.
        """
        require_points(x, self.d)
        if norm != self.norm:
            raise ValueError(f"nearest_star projects in {self.norm!r} only, got norm={norm!r}")
        way = self.problem.nearest_star(x, norm) - x  # pyright: ignore[reportAttributeAccessIssue]
        length = self.norm.norm(way).unsqueeze(-1)
        return x + _along(way, length) * (length - self.radius).clamp(min=0)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Towards the minimiser of f over the ball of t + radius: by t, or to ``radius`` before a landing.

        N is at least min {f(z) : |z - x| <= t + radius} on the ball of t, and has that value at the point
        within ``radius`` of the minimiser, by the triangle inequality. A step of full length that does not
        reach a minimiser of f is t and ``radius``, whatever rounding makes of their sum.
        """
        inner = self.problem.brox_step(x, t + self.radius, norm)  # pyright: ignore[reportAttributeAccessIssue]
        length = norm.norm(inner.step).unsqueeze(-1)
        lands = (inner.subgradient == 0).all(dim=-1, keepdim=True)
        lands = lands | (length < (t + self.radius) * (1 - FULL))
        moved = torch.minimum((length - self.radius).clamp(min=0), t)
        step = _along(inner.step, length) * torch.where(lands, moved, t)
        return BallStep.of(x, t, norm, step, inner.subgradient)


def _along(way: Tensor, length: Tensor) -> Tensor:
    """way / length, 0 for 0. Shapes as way."""
    return way / torch.where(length == 0, 1.0, length)


def _passed(proof: str, first: Certificate, *others: Certificate) -> Certificate:
    """The first assumption for N, certified if all are that were used."""
    declared = any(c.status == "declared" for c in (first, *others))
    return Certificate(first.assumption, proof=proof, status="declared" if declared else "certified")
