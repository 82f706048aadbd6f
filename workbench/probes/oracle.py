"""Loss, gradient and Hessian products of a network at any point; the module itself is never changed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from workbench.probes.batches import Batch, chunks, count_rows, moved
from workbench.probes.layers import Point

Loss = Callable[[nn.Module, Batch], Tensor]
"""(model, batch) -> the mean of the losses of the rows, one number."""


class Evaluation(NamedTuple):
    """Loss, a float64 number, and gradient at a point, in the type of the oracle."""

    loss: Tensor
    gradient: Point


class _Bound(nn.Module):
    """The loss as a module, so that its parameters can be given."""

    def __init__(self, model: nn.Module, loss: Loss) -> None:
        super().__init__()
        self.model = model
        self.loss = loss

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(self.model, batch)


class GradientOracle:
    """x -> loss and gradient of ``loss(model, batch)`` at the parameters x, those that need a gradient.

    Parameters and buffers go in as copies (``functional_call``), so that weights, buffers and gradients of
    the module stay as they are; random numbers are drawn from ``seed``, the same at every call, and the
    generators are left as they were. dtype: of the arithmetic; None: that of the parameters, float32 at
    least. chunk: rows of a batch taken at once. mode: "train", "eval", or None for that of the model.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        *,
        dtype: torch.dtype | None = None,
        chunk: int | None = None,
        mode: str | None = None,
        seed: int = 0,
    ) -> None:
        self.model, self.loss, self.chunk, self.mode, self.seed = model, loss, chunk, mode, seed
        self._bound = _Bound(model, loss)
        self._live = {name: p for name, p in model.named_parameters() if p.requires_grad}
        self.dtype = dtype or torch.promote_types(next(iter(self._live.values())).dtype, torch.float32)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that need a gradient, in the order of ``named_parameters``."""
        return tuple(self._live)

    def point(self) -> Point:
        """A copy of the parameters as they are."""
        return tuple(p.detach().clone() for p in self._live.values())

    def evaluate(self, x: Point, batch: Batch) -> Evaluation:
        """Loss and gradient at x: the mean over the rows of the batch."""
        with self._aside():
            total, sums = torch.zeros((), dtype=torch.float64), None
            for piece, share in self._pieces(batch):
                leaves = [part.detach().to(self.dtype).requires_grad_() for part in x]
                value = self._value(leaves, piece)
                grads = torch.autograd.grad(value, leaves, allow_unused=True, materialize_grads=True)
                total = total + share * value.detach().double().cpu()
                sums = (
                    [share * g for g in grads]
                    if sums is None
                    else [s.add_(g, alpha=share) for s, g in zip(sums, grads, strict=True)]
                )
        assert sums is not None
        return Evaluation(total, tuple(sums))

    def hvp(self, x: Point, v: Point, batch: Batch) -> Point:
        """Hessian of the loss at x times v."""
        sums = None
        with self._aside(), sdpa_kernel(SDPBackend.MATH):
            for piece, share in self._pieces(batch):
                leaves = [part.detach().to(self.dtype).requires_grad_() for part in x]
                grads = torch.autograd.grad(
                    self._value(leaves, piece),
                    leaves,
                    create_graph=True,
                    allow_unused=True,
                    materialize_grads=True,
                )
                inner = sum((g * w.to(g)).sum() for g, w in zip(grads, v, strict=True))
                products = torch.autograd.grad(inner, leaves, allow_unused=True, materialize_grads=True)
                sums = (
                    [share * p for p in products]
                    if sums is None
                    else [s.add_(p, alpha=share) for s, p in zip(sums, products, strict=True)]
                )
        assert sums is not None
        return tuple(sums)

    def _pieces(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        rows = count_rows(batch)
        device = next(iter(self._live.values())).device
        for piece in chunks(batch, self.chunk):
            yield moved(piece, device, self.dtype), count_rows(piece) / rows

    def _value(self, leaves: list[Tensor], piece: Batch) -> Tensor:
        given: dict[str, Any] = {f"model.{n}": leaf for n, leaf in zip(self._live, leaves, strict=True)}
        still = [(n, p) for n, p in self.model.named_parameters() if n not in self._live]
        for name, value in [*still, *self.model.named_buffers()]:
            given[f"model.{name}"] = self._cast(value)
        return functional_call(self._bound, given, (piece,))

    def _cast(self, value: Tensor) -> Tensor:
        """A copy, floating point numbers in the type of the oracle."""
        value = value.detach().clone()
        return value.to(self.dtype) if value.is_floating_point() else value

    @contextmanager
    def _aside(self) -> Iterator[None]:
        """Random numbers from the seed, autocast off; everything as it was at the end."""
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.random.default_generator.manual_seed(self.seed)
            yield


def point_of(names: tuple[str, ...], state: Mapping[str, Tensor]) -> Point:
    """The point of a ``state_dict``."""
    return tuple(state[name].detach() for name in names)
