"""Values of derivatives at points: in floating point where that is right, else from balls."""

from collections.abc import Callable

import torch
from flint import arb, ctx
from torch import Tensor

from problems.symbolic.derivatives import Derivatives
from problems.symbolic.rounded_arithmetic import run_with_errors
from problems.symbolic.tensor_arithmetic import run_on_tensor

TRUSTED = 512
"""Roundings of a result that may be lost in floating point before balls are asked."""
PRECISIONS = (128, 512, 2048)
"""Bits, until a result is known to ``KNOWN`` bits; the last tell 0 from the smallest float."""
KNOWN = 60
"""Bits that are known of a result."""
TINY = arb(2) ** -1080
"""Below that there is no float but 0."""


def evaluate(f: Derivatives, order: int, x: Tensor, inside: Callable[[Tensor], Tensor]) -> Tensor:
    """The coefficients of an order at x, (*batch, d): (*batch, coefficients).

    Rows of ``inside`` where an entry may be off by more than ``TRUSTED`` roundings of itself, or is not
    finite, are computed again by balls and are exact to a rounding; nan where 2048 bits do not tell. Where x
    asks for a gradient all is plain floating point, which torch can differentiate.
    """
    tape = f.tape((order,))
    if x.requires_grad and torch.is_grad_enabled():
        return run_on_tensor(tape, x)
    found, error = run_with_errors(tape, x)
    sure = (error <= TRUSTED * torch.finfo(x.dtype).eps * found.abs()).all(dim=-1)
    if bool(sure.all()):
        return found
    doubtful = ~sure & x.isfinite().all(dim=-1) & inside(x)
    if bool(doubtful.any()):
        rows = [nearest_floats(f, order, point) for point in x[doubtful].tolist()]
        found[doubtful] = found.new_tensor(rows)
    return found


def nearest_floats(f: Derivatives, order: int, point: list[float]) -> list[float]:
    """The coefficients of an order at a point from balls, in as many bits as they need; nan if unknown."""
    values: list[arb] = []
    for precision in PRECISIONS:
        with ctx.workprec(precision):
            (values,) = f.at(point, (order,))
            if all(_is_known(a) for a in values):
                break
    return [float(a.mid()) if _is_known(a) else float("nan") for a in values]


def _is_known(a: arb) -> bool:
    """True if the middle of the ball stands for it to ``KNOWN`` bits, or 0 for both."""
    return a.is_finite() and (a.rel_accuracy_bits() >= KNOWN or a.abs_upper() < TINY)
