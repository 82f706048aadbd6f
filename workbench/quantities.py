"""What a claim can speak of: readers of a trajectory, each with the rounding error of what it reads.

A quantity that is a difference of large numbers cancels; its ``resolution`` says how far the number
read can be from the exact one, and a verdict never rests on less.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Norm, Smooth
from assumptions.layerwise.inequality import layer_noise
from assumptions.layerwise.rounding import layer_gradient_change
from assumptions.rounding import directions, gradient_noise, value_noise
from problems.base import Problem

EPS = torch.finfo(torch.float64).eps


class Reading(NamedTuple):
    """A recorded trajectory. Every field of ``state`` is (batch, K + 1, ...).

    ``method`` has its hyperparameters as floats or (batch, K + 1 or 1, 1). ``x_error`` bounds the
    distance of each recorded x from the exact one, (batch, K + 1): rounding of the steps so far and
    the stated error of the oracles. ``x_before`` holds the iterates one step before the recorded
    ones, None where every step is recorded. ``costs``: unit -> spent before each recorded step,
    (batch, K + 1); empty before a run.
    """

    problem: Problem
    method: Any
    state: Any
    norm: Norm
    x_error: Tensor
    x_before: Tensor | None = None
    costs: Mapping[str, Tensor] = MappingProxyType({})

    @property
    def x(self) -> Tensor:
        """Iterates, (batch, K + 1, d)."""
        return self.state.x


def probed(read: Callable[[Reading], Tensor], r: Reading, value: Tensor) -> Tensor:
    """How far a reading moves when x moves by its error, in three directions; shape as the reading."""
    change = torch.zeros_like(value)
    for signs in directions(r.x.shape[-1], r.x):
        moved = r.x + r.x_error[..., None] * signs / r.x.shape[-1] ** 0.5
        found = read(r._replace(state=r.state._replace(x=moved)))
        change = torch.maximum(change, (found - value).abs())
    return change


def _no_cancellation(_: Reading, value: Tensor) -> Tensor:
    return torch.zeros_like(value)


@dataclass(frozen=True)
class Quantity:
    """A number that every step of a run has.

    read        (batch, K + 1, *axes)
    resolution  bound on |read - exact|, same shape; by default relative rounding, and what the error
                of x does to the reading (``probed``)
    cancelled   size of the numbers subtracted in reading it, same shape
    needs       facts and oracles of the problem that the reader uses
    every_step  True if the reading needs every step of the run, not a thinned record
    of_terms    True if it compares the gradients of all terms: then a step claim is tried at fewer states
    nonnegative True only if no value can be below 0: values moved by their resolution then stop at 0
    """

    meaning: str
    latex: str
    read: Callable[[Reading], Tensor]
    resolution: Callable[[Reading, Tensor], Tensor] | None = None
    cancelled: Callable[[Reading, Tensor], Tensor] = _no_cancellation
    needs: tuple[str, ...] = ()
    unit: str = ""
    nonnegative: bool = False
    every_step: bool = False
    of_terms: bool = False

    def error(self, r: Reading, value: Tensor) -> Tensor:
        """The resolution of what was read."""
        if self.resolution is not None:
            return self.resolution(r, value)
        return 8 * EPS * value.abs() + probed(self.read, r, value)


def as_quantity(name: str, value: Quantity | Callable[..., Tensor]) -> Quantity:
    """A plain function of (problem, method, state) is a quantity without cancellation."""
    if isinstance(value, Quantity):
        return value
    function = value
    return Quantity(name, upright(name), lambda r: function(r.problem, r.method, r.state))


def upright(name: str) -> str:
    r"""A name as LaTeX: ``\mathrm{grad\_calls}``."""
    return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


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


def in_norm(r: Reading) -> Tensor:
    """x_error bounds a Euclidean length; in an l_p norm it is longest along an axis or the diagonal."""
    d = r.x.shape[-1]
    vectors = torch.cat([torch.eye(d).to(r.x), torch.full_like(r.x[0, :1], d**-0.5)])
    return r.x_error * r.norm.norm(vectors).max()


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
