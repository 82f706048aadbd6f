"""Data by name: sets inside installed packages, and files in the LIBSVM format."""

from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from problems.data.libsvm import DataError, read_libsvm
from problems.data.sets import DATA_SETS
from problems.gram import power_of_two

__all__ = ["NAMES", "DataError", "available", "binary_labels", "data_files", "design", "load", "read_libsvm"]

ALWAYS = ("iris", "breast_cancer", "digits")
"""Inside scikit-learn, which is always installed."""
NAMES = (*ALWAYS, *DATA_SETS)
"""Names that ``load`` accepts, beside paths."""


def load(name: str) -> tuple[Tensor, Tensor]:
    """Features A (n, d) and labels b (n,), float64, as they are in the source; do not write into them.

    name: "iris" (100 x 4, labels -1 versicolor, +1 virginica, the two kinds that overlap),
    "breast_cancer" (569 x 30, labels -1 malignant, +1 benign), "digits" (1797 x 64, labels 0..9), a name of
    ``DATA_SETS`` whose package is installed, or the path of a LIBSVM file. Read once per name and
    modification time. DataError naming what to install, or as ``read_libsvm``.
    """
    if name in ALWAYS:
        return _load(name, "", 0)
    path = str(DATA_SETS[name].require()) if name in DATA_SETS else name
    return _load(name, path, _modified(path))


def available() -> dict[str, bool]:
    """Name of each data set -> whether its files are there. Imports no other package."""
    return {name: True for name in ALWAYS} | {name: s.find() is not None for name, s in DATA_SETS.items()}


def data_files(name: str) -> tuple[str, ...]:
    """The files that ``load(name)`` reads, if they are there; none for those of scikit-learn."""
    if name in DATA_SETS:
        return DATA_SETS[name].files()
    return () if name in ALWAYS else (name,)


def _modified(path: str) -> int:
    try:
        return Path(path).stat().st_mtime_ns
    except OSError as error:
        accepted = f"{', '.join(map(repr, NAMES))} or the path of a LIBSVM file"
        raise DataError(f"data must be {accepted}, got {path!r}: {error.strerror}") from None


@lru_cache(maxsize=16)
def _load(name: str, path: str, modified: int) -> tuple[Tensor, Tensor]:
    del modified  # part of the key only
    if name in ALWAYS:
        return _of_sklearn(name)
    if name in DATA_SETS:
        return DATA_SETS[name].load(Path(path))
    return read_libsvm(path)


def _of_sklearn(name: str) -> tuple[Tensor, Tensor]:
    from sklearn import datasets  # takes a second to import

    source = getattr(datasets, f"load_{name}")
    features, target = (torch.tensor(part, dtype=torch.float64) for part in source(return_X_y=True))
    if name == "iris":
        kept = target > 0  # setosa, 0, lies apart from the others
        return features[kept], 2 * target[kept] - 3
    return features, 2 * target - 1 if name == "breast_cancer" else target


def design(features: Tensor) -> Tensor:
    """Columns with mean 0 and variance 1, constant ones dropped, then a column of ones; (n, d).

    DataError if every column is constant.
    """
    varying = features.amax(dim=0) > features.amin(dim=0)
    if not bool(varying.any()):
        raise DataError("the data must have a column that is not constant")
    kept = features[:, varying]
    # squares stay in the range of floats, and no digit changes
    kept = kept / power_of_two(kept.abs().amax(dim=0))
    kept = (kept - kept.mean(dim=0)) / kept.std(dim=0, correction=0)
    return torch.cat([kept, torch.ones_like(kept[:, :1])], dim=1)


def binary_labels(name: str, labels: Tensor) -> Tensor:
    """Labels as -1, +1: the smaller of two values is -1.

    For "digits" and "mnist_5k", odd is -1 and even +1; a set of ``DATA_SETS`` says which of its classes are
    +1. DataError unless the labels have exactly two values otherwise.
    """
    if name == "digits":
        return 1 - 2 * (labels % 2)
    values = labels.unique()
    if name in DATA_SETS and values.numel() > 2:
        positive = labels.new_tensor(DATA_SETS[name].positive_codes())
        return torch.where(torch.isin(labels, positive), 1.0, -1.0).to(labels)
    if values.numel() != 2:
        shown = ", ".join(f"{v:g}" for v in values[:5].tolist())
        raise DataError(f"data {name!r} must have exactly two labels, got {values.numel()}: {shown}")
    return torch.where(labels == values[1], 1.0, -1.0).to(labels)
