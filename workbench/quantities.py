"""The quantities that every claim can speak of, whatever the method: values, gaps, distances, costs."""

from collections.abc import Mapping

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Smooth
from assumptions.base import EPS
from assumptions.layerwise.inequality import layer_noise
from assumptions.layerwise.rounding import layer_gradient_change
from assumptions.rounding import directions, gradient_noise, value_noise
from workbench.quantity import Quantity, Reading, in_norm, upright


def _slope(r: Reading) -> Tensor:
    """Largest gradient norm at this and the previous iterate: how fast f moves with x."""
    g = r.problem.grad(r.x).norm(dim=-1)
    before = _shifted(g) if r.x_before is None else r.problem.grad(r.x_before).norm(dim=-1)
    return torch.maximum(g, before)


def _shifted(table: Tensor) -> Tensor:
    """Entry k - 1 at k, entry 0 at 0."""
    return torch.cat([table[:, :1], table[:, :-1]], 1)


def _gap_resolution(r: Reading, value: Tensor) -> Tensor:
    rounding = 8 * EPS * (value.abs() + r.problem.gap_cancellation(r.x, value))
    return rounding + _slope(r) * r.x_error + r.problem.f_star_error


def _read_dist(r: Reading) -> Tensor:
    nearest = r.problem.nearest_star(r.x, r.norm)  # pyright: ignore[reportAttributeAccessIssue]
    return r.norm.norm(r.x - nearest)


def _dist_resolution(r: Reading, value: Tensor) -> Tensor:
    return 8 * EPS * value + in_norm(r) + r.problem.x_star_error


def _gradient_change(r: Reading) -> Tensor:
    """How far the gradient moves, in the dual norm, when x moves by its error in three directions."""
    g = r.problem.grad(r.x)
    length = r.x_error[..., None] / r.x.shape[-1] ** 0.5
    moves = [r.problem.grad(r.x + length * signs) - g for signs in directions(r.x.shape[-1], r.x)]
    return torch.stack([r.norm.dual(move) for move in moves]).amax(0)


def _gradnorm_resolution(r: Reading, value: Tensor) -> Tensor:
    """Gradients are read at the recorded x: their own rounding, and what x_error does to them.

    The change is probed by moving x; where f is certified smooth, L times x_error bounds it.
    """
    noise = gradient_noise(r.problem, r.x, r.norm)
    everywhere = [c.assumption for c in r.problem.certified if c.region == EVERYWHERE]
    known = [a.L for a in everywhere if isinstance(a, Smooth) and a.norm == r.norm]
    change = min(known) * in_norm(r) if known else _gradient_change(r)
    return 64 * EPS * value + 4 * noise + change


def _layer_resolution(r: Reading, value: Tensor) -> Tensor:
    """As ``_gradnorm_resolution``, layer by layer in the norms of the problem's layers."""
    layers = r.problem.layers
    change = layer_gradient_change(r.problem, layers, r.x, value, r.x_error)
    return 64 * EPS * value + 4 * layer_noise(r.problem, layers, r.x) + change


def _read_moved(r: Reading) -> Tensor:
    return r.norm.norm(r.x - (_shifted(r.x) if r.x_before is None else r.x_before))


COSTS: Mapping[str, str] = {
    "grad_calls": "gradients of terms",
    "prox_calls": "proximal points of terms",
    "lmo_calls": "linear minimisations",
    "communications": "rounds of communication",
    "bits": "bits sent",
}
"""Units of cost, and what each counts."""


def _spent(unit: str, meaning: str) -> Quantity:
    def read(r: Reading) -> Tensor:
        return r.costs.get(unit, torch.zeros_like(r.x[..., 0]))

    latex = f"{upright(unit)}_k"
    return Quantity(f"{meaning} until step k", latex, read, _counted, unit="1", nonnegative=True)


def _counted(_: Reading, value: Tensor) -> Tensor:
    """Whole numbers are added exactly."""
    return torch.zeros_like(value)


SHARED: Mapping[str, Quantity] = {
    "value": Quantity(
        "f(x_k)",
        "f(x_k)",
        lambda r: r.problem.value(r.x),
        lambda r, v: 8 * (EPS * v.abs() + value_noise(r.problem, r.x)) + _slope(r) * r.x_error,
        unit="f",
    ),
    "gap": Quantity(
        "f(x_k) - f_star",
        r"f(x_k) - f^\star",
        lambda r: r.problem.gap(r.x),
        _gap_resolution,
        lambda r, gap: r.problem.gap_cancellation(r.x, gap),
        needs=("f_star",),
        unit="f",
        nonnegative=True,
    ),
    "dist": Quantity(
        "distance from x_k to the set of minimisers",
        r"\mathrm{dist}(x_k, X^\star)",
        _read_dist,
        _dist_resolution,
        lambda r, _: r.x.norm(dim=-1),
        needs=("nearest_star",),
        unit="x",
        nonnegative=True,
    ),
    "gradnorm": Quantity(
        "dual norm of the gradient at x_k",
        r"\|\nabla f(x_k)\|_*",
        lambda r: r.norm.dual(r.problem.grad(r.x)),
        _gradnorm_resolution,
        unit="f / x",
        nonnegative=True,
    ),
    "gradnorm_i": Quantity(
        "dual norm of each layer of the gradient at x_k, in the norms of the layers",
        r"\|\nabla_i f(x_k)\|_{i*}",
        lambda r: r.problem.layers.dual_i(r.problem.grad(r.x)),
        _layer_resolution,
        unit="f / x",
        nonnegative=True,
    ),
    "moved": Quantity(
        "length of the step that led to x_k; 0 at the start",
        r"\|x_k - x_{k-1}\|",
        _read_moved,
        lambda r, v: 8 * EPS * v + 2 * in_norm(r),
        lambda r, _: r.x.norm(dim=-1),
        unit="x",
        nonnegative=True,
    ),
    **{unit: _spent(unit, meaning) for unit, meaning in COSTS.items()},
    "passes": Quantity(
        "passes over the data until step k: gradients of terms by their number",
        r"\mathrm{passes}_k",
        lambda r: SHARED["grad_calls"].read(r) / r.problem.n_terms,
        unit="1",
        nonnegative=True,
    ),
}
"""The shared quantities; a method adds its own."""
