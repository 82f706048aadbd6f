"""Minimise a convex problem over a ball with a conic solver, to that solver's tolerance, checked."""

import math
import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import cvxpy as cp
import torch
from torch import Tensor

from assumptions import Convex, Norm, StronglyConvex
from assumptions.base import EPS
from problems.ball_newton import SolverError
from problems.ball_step import BallStep
from problems.conic_form import ConicForm
from problems.lp_form import has_lp_form, lp_form

TOLERANCE = 1e-6
"""Largest residual that is returned, in units of the variation of f over the ball."""
SOLVER_TOLERANCES = (1e-11, 1e-9, 1e-8)
"""Asked of the solver in this order, until it says that it got there; the last is its default."""
POWERS = (1.001, 1024.0)
"""Between these powers p, and at 1 and inf, |.|_p can be written: with p a fraction of numbers up to 1024."""
ON_THE_SPHERE = 1e-6
"""A step shorter than the radius by less than this share is taken to have the radius as its length."""


class _Compiled(NamedTuple):
    """min f(z) s.t. z = x + t w, |w| <= 1, with parameters x and t."""

    program: Any
    x: Any
    t: Any
    w: Any
    tie: Any


class _Solution(NamedTuple):
    """w, a subgradient of f at z, the dual problem's value, the tolerance of all three."""

    w: Tensor
    subgradient: Tensor
    lower: float
    tolerance: float


