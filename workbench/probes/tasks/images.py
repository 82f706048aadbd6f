"""Networks that tell the class of an image."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from assumptions.guards import as_float, require_dimension, require_seed
from workbench.probes.batches import Batch
from workbench.probes.data import Epochs, ImageData, default_images, load_images
from workbench.probes.data.order import STREAM_FIXED, permutation
from workbench.probes.networks import CNN, CNN_SIZES, MLP, MLP_SIZES, count_parameters, seeded, whitening
from workbench.probes.tasks.task import Task, chosen_size, mean_over

CNN_RATES = {"scion": 0.03, "muon": 0.1, "gluon": 0.03, "drop-muon": 0.03, "adamw": 0.03, "sgd": 0.2}
MLP_RATES = {"scion": 0.01, "muon": 0.01, "gluon": 0.01, "drop-muon": 0.015, "adamw": 3e-3, "sgd": 0.1}

WHITENED = 1000
"""Images from which whitening is computed, at most."""

CHUNK = 500

DataName = str | os.PathLike[str]


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Rows of images to train on: pixels (rows, channels, height, width), float32, and labels (rows,)."""

    data: ImageData
    epochs: Epochs

    def batch(self, step: int) -> Batch:
        """Rows of a step: each epoch has every image once."""
        return self.data.rows(self.data.train, self.epochs.indices(step))

    def fixed(self, rows: int) -> Batch:
        """Different rows, from a stream of their own. ValueError for more than there are."""
        if rows > self.epochs.n:
            raise ValueError(f"fixed_rows must be at most {self.epochs.n}, the rows to train on, got {rows}")
        return self.data.rows(
            self.data.train, permutation(self.epochs.n, self.epochs.seed, STREAM_FIXED, 0)[:rows]
        )


@dataclass(frozen=True)
class ClassLoss:
    """Mean cross-entropy. smoothing: the part of each label that all classes share, in [0, 1).

    ValueError otherwise.
    """

    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Guard the smoothing."""
        if not 0 <= as_float("smoothing", self.smoothing) < 1:
            raise ValueError(f"smoothing must be in [0, 1), got {self.smoothing!r}")

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        """batch: (pixels, labels)."""
        pixels, labels = batch
        return F.cross_entropy(model(pixels), labels, label_smoothing=self.smoothing)


@dataclass(frozen=True, eq=False)
class HeldOutImages:
    """Loss, without smoothing, and the part that is classified rightly."""

    batch: Batch

    def __call__(self, model: nn.Module) -> dict[str, float]:
        """Means over the rows."""
        return mean_over(model, self.batch, _sums, CHUNK)


def cnn_task(
    seed: int = 0,
    *,
    size: str | tuple[int, ...] = "20k",
    data: DataName | None = None,
    rows: int = 128,
    fixed_rows: int = 512,
    held_out_rows: int | None = None,
    side: int | None = None,
    smoothing: float = 0.0,
    whiten: bool = True,
) -> Task:
    """A ``CNN`` on images.

    size: a name of ``CNN_SIZES``, or the channels of the groups. data, side: as ``load_images``; None: the
    first of fashion_mnist, mnist_5k, digits that is there. rows: of a batch; fixed_rows: to probe at;
    held_out_rows: to evaluate on, evenly spread, all for None. smoothing: of labels. whiten: the first layer
    makes patches white. ValueError for numbers that do not fit, DataError as ``load_images``.
    """
    widths = chosen_size("cnn", size, CNN_SIZES, tuple)

    def make(found: ImageData) -> CNN:
        n = len(found.train.labels)
        some = torch.linspace(0, n - 1, min(n, WHITENED)).long()
        filters = whitening(found.rows(found.train, some)[0]) if whiten else None
        return CNN(found.train.pixels.shape[1], len(found.classes), widths, filters)

    about = {"size": size if isinstance(size, str) else "own", "widths": list(widths), "whiten": whiten}
    name = default_images() if data is None else (data, "")
    counts = (rows, fixed_rows, held_out_rows)
    return _task("cnn", seed, name, side, counts, smoothing, make, CNN_RATES, about)


def mlp_task(
    seed: int = 0,
    *,
    size: str | tuple[int, ...] = "9k",
    data: DataName | None = None,
    rows: int = 64,
    fixed_rows: int = 256,
    held_out_rows: int | None = None,
    side: int | None = None,
    smoothing: float = 0.0,
) -> Task:
    """An ``MLP`` on images.

    size: a name of ``MLP_SIZES``, or the widths of hidden layers. data: as ``load_images``; None: digits.
    The rest as in ``cnn_task``.
    """
    widths = chosen_size("mlp", size, MLP_SIZES, tuple)

    def make(found: ImageData) -> MLP:
        return MLP(found.train.pixels[0].numel(), len(found.classes), widths)

    about = {"size": size if isinstance(size, str) else "own", "widths": list(widths)}
    name = ("digits", "the default") if data is None else (data, "")
    counts = (rows, fixed_rows, held_out_rows)
    return _task("mlp", seed, name, side, counts, smoothing, make, MLP_RATES, about)


def _task(
    task: str,
    seed: int,
    name: tuple[DataName, str],
    side: int | None,
    counts: tuple[int, int, int | None],
    smoothing: float,
    make: Callable[[ImageData], nn.Module],
    rates: Mapping[str, float],
    about: dict[str, Any],
) -> Task:
    rows, fixed_rows, held_out_rows = counts
    given = {} if held_out_rows is None else {"held_out_rows": held_out_rows}
    require_dimension(rows=rows, fixed_rows=fixed_rows, **given)
    require_seed(seed)
    loss = ClassLoss(smoothing)
    data = replace(load_images(name[0], side), note=name[1])
    source = ImageRows(data, Epochs(len(data.train.labels), rows, seed))
    fixed = source.fixed(fixed_rows)
    n = len(data.held_out.labels)
    some = torch.linspace(0, n - 1, min(n, held_out_rows or n), dtype=torch.float64).round().long()
    model = seeded(seed, lambda: make(data))
    described = {
        **{"task": task, "data": data.name, "data_note": data.note, "sha256": data.sha256},
        **{"shape": list(data.train.pixels.shape[1:]), "classes": list(data.classes)},
        **{"n_train": source.epochs.n, "held_out": f"{len(some)} rows of {data.held_out_from}"},
        **{**about, "smoothing": smoothing, "rows": rows, "fixed_rows": fixed_rows, "seed": seed},
        "parameters": count_parameters(model),
    }
    evaluate = HeldOutImages(data.rows(data.held_out, some))
    return Task(task, model, loss, source.batch, fixed, "head", rates, evaluate, described)


def _sums(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
    pixels, labels = batch
    logits = model(pixels)
    right = (logits.argmax(dim=-1) == labels).sum()
    return {"loss": F.cross_entropy(logits, labels, reduction="sum").double(), "accuracy": right}
