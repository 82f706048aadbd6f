"""Texts as tokens: those that packages hold, and the user's own."""

import gzip
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from problems.data.libsvm import DataError
from problems.data.sets import debian_roots

JARGON = "usr/share/doc/jargon-text/jargon.txt.gz"
TOKENS = ("chars", "bytes")


@dataclass(frozen=True)
class TextSource:
    """A text of a package: where it is, if it is there, and how it is read."""

    find: Callable[[], Path | None]
    read: Callable[[Path], str]
    install: str


@dataclass(frozen=True, eq=False)
class TextData:
    """A text as tokens.

    tokens: (n,), int32, in 0, ..., vocabulary - 1. symbols: the characters that they stand for, in order;
    None for bytes. sha256: of the text in UTF-8. note: why this text, if it was not asked for.
    """

    name: str
    tokens: Tensor
    vocabulary: int
    symbols: str | None
    sha256: str
    note: str = ""


def load_text(name: str | os.PathLike[str], tokens: str = "chars") -> TextData:
    """The text of a name in ``TEXTS``, or of a file, in UTF-8.

    tokens: "chars", the characters that occur, sorted; or "bytes", the 256 of UTF-8. DataError for a text
    whose package is missing, with the command that installs it, for a file that is missing, empty, or
    not text, and for a text of one symbol only; ValueError for other tokens.
    """
    if tokens not in TOKENS:
        raise ValueError(f"tokens must be one of {', '.join(TOKENS)}, got {tokens!r}")
    text = _packaged(name) if name in TEXTS else _of_file(Path(name))
    if len(set(text)) < 2:
        raise DataError(f"{name}: a text needs two different characters or more, got {text[:20]!r}")
    content = text.encode()
    if tokens == "bytes":
        coded, symbols = np.frombuffer(content, np.uint8).astype(np.int32), None
    else:
        coded, symbols = _characters(text)
    vocabulary = 256 if symbols is None else len(symbols)
    digest = hashlib.sha256(content).hexdigest()
    return TextData(str(name), torch.from_numpy(coded), vocabulary, symbols, digest)


def default_text() -> tuple[str, str]:
    """The first text that is there: its name, and why it was taken; DataError if none is installed."""
    missing = []
    for name, source in TEXTS.items():
        if source.find() is not None:
            lacking = "".join(f"; {other} is not installed: {TEXTS[other].install}" for other in missing)
            return name, f"the default{lacking}"
        missing.append(name)
    raise DataError(f"no text is installed; {' or '.join(TEXTS[name].install for name in missing)}")


def _packaged(name: str | os.PathLike[str]) -> str:
    source = TEXTS[str(name)]
    place = source.find()
    if place is None:
        raise DataError(f"text {name!r} was not found: {source.install}")
    return source.read(place)


def _of_file(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        names = ", ".join(map(repr, TEXTS))
        raise DataError(f"text must be {names} or the path of a text file, got {str(path)!r}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return _decoded(path, content)


def _decoded(path: Path, content: bytes) -> str:
    """UTF-8, without a mark of the byte order."""
    if not content:
        raise DataError(f"{path}: the file is empty")
    if 0 in content:
        raise DataError(f"{path}: expected a text, and byte {content.index(0)} is 0: the file is binary")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: expected a text in UTF-8: byte {error.start}: {error.reason}") from None


def _characters(text: str) -> tuple[np.ndarray, str]:
    """The place of each character among those that occur, and these, sorted."""
    codes = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    present = np.flatnonzero(np.bincount(codes))
    place = np.zeros(present[-1] + 1, np.int32)
    place[present] = np.arange(len(present), dtype=np.int32)
    return place[codes], "".join(map(chr, present))


# -- the texts of packages ------------------------------------------------------------------------


def _bible() -> Path | None:
    """The program of bible-kjv, in a folder of WORKBENCH_DATA or on the path."""
    places = [root / "usr/bin/bible" for root in debian_roots()]
    found = next((place for place in places if os.access(place, os.X_OK)), None)
    return found or (Path(program) if (program := shutil.which("bible")) else None)


def _king_james(program: Path) -> str:
    """Every verse on a line of its own. The program looks for its data in the folder where it runs."""
    beside = program.resolve().parent.parent / "lib"
    folder = beside if (beside / "bible.data").is_file() else Path("/")
    command = [str(program.absolute()), "-f", "gen1:1-rev22:21"]
    try:
        run = subprocess.run(
            command, capture_output=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DataError(f"{' '.join(command)}: {error}") from None
    if run.returncode or not run.stdout.startswith(b"Ge1:1 In the beginning"):
        said = (run.stderr or run.stdout).decode(errors="replace").strip()[:200]
        raise DataError(f"{' '.join(command)}: expected the verses from Genesis 1:1 on, got {said!r}")
    return _decoded(program, run.stdout)


def _jargon(path: Path) -> str:
    try:
        return _decoded(path, gzip.decompress(path.read_bytes()))
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from None


def _pydoc(path: Path) -> str:
    del path
    return "\n\n".join(importlib.import_module("pydoc_data.topics").topics.values())


def _pydoc_file() -> Path | None:
    spec = importlib.util.find_spec("pydoc_data.topics")
    return Path(spec.origin) if spec and spec.origin else None


TEXTS: dict[str, TextSource] = {
    "king_james": TextSource(_bible, _king_james, "apt-get install bible-kjv"),
    "jargon": TextSource(
        lambda: next((root / JARGON for root in debian_roots() if (root / JARGON).is_file()), None),
        _jargon,
        "apt-get install jargon-text",
    ),
    "pydoc": TextSource(_pydoc_file, _pydoc, "a Python with its standard library"),
}
"""By name, the best first: the King James Bible (4.4 million characters), the Jargon File (1.6), and the help
texts of Python (0.5), which every Python has, another one each version."""
