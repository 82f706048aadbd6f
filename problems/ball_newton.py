"""Newton's method for a strongly convex function over balls and under proximal terms, with certificates.

A result is returned only if its KKT residual r is at most the tolerance, so that for mu-strongly
convex f it is within |r| / mu of the exact one: the point solves the inclusion
r in grad f(u) + N(u), N monotone, and subtracting the exact inclusion gives
mu |u - u_exact|^2 <= <r, u - u_exact>.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from problems.secular import EPS, secular_displacement

MAX_STEPS = 100
"""Newton steps; damped ones are few for functions whose Hessian varies slowly."""
HALVINGS = 40
ARMIJO = 1e-4
"""Share of the predicted decrease that a step must keep (Nocedal and Wright, 2006, section 3.1)."""


class TwiceDifferentiable(Protocol):
    """A smooth convex function on rows z: (rows, d)."""

    def value(self, x: Tensor) -> Tensor:
        """f, (rows,)."""
        ...

    def grad(self, x: Tensor) -> Tensor:
        """Its gradient, (rows, d)."""
        ...

    def hessian(self, x: Tensor) -> Tensor:
        """Its Hessian, (rows, d, d)."""
        ...

    def grad_resolution(self, x: Tensor) -> Tensor:
        """What rounding can make of the gradient's norm, (rows,): the tolerance of a solve."""
        ...


class SolverError(RuntimeError):
    """A solve whose residual stayed above its tolerance."""


class Solution(NamedTuple):
    """Points (rows, d) with KKT residuals (rows,), all at most ``tolerance`` (rows,)."""

    point: Tensor
    residual: Tensor
    tolerance: Tensor
    steps: int


Residual = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(points, rows they belong to) -> (KKT residuals, tolerances), (rows,) each."""
Model = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(points, rows) -> (minimisers of the quadratic models there, slopes towards them)."""
Objective = Callable[[Tensor, Tensor], Tensor]
"""(points, rows) -> values."""


def ball_minimise(f: TwiceDifferentiable, x: Tensor, radius: Tensor, start: Tensor | None = None) -> Solution:
    """argmin of f over B(x, radius), row by row, where the minimiser of f lies outside the ball.

    x: (rows, d). radius: (rows, 1), > 0. start: points of the balls, x by default. Each quadratic
    model is minimised over the ball exactly (``secular_displacement``); the step is damped along the
    segment, which stays in the ball. SolverError names residual, tolerance and rows.
    """

    def residual(z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        g, s = f.grad(z), z - x[rows]
        pull = (-(g * s).sum(dim=-1, keepdim=True) / s.square().sum(dim=-1, keepdim=True)).clamp(min=0)
        # s = u - x is known to roundings of x, not of s
        rounding = EPS * (x[rows].norm(dim=-1, keepdim=True) + radius[rows])
        on_sphere = s.norm(dim=-1, keepdim=True) >= radius[rows] - 64 * rounding
        pull = torch.where(on_sphere, pull, 0.0)
        rounded = 8 * (pull * rounding).squeeze(-1)
        # the point x + s is known to roundings of x, and so is its gradient
        return (g + pull * s).norm(dim=-1), f.grad_resolution(z) + f.grad_resolution(x[rows]) + rounded

    def model(z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        g = f.grad(z)
        eigenvalues, basis = torch.linalg.eigh(f.hessian(z))
        newton = (g.unsqueeze(-2) @ basis).squeeze(-2) / eigenvalues
        y = ((x[rows] - z).unsqueeze(-2) @ basis).squeeze(-2) + newton
        s = (basis @ secular_displacement(eigenvalues, y, radius[rows]).unsqueeze(-1)).squeeze(-1)
        ratio = radius[rows] / s.norm(dim=-1, keepdim=True)
        # the rotation moved |s| by roundings: back to the sphere, unless s ends well inside
        s = s * torch.where(ratio < 1 + 1e-13, ratio, 1.0)
        target = x[rows] + s
        return target, (g * (target - z)).sum(dim=-1)

    return _newton("brox", lambda z, _: f.value(z), model, residual, x if start is None else start)


def proximal_minimise(
    f: TwiceDifferentiable, x: Tensor, weight: Tensor, start: Tensor | None = None
) -> Solution:
    """argmin_z f(z) + weight |z - x|^2 / 2, row by row, for strongly convex f; minimises f at weight 0.

    x: (rows, d). weight: (rows, 1), >= 0. start: x by default. SolverError names residual,
    tolerance and rows.
    """

    def objective(z: Tensor, rows: Tensor) -> Tensor:
        return f.value(z) + weight[rows].squeeze(-1) * (z - x[rows]).square().sum(dim=-1) / 2

    def grad(z: Tensor, rows: Tensor) -> Tensor:
        return f.grad(z) + weight[rows] * (z - x[rows])

    def residual(z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        size = weight[rows].squeeze(-1) * (z.norm(dim=-1) + x[rows].norm(dim=-1))
        return grad(z, rows).norm(dim=-1), f.grad_resolution(z) + 8 * EPS * size

    def model(z: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        g = grad(z, rows)
        hessian = f.hessian(z) + weight[rows].unsqueeze(-1) * torch.eye(z.shape[-1]).to(z)
        step = torch.linalg.solve(hessian, g.unsqueeze(-1)).squeeze(-1)
        return z - step, -(g * step).sum(dim=-1)

    return _newton("prox", objective, model, residual, x if start is None else start)


def _newton(name: str, objective: Objective, model: Model, residual: Residual, start: Tensor) -> Solution:
    """Damped Newton steps from ``start`` on the rows that are not done; nan rows stay as they are."""
    z = start.clone()
    left = torch.arange(z.shape[0], device=z.device)[z.isfinite().all(dim=-1)]
    reached, tolerance = z.new_zeros(z.shape[0]), z.new_zeros(z.shape[0])
    steps = 0
    while True:
        reached[left], tolerance[left] = residual(z[left], left)
        left = left[~(reached[left] <= tolerance[left])]
        if left.numel() == 0:
            return Solution(z, reached, tolerance, steps)
        if steps == MAX_STEPS:
            worst = left[(reached[left] / tolerance[left]).nan_to_num(nan=torch.inf).argmax()]
            raise SolverError(
                f"{name}: KKT residual {reached[worst].item():.3g} above the tolerance "
                f"{tolerance[worst].item():.3g} (worst row) on {left.numel()} of {z.shape[0]} rows "
                f"after {MAX_STEPS} Newton steps"
            )
        target, slope = model(z[left], left)
        z[left] = _search(objective, z[left], target, slope, left)
        steps += 1


def _search(objective: Objective, z: Tensor, target: Tensor, slope: Tensor, rows: Tensor) -> Tensor:
    """The first of target, then points halfway back to z, that decreases the objective enough."""
    before = objective(z, rows)
    share = torch.ones_like(before)
    # near the solution the decrease is below rounding: such a step is taken whole
    rounding = 8 * EPS * before.abs()
    trial = target
    for _ in range(HALVINGS):
        trial = torch.where((share == 1).unsqueeze(-1), target, z + share.unsqueeze(-1) * (target - z))
        good = objective(trial, rows) <= before + ARMIJO * share * slope + rounding
        if bool(good.all()):
            break
        share = torch.where(good, share, share / 2)
    return trial
