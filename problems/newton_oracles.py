"""Proximal and broximal steps of any twice differentiable convex problem, certified under its constants."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Assumption, Convex, Smooth, StronglyConvex
from assumptions.base import EPS
from assumptions.guards import require_nonnegative, require_points, require_positive
from assumptions.rounding import ROUNDINGS, gradient_rounding, value_scale
from problems.arguments import column
from problems.ball_newton import SolverError, ball_multiplier, proximal_minimise
from problems.base import Problem
from problems.newton_steps import Move, newton_ball, newton_prox
from problems.optimum import Optimum, certified_optimum


@dataclass(frozen=True, eq=False)
class NewtonOracles:
    """prox, brox and, if mu > 0, the minimiser of an L-smooth, mu-strongly convex ``problem``.

    L > 0, mu >= 0 (0: merely convex): units of f per squared unit of x. The Hessian comes from automatic
    differentiation of the problem's gradient; SolverError where that is impossible. Every result solves
    its optimality condition up to ``grad_resolution``, checked, whatever the Hessian and the constants;
    that f is convex is the word of the caller. Proofs of the error bounds: ``ball_newton``.
    """

    problem: Problem
    L: float
    mu: float = 0.0

    def __post_init__(self) -> None:
        """Guard the constants."""
        require_positive(L=self.L)
        require_nonnegative(mu=self.mu)

    def value(self, x: Tensor) -> Tensor:
        """f. x: (rows, d). Returns (rows,)."""
        return self.problem.value(x)

    def grad(self, x: Tensor) -> Tensor:
        """The gradient. Shapes (rows, d)."""
        return self.problem.grad(x)

    def hessian(self, x: Tensor) -> Tensor:
        """The symmetrised derivative of the gradient. x: (rows, d). Returns (rows, d, d)."""
        with torch.enable_grad():
            at = x.detach().requires_grad_(True)
            try:
                g = self.problem.grad(at)
                if g.requires_grad:
                    columns = [_derivative(g[:, i], at) for i in range(g.shape[-1])]
                elif torch.equal(g, self.problem.grad(at.detach().flip(0) * 2 + 1)):
                    columns = [torch.zeros_like(x)] * x.shape[-1]
                else:
                    raise RuntimeError("the gradient was computed outside torch")
            except (RuntimeError, NotImplementedError) as error:
                raise SolverError(
                    f"{self.problem!r}: prox and brox need f to be twice differentiable by torch: {error}"
                ) from None
        h = torch.stack(columns, dim=-1).detach()
        if not bool(h.isfinite().all()):
            raise SolverError(f"{self.problem!r}: the Hessian is not finite at a point of the iteration")
        return (h + h.mT) / 2

    @cached_property
    def _size(self) -> float:
        """Size of the gradients that f may add and subtract inside, from the start and L."""
        x0 = self.problem.x0
        return float(self.problem.grad(x0).norm()) + self.L * (float(x0.norm()) or 1.0)

    @cached_property
    def _value_rounding(self) -> float:
        return ROUNDINGS * value_scale(self.problem)

    def grad_resolution(self, x: Tensor) -> Tensor:
        """What rounding does to the gradient, for a backward stable one; (*batch,)."""
        return gradient_rounding(self.problem, x) + ROUNDINGS * self._size

    @cached_property
    def minimum(self) -> Optimum:
        """By Newton's method from x0; needs mu > 0. SolverError if it fails."""
        require_positive(mu=self.mu)
        x0 = self.problem.x0.unsqueeze(0)
        zero = torch.zeros_like(x0[:, :1])
        x = proximal_minimise(self, x0, zero, value_rounding=self._value_rounding).point
        value = float(self.value(x)[0])
        rounding = 8 * EPS * (abs(value) + value_scale(self.problem))
        g, error = self.grad(x)[0].numpy(), self.grad_resolution(x).numpy()
        return certified_optimum(x[0], np.array(value), rounding, g, error, self.mu)

    @property
    def _x_star(self) -> Tensor | None:
        return self.minimum.x if self.mu > 0 else None

    def prox(self, x: Tensor, stepsize: float | Tensor) -> Tensor:
        """argmin_z f(z) + |z - x|^2 / (2 stepsize). Shapes (*batch, d). SolverError if it fails."""
        require_points(x, self.problem.d)
        return newton_prox(self, x, stepsize, self._x_star, self._gap, self._value_rounding)

    def _gap(self, x: Tensor) -> Tensor:
        return self.value(x) - self.minimum.f_star

    def brox(self, x: Tensor, radius: float | Tensor) -> Tensor:
        """argmin of f over B(x, radius). Shapes (*batch, d). SolverError if it fails.

        For merely convex f with several minimisers in the ball, one of them, not the nearest.
        """
        return self.ball(x, radius).point

    def ball(self, x: Tensor, radius: float | Tensor, nearest: Tensor | None = None) -> Move:
        """``brox`` and its step; nearest: the minimiser of f nearest to x, if the caller knows it."""
        require_points(x, self.problem.d)
        nearest = self._x_star if nearest is None else nearest
        return newton_ball(self, x, radius, nearest, self._value_rounding)

    def error(self, name: str, x: Tensor, step: float | Tensor, result: Tensor) -> Tensor:
        """Bound on |result - exact| for ``result`` = prox(x, step) or brox(x, step); (*batch,).

        With the residual r, twice its tolerance for the rounding of the gradient: |r| / (mu + 1 / step)
        for prox; min(|r| / (mu + c / 2), 2 step) for brox with its multiplier c.
        """
        step = column(step, x)
        at_result = self.grad_resolution(result)
        if name == "prox":
            weight = (1 / step).squeeze(-1) if step.dim() else 1 / step
            rounding = 8 * EPS * weight * (result.norm(dim=-1) + x.norm(dim=-1))
            return 2 * (at_result + rounding) / (self.mu + weight)
        # the step is a difference of points
        rounding = EPS * (x.norm(dim=-1, keepdim=True) + step)
        c = ball_multiplier(self.grad(result), result - x, step, rounding)
        residual = 2 * (at_result + self.grad_resolution(x)).unsqueeze(-1) + 16 * c * rounding
        # nowhere known: 0 / 0 is the whole ball
        return torch.minimum((residual / (self.mu + c / 2)).nan_to_num(nan=torch.inf), 2 * step).squeeze(-1)

    def uniform_error(self, reach: float) -> float:
        """Bound on |result - exact| if x and the result have norm <= ``reach``; inf if mu = 0.

        The residual, with room for its rounding, is at most four resolutions, each at most ROUNDINGS
        (size + |grad f| + L reach), and |grad f| <= |grad f(x0)| + L (|x0| + reach) <= size + L reach.
        """
        if self.mu == 0:
            return float("inf")
        return 4 * ROUNDINGS * (2 * self._size + 2 * self.L * reach) / self.mu


def newton_oracles(problem: Problem, assume: tuple[Assumption, ...]) -> NewtonOracles | None:
    """The oracles if ``assume`` holds Smooth and Convex or StronglyConvex, Euclidean; else None."""
    L = [a.L for a in assume if isinstance(a, Smooth) and a.norm == EUCLIDEAN]
    mu = [a.mu for a in assume if isinstance(a, StronglyConvex) and a.norm == EUCLIDEAN]
    if not L or not (mu or any(isinstance(a, Convex) for a in assume)):
        return None
    return NewtonOracles(problem, min(L), max(mu, default=0.0))


def _derivative(entry: Tensor, at: Tensor) -> Tensor:
    """Gradient of one entry of g in every row; 0 where the entry does not depend on x."""
    if not entry.requires_grad:
        return torch.zeros_like(at)
    (h,) = torch.autograd.grad(entry.sum(), at, retain_graph=True, materialize_grads=True)
    return h
