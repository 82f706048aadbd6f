"""Readers of the formats in which packages hold data; heavy packages are imported when asked for."""

import gzip
import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from problems.data.cache import Table
from problems.data.libsvm import DataError


def read_rda(path: Path, name: str, label: str) -> Table:
    """The data frame ``name`` of a file saved by R, by pyreadr; DataError if it has no such frame."""
    frames = _package("pyreadr", path).read_r(str(path))
    if name not in frames:
        raise DataError(f"{path}: expected a data frame {name!r}, got {list(frames)}")
    return frame_table(frames[name], label, path)


def read_pickled_frame(path: Path, label: str) -> Table:
    """A data frame pickled by pandas, xz-compressed: as trusted as the installed package that holds it."""
    return frame_table(_package("pandas", path).read_pickle(path, compression="xz"), label, path)


def read_csv(path: Path) -> Table:
    """A gzip file of numbers between commas, perhaps below a line of names; the class comes last.

    DataError for anything else.
    """
    with gzip.open(path, "rt", encoding="utf-8") as text:
        named = any(c.isalpha() for c in text.readline())
        text.seek(0)
        try:
            rows = np.loadtxt(text, delimiter=",", skiprows=int(named), ndmin=2)
        except ValueError as error:
            raise DataError(f"{path}: expected numbers between commas: {error}") from None
    return Table(compact(rows[:, :-1]), rows[:, -1].astype(np.int64).astype(str))


def read_idx(images: Path, labels: Path) -> Table:
    """Images, one row each, and their classes, in the gzipped format of MNIST; DataError if counts differ."""
    pixels, classes = _idx(images, 3), _idx(labels, 1)
    if len(pixels) != len(classes):
        raise DataError(f"{images}: {len(pixels)} images, but {labels} has {len(classes)} labels")
    return Table(pixels.reshape(len(pixels), -1), classes.astype(str))


def _idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """An array of bytes: magic number 0x0800 + axes, the sizes as 32-bit integers, the entries."""
    content = gzip.decompress(path.read_bytes())
    head = 4 * (axes + 1)
    sizes = np.frombuffer(content[:head], dtype=">u4") if len(content) >= head else np.zeros(axes + 1)
    if int(sizes[0]) != 0x0800 + axes or int(np.prod(sizes[1:], dtype=np.int64)) != len(content) - head:
        raise DataError(f"{path}: expected an idx file of bytes with {axes} axes")
    return np.frombuffer(content, dtype=np.uint8, offset=head).reshape([int(size) for size in sizes[1:]])


def frame_table(frame: Any, label: str, path: Path) -> Table:
    """Columns as numbers: text that is not one becomes a column of 0 and 1 for each of its values, sorted.

    frame: of pandas; a column "rownames" is left out. label: the column of classes. DataError if there is
    none, or for numbers that are missing.
    """
    if label not in frame.columns:
        raise DataError(f"{path}: expected a column {label!r}, got {list(frame.columns)[:5]}")
    columns = []
    for name in frame.columns:
        if name in (label, "rownames"):
            continue
        column = frame[name]
        try:
            columns.append(
                np.asarray(column.astype(str) if column.dtype.kind == "O" else column, dtype=float)
            )
        except ValueError:
            text = np.asarray(column.astype(str))
            columns.extend((text == value).astype(float) for value in np.unique(text))
    features = np.stack(columns, axis=1)
    if not np.isfinite(features).all():
        raise DataError(f"{path}: expected finite numbers, found a missing one")
    return Table(compact(features), np.asarray(frame[label].astype(str), dtype=str))


def compact(features: NDArray) -> NDArray:
    """The same numbers as bytes where they are whole and in 0, ..., 255."""
    with np.errstate(invalid="ignore"):
        small = features.astype(np.uint8)
    return small if np.array_equal(small, features) else features.astype(np.float64)


def _package(name: str, path: Path) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise DataError(f"{path}: {name} is needed to read it: pip install {name}") from None
