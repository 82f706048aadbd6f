"""Loss, gradient and Hessian products of a network at any point; the module itself is never changed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from workbench.probes.batches import Batch, chunks, count_rows, moved
from workbench.probes.gradients.aside import aside
from workbench.probes.gradients.bound import BoundLoss
from workbench.probes.gradients.derivatives import (
    Work,
    hessian_product,
    is_about_memory,
    loss_and_gradient,
    one_number,
    require_second_derivatives,
)
from workbench.probes.gradients.ranks import mean_over_ranks
from workbench.probes.gradients.support import (
    bare_name,
    require_group,
    require_model,
    require_settings,
    unwrapped,
)
from workbench.probes.layers import Point

Loss = Callable[[nn.Module, Batch], Tensor]
"""(model, batch) -> the mean of the losses of the rows, one number."""


class Evaluation(NamedTuple):
    """Loss, a float64 number, and gradient at a point, in the type of the oracle."""

    loss: Tensor
    gradient: Point


class GradientOracle:
    """x -> loss and gradient of ``loss(model, batch)`` at the parameters x, those that need a gradient.

    Parameters, buffers and batch go in as copies (``functional_call``), and what the forward pass sets on
    the modules is put back, so that weights, buffers, gradients, modes and random states stay as they are;
    only what it writes into other objects, as lists, stays written. Generators that the loss itself names,
    beside the shared ones, are put back too. The loss must take its parameters from the modules of the model
    it is given.

    model: also inside DistributedDataParallel or torch.compile, whose code is then run as it was written;
    ``names`` are those of the model inside. group: processes, each with rows of its own, over all of which
    loss and gradient are averaged; None: those of DistributedDataParallel. All of them must evaluate.
    dtype: of the arithmetic, float32 or float64; None: that of the parameters, float32 at least; no autocast,
    no TF32. chunk: rows taken at once; None: all. When memory does not suffice ``chunk`` is halved, and stays
    so; with batch norm in train mode each chunk has statistics of its own, with dropout masks of its own, so
    that evaluations with another ``chunk`` are of another function.
    mode: "train" or "eval" for every submodule; None: as they are. seed: of the random numbers, the same at
    every evaluation. TypeError, ValueError for an argument that is none of this, and for models whose
    parameters are sharded, without shape, not real, on several devices, or need no gradient.
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
        group: Any = None,
    ) -> None:
        require_settings(loss, dtype, chunk, mode, seed)
        self.model, wrapped = unwrapped(model)
        require_model(self.model)
        self.group = require_group(group, wrapped)
        self.chunk, self.mode, self.seed = chunk, mode, seed
        self._bound = BoundLoss(self.model, loss)
        live = {name: p for name, p in self.model.named_parameters() if p.requires_grad}
        self._names = tuple(live)
        double = any(p.dtype == torch.float64 for p in live.values())
        self.dtype = dtype or (torch.float64 if double else torch.float32)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters that need a gradient, in the order of ``named_parameters``."""
        return self._names

    @property
    def loss(self) -> Loss:
        """The loss as it was given."""
        return self._bound.loss

    def point(self) -> Point:
        """A copy of the parameters as they are, in their own type."""
        return tuple(p.detach().clone() for p in self._live())

    def evaluate(self, x: Point, batch: Batch) -> Evaluation:
        """Loss and gradient at x: the mean over the rows of the batch, and of those of all processes.

        x: one tensor for each of ``names``. A loss that is nan or inf is returned as it is. TypeError,
        ValueError for x, a batch or a loss of another form, MemoryError if a single row does not fit,
        RuntimeError if the loss enters autocast.
        """
        loss, *gradient = self._mean(batch, loss_and_gradient, x)
        return Evaluation(loss.cpu(), tuple(gradient))

    def hvp(self, x: Point, v: Point, batch: Batch) -> Point:
        """Hessian of the loss at x times v, by differentiating twice; errors as ``evaluate``.

        ``NotTwiceDifferentiableError`` if torch cannot. Of a loss with kinks, as with ReLU, the smooth
        pieces count.
        """
        require_second_derivatives(self.model)
        with sdpa_kernel(SDPBackend.MATH):  # the other kernels have no second derivative
            return tuple(self._mean(batch, partial(hessian_product, v=v), x, v))

    def _mean(self, batch: Batch, work: Work, *points: Point) -> list[Tensor]:
        """The work at the first of the points, mean over all rows of all processes."""
        device = self._live()[0].device

        def own() -> tuple[int, list[Tensor]]:
            for point in points:
                self._require_point(point)
            rows = count_rows(batch)
            while True:
                try:
                    return rows, self._over_chunks(batch, work, points[0], device)
                except RuntimeError as error:
                    if not is_about_memory(error):
                        raise
                    said = str(error)
                self._halve(rows, said)  # out here, where no traceback holds tensors any more

        return mean_over_ranks(self.group, device, own)

    def _over_chunks(self, batch: Batch, work: Work, x: Point, device: torch.device) -> list[Tensor]:
        rows = count_rows(batch)
        total: list[Tensor] = []
        with aside(self._bound, device, self.dtype, seed=self.seed, mode=self.mode):
            for piece in chunks(batch, self.chunk):
                parts = self._at(x, moved(piece, device, self.dtype), work)
                share = count_rows(piece) / rows
                if share == 1:
                    return parts
                if not total:
                    total = [share * part for part in parts]
                else:
                    total = [s.add_(part, alpha=share) for s, part in zip(total, parts, strict=True)]
        return total

    def _at(self, x: Point, piece: Batch, work: Work) -> list[Tensor]:
        leaves = [_copy(part, p.device, self.dtype) for part, p in zip(x, self._live(), strict=True)]
        given = {
            f"model.{name}": leaf.requires_grad_() for name, leaf in zip(self._names, leaves, strict=True)
        }
        for name, value in [*self._bound.named_parameters(), *self._bound.named_buffers()]:
            if name not in given:
                given[name] = _copy(value, value.device, self.dtype)
        return functional_call(self._bound, given, (piece, lambda value: work(one_number(value), leaves)))

    def _live(self) -> list[nn.Parameter]:
        found = dict(self.model.named_parameters())
        return [found[name] for name in self._names]

    def _require_point(self, x: Point) -> None:
        shapes = [tuple(part.shape) for part in x]
        for name, shape, p in zip(self._names, shapes, self._live(), strict=False):
            if shape != tuple(p.shape):
                raise ValueError(f"a point must have shape {tuple(p.shape)} for {name!r}, got {shape}")
        if len(shapes) != len(self._names):
            raise ValueError(
                f"a point must have {len(self._names)} tensors, one for each of names, got {len(shapes)}"
            )

    def _halve(self, rows: int, said: str) -> None:
        size = min(self.chunk or rows, rows)
        if size == 1:
            raise MemoryError(f"loss and gradient of a single row do not fit in memory: {said}")
        self.chunk = (size + 1) // 2


def _copy(value: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """A copy, floating point numbers in a type, complex ones in that of its parts."""
    kind = dtype if value.is_floating_point() else dtype.to_complex() if value.is_complex() else value.dtype
    return value.detach().to(device, kind, copy=True)


def point_of(
    names: Sequence[str], state: Mapping[str, Tensor], known: Collection[str] | None = None
) -> Point:
    """The point of a ``state_dict``, also of the model in its wrappers.

    known: names that it may hold; any where None. TypeError for what is no ``state_dict``, ValueError if a
    name is missing or not known.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"state must be a state_dict of the model, got {type(state).__name__}")
    bare = {bare_name(name): value for name, value in state.items()} | dict(state)
    missing = [name for name in names if name not in bare]
    if missing:
        raise ValueError(f"state has no parameter {missing[0]!r}; it has {', '.join(map(str, state))}")
    if known is not None:
        strange = [str(name) for name in state if name not in known and bare_name(name) not in known]
        if strange:
            raise ValueError(f"state has {', '.join(strange)}, which the model has not")
    return tuple(bare[name].detach() for name in names)
