"""A network, its loss, its batches."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from assumptions.guards import require_positive
from workbench.probes.batches import Batch, chunks, count_rows, moved
from workbench.probes.gradients.oracle import Loss

Sums = Callable[[nn.Module, Batch], dict[str, Tensor]]


@dataclass(frozen=True, eq=False)
class Task:
    """Something to train and to probe.

    loss: (model, batch) -> the mean over the rows. batch: of a step 0, 1, ..., a function of the step alone.
    fixed: rows drawn once, at which to probe. output: the last layer, as ``groups_for`` takes it, or None.
    rates: name of an optimizer -> learning rate. evaluate: model -> numbers on data that no batch has; it
    leaves the model as it was. about: what a record says of the task, numbers and text.

    TypeError or ValueError for a part of another kind, saying which.
    """

    name: str
    model: nn.Module
    loss: Loss
    batch: Callable[[int], Batch]
    fixed: Batch
    output: str | None
    rates: Mapping[str, float]
    evaluate: Callable[[nn.Module], dict[str, float]]
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Guard every part."""
        kinds = {"name": str, "model": nn.Module, "rates": Mapping, "about": Mapping}
        for part, kind in kinds.items():
            value = getattr(self, part)
            if not isinstance(value, kind):
                raise TypeError(f"{part} of a task must be a {kind.__name__}, got {value!r}")
        for part in ("loss", "batch", "evaluate"):
            if not callable(getattr(self, part)):
                raise TypeError(f"{part} of a task must be a function, got {getattr(self, part)!r}")
        if not any(p.requires_grad for p in self.model.parameters()):
            raise ValueError("model of a task must have parameters that need a gradient, and has none")
        if self.output is not None and self.output not in dict(self.model.named_modules()):
            raise ValueError(
                f"output of a task must name a module of the model or be None, got {self.output!r}"
            )
        for optimizer, rate in self.rates.items():
            require_positive(**{f"rates[{optimizer!r}]": rate})
        count_rows(self.fixed)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """In eval mode, without gradients; each module in its own mode again at the end."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for module, training in modes.items():
            module.training = training


def mean_over(model: nn.Module, batch: Batch, sums: Sums, chunk: int) -> dict[str, float]:
    """Sums over pieces of the rows, on the device and in the type of the model, over the number of rows."""
    p = next(model.parameters())
    totals: dict[str, float] = {}
    with evaluating(model):
        for piece in chunks(batch, chunk):
            for key, value in sums(model, moved(piece, p.device, p.dtype)).items():
                totals[key] = totals.get(key, 0.0) + float(value)
    rows = count_rows(batch)
    return {key: total / rows for key, total in totals.items()}


def chosen_size(name: str, size: Any, sizes: Mapping[str, Any], kind: type) -> Any:
    """The size of a name, or one that is given as such. ValueError with the names."""
    if isinstance(size, str) and size in sizes:
        return sizes[size]
    if isinstance(size, kind) and not isinstance(size, str):
        return size
    raise ValueError(f"size of a {name} must be one of {', '.join(sizes)} or a {kind.__name__}, got {size!r}")
