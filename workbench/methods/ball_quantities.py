"""What theorems say of a minimisation over a ball: its multiplier, its uniqueness, its envelope.

Each is read at k about the step that led to x_k, u = x_k and x = x_{k-1}; at k = 0 it is 0 or that of the
start. None needs the radius: u minimises f over the ball of radius |u - x| around x as well.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from assumptions.base import EPS
from assumptions.rounding import value_noise
from workbench.methods.ball_multiplier import ball_norm, before, slope, slope_resolution, subgradients
from workbench.methods.ball_rivals import rival, support, support_resolution
from workbench.quantity import Quantity, Reading, in_norm

STEP_VISIBLE = 1e-9
"""Steps shorter than this part of x are rounding."""


def _radius(r: Reading) -> Tensor | float:
    """The larger of the radii of this and the last step, (batch, K + 1 or 1) or a float."""
    if not isinstance(r.method.radius, Tensor):
        return r.method.radius
    radius = r.method.radius.squeeze(-1)
    return torch.maximum(radius, torch.cat([radius[:, :1], radius[:, :-1]], 1))


def _residual_resolution(r: Reading, value: Tensor) -> Tensor:
    """A subgradient off by its resolution, over the radius."""
    length = slope(r)
    return 64 * EPS * (value + _radius(r) * length) + 2 * _radius(r) * slope_resolution(r, length)


def _misalignment(r: Reading) -> Tensor:
    g, s = subgradients(r), r.x - before(r)
    lengths = g.norm(dim=-1) * s.norm(dim=-1)
    cosine = -(g * s).sum(dim=-1) / torch.where(lengths > 0, lengths, 1.0)
    return torch.where(lengths > 0, 1 - cosine, 0.0)


def _misalignment_resolution(r: Reading, value: Tensor) -> Tensor:
    """Directions off by their relative errors."""
    moved, length = (r.x - before(r)).norm(dim=-1), slope(r)
    turned = 2 * r.x_error / torch.where(moved > 0, moved, torch.inf)
    turned = turned + slope_resolution(r, length) / torch.where(length > 0, length, torch.inf)
    return 64 * EPS + turned * (2 * value.abs().sqrt() + turned)


def _half(r: Reading) -> tuple[Tensor, Tensor]:
    """Half of the length of each step, and whether it is more than rounding; (batch, K + 1, 1)."""
    norm = ball_norm(r)
    length = norm.norm(r.x - before(r)).unsqueeze(-1)
    moved = length > STEP_VISIBLE * norm.norm(r.x).unsqueeze(-1)
    return torch.where(moved, length / 2, 1.0), moved


def _nested(r: Reading) -> Tensor:
    """f at the minimiser over half the ball around the middle of the step."""
    x, u = before(r), r.x
    half, moved = _half(r)
    inner = r.problem.brox_step((x + u) / 2, half, ball_norm(r)).point  # pyright: ignore[reportAttributeAccessIssue]
    return r.problem.value(torch.where(moved, inner, u))


def _composed(r: Reading) -> Tensor:
    """f at the end of two steps of half the length from x, one after the other."""
    x = before(r)
    half, moved = _half(r)
    middle = r.problem.brox_step(x, half, ball_norm(r)).point  # pyright: ignore[reportAttributeAccessIssue]
    end = r.problem.brox_step(middle, half, ball_norm(r)).point  # pyright: ignore[reportAttributeAccessIssue]
    return r.problem.value(torch.where(moved, end, r.x))


def _nested_resolution(r: Reading, value: Tensor) -> Tensor:
    noise = EPS * value.abs() + value_noise(r.problem, r.x)
    return 64 * noise + slope(r) * (2 * in_norm(r) + 64 * EPS * r.norm.norm(r.x))


def _reach(r: Reading) -> Tensor:
    centre = r.problem.x_star.to(r.x)  # pyright: ignore[reportAttributeAccessIssue]
    return r.norm.norm(r.x - centre).cummax(dim=1).values


def _fenchel(r: Reading) -> Tensor:
    g = subgradients(r)
    conjugate = r.problem.conjugate(g)  # pyright: ignore[reportAttributeAccessIssue]
    return r.problem.value(r.x) + conjugate - (g * r.x).sum(dim=-1)


def _fenchel_size(r: Reading, value: Tensor) -> Tensor:
    g = subgradients(r)
    return r.problem.value(r.x).abs() + 2 * (g * r.x).abs().sum(dim=-1) + value.abs()


def _fenchel_resolution(r: Reading, value: Tensor) -> Tensor:
    """The gap of an inequality that is tight: of first order in the errors of g, times the size of x."""
    slope_error = slope_resolution(r, slope(r))
    reach = r.norm.norm(r.x) + in_norm(r)
    return 64 * EPS * _fenchel_size(r, value) + value_noise(r.problem, r.x) + 2 * reach * slope_error


BALL_QUANTITIES: Mapping[str, Quantity] = {
    "slope": Quantity(
        "dual norm of the multiplier's subgradient at x_k; at the start, of the problem's",
        r"\|g_k\|_*",
        slope,
        slope_resolution,
        needs=("brox_step",),
        unit="f / x",
        nonnegative=True,
    ),
    "residual": Quantity(
        "KKT residual of the step that led to x_k, radius |g|_* + <g, step>",
        r"r_k",
        lambda r: r.state.residual,
        _residual_resolution,
        needs=("brox_step",),
        unit="f",
        nonnegative=True,
    ),
    "support": Quantity(
        "how far f(x_k) + <g_k, z - x_k> lies above f(z) at the points tried: 0 for a subgradient",
        r"\max_z f(x_k) + \langle g_k, z - x_k\rangle - f(z)",
        support,
        support_resolution,
        needs=("brox_step",),
        unit="f",
        nonnegative=True,
    ),
    "misalignment": Quantity(
        "1 - cosine of the angle between x_{k-1} - x_k and the multiplier's subgradient",
        r"1 - \cos(g_k, x_{k-1} - x_k)",
        _misalignment,
        _misalignment_resolution,
        needs=("brox_step",),
        unit="1",
    ),
    "rival": Quantity(
        "distance from x_k of the farthest point tried in the ball at which f is not above f(x_k)",
        r"\mathrm{rival}_k",
        rival,
        lambda r, v: 8 * EPS * v + 2 * in_norm(r),
        needs=("brox_step",),
        unit="x",
        nonnegative=True,
    ),
    "nested": Quantity(
        "f(x_k) computed through two balls of half the size, one after the other",
        r"N^{t/2} f\left(\frac{x_{k-1} + x_k}{2}\right)",
        _nested,
        _nested_resolution,
        needs=("brox_step",),
        unit="f",
    ),
    "composed": Quantity(
        "f after two steps of half the length in place of the one that led to x_k",
        r"f(\mathrm{brox}^{t/2}(\mathrm{brox}^{t/2}(x_{k-1})))",
        _composed,
        _nested_resolution,
        needs=("brox_step",),
        unit="f",
    ),
    "from_star": Quantity(
        "distance from x_k to the problem's x_star, one minimiser",
        r"\|x_k - x^\star\|",
        lambda r: r.norm.norm(r.x - r.problem.x_star.to(r.x)),  # pyright: ignore[reportAttributeAccessIssue]
        lambda r, v: 8 * EPS * v + in_norm(r) + r.problem.x_star_error,
        lambda r, _: r.x.norm(dim=-1),
        needs=("x_star",),
        unit="x",
        nonnegative=True,
    ),
    "reach": Quantity(
        "largest distance of an iterate so far from the problem's minimiser",
        r"\max_{j \leq k} \|x_j - x^\star\|",
        _reach,
        lambda r, v: 8 * EPS * v + in_norm(r).cummax(dim=1).values,
        lambda r, _: r.x.norm(dim=-1).cummax(dim=1).values,
        needs=("x_star",),
        unit="x",
        nonnegative=True,
        every_step=True,
    ),
    "fenchel": Quantity(
        "f(x_k) + f^*(g_k) - <g_k, x_k>: 0 exactly if g_k is a subgradient at x_k",
        r"f(x_k) + f^*(g_k) - \langle g_k, x_k\rangle",
        _fenchel,
        _fenchel_resolution,
        _fenchel_size,
        needs=("brox_step", "conjugate"),
        unit="f",
    ),
}
"""Quantities of methods whose state is a ``BallPoint``."""
