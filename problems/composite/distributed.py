"""A regression on real data, split over clients that must agree."""

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Norm, StronglyConvex
from assumptions.guards import require_dimension, require_points
from assumptions.outward import certify, round_down, round_up
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.composite.distributed_parts import DistributedParts
from problems.composite.flat_sets import Consensus
from problems.composite.indicator import Indicator
from problems.gram import gram_bounds
from problems.least_squares import LeastSquares
from problems.logistic import LogisticRegression
from problems.oracle_guards import project_unique

LARGEST = {LogisticRegression: 0.25, LeastSquares: 1.0}
"""Largest second derivative of the loss of one example."""


@dataclass(frozen=True)
class Distributed(Problem):
    """F(x_1, ..., x_m) = sum_i (n_i / n) f_i(x_i) + h, h = 0 where all x_i agree, else inf.

    problem: a LogisticRegression or LeastSquares with n examples. clients: m, an integer in 2..n; client i
    holds n_i consecutive examples, as equally many as can be, and f_i is the mean of their losses. On equal
    x_i, F is the problem, so that its solution is that of the solver, m times. The sum is the smooth part;
    the only term is h, and its proximal step, an average, is the communication. start: overrides x0 = 0.
    TypeError or ValueError otherwise.
    """

    problem: LogisticRegression | LeastSquares
    clients: int
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments; data are read later, and clients <= n is required then."""
        if type(self.problem) not in LARGEST:
            raise TypeError(f"problem must be a LogisticRegression or LeastSquares, got {self.problem!r}")
        require_dimension(clients=self.clients)
        if self.clients < 2:
            raise ValueError(f"clients must be in 2..n, n the number of examples, got {self.clients!r}")
        if self.start:
            require_start(self.start, self.d)

    @property
    def d(self) -> int:
        """m times that of the problem."""
        return self.clients * self.problem.d

    @property
    def files(self) -> tuple[str, ...]:
        """The data of the problem."""
        return self.problem.files

    @property
    def x0(self) -> Tensor:
        """The start of the problem, m times, (d,)."""
        return start_point(self, self.start, self.problem.x0.repeat(self.clients))

    @cached_property
    def consensus(self) -> Indicator:
        """h."""
        return Indicator(Consensus(self.clients, self.problem.d))

    @cached_property
    def _shares(self) -> tuple[tuple[Tensor, Fraction], ...]:
        """The examples of each client and n_i / n."""
        n = self.problem.n_terms
        if self.clients > n:
            raise ValueError(f"clients must be in 2..{n}, got {self.clients!r}")
        blocks = torch.arange(n).tensor_split(self.clients)
        return tuple((block, Fraction(len(block), n)) for block in blocks)

    @cached_property
    def _bounds(self) -> tuple[Fraction, Fraction]:
        """(mu_f, L_f). The Hessian of client i: sum_j h'' a_j a_j' / n + (n_i / n) reg I, h'' <= largest."""
        rows, n = self.problem._links.rows, self.problem.n_terms
        largest, reg = LARGEST[type(self.problem)], Fraction(self.problem._links.reg)
        low, high = [], []
        for block, share in self._shares:
            gram = gram_bounds(rows[block], n)
            least = gram.low if isinstance(self.problem, LeastSquares) else Fraction(0)
            low.append(least + share * reg)
            high.append(Fraction(largest) * gram.high + share * reg)
        return min(low), max(high)

    @property
    def constants(self) -> tuple[float, float]:
        """(mu_f, L_f), rounded outward."""
        return round_down(self._bounds[0]), round_up(self._bounds[1])

    @cached_property
    def parts(self) -> DistributedParts:  # pyright: ignore[reportIncompatibleMethodOverride]
        """f, and h as the only term."""
        return DistributedParts(self)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """From the Hessians of the clients."""
        convex = Certificate(Convex(), proof="convex losses on a subspace")
        mu = certify(StronglyConvex, self.constants[0], "the least eigenvalue of all clients")
        return (convex, *mu, *self.parts.certified)

    @property
    def x_star(self) -> Tensor:
        """That of the problem, m times, (d,)."""
        return self.problem.x_star.repeat(self.clients)

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """sqrt(m) times that of the problem."""
        return math.sqrt(self.clients) * self.problem.x_star_error * (1 + 1e-12)

    @property
    def f_star(self) -> float:
        """That of the problem."""
        return self.problem.f_star

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the problem."""
        return self.problem.f_star_error

    @property
    def unique_star(self) -> bool:
        """True: on equal x_i F is the problem, which is strongly convex."""
        return True

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser. Shapes (*batch, d)."""
        return project_unique(self, x, self.x_star, norm)

    def contains(self, x: Tensor) -> Tensor:
        """Whether all x_i agree, up to roundings; (*batch,)."""
        return self.consensus.contains(x)

    def into_domain(self, x: Tensor) -> Tensor:
        """The mean of the x_i, m times. Shapes (*batch, d)."""
        return self.consensus.into_domain(x)

    def value(self, x: Tensor) -> Tensor:
        """f(x) where all agree, else inf. x: (*batch, d). Returns (*batch,)."""
        return self.smooth_value(x) + self.consensus.value(x)

    def grad(self, x: Tensor) -> Tensor:
        """Of f where all agree: a subgradient of F; elsewhere there is none: nan. Shapes (*batch, d)."""
        return self.smooth_grad(x) + self.consensus.grad(x)

    def gap(self, x: Tensor) -> Tensor:
        """That of the problem at the common point, inf where there is none; (*batch,)."""
        require_points(x, self.d)
        return self.problem.gap(x[..., : self.problem.d]) + self.consensus.value(x)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """That of the problem, (*batch,)."""
        return self.problem.gap_cancellation(x[..., : self.problem.d], gap)

    def smooth_value(self, x: Tensor) -> Tensor:
        """f(x), (*batch,)."""
        pieces = zip(self._clients(x), self._shares, strict=True)
        values = [float(share) * self._losses(piece, block).mean(dim=-1) for piece, (block, share) in pieces]
        return torch.stack(values).sum(dim=0)

    def smooth_grad(self, x: Tensor) -> Tensor:
        """(n_i / n) grad f_i(x_i), client by client. Shapes (*batch, d)."""
        pieces = zip(self._clients(x), self._shares, strict=True)
        return torch.cat(
            [float(share) * self._slope(piece, block) for piece, (block, share) in pieces], dim=-1
        )

    def _clients(self, x: Tensor) -> tuple[Tensor, ...]:
        require_points(x, self.d)
        return x.split(self.problem.d, dim=-1)

    def _slope(self, x: Tensor, block: Tensor) -> Tensor:
        return self.problem.batch_grad(x, _for_each(x, block))

    def _losses(self, x: Tensor, block: Tensor) -> Tensor:
        return self.problem.batch_values(x, _for_each(x, block))


def _for_each(x: Tensor, block: Tensor) -> Tensor:
    """The same examples for each point, (*batch, b), expanded. x: (*batch, d)."""
    return block.to(x.device).expand(*x.shape[:-1], -1)
