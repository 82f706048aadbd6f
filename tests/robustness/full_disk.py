"""Files whose writing fails in the middle, as on a full disk, or at once, as in the folder of another."""

import builtins
import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

FULL, DENIED = errno.ENOSPC, errno.EACCES


class _Filling:
    """A file that takes half of what is written, then nothing."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: Any) -> int:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        raise OSError(FULL, os.strerror(FULL))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> "_Filling":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


@contextmanager
def failing(pattern: str, code: int, after: int = 0) -> Iterator[list[str]]:
    """Inside, writing to files whose path fits the pattern fails, but for the first ``after`` openings.

    Yields the paths at which it did.
    """
    struck: list[str] = []
    opened = [0]
    true_open: Callable[..., Any] = io.open

    def bad_open(file: Any, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        path = os.fspath(file) if isinstance(file, str | os.PathLike) else ""
        if not (set(mode) & set("wax+") and fnmatch(str(path), pattern)):
            return true_open(file, mode, *arguments, **options)
        opened[0] += 1
        if opened[0] <= after:
            return true_open(file, mode, *arguments, **options)
        struck.append(str(path))
        if code == DENIED:
            raise PermissionError(DENIED, os.strerror(DENIED), str(path))
        return _Filling(true_open(file, mode, *arguments, **options))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(io, "open", bad_open)
        patch.setattr(builtins, "open", bad_open)
        yield struck


def left_overs(folder: Path) -> list[str]:
    """Parts of files that were never whole."""
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*.part"))
