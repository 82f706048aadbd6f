"""Data sets: two that come with scikit-learn, and files in the LIBSVM format."""

import math
from functools import lru_cache
from pathlib import Path

import torch
from sklearn.datasets import load_breast_cancer, load_digits
from torch import Tensor


class DataError(ValueError):
    """Data that cannot be read; names the file, the line and what was expected."""


def load(name: str) -> tuple[Tensor, Tensor]:
    """Features A (n, d) and labels b (n,), float64, as they are in the source; do not write into them.

    name: "breast_cancer" (569 x 30, labels -1 malignant, +1 benign), "digits" (1797 x 64, labels
    0..9), or the path of a LIBSVM file. Read once per name and modification time. ValueError as
    ``read_libsvm``.
    """
    if name in ("breast_cancer", "digits"):
        return _load(name, 0)
    return _load(name, _modified(name))


def data_files(name: str) -> tuple[str, ...]:
    """The file that ``load(name)`` reads, if it reads one of the user's."""
    return () if name in ("breast_cancer", "digits") else (name,)


def _modified(name: str) -> int:
    try:
        return Path(name).stat().st_mtime_ns
    except OSError as error:
        accepted = "'breast_cancer', 'digits' or the path of a LIBSVM file"
        raise DataError(f"data must be {accepted}, got {name!r}: {error.strerror}") from None


@lru_cache(maxsize=16)
def _load(name: str, modified: int) -> tuple[Tensor, Tensor]:
    del modified  # part of the key only
    if name == "breast_cancer":
        features, target = load_breast_cancer(return_X_y=True)
        return torch.tensor(features, dtype=torch.float64), 2 * torch.tensor(target, dtype=torch.float64) - 1
    if name == "digits":
        features, target = load_digits(return_X_y=True)
        return torch.tensor(features, dtype=torch.float64), torch.tensor(target, dtype=torch.float64)
    return read_libsvm(name)


def read_libsvm(path: str | Path) -> tuple[Tensor, Tensor]:
    """Read ``label index:value index:value ...`` per line; indices from 1, increasing; dense result.

    Text after ``#`` and blank lines are ignored. Returns A (n, d), d the largest index, and b (n,),
    float64. ValueError with file, line and what was expected: a missing or empty file, a label or
    value that is no finite number, an index that is no integer >= 1 or does not increase.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: expected a text file in the LIBSVM format, got bytes that are not UTF-8"
        ) from None
    rows, labels = [], []
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if words:
            place = f"{path}, line {number}"
            labels.append(_finite(words[0], f"{place}: label"))
            rows.append(_features(words[1:], place))
    if not rows:
        raise DataError(f"{path}: expected lines 'label index:value ...', the file has none")
    d = max((row[-1][0] for row in rows if row), default=0)
    if d == 0:
        raise DataError(f"{path}: expected at least one index:value, the file has labels only")
    features = torch.zeros(len(rows), d, dtype=torch.float64)
    for i, row in enumerate(rows):
        for index, value in row:
            features[i, index - 1] = value
    return features, torch.tensor(labels, dtype=torch.float64)


def _features(words: list[str], place: str) -> list[tuple[int, float]]:
    row: list[tuple[int, float]] = []
    for word in words:
        index, colon, value = word.partition(":")
        if not colon or not (index.isascii() and index.isdigit()):
            raise DataError(f"{place}: expected index:value with an integer index >= 1, got {word!r}")
        if int(index) < 1:
            raise DataError(f"{place}: expected an index >= 1, got {word!r}")
        if row and int(index) <= row[-1][0]:
            raise DataError(f"{place}: expected increasing indices, got {index} after {row[-1][0]}")
        row.append((int(index), _finite(value, f"{place}: value of index {index}")))
    return row


def _finite(word: str, what: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{what}: expected a finite number, got {word!r}")
    return number


def design(features: Tensor) -> Tensor:
    """Columns with mean 0 and variance 1, constant ones dropped, then a column of ones; (n, d).

    ValueError if every column is constant.
    """
    varying = features.amax(dim=0) > features.amin(dim=0)
    if not bool(varying.any()):
        raise DataError("the data must have a column that is not constant")
    kept = features[:, varying]
    kept = (kept - kept.mean(dim=0)) / kept.std(dim=0, correction=0)
    return torch.cat([kept, torch.ones_like(kept[:, :1])], dim=1)


def binary_labels(name: str, labels: Tensor) -> Tensor:
    """Labels as -1, +1: the smaller of two values is -1; for "digits", odd is -1 and even +1.

    ValueError unless the labels have exactly two values.
    """
    if name == "digits":
        return 1 - 2 * (labels % 2)
    values = labels.unique()
    if values.numel() != 2:
        shown = ", ".join(f"{v:g}" for v in values[:5].tolist())
        raise DataError(f"data {name!r} must have exactly two labels, got {values.numel()}: {shown}")
    return torch.where(labels == values[1], 1.0, -1.0).to(labels)
