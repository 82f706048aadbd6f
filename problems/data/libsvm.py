"""Files in the LIBSVM format."""

import math
from pathlib import Path

import torch
from torch import Tensor

MOST_ENTRIES = 250_000_000
"""Rows times columns of a dense table: two gigabytes."""
DIGITS = 18
"""Longer indices are not read: Python refuses to make integers of very long ones."""


class DataError(ValueError):
    """Data that cannot be read; names the file, the line and what was expected."""


def read_libsvm(path: str | Path) -> tuple[Tensor, Tensor]:
    """Read ``label index:value index:value ...`` per line; indices from 1, increasing; dense result.

    Text after ``#`` and blank lines are ignored. Returns A (n, d), d the largest index, and b (n,),
    float64. DataError with file, line and what was expected: a missing or empty file, a label or
    value that is no finite number, an index that is no integer >= 1 or does not increase, a table of
    more than MOST_ENTRIES numbers.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise DataError(
            f"{path}: expected a text file in the LIBSVM format, got bytes that are not UTF-8"
        ) from None
    rows, labels, d, widest = [], [], 0, ""
    for number, line in enumerate(lines, start=1):
        words = line.partition("#")[0].split()
        if words:
            place = f"{path}, line {number}"
            labels.append(_finite(words[0], f"{place}: label"))
            rows.append(row := _features(words[1:], place))
            if row and row[-1][0] > d:
                d, widest = row[-1][0], place
    if not rows:
        raise DataError(f"{path}: expected lines 'label index:value ...', the file has none")
    if d == 0:
        raise DataError(f"{path}: expected at least one index:value, the file has labels only")
    if len(rows) * d > MOST_ENTRIES:
        raise DataError(
            f"{widest}: expected at most {MOST_ENTRIES} numbers in a dense table, got {len(rows)} rows and "
            f"an index of {d}"
        )
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
        if len(index) > DIGITS:
            raise DataError(f"{place}: expected an index of at most {DIGITS} digits, got {len(index)} digits")
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
