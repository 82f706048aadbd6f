"""A separable function on a box."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Certificate, Convex, Norm
from assumptions.base import EPS
from assumptions.guards import require_points
from assumptions.norms import Lp
from problems.arguments import require_start, start_point
from problems.ball_oracle import BallOracle
from problems.ball_step import BallStep
from problems.brox_from_prox import brox_from_prox
from problems.composite.composite import Composite
from problems.composite.indicator import Indicator
from problems.composite.parts import Parts
from problems.linear import Linear
from problems.lp_form import has_lp_form, lp_form
from problems.oracle_guards import positive_step
from problems.quadratic import Quadratic
from problems.sets import Box
from problems.weighted_l1 import WeightedL1


class _Pull(NamedTuple):
    """Where each coordinate of f is drawn without the box, +-inf included, and which are not drawn; (d,)."""

    target: Tensor
    free: Tensor


@dataclass(frozen=True)
class Constrained(BallOracle):
    """F(x) = f(x) where x is in ``within``, else inf.

    problem: f = sum_i f_i(x_i): a WeightedL1, a Linear, or a Quadratic with seed None. within: a Box of the
    same dimension; a Linear needs it to be bounded where f falls. start: a point of the box; x0 is by
    default that of f, projected. ValueError otherwise. Source: definition.

    On an interval the convex f_i is minimal at the projections of its minimisers, and its proximal point
    is that of f_i, projected: f_i(z) + (z - x)^2 / (2 gamma) is monotone on either side of its minimiser.
    """

    problem: WeightedL1 | Linear | Quadratic
    within: Box
    start: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Check the arguments."""
        separable = isinstance(self.problem, WeightedL1 | Linear | Quadratic)
        if not separable or (isinstance(self.problem, Quadratic) and self.problem.seed is not None):
            accepted = "a WeightedL1, a Linear or a Quadratic with seed=None"
            raise ValueError(f"problem must be {accepted}, got {self.problem!r}")
        if not isinstance(self.within, Box) or self.within.d != self.problem.d:
            raise ValueError(f"within must be a Box of dimension {self.problem.d}, got {self.within!r}")
        if not bool(self.x_star.isfinite().all()):
            raise ValueError(f"within must bound {self.problem!r} from below, got {self.within!r}")
        require_start(self.start, self.d)
        if not bool(self.within.contains(self.x0)):
            raise ValueError(f"start must be in {self.within!r}, got {self.start!r}")

    @property
    def d(self) -> int:
        """The dimension of f."""
        return self.problem.d

    @property
    def x0(self) -> Tensor:
        """The start of f, projected, (d,)."""
        return start_point(self, self.start, self.into_domain(self.problem.x0))

    @cached_property
    def _pull(self) -> _Pull:
        match self.problem:
            case Linear(a=a):
                slope = torch.tensor(a, dtype=torch.float64)
                return _Pull(torch.where(slope == 0, 0.0, -slope.sign() * math.inf), slope == 0)
            case WeightedL1(weights=weights) | Quadratic(eigenvalues=weights):
                return _Pull(self.problem.x_star, torch.tensor(weights, dtype=torch.float64) == 0)
        raise AssertionError(self.problem)

    @cached_property
    def x_star(self) -> Tensor:
        """The minimiser nearest to the projection of 0, (d,)."""
        return self._nearest(torch.zeros(self.d, dtype=torch.float64))

    @cached_property
    def f_star(self) -> float:
        """f at the minimiser."""
        return float(self.problem.value(self.x_star))

    @property
    def unique_star(self) -> bool:
        """True if no coordinate is free to move."""
        sides = zip(self._pull.free.tolist(), self.within.low, self.within.high, strict=True)
        return not any(free and low < high for free, low, high in sides)

    @property
    def certified(self) -> tuple[Certificate, ...]:
        """On the box; a method that leaves it, where there are no subgradients, leaves what is proved."""
        whole = Certificate(Convex(), proof="a convex function on a convex set", region=self.within)
        return (whole, *(self._split.parts.certified if self._split else ()))

    @cached_property
    def _split(self) -> Composite | None:
        """f and the indicator of the box, where f is smooth."""
        smooth = not isinstance(self.problem, WeightedL1)
        return Composite(self.problem, Indicator(self.within)) if smooth else None

    @cached_property
    def parts(self) -> Parts | None:
        """f and the indicator of the box, where f is smooth; else the whole, which has a proximal step."""
        return self._split.parts if self._split else super().parts

    def offers(self, name: str) -> bool:
        """Linear minimisation over a bounded box."""
        return self.within.diameter < math.inf if name == "lmo" else super().offers(name)

    def lmo(self, g: Tensor) -> Tensor:
        """argmin <g, z> over the box. Shapes (*batch, d). TypeError for an unbounded box."""
        return self.within.lmo(g)

    def contains(self, x: Tensor) -> Tensor:
        """Whether x is in the box; (*batch,)."""
        return self.within.contains(x)

    def into_domain(self, x: Tensor) -> Tensor:
        """The nearest point of the box. Shapes (*batch, d)."""
        return self.within.project(x)

    def _inside(self, x: Tensor, value: Tensor) -> Tensor:
        """The value in the box, inf outside; nan stays."""
        return torch.where(self.contains(x) | x.isnan().any(dim=-1), value, torch.inf)

    def gap(self, x: Tensor) -> Tensor:
        """sum_i f_i(x_i) - f_i(u_i), u the nearest minimiser: terms >= 0 that do not cancel. (*batch,)."""
        require_points(x, self.d)
        u = self._nearest(x)
        match self.problem:
            case Linear(a=a):
                rise = x.new_tensor(a) * (x - u)
            case WeightedL1(weights=weights):
                rise = x.new_tensor(weights) * (x - u).abs()
            case Quadratic(eigenvalues=eigenvalues):
                # (x - c)^2 - (u - c)^2 = (x - u)^2 + 2 (x - u) (u - c), and u lies between x and c
                beyond = (x - u) * (u - self.problem.x_star.to(x))
                rise = x.new_tensor(eigenvalues) * ((x - u).square() / 2 + beyond)
        return self._inside(x, rise.sum(dim=-1))

    def gap_cancellation(self, x: Tensor, gap: Tensor) -> Tensor:
        """Nothing cancels: the gap itself, (*batch,)."""
        del x
        return gap

    def value(self, x: Tensor) -> Tensor:
        """x: (*batch, d). Returns (*batch,), inf outside the box."""
        return self.gap(x) + self.f_star

    def grad(self, x: Tensor) -> Tensor:
        """The subgradient of F of least length: the gradient of f without what the sides hold. (*batch, d).

        Outside the box there is none: nan.
        """
        g = self.problem.grad(x)
        low, high = x.new_tensor(self.within.low), x.new_tensor(self.within.high)
        held = ((x == low) & (g > 0)) | ((x == high) & (g < 0))
        return torch.where(self.contains(x).unsqueeze(-1), torch.where(held, 0.0, g), torch.nan)

    def offers_dist(self, norm: Norm = EUCLIDEAN) -> bool:
        """True in every l_p norm, weighted or not; in other norms if the minimiser is unique."""
        return norm.fits(self.d) and (self.unique_star or has_lp_form(norm, self.d))

    def nearest_star(self, x: Tensor, norm: Norm = EUCLIDEAN) -> Tensor:
        """Coordinate by coordinate. Shapes (*batch, d). ValueError unless ``offers_dist(norm)``."""
        require_points(x, self.d)
        if not self.offers_dist(norm):
            raise ValueError(f"nearest_star of {self!r} projects in l_p norms only, got norm={norm!r}")
        return self._nearest(x)

    def _nearest(self, x: Tensor) -> Tensor:
        return self.into_domain(torch.where(self._pull.free.to(x.device), x, self._pull.target.to(x)))

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """That of f, projected. Shapes (*batch, d)."""
        return self.into_domain(self.problem.prox(x, stepsize))

    def _shift(self, x: Tensor, stepsize: Tensor) -> Tensor:
        """prox(x, stepsize) - x for x in the box: the shift of f, cut at the sides. Shapes (*batch, d)."""
        match self.problem:
            case Linear(a=a):
                shift = -stepsize * x.new_tensor(a)
            case WeightedL1(weights=weights):
                y = x - self.problem.x_star.to(x)
                shift = -y.sign() * torch.minimum(y.abs(), stepsize * x.new_tensor(weights))
            case Quadratic(eigenvalues=eigenvalues):
                # y k / (1 + k), k = stepsize a, also where k overflows or vanishes
                y = x - self.problem.x_star.to(x)
                shift = -y / (1 + 1 / (stepsize * x.new_tensor(eigenvalues)))
        low, high = x.new_tensor(self.within.low), x.new_tensor(self.within.high)
        return torch.maximum(torch.minimum(shift, high - x), low - x)

    def offers_brox(self, norm: Norm = EUCLIDEAN) -> bool:
        """True in l_2, and in l_inf with any weights."""
        return (isinstance(norm, Lp) and norm.p == 2) or self._is_box(norm)

    def _is_box(self, norm: Norm) -> bool:
        return has_lp_form(norm, self.d) and lp_form(norm, self.x0).p == math.inf

    def conic(self, z: Any, cp: Any) -> Any:
        """f(z) as an expression of cvxpy; the box is in ``conic_constraints``."""
        return self.problem.conic(z, cp)

    def conic_constraints(self, z: Any, cp: Any) -> list[Any]:
        """The domain as constraints of cvxpy."""
        return self.within.conic(z, cp)

    def brox_step(self, x: Tensor, radius: float | Tensor, norm: Norm = EUCLIDEAN) -> BallStep:
        """As ``BallOracle``, from points of the box alone. ValueError for others: F is inf around them."""
        t = positive_step(x, self.d, radius=radius)
        if not bool((self.contains(x) | x.isnan().any(dim=-1)).all()):
            raise ValueError(f"x must be in {self.within!r}, got a point outside")
        return super().brox_step(x, t, norm)

    def _ball_step(self, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
        """Euclidean: the stepsize whose proximal point is on the sphere. l_inf: coordinate by coordinate.

        SolverError where the stepsize is out of the range of floating point numbers.
        """
        v, nearest = lp_form(norm, x).v, self._nearest(x)
        way, reach = nearest - x, t / v
        if not self._is_box(norm):
            point, step, g, _ = brox_from_prox(self.prox, x, reach, nearest, self._shift)
            # coordinates that arrive, but for roundings, do
            arrived = (step - way).abs() <= 8 * EPS * way.abs()
            return BallStep.of(x, t, norm, step, g, torch.where(arrived, nearest, self.into_domain(point)))
        reached = way.abs() <= reach
        step = torch.where(reached, way, way.sign() * reach)
        point = torch.where(reached, nearest, self.into_domain(x + step))
        step = torch.where(way.isnan(), way, step)
        g = torch.where(reached, 0.0, self.problem.grad(point))
        return BallStep.of(x, t, norm, step, g, point)
