"""What the loss of a ``NetworkProblem`` must be, tried when the problem is made."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from problems.base import Problem
from workbench.probes.batches import Batch, take
from workbench.probes.gradients.derivatives import one_number
from workbench.probes.problem.flat_loss import FlatLoss

WAVE = 1e-2
"""Size of a move of all parameters to a point where nothing is 0, or equal, by chance."""

INSTEAD = "where rows need each other, or weigh differently, terms=False makes one term of the batch"


def two_points(x0: Tensor) -> Tensor:
    """x0 and a point near it, (2, d): at x0 alone, a last layer of 0 would hide the rows."""
    return torch.stack([x0, x0 + WAVE * torch.arange(len(x0), dtype=x0.dtype).cos()])


def require_number(flat: FlatLoss, x0: Tensor, batch: Batch, terms: bool) -> None:
    """TypeError or ValueError unless the loss, with terms that of a row, is one number of the parameters."""
    rows = take(batch, 0, 1) if terms else batch
    start = x0.to(flat.device, flat.dtype, copy=True).requires_grad_()
    with _said(terms):
        loss = flat.at(start, rows, lambda loss: loss)
    one_number(loss)

    def used(loss: Tensor) -> Tensor:
        return loss.new_tensor(torch.autograd.grad(loss.reshape(()), start, allow_unused=True)[0] is not None)

    if not bool(flat.at(start, rows, used)):
        raise ValueError("loss must depend on the parameters of the model it is given, got one of others")


def require_bound(problem: Problem) -> None:
    """ValueError unless f(x0) is finite, and at least ``f_lower`` where that is known."""
    with torch.no_grad():
        at_start = float(problem.value(problem.x0))
    if not math.isfinite(at_start):
        raise ValueError(f"loss must be finite at the parameters of the model, got {at_start!r}")
    if problem.offers("f_lower"):
        f_lower = problem.f_lower  # pyright: ignore[reportAttributeAccessIssue]
        if not f_lower <= at_start + 1e-9 * abs(at_start):
            raise ValueError(f"f_lower must be at most f(x0) = {at_start!r}, got {f_lower!r}")


def require_mean(problem: Problem, x: Tensor, dtype: torch.dtype) -> None:
    """ValueError unless f is the mean of its terms at x, (2, d), to half the digits of the type."""
    with torch.no_grad():
        with _said(True):
            parts = problem.part_values(x)
        values, means = problem.value(x), parts.mean(dim=-1)
    room = math.sqrt(torch.finfo(dtype).eps) * parts.abs().mean(dim=-1)
    if not bool(((values - means).abs() <= room).all()):
        i = int(((values - means).abs() / room).argmax())
        raise ValueError(
            f"loss must be the mean of the losses of the rows, which is {float(means[i])!r} at a point "
            f"where the loss of the batch is {float(values[i])!r}; {INSTEAD}"
        )


@contextmanager
def _said(terms: bool) -> Iterator[None]:
    """The error of the loss of a row alone says what to do about it."""
    try:
        yield
    except Exception as error:
        if not terms:
            raise
        raise ValueError(f"loss fails on a row alone, {type(error).__name__}: {error}; {INSTEAD}") from error