def conic_step(problem: ConicForm, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
    """argmin of f over {z : |z - x| <= t} by cvxpy and Clarabel, row by row.

    problem: certified convex, with ``conic``; if its domain is not the whole space, also with
    ``conic_constraints(z, cp)``, a list of constraints, and ``into_domain(x)``, and x is in it.
    x: (*batch, d). t: > 0, (*batch, 1) or (). norm: ``Lp`` or ``Weighted``, with p = 1, p = inf or p in
    POWERS. TypeError otherwise, naming problem and norm. The result carries no gradient. Not for threads: a
    compiled program is used again.

    The step is known to the solver's tolerance, not to rounding; its length never exceeds t. ``residual``
    covers all of it: the duality gap, the subgradient inequality at the points that were looked at, and
    the tolerance to which the dual problem's value is a bound. SolverError if the solver does not
    finish or the residual exceeds TOLERANCE times the variation of f over the ball. A minimiser known
    to be in the ball (``nearest_star``) and a centre with gradient 0 are returned without a solver.
    """
    _require_conic(problem, norm)
    x, t = x.detach(), t.detach()
    shape = torch.broadcast_shapes(x.shape[:-1], t.shape[:-1])
    rows = x.expand((*shape, problem.d)).reshape(-1, problem.d)
    radii = t.expand((*shape, 1)).reshape(-1, 1)
    steps = [_row(problem, row, radius, norm) for row, radius in zip(rows, radii, strict=True)]
    if not steps:
        return BallStep(rows.reshape((*shape, problem.d)), *_nothing(rows, shape))
    fields = (torch.stack(field) for field in zip(*steps, strict=True))
    return BallStep(*(field.reshape((*shape, *field.shape[1:])) for field in fields))


def _nothing(rows: Tensor, shape: torch.Size) -> tuple[Tensor, Tensor, Tensor]:
    empty = rows.reshape((*shape, rows.shape[-1]))
    return empty, empty, rows.new_zeros(shape)


def _require_conic(problem: ConicForm, norm: Norm) -> None:
    """TypeError unless the problem is certified convex and the norm can be written."""
    if not any(isinstance(c.assumption, Convex | StronglyConvex) for c in problem.certified):
        raise TypeError(f"{problem!r} is not certified convex: no conic solver minimises it over a ball")
    if not has_lp_form(norm, problem.d):
        raise TypeError(f"{problem!r} cannot be minimised over balls of {norm!r} by a conic solver")
    p, (low, high) = lp_form(norm, problem.x0).p, POWERS
    if not (p in (1, math.inf) or low <= p <= high):
        raise TypeError(
            f"{problem!r} cannot be minimised over balls of {norm!r} by a conic solver: "
            f"p must be 1, inf or in [{low:g}, {high:g}], got {p!r}"
        )


@lru_cache(maxsize=64)
def _compiled(problem: ConicForm, norm: Norm) -> _Compiled:
    z, w, x = cp.Variable(problem.d), cp.Variable(problem.d), cp.Parameter(problem.d)
    t = cp.Parameter(nonneg=True)
    try:
        f = problem.conic(z, cp)
        constraints = problem.conic_constraints(z, cp) if problem.offers("conic_constraints") else []  # pyright: ignore[reportAttributeAccessIssue]
    except NotImplementedError as error:
        raise TypeError(f"brox of {problem!r} is not known in {norm!r}: {error}") from None
    p, v = lp_form(norm, problem.x0)
    power: Any = p
    scaled = cp.multiply(v.numpy(), w) if v.dim() else float(v) * w
    tie = z == x + t * w
    program = cp.Problem(cp.Minimize(f), [tie, cp.pnorm(scaled, power) <= 1, *constraints])
    if not program.is_dpp():
        raise TypeError(f"conic of {problem!r} must be convex by cvxpy's rules and affine in z's parameters")
    return _Compiled(program, x, t, w, tie)


def _solve(problem: ConicForm, x: Tensor, t: float, norm: Norm) -> _Solution:
    """The first of SOLVER_TOLERANCES that is met. SolverError if none is."""
    program, at, radius, w, tie = _compiled(problem, norm)
    at.value, radius.value = x.cpu().numpy(), t
    said = f"brox of {problem!r} in {norm!r} at radius {t:g}: the conic solver"
    status = ""
    for tolerance in SOLVER_TOLERANCES:
        options = dict.fromkeys(("tol_gap_abs", "tol_gap_rel", "tol_feas"), tolerance)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                data, chain, inverse = program.get_problem_data(cp.CLARABEL, solver_opts=options)
                raw = chain.solve_via_data(
                    program, data, warm_start=False, verbose=False, solver_opts=options
                )
                program.unpack_results(raw, chain, inverse)
            except (cp.SolverError, ArithmeticError, ValueError) as error:
                raise SolverError(f"{said} failed: {error}") from None
        status = program.status
        if status == cp.OPTIMAL:
            lower = float(program.value) - (raw.obj_val - raw.obj_val_dual)
            return _Solution(x.new_tensor(w.value), -x.new_tensor(tie.dual_value), lower, tolerance)
    raise SolverError(f"{said} ended with status {status!r}, not {cp.OPTIMAL!r}")


def _row(problem: ConicForm, x: Tensor, t: Tensor, norm: Norm) -> BallStep:
    """One point, (d,), one radius, (1,)."""
    if not bool(x.isfinite().all()):
        lost = torch.full_like(x, torch.nan)
        return BallStep(lost, lost, lost, lost[0])
    zero = torch.zeros_like(x)
    if problem.offers_dist(norm):
        star = problem.nearest_star(x, norm)  # pyright: ignore[reportAttributeAccessIssue]
        if bool(norm.norm(x - star) <= t):
            return BallStep.of(x, t, norm, star - x, zero, star)
    if bool(problem.contains(x)) and not bool(problem.grad(x).any()):
        return BallStep.of(x, t, norm, zero, zero, x)
    found = _solve(problem, x, float(t), norm)
    step = found.w * t
    length = norm.norm(step)
    if bool(length >= (1 - ON_THE_SPHERE) * t):
        step = step * (t / length)
    result = BallStep.of(x, t, norm, step, found.subgradient, _pulled(problem, x, step, t, norm))
    return _checked(problem, x, t, norm, result, found)


def _pulled(problem: ConicForm, x: Tensor, step: Tensor, t: Tensor, norm: Norm) -> Tensor | None:
    """The point in the domain nearest to x + step, back in the ball; None in the whole space."""
    if not problem.offers("into_domain"):
        return None
    step = problem.into_domain(x + step) - x  # pyright: ignore[reportAttributeAccessIssue]
    return problem.into_domain(x + step * (t / norm.norm(step)).clamp(max=1))  # pyright: ignore[reportAttributeAccessIssue]


def _checked(
    problem: ConicForm, x: Tensor, t: Tensor, norm: Norm, result: BallStep, found: _Solution
) -> BallStep:
    """The result with everything that is wrong with it in its residual. SolverError if that is too much.

    Looked at: the ends of the ball on the axes, whose values also give the variation of f.
    """
    u, step, g, residual = result
    unit = torch.eye(problem.d).to(x)
    unit = unit * (t / norm.norm(unit).unsqueeze(-1))
    z = torch.cat([x + unit, x - unit, x.unsqueeze(0)])
    values, at_u = problem.value(z), problem.value(u)
    known = values[values.isfinite()]
    variation = float((known.max() - at_u).clamp(min=0)) if known.numel() else 0.0
    # f(z) >= f(u) + <g, z - u> must hold where it can be seen
    broken = (at_u + ((z - u) * g).sum(dim=-1) - values).max().clamp(min=0)
    residual = torch.maximum(residual + broken, (at_u - found.lower).abs())
    residual = residual + found.tolerance * (variation + at_u.abs())
    rounding = 64 * EPS * float(at_u.abs() + values[-1].abs().nan_to_num(posinf=0.0))
    allowed = TOLERANCE * variation + rounding
    if not float(residual) <= allowed:
        raise SolverError(
            f"brox of {problem!r} in {norm!r} at radius {float(t):g}: residual {float(residual):.3g} of the "
            f"conic solver's result is above {allowed:.3g}, {TOLERANCE:g} of the variation of f over the ball"
        )
    return BallStep(u, step, g, residual)
