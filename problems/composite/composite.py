"""Sums of a smooth function, a function with a proximal step, and terms with proximal steps."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Norm, StronglyConvex
from assumptions.base import EPS
from assumptions.guards import as_floats, require_points, require_positive
from assumptions.outward import certify
from problems.arguments import require_start, start_point
from problems.base import Problem
from problems.composite.composite_parts import CompositeParts
from problems.composite.guards import checked_duals, require_members
from problems.composite.membership import exact
from problems.composite.optimality import Optimality, strong_convexity
from problems.oracle_guards import project_unique, require_vector
from problems.quadratic import Quadratic


@dataclass(frozen=True)
class Composite(Problem):
    """F(x) = f(x) + g(x) + sum_j h_j(x): a sum, not a mean.

    smooth: f, convex and smooth; None for 0. prox_part: g, convex, with ``prox``; None for 0. terms: the h_j,
    convex, with ``prox``; one for each client. All Problems of one dimension, one at least.
    minimiser: x_star, (d,); empty if not known. duals: u_j in dh_j(x_star), one for each term, with
    -(grad f(x_star) + sum_j u_j) in dg(x_star); empty, where all terms are smooth, for their gradients. Both
    are proved where they are given: see ``Optimality``. start: overrides x0, by default x_star + 1, or the
    start of the first member. TypeError or ValueError otherwise.
    """

    smooth: Problem | None = None
    prox_part: Problem | None = None
    terms: tuple[Problem, ...] = ()
    minimiser: tuple[float, ...] = ()
    duals: tuple[tuple[float, ...], ...] = ()
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Members, dimensions, and optimality if a minimiser is given."""
        require_members(self.smooth, self.prox_part, self.terms)
        require_start(self.start, self.d)
        if self.minimiser == ():
            if self.duals != ():
                raise ValueError(f"duals need a minimiser, got {self.duals!r} without one")
            return
        object.__setattr__(self, "minimiser", require_vector("minimiser", self.minimiser, self.d))
        object.__setattr__(self, "duals", checked_duals(self.duals, self.terms, self.d))
        self.optimality.require()

    @classmethod
    def around(
        cls,
        minimiser: tuple[float, ...],
        duals: tuple[tuple[float, ...], ...] = (),
        *,
        smooth: Problem | None = None,
        terms: tuple[Problem, ...] = (),
        mu_g: float = 1.0,
        start: tuple[float, ...] = (),
    ) -> Self:
        """With g(x) = mu_g/2 |x - c|^2, c = x_star + (sum_j u_j + grad f(x_star)) / mu_g: x_star is optimal.

        c is rounded once; the error of x_star that this makes, 0 for numbers with few digits, is stated. The
        arguments are those of the class. ValueError unless mu_g is finite and > 0, and as the class.
        """
        require_positive(mu_g=mu_g)
        x = torch.tensor(as_floats("minimiser", minimiser), dtype=torch.float64)
        require_members(smooth, None, terms)
        vectors = checked_duals(duals, terms, len(x))
        given = tuple(torch.tensor(u, dtype=torch.float64) for u in vectors)
        if not given:
            given = tuple(term.grad(x) for term in terms)
        slope = Optimality(smooth, None, terms, x, given).slope
        centre = tuple(float(s + w / Fraction(mu_g)) for s, w in zip(exact(x), slope, strict=True))
        g = Quadratic((float(mu_g),) * len(x), centre, seed=None)
        return cls(smooth, g, terms, tuple(x.tolist()), vectors, start)

    @property
    def members(self) -> tuple[Problem, ...]:
        """f, g and the terms, those that there are."""
        return tuple(p for p in (self.smooth, self.prox_part, *self.terms) if p is not None)

    @cached_property
    def optimality(self) -> Optimality:
        """Why ``minimiser`` is one, and to what error. ValueError where none is given."""
        if not self.minimiser:
            raise ValueError(f"{self!r} has no minimiser")
        x = torch.tensor(self.minimiser, dtype=torch.float64)
        if self.duals:
            duals = tuple(torch.tensor(u, dtype=torch.float64) for u in self.duals)
        else:
            duals = tuple(term.grad(x) for term in self.terms)
        return Optimality(self.smooth, self.prox_part, self.terms, x, duals)

    @property
    def d(self) -> int:
        """That of the members."""
        return self.members[0].d

    @property
    def n_clients(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Number of terms; 1 if there are none."""
        return max(len(self.terms), 1)

    @property
    def x0(self) -> Tensor:
        """x_star + 1, or the start of the first member, (d,)."""
        return start_point(self, self.start, self.members[0].x0 if self.x_star is None else self.x_star + 1)

    @property
    def files(self) -> tuple[str, ...]:
        """Those of the members, each once."""
        return tuple(dict.fromkeys(file for member in self.members for file in member.files))

    @cached_property
    def parts(self) -> CompositeParts:  # pyright: ignore[reportIncompatibleMethodOverride]
        """f, g and the terms."""
        return CompositeParts(self)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """Sums of convex functions are convex, moduli of strong convexity add up; and those of the parts."""
        mu = strong_convexity(self.members)
        return (
            Certificate(Convex(), proof="a sum of convex functions"),
            *certify(StronglyConvex, mu, "moduli of strong convexity add up"),
            *self.parts.certified,
        )

    @property
    def x_star(self) -> Tensor | None:
        """The minimiser, if one was given, (d,)."""
        return self.optimality.x_star if self.minimiser else None

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The length of a subgradient over the modulus of strong convexity; 0 where it vanishes."""
        return self.optimality.x_star_error if self.minimiser else 0.0

    @property
    def f_star(self) -> float | None:
        """F at the minimiser, an upper bound of the minimum."""
        return self.optimality.value[0] if self.minimiser else None

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """Rounding, and what the error of x_star adds."""
        return self.optimality.value[1] if self.minimiser else 0.0

    @property
    def unique_star(self) -> bool:
        """True if F is strongly convex."""
        return strong_convexity(self.members) > 0

    def offers(self, name: str) -> bool:
        """The solution set where it is one point; linear minimisation where g is a bounded indicator."""
        if name == "nearest_star":
            return self.unique_star and self.minimiser != ()
        if name == "lmo":
            return self.parts.has_lmo
        return super().offers(name)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """The minimiser of a strongly convex F. Shapes (*batch, d). ValueError where it is not known."""
        if self.x_star is None or not self.unique_star:
            raise ValueError(f"{self!r} has no minimiser that is known to be the only one")
        return project_unique(self, x, self.x_star, norm)

    def lmo(self, g: Tensor) -> Tensor:
        """argmin <g, z> over the domain of g. Shapes (*batch, d). TypeError unless that is a bounded set."""
        return self.parts.lmo(g)

    def contains(self, x: Tensor) -> Tensor:
        """Where all members are finite. Returns bool (*batch,)."""
        return torch.stack([p.contains(x) for p in self.members]).all(dim=0)

    def into_domain(self, x: Tensor) -> Tensor:
        """Through the domains in turn; where that does not arrive, halfway to x_star. Shapes (*batch, d)."""
        moved = x
        for member in self.members:
            moved = torch.where(self.contains(moved).unsqueeze(-1), moved, member.into_domain(moved))
        anchor = x if self.x_star is None else self.x_star.to(x).expand_as(x)
        return torch.where(self.contains(moved).unsqueeze(-1), moved, anchor)

    def _each(self, oracle: Callable[[Any], Tensor]) -> Tensor:
        return torch.stack([oracle(p) for p in self.members]).sum(dim=0)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,); inf where a member is."""
        require_points(x, self.d)
        return self._each(lambda p: p.value(x))

    def grad(self, x: Tensor) -> Tensor:
        """What the members return, added: a subgradient; nan where one has none. Shapes (*batch, d)."""
        require_points(x, self.d)
        return self._each(lambda p: p.grad(x))

    def gap(self, x: Tensor) -> Tensor:
        """F(x) - f_star, cut at 0. (*batch,). TypeError where f_star is not known."""
        if self.f_star is None:
            raise TypeError(f"f_star of {self!r} is not known")
        difference = self.value(x) - self.f_star
        return torch.where(difference < 0, 0.0, difference)

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """What the members add up to, at x and at x_star, (*batch,)."""
        sizes = self._each(lambda p: p.value(x).abs()).nan_to_num(posinf=0.0)
        return super().gap_cancellation(x, gap) + sizes + self.f_star_error / EPS
