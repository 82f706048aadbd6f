"""The loss of a network as a function of a flat vector and of rows, for many vectors and batches at once."""

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils import _pytree as pytree

from workbench.probes.batches import Batch, count_rows, take
from workbench.probes.gradients.aside import aside
from workbench.probes.gradients.bound import BoundLoss
from workbench.probes.gradients.oracle import Loss
from workbench.probes.layers import NetworkLayers

Function = Callable[[Tensor, Batch], Tensor]
"""(point, rows) -> a tensor, for one point and one batch."""


class Kind(NamedTuple):
    """A function in two forms: for calls one by one, by autograd, and for many at once, by ``torch.func``."""

    alone: Function
    together: Function


Work = Callable[[Tensor], Tensor]
"""The loss -> what is wanted of it."""

Axes = tuple[int | None, int | None]
"""Of points and of rows: 0 where there is one for each call, None where all calls share it."""


AT_ONCE = 2**22
"""Parameters of the calls that go together: their gradients, and what leads to them, lie in memory."""


def rows_at(batch: Batch, j: Tensor) -> Batch:
    """The rows with numbers j: tensors (*j.shape, ...)."""
    return pytree.tree_map_only(Tensor, lambda t: t[j.to(t.device)], batch)


class FlatLoss:
    """x -> loss(model, rows), x (d,) the parameters of ``layers`` one after the other.

    It holds a copy of the model in one floating point type, so nothing that happens to the model later
    changes it. Buffers, modes and attributes start each call as they were, random numbers come from the seed.
    Derivatives can be differentiated again. TypeError for a model that cannot be copied.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        layers: NetworkLayers,
        *,
        dtype: torch.dtype,
        mode: str | None,
        seed: int,
        chunk: int | None,
    ) -> None:
        try:
            own = copy.deepcopy(model).to(dtype).requires_grad_(False)
        except Exception as error:
            raise TypeError(f"model must be one that copy.deepcopy copies: {error}") from error
        self.layers, self.dtype, self.mode, self.seed, self.chunk = layers, dtype, mode, seed, chunk
        self.device = next(own.parameters()).device
        self.vmapped = False
        self.model = own
        self._bound = BoundLoss(own, loss)

    def at(self, x: Tensor, rows: Batch, work: Work) -> Tensor:
        """Work on the loss. x: (d,)."""
        # the other kernels of attention have no second derivatives
        beside = aside(self._bound, self.device, self.dtype, seed=self.seed, mode=self.mode)
        with beside, sdpa_kernel(SDPBackend.MATH):
            names = (f"model.{name}" for name in self.layers.names)
            given: dict[str, Any] = dict(zip(names, self.layers.point(x), strict=True))
            given |= {name: buffer.clone() for name, buffer in self._bound.named_buffers()}
            # a loss may write into its batch
            return functional_call(
                self._bound, given, (pytree.tree_map_only(Tensor, torch.clone, rows), work)
            )

    @property
    def value(self) -> Kind:
        """The loss. x: (d,). Returns ()."""
        return Kind(self._value, self._value)

    @property
    def gradient(self) -> Kind:
        """Its gradient. x: (d,). Returns (d,)."""
        return Kind(self._gradient, torch.func.grad(self._value))

    @property
    def product(self) -> Kind:
        """Hessian at x times v, of a pair of x and v, (2, d). Returns (d,)."""
        return Kind(self._product, self._products)

    def each(self, kind: Kind, x: Tensor, rows: Batch, axes: Axes) -> Tensor:
        """For each point and batch, or for each of one kind with the one of the other: (n, ...).

        x: (n, ...), or what all calls share. rows: tensors (n, b, ...), or (b, ...). Together as many calls
        as have ``chunk`` rows and ``AT_ONCE`` parameters, or one.
        """
        first = torch.tensor(0)
        count = x.shape[0] if axes[0] == 0 else count_rows(rows)
        if self.vmapped and count > 1:
            size = count_rows(rows if axes[1] is None else rows_at(rows, first))
            most = AT_ONCE // x.shape[-1]
            at_once = max(1, most if self.chunk is None else min(most, self.chunk // size))
            return torch.vmap(kind.together, in_dims=axes, chunk_size=at_once)(x, rows)
        points = [x] * count if axes[0] is None else x.unbind()
        batches = (rows if axes[1] is None else rows_at(rows, first + i) for i in range(count))
        return torch.stack([kind.alone(p, b) for p, b in zip(points, batches, strict=True)])

    def _value(self, x: Tensor, rows: Batch) -> Tensor:
        return self.at(x if torch.is_grad_enabled() else x.detach(), rows, _number)

    def _gradient(self, x: Tensor, rows: Batch) -> Tensor:
        at, keep = _leaf(x, x)
        return self.at(at, rows, lambda loss: _derivative(_number(loss), at, keep))

    def _product(self, pair: Tensor, rows: Batch) -> Tensor:
        at, keep = _leaf(pair[0], pair)
        return self.at(
            at, rows, lambda loss: _derivative(_derivative(_number(loss), at, True) @ pair[1], at, keep)
        )

    def _products(self, pair: Tensor, rows: Batch) -> Tensor:
        return torch.func.grad(lambda at: torch.func.grad(self._value)(at, rows) @ pair[1])(pair[0])

    def quicken(self, x: Tensor, batch: Batch, terms: bool) -> None:
        """Take many calls at once, by ``vmap``, if the network allows it and the numbers stay the same.

        x: (2, d), where to compare. terms: whether rows are taken alone: two are tried, else all together.
        """
        x = x.to(self.device, self.dtype)
        rows = take(batch, 0, 2) if terms else batch
        slow = self._tried(x, rows, terms)
        self.vmapped = True
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # of slow detours
                fast = self._tried(x, rows, terms)
            room = math.sqrt(torch.finfo(self.dtype).eps)
            self.vmapped = all(
                torch.allclose(a, b, rtol=room, atol=room * float(b.abs().max()))
                for a, b in zip(fast, slow, strict=True)
            )
        except Exception:  # whatever it is that cannot be batched: one by one it can
            self.vmapped = False

    def _tried(self, x: Tensor, rows: Batch, terms: bool) -> list[Tensor]:
        """All functions, all axes."""
        pairs = torch.stack([x, x.roll(1, 0)], dim=1)
        with torch.no_grad():
            found = [self.each(f, x, rows, (0, None)) for f in (self.value, self.gradient)]
            found.append(self.each(self.product, pairs, rows, (0, None)))
            if terms and count_rows(rows) == 2:
                alone = rows_at(rows, torch.arange(2).unsqueeze(-1))
                found.append(self.each(self.gradient, x, alone, (0, 0)))
                found.append(self.each(self.gradient, x[0], alone, (None, 0)))
            return found


def _number(loss: Tensor) -> Tensor:
    return loss.reshape(())


def _leaf(x: Tensor, owner: Tensor) -> tuple[Tensor, bool]:
    """x as it is, and True, if a caller differentiates through the result: ``owner`` comes with a graph."""
    keep = torch.is_grad_enabled() and owner.requires_grad
    return (x if keep else x.detach().requires_grad_()), keep


def _derivative(value: Tensor, at: Tensor, keep: bool) -> Tensor:
    """Of a number that may not depend on ``at``; with its graph if ``keep``."""
    if not value.requires_grad:
        return torch.zeros_like(at)
    return torch.autograd.grad(value, at, create_graph=keep, materialize_grads=True)[0]
