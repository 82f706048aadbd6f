"""Problems that are another one in other units, or with noise: all oracles are handed on."""

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Layers, Norm
from assumptions.base import EPS
from assumptions.guards import require_points
from assumptions.outward import round_up
from problems.arguments import column
from problems.ball_step import BallStep
from problems.calculus.members import OfOne, has_domain, is_continuous
from problems.calculus.units import Units
from problems.oracle_guards import require_norm_fits

POINTS = frozenset(("x_star", "nearest_star", "prox", "brox", "brox_step"))
"""Optional oracles and facts that are points, which rounding may move across a jump of f."""
HANDED_ON = POINTS | {"f_star", "f_lower", "conjugate", "hvp"}
"""Optional oracles and facts, there where the inner problem has them."""


class SeenThrough(OfOne):
    """F(x) = height f((x - shift) / unit). A subclass is a dataclass with a field ``problem``, f.

    Where the argument changes, oracles that return points are there only for continuous f: a point of
    the domain, or of a jump, may be off it after rounding. ValueError if x0 then leaves the domain.
    """

    @property
    @abstractmethod
    def units(self) -> Units:
        """The change of units and origin."""

    def _require_inner(self) -> None:
        """TypeError or ValueError as ``MadeOf``; ValueError if its start leaves the domain."""
        self._require_members(self.problem)
        if not self.units.moves or not has_domain(self.problem):
            return
        if bool(self.problem.contains(self.problem.x0)) and not bool(self.contains(self.x0)):
            raise ValueError(f"rounding moves x0 out of the domain of {self.problem!r}; choose other numbers")

    @property
    def d(self) -> int:
        """Dimension of the inner problem."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """The inner start, (d,)."""
        return self.units.outer(self.problem.x0)

    @property
    def layers(self) -> Layers:
        """Those of the inner problem."""
        return self.problem.layers

    @property
    def unique_star(self) -> bool:
        """As the inner problem."""
        return self.problem.unique_star

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """The inner certificates, constants by their units (``Units.certificate``)."""
        passed = (self.units.certificate(c) for c in self.problem.certified)
        return tuple(c for c in passed if c is not None)

    @cached_property
    def _keeps_points(self) -> bool:
        return not self.units.moves or is_continuous(self.problem)

    def offers(self, name: str) -> bool:
        """Handed on are oracles that the inner problem has; see the class for those that return points."""
        if name in POINTS and not self._keeps_points:
            return False
        return (name not in HANDED_ON or self.problem.offers(name)) and super().offers(name)

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """As the inner problem."""
        return self.offers("nearest_star") and self.problem.offers_dist(norm)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """As the inner problem: a ball stays one of its norm."""
        return self.offers("brox") and self.problem.offers_brox(norm)

    def _inner(self, x: Tensor) -> Tensor:
        """The point at which f is asked. Shapes (*batch, d); ValueError for others."""
        require_points(x, self.d)
        return self.units.inner(x)

    def contains(self, x: Tensor) -> Tensor:
        """Whether (x - shift) / unit is in the inner domain. Returns bool (*batch,)."""
        return self.problem.contains(self._inner(x))

    def into_domain(self, x: Tensor) -> Tensor:
        """As the inner problem, and then as every other one. Shapes (*batch, d)."""
        moved = self.units.outer(self.problem.into_domain(self._inner(x)))
        moved = torch.where(self.contains(x).unsqueeze(-1), x, moved)
        return super().into_domain(moved)

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,)."""
        return self.units.height * self.problem.value(self._inner(x))

    def grad(self, x: Tensor) -> Tensor:
        """height / unit times the inner gradient. Shapes (*batch, d)."""
        return self._slope * self.problem.grad(self._inner(x))

    def hvp(self, x: Tensor, v: Tensor) -> Tensor:
        """height / unit times the inner Hessian times v / unit. Shapes (*batch, d)."""
        return self._slope * self._oracle("hvp")(self._inner(x), v / self.units.unit)

    @property
    def _slope(self) -> float:
        return self.units.height / self.units.unit

    def part_value(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of the inner term. x: (*batch, d); j: int64 (*batch,). Returns (*batch,)."""
        return self.units.height * self.problem.part_value(self._inner(x), j)

    def part_grad(self, x: Tensor, j: Tensor | None = None) -> Tensor:
        """Of the inner term. x: (*batch, d); j: int64 (*batch,). Returns (*batch, d)."""
        return self._slope * self.problem.part_grad(self._inner(x), j)

    def part_values(self, x: Tensor) -> Tensor:
        """Of all inner terms, (*batch, n_terms)."""
        return self.units.height * self.problem.part_values(self._inner(x))

    def part_grads(self, x: Tensor) -> Tensor:
        """Of all inner terms, (*batch, n_terms, d)."""
        return self._slope * self.problem.part_grads(self._inner(x))

    def gap(self, x: Tensor) -> Tensor:
        """height times the inner gap, (*batch,)."""
        return self.units.height * self.problem.gap(self._inner(x))

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """That of the inner gap, and |grad f(z)| |z| for the rounding of the inner point z; (*batch,)."""
        z = self._inner(x)
        size = self.units.height * self.problem.gap_cancellation(z, gap / self.units.height)
        if not self.units.moves:
            return size
        return size + (self.grad(x).norm(dim=-1) * z.norm(dim=-1) * self.units.unit).nan_to_num(nan=0.0)

    def _fact(self, name: str) -> Any:
        """The inner fact or oracle; None if it is not there, or rounding takes it away."""
        kept = name not in POINTS or self._keeps_points
        return getattr(self.problem, name) if kept and self.problem.offers(name) else None

    def _oracle(self, name: str) -> Any:
        found = self._fact(name)
        if found is None:
            raise TypeError(f"{self!r} has no {name}")
        return found

    @cached_property
    def f_star(self) -> float | None:
        """height times the inner one, rounded up."""
        inner = self._fact("f_star")
        return None if inner is None else self._times_up(inner)

    @cached_property
    def f_lower(self) -> float | None:
        """height times the inner one, rounded down."""
        inner = self._fact("f_lower")
        return None if inner is None else -self._times_up(-inner)

    def _times_up(self, value: float) -> float:
        """height times a value, rounded up."""
        height = self.units.height
        return value if height == 1 or value == 0 else round_up(Fraction(height) * Fraction(value))

    @property
    def f_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """height times the inner one, and the rounding of f_star."""
        if self.units.height == 1:
            return self.problem.f_star_error
        rounded = 2 * EPS * abs(self.f_star) if self.f_star else 0.0
        return (self.units.height * self.problem.f_star_error + rounded) * (1 + 4 * EPS)

    @cached_property
    def x_star(self) -> Tensor | None:
        """shift + unit times the inner one, (d,)."""
        inner = self._fact("x_star")
        return None if inner is None else self.units.outer(inner)

    @property
    def x_star_error(self) -> float:  # pyright: ignore[reportIncompatibleVariableOverride]
        """unit times the inner one, and the rounding of x_star."""
        inner = self._fact("x_star")
        if inner is None or not self.units.moves:
            return self.problem.x_star_error
        own = self.units.unit * self.problem.x_star_error
        return (own + self.units.moved_by_rounding(inner)) * (1 + 8 * EPS)

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """shift + unit times the inner projection. Shapes (*batch, d)."""
        require_norm_fits(self, norm)
        return self.units.outer(self._oracle("nearest_star")(self._inner(x), norm))

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """With z = (w - shift) / unit: shift + unit prox of f with stepsize height / unit^2. (*batch, d)."""
        step = stepsize * (self.units.height / self.units.unit**2)
        return self.units.outer(self._oracle("prox")(self._inner(x), step))

    def brox(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """shift + unit times the minimiser over the inner ball of radius / unit. Shapes (*batch, d)."""
        oracle, z = self._oracle("brox"), self._inner(x)
        if norm == EUCLIDEAN and not self.problem.offers("brox_step"):
            return self.units.outer(oracle(z, radius / self.units.unit))
        return self.brox_step(x, radius, norm).point

    def brox_step(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> BallStep:
        """As ``brox``; subgradients times height / unit, steps times unit. A ``BallStep``."""
        found = self._oracle("brox_step")(self._inner(x), radius / self.units.unit, norm)
        if self.units == Units():
            return found
        step, g, point = found.step * self.units.unit, found.subgradient * self._slope, found.point
        if self.units.moves:
            landed = (found.subgradient == 0).all(dim=-1, keepdim=True)
            point = torch.where(landed, self.units.outer(point), x + step)
        return BallStep.of(x, column(radius, x), norm, step, g, point)

    def conjugate(self, g: Tensor) -> Tensor:
        """<g, shift> + height f^*(g unit / height). g: (*batch, d). Returns (*batch,)."""
        inner = self.units.height * self._oracle("conjugate")(g / self._slope)
        if not any(self.units.shift):
            return inner
        return inner + (g * g.new_tensor(self.units.shift)).sum(dim=-1)

    @property
    def oracle_errors(self) -> Mapping[str, float]:
        """unit times the inner ones."""
        return {name: error * self.units.unit for name, error in self.problem.oracle_errors.items()}

    def oracle_error(
        self, name: str, x: Tensor, step: float | Tensor, result: Tensor, j: Tensor | None = None
    ) -> Tensor:
        """unit times the inner bound at the inner points, (*batch,)."""
        if name == "batch_prox":
            return super().oracle_error(name, x, step, result, j)
        inner = self._inner
        share = self.units.height / self.units.unit**2 if name == "prox" else 1 / self.units.unit
        return self.units.unit * self.problem.oracle_error(name, inner(x), step * share, inner(result))
