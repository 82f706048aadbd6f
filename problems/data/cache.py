"""Converted data on disk, keyed by the content of what was converted."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FORMAT = "1"
"""Part of every key: raised when a converter changes what it makes."""


class Table(NamedTuple):
    """Features (n, d), numbers of any type, and the class of each row, (n,), text."""

    features: NDArray
    classes: NDArray


def cache_folder() -> Path:
    """WORKBENCH_CACHE if it is set, else the cache folder of the platform."""
    if chosen := os.environ.get("WORKBENCH_CACHE"):
        return Path(chosen)
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "workbench"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "workbench" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "workbench"


def cached_table(name: str, files: tuple[Path, ...], convert: Callable[[], Table]) -> Table:
    """``convert()``, or what it made of files of this content before.

    The key is the SHA-256 of the files and FORMAT. A stored table that is torn, or of another key, is made
    again; where the folder cannot be written to, nothing is stored.
    """
    key = _key(files)
    path = cache_folder() / f"{name}-{key[:16]}.npz"
    found = _stored(path, key)
    if found is not None:
        return found
    table = convert()
    with suppress(OSError):
        _store(path, key, table)
    return table


def _key(files: tuple[Path, ...]) -> str:
    digest = hashlib.sha256(FORMAT.encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{len(content)} ".encode())
        digest.update(content)
    return digest.hexdigest()


def _stored(path: Path, key: str) -> Table | None:
    """The table at the path, if it is whole and of this key. Nothing stored is ever unpickled."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            if str(stored["key"]) != key:
                return None
            table = Table(stored["features"], stored["classes"])
    except Exception:  # a flipped byte makes zipfile raise nearly anything, NotImplementedError for one
        return None
    whole = table.features.ndim == 2 and table.classes.shape == table.features.shape[:1]
    return table if whole and table.features.dtype.kind in "uif" else None


def _store(path: Path, key: str, table: Table) -> None:
    """Written beside its place and moved there whole, so that no reader meets a part of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, key=np.array(key), features=table.features, classes=table.classes)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise
