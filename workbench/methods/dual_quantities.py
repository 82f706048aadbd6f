"""What theorems say of methods that keep one dual vector per term: distances of duals, Bregman terms."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from assumptions.base import EPS
from workbench.quantity import Quantity, Reading


def dual_star(r: Reading) -> Tensor:
    """u_j*, one subgradient of each h_j at x_star that balance each other, (n, d)."""
    star: Any = r.problem.dual_star
    return star.to(r.x)


def dual_star_error(r: Reading) -> float:
    """Bound on the error of each row of ``dual_star``."""
    parts: Any = r.problem.parts
    return parts.dual_star_error


def in_dual_units(r: Reading) -> Tensor:
    """How far the duals may be off, (batch, K + 1, n or 1): each dual is tau_j times a difference of points.

    A step does not expand |x|^2 / stepsize + sum_j |u_j|^2 / (p_j tau_j), in the mean, and p_j v_j <= n.
    """
    tau = torch.as_tensor(r.method.dual_stepsize_j, dtype=r.x.dtype, device=r.x.device)
    n = r.state.u.shape[-2]
    return tau * n**0.5 * r.x_error[..., None]


def _read_dual_error(r: Reading) -> Tensor:
    return (r.state.u - dual_star(r)).norm(dim=-1)


def _dual_error_resolution(r: Reading, value: Tensor) -> Tensor:
    del value
    sizes = r.state.u.norm(dim=-1) + dual_star(r).norm(dim=-1)
    return 8 * EPS * sizes + in_dual_units(r) + dual_star_error(r)


def _centre(r: Reading) -> Tensor:
    """x_star once per term, (n, d)."""
    star: Tensor = r.problem.x_star.to(r.x)  # pyright: ignore[reportAttributeAccessIssue]
    return star.expand(r.state.u.shape[-2], -1)


def _bregman_parts(r: Reading) -> tuple[Tensor, Tensor, Tensor]:
    """h_j(y_j), h_j(x_star) and <u_j*, y_j - x_star>, (batch, K + 1, n); 0 where j was not drawn."""
    parts: Any = r.problem.parts
    star = _centre(r)
    y = torch.where(r.state.picked[..., None], r.state.y, star)
    slope = (dual_star(r) * (y - star)).sum(dim=-1)
    picked = r.state.picked
    values = torch.where(picked, parts.term_values(y), 0.0)
    return values, torch.where(picked, parts.term_values(star), 0.0), torch.where(picked, slope, 0.0)


def _read_bregman(r: Reading) -> Tensor:
    value, least, slope = _bregman_parts(r)
    return value - least - slope


def _bregman_cancelled(r: Reading, value: Tensor) -> Tensor:
    del value
    return sum((part.abs() for part in _bregman_parts(r)), torch.zeros(()).to(r.x))


def _bregman_resolution(r: Reading, value: Tensor) -> Tensor:
    """Rounding of the three numbers, and what errors of y, of x_star and of u_j* do to them.

    u_j and u_j* are subgradients of h_j at y_j and at x_star: how fast the values move there.
    """
    u, star = r.state.u, dual_star(r)
    points = r.state.y.norm(dim=-1) + _centre(r).norm(dim=-1)
    steep = u.norm(dim=-1) + star.norm(dim=-1)
    tau = torch.as_tensor(r.method.dual_stepsize_j, dtype=r.x.dtype, device=r.x.device)
    moved = 8 * EPS * (points + u.norm(dim=-1) / tau) + r.x_error[..., None] + r.problem.x_star_error
    error = 8 * EPS * _bregman_cancelled(r, value) + steep * moved + dual_star_error(r) * points
    return torch.where(r.state.picked, error, 0.0)


DUAL_QUANTITIES: Mapping[str, Quantity | Callable[..., Tensor]] = {
    "dual_error_j": Quantity(
        "distance of the dual of term j from the one at the minimiser",
        r"\|u_{j,k} - u_j^\star\|",
        _read_dual_error,
        _dual_error_resolution,
        lambda r, _: r.state.u.norm(dim=-1) + dual_star(r).norm(dim=-1),
        needs=("parts", "dual_star"),
        unit="f / x",
        nonnegative=True,
    ),
    "bregman_j": Quantity(
        "h_j(y_j) - h_j(x_star) - <u_j*, y_j - x_star> where the last step drew j, else 0",
        r"B_{j,k}",
        _read_bregman,
        _bregman_resolution,
        _bregman_cancelled,
        needs=("parts", "dual_star", "x_star"),
        unit="f",
        nonnegative=True,
    ),
}
