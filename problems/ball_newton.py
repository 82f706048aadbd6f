"""Newton's method for a smooth convex function over balls and under proximal terms, with certificates.

A result u is returned only if its KKT residual r = grad f(u) + c (u - x) is at most the tolerance. Over
the ball B = B(x, t), c = 0 or |u - x| = t, c > 0; under a proximal term, c is its weight. Then

value         f(u) - min_B f <= 2 t |r|: for z in B, f(u) - f(z) <= <grad f(u), u - z> =
              <r, u - z> - c <u - x, u - z>; the last product is |u - x|^2 - <u - x, z - x> >= 0 on the
              sphere, and |u - z| <= 2 t.
displacement  |u - v| <= |r| / (mu + c / 2) for every minimiser v over B of a mu-strongly convex f, mu >= 0:
              with s = u - x, s' = v - x and the multiplier c' >= 0 of v, monotonicity gives
              mu |u - v|^2 <= <r - c s + c' s', s - s'>, where |s| = t >= |s'| makes
              <s, s - s'> >= |s - s'|^2 / 2, and c' <s', s - s'> <= 0 for |s'| = t >= |s| or c' = 0.
              It says nothing where c and mu are 0, for v need not be unique there.
              Under the proximal term, |u - v| <= |r| / (mu + c), as f + c |. - x|^2 / 2 is
              (mu + c)-strongly convex.
"""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from assumptions import EUCLIDEAN
from assumptions.base import EPS
from problems.secular import ball_quadratic

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
    """Points (rows, d) with KKT residuals (rows,), all at most ``tolerance`` (rows,).

    step: point - x, (rows, d); over a ball it is what was solved for, and has no cancellation.
    """

    point: Tensor
    step: Tensor
    residual: Tensor
    tolerance: Tensor
    steps: int


Residual = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(unknowns, rows they belong to) -> (KKT residuals, tolerances), (rows,) each. Unknowns: points or steps."""
Model = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""(unknowns, rows) -> (minimisers of the quadratic models there, slopes towards them)."""
Objective = Callable[[Tensor, Tensor], Tensor]
"""(unknowns, rows) -> values."""


def ball_multiplier(g: Tensor, s: Tensor, radius: Tensor, rounding: Tensor) -> Tensor:
    """The c >= 0 that makes g + c s least if |s| = radius to ``rounding``, else 0; (*batch, 1).

    g: gradient at x + s. s: (*batch, d), known to ``rounding``. radius, rounding: (*batch, 1) or ().
    """
    length = EUCLIDEAN.norm(s).unsqueeze(-1)
    c = (-(g * (s / length)).sum(dim=-1, keepdim=True) / length).clamp(min=0)
    return torch.where(length >= radius - 64 * rounding, c, 0.0)


