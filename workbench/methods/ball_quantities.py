"""What theorems say of a minimisation over a ball: its multiplier, its uniqueness, its envelope.

Each is read at k about the step that led to x_k, u = x_k and x = x_{k-1}; at k = 0 it is 0 or that of the
start. None needs the radius: u minimises f over the ball of radius |u - x| around x as well.
"""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from assumptions import Norm, Smooth
from assumptions.rounding import gradient_noise, value_noise
from workbench.quantities import EPS, Quantity, Reading, in_norm

RIVALS = 12
"""Other points of the ball that are tried at each step."""
STEP_VISIBLE = 1e-9
"""Steps shorter than this part of x are rounding."""
VISIBLE = 1e6
"""A decrease is seen where the first-order one exceeds this many roundings of the value."""


def before(r: Reading) -> Tensor:
    """The iterates one step earlier; the start itself at k = 0. Shapes as r.x."""
    return torch.cat([r.x[:, :1], r.x[:, :-1]], 1) if r.x_before is None else r.x_before


def subgradients(r: Reading) -> Tensor:
    """The multipliers' subgradients; at k = 0 the one that the problem returns. Shapes as r.x."""
    return torch.cat([r.problem.grad(r.x[:, :1]), r.state.subgradient[:, 1:]], 1)


def ball_norm(r: Reading) -> Norm:
    """The norm of the method's balls, whatever norm the run measures distances in."""
    return getattr(r.method, "norm", r.norm)


def _slope(r: Reading) -> Tensor:
    return ball_norm(r).dual(subgradients(r))