def ball_minimise(
    f: TwiceDifferentiable,
    x: Tensor,
    radius: Tensor,
    start: Tensor | None = None,
    value_rounding: float = 0.0,
) -> Solution:
    """argmin of f over B(x, radius), row by row; a minimiser of f where the iteration finds one there.

    x: (rows, d). radius: (rows, 1), > 0. start: points of the balls less x, 0 by default. value_rounding:
    rounding error of f beyond 8 roundings of its value, units of f. The Hessian may be singular. Each
    quadratic model is minimised over the ball exactly (``ball_quadratic``); the step is damped along the
    segment, which stays in the ball. The unknown is u - x, so that a radius may be far below the rounding
    of x. SolverError names residual, tolerance and rows.
    """
    centre = f.grad_resolution(x)

    def residual(s: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        z = x[rows] + s
        g, rounding = f.grad(z), EPS * radius[rows]
        c = ball_multiplier(g, s, radius[rows], rounding)
        # the point x + s is known to roundings of x, and so is its gradient
        tolerance = f.grad_resolution(z) + centre[rows] + 8 * (c * rounding).squeeze(-1)
        return EUCLIDEAN.norm(g + c * s), tolerance

    def model(s: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        z = x[rows] + s
        g = f.grad(z)
        a, basis = torch.linalg.eigh(f.hessian(z))
        pulls = torch.stack([g, -s], dim=-2) @ basis
        # directions in which curvature and slope are rounding are left alone
        flat = a <= 8 * a.shape[-1] * EPS * a[..., -1:].clamp(min=0)
        a = torch.where(flat, 0.0, a)
        b = pulls[..., 0, :] + a * pulls[..., 1, :]
        if bool(flat.any()):
            b = torch.where(flat & (b.abs() <= f.grad_resolution(z).unsqueeze(-1) / 8), 0.0, b)
        target = (basis @ ball_quadratic(a, b, radius[rows]).unsqueeze(-1)).squeeze(-1)
        length = EUCLIDEAN.norm(target).unsqueeze(-1)
        # the rotation moved |s| by roundings: back to the sphere, unless s ends well inside
        full = length > radius[rows] * (1 - 1e-13)
        target = torch.where(full, target / length * radius[rows], target)
        return target, (g * (target - s)).sum(dim=-1)

    s, reached, tolerance, steps = _newton(
        "brox",
        lambda s, rows: f.value(x[rows] + s),
        model,
        residual,
        torch.where(x.isfinite(), 0.0, x) if start is None else start,
        value_rounding,
    )
    return Solution(x + s, s, reached, tolerance, steps)


def proximal_minimise(
    f: TwiceDifferentiable,
    x: Tensor,
    weight: Tensor,
    start: Tensor | None = None,
    value_rounding: float = 0.0,
) -> Solution:
    """argmin_z f(z) + weight |z - x|^2 / 2, row by row; minimises a strongly convex f at weight 0.

    x: (rows, d). weight: (rows, 1), > 0, or >= 0 for strongly convex f. start: x by default.
    value_rounding: as in ``ball_minimise``. SolverError names residual, tolerance and rows.
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

    z, reached, tolerance, steps = _newton(
        "prox", objective, model, residual, x if start is None else start, value_rounding
    )
    return Solution(z, z - x, reached, tolerance, steps)


def _newton(
    name: str,
    objective: Objective,
    model: Model,
    residual: Residual,
    start: Tensor,
    value_rounding: float,
) -> tuple[Tensor, Tensor, Tensor, int]:
    """Damped Newton steps from ``start`` on the rows that are not done; nan rows stay as they are.

    Returns the unknowns, their residuals and tolerances, and the number of steps.
    """
    z = start.clone()
    left = torch.arange(z.shape[0], device=z.device)[z.isfinite().all(dim=-1)]
    reached, tolerance = z.new_zeros(z.shape[0]), z.new_zeros(z.shape[0])
    steps = 0
    while True:
        reached[left], tolerance[left] = residual(z[left], left)
        left = left[~(reached[left] <= tolerance[left])]
        if left.numel() == 0:
            return z, reached, tolerance, steps
        if steps == MAX_STEPS:
            worst = left[(reached[left] / tolerance[left]).nan_to_num(nan=torch.inf).argmax()]
            raise SolverError(
                f"{name}: KKT residual {reached[worst].item():.3g} above the tolerance "
                f"{tolerance[worst].item():.3g} (worst row) on {left.numel()} of {z.shape[0]} rows "
                f"after {MAX_STEPS} Newton steps"
            )
        try:
            target, slope = model(z[left], left)
        except torch.linalg.LinAlgError as error:  # pyright: ignore[reportPrivateImportUsage]
            raise SolverError(f"{name}: no Newton step after {steps} steps: {error}") from None
        z[left] = _search(objective, z[left], target, slope, left, value_rounding)
        steps += 1


def _search(
    objective: Objective,
    z: Tensor,
    target: Tensor,
    slope: Tensor,
    rows: Tensor,
    value_rounding: float,
) -> Tensor:
    """The first of target, then points halfway back to z, that decreases the objective enough."""
    before = objective(z, rows)
    share = torch.ones_like(before)
    # near the solution the decrease is below rounding: such a step is taken whole
    rounding = 8 * EPS * before.abs() + value_rounding
    trial = target
    for _ in range(HALVINGS):
        trial = torch.where((share == 1).unsqueeze(-1), target, z + share.unsqueeze(-1) * (target - z))
        good = objective(trial, rows) <= before + ARMIJO * share * slope + rounding
        if bool(good.all()):
            break
        share = torch.where(good, share, share / 2)
    return trial