def _slope_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding, and what the error of x does: L times it and the noise of gradients where f is smooth.

    Else the subgradient turns and grows with the step, as a part of its length; the problem's gradients
    on both sides of a kink say nothing about it.
    """
    norm = ball_norm(r)
    smooth = [c.assumption.L for c in r.problem.certified if isinstance(c.assumption, Smooth)]
    if smooth:
        change = min(smooth) * r.x_error * norm.rho(r.x.shape[-1])
        return 64 * EPS * value + 4 * gradient_noise(r.problem, r.x, norm) + change
    moved = norm.norm(r.x - before(r))
    return 64 * EPS * value + value * in_norm(r) / torch.where(moved > 0, moved, torch.inf)


def _radius(r: Reading) -> Tensor | float:
    """The larger of the radii of this and the last step, (batch, K + 1 or 1) or a float."""
    if not isinstance(r.method.radius, Tensor):
        return r.method.radius
    radius = r.method.radius.squeeze(-1)
    return torch.maximum(radius, torch.cat([radius[:, :1], radius[:, :-1]], 1))


def _residual_resolution(r: Reading, value: Tensor) -> Tensor:
    """A subgradient off by its resolution, over the radius."""
    slope = _slope(r)
    return 64 * EPS * (value + _radius(r) * slope) + 2 * _radius(r) * _slope_resolution(r, slope)


def _misalignment(r: Reading) -> Tensor:
    g, s = subgradients(r), r.x - before(r)
    lengths = g.norm(dim=-1) * s.norm(dim=-1)
    cosine = -(g * s).sum(dim=-1) / torch.where(lengths > 0, lengths, 1.0)
    return torch.where(lengths > 0, 1 - cosine, 0.0)


def _misalignment_resolution(r: Reading, value: Tensor) -> Tensor:
    """Directions off by their relative errors."""
    moved, slope = (r.x - before(r)).norm(dim=-1), _slope(r)
    turned = 2 * r.x_error / torch.where(moved > 0, moved, torch.inf)
    turned = turned + _slope_resolution(r, slope) / torch.where(slope > 0, slope, torch.inf)
    return 64 * EPS + turned * (2 * value.abs().sqrt() + turned)


def _tried(r: Reading) -> Iterator[Tensor]:
    """Other points of the ball of each step, around u: along axes and in fixed random directions."""
    x, norm = before(r), ball_norm(r)
    step = r.x - x
    moved = norm.norm(step).unsqueeze(-1)
    generator = torch.Generator().manual_seed(0)
    for i in range(RIVALS):
        way = torch.randn(x.shape[-1], dtype=torch.float64, generator=generator).to(x)
        if i < 2 * x.shape[-1] and i < RIVALS // 2:
            way = torch.zeros_like(way)
            way[i // 2] = 1.0 if i % 2 == 0 else -1.0
        aside = step + moved * way / norm.norm(way)
        length = norm.norm(aside).unsqueeze(-1)
        yield x + aside * (moved / torch.where(length > 0, length, 1.0)).clamp(max=1)


def _rival(r: Reading) -> Tensor:
    """The largest distance from u of a point tried in the ball at which f is not above f(u).

    A rival counts only where it is apart from u (by a thousandth of the step) and the value can tell a
    first-order decrease from its rounding.
    """
    u, norm = r.x, ball_norm(r)
    moved = norm.norm(u - before(r))
    value, farthest = r.problem.value(u), torch.zeros_like(moved)
    seen = moved * _slope(r) > VISIBLE * (EPS * value.abs() + value_noise(r.problem, u))
    for z in _tried(r):
        away = norm.norm(z - u)
        better = (r.problem.value(z) <= value) & seen & (away > 1e-3 * moved)
        farthest = torch.maximum(farthest, torch.where(better, away, 0.0))
    return farthest


def _elsewhere(r: Reading) -> Iterator[Tensor]:
    """Points at which a support of f is tried: rivals, the start, the last iterate, a minimiser."""
    yield from _tried(r)
    yield before(r)
    yield r.x[:, :1].expand_as(r.x)
    if r.problem.offers("x_star"):
        yield r.problem.x_star.to(r.x).expand_as(r.x)  # pyright: ignore[reportAttributeAccessIssue]


def _support(r: Reading) -> Tensor:
    """How far f(u) + <g, z - u> lies above f(z) at the points tried, at most; 0 at k = 0."""
    g, u = subgradients(r), r.x
    value, above = r.problem.value(u), torch.zeros_like(u[..., 0])
    for z in _elsewhere(r):
        excess = value + (g * (z - u)).sum(dim=-1) - r.problem.value(z)
        above = torch.maximum(above, excess)
    above[:, 0] = 0.0
    return above


def _support_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding of both sides at each point, and the error of g over the distance."""
    g, u = subgradients(r), r.x
    own = r.problem.value(u).abs() + value_noise(r.problem, u) / EPS
    slope_error, worst = _slope_resolution(r, _slope(r)), torch.zeros_like(value)
    for z in _elsewhere(r):
        f = r.problem.value(z).abs() + value_noise(r.problem, z) / EPS
        sizes = own + f.nan_to_num(posinf=0.0) + (g * z).abs().sum(dim=-1) + (g * u).abs().sum(dim=-1)
        worst = torch.maximum(worst, 64 * EPS * sizes + 2 * slope_error * ball_norm(r).norm(z - u))
    return worst


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
    return 64 * noise + _slope(r) * (2 * in_norm(r) + 64 * EPS * r.norm.norm(r.x))


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
    slope_error = _slope_resolution(r, _slope(r))
    reach = r.norm.norm(r.x) + in_norm(r)
    return 64 * EPS * _fenchel_size(r, value) + value_noise(r.problem, r.x) + 2 * reach * slope_error


BALL_QUANTITIES: Mapping[str, Quantity] = {
    "slope": Quantity(
        "dual norm of the multiplier's subgradient at x_k; at the start, of the problem's",
        r"\|g_k\|_*",
        _slope,
        _slope_resolution,
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
        _support,
        _support_resolution,
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
    ),
    "rival": Quantity(
        "distance from x_k of the farthest point tried in the ball at which f is not above f(x_k)",
        r"\mathrm{rival}_k",
        _rival,
        lambda r, v: 8 * EPS * v + 2 * in_norm(r),
        needs=("brox_step",),
        unit="x",
        nonnegative=True,
    ),
    "nested": Quantity(
        "f(x_k) computed through two balls of half the size, one after the other",
        r"N^{t/2} f\left(\tfrac{x_{k-1} + x_k}{2}\right)",
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
        r"\max_{j \le k} \|x_j - x^\star\|",
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
