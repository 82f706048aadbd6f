"""What commands write: text and tables on stdout, messages on stderr, colours on terminals only."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from workbench.whole_file import whole_file

Cell = RenderableType


class WrongUseError(Exception):
    """The user's mistake, in one message; the command exits with 2."""


@contextlib.contextmanager
def wrong_use() -> Iterator[None]:
    """Inside, a ValueError (bad name, bad file, bad folder) is the user's mistake: a WrongUseError."""
    try:
        yield
    except ValueError as error:
        raise WrongUseError(str(error)) from error


def note(message: str) -> None:
    """One line on stderr."""
    typer.echo(message, err=True)


def write_json(document: Any, target: str) -> None:
    """To stdout for "-", else to a file, as ``write_whole``."""
    text = json.dumps(document, indent=2, allow_nan=False, ensure_ascii=False)
    if target == "-":
        typer.echo(text)
    else:
        write_whole(target, text + "\n")


def write_whole(target: str | Path, text: str) -> None:
    """A file with this text, or a WrongUseError and what was there before.

    In place where nothing can stand beside it: a pipe, a device, a file in a folder of somebody else.
    """
    path = Path(target).resolve()
    beside = os.access(path.parent, os.W_OK) and (path.is_file() or not path.exists())
    try:
        with whole_file(path) if beside else contextlib.nullcontext(path) as place:
            place.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUseError(f"{target} cannot be written: {error.strerror}") from None


def plain(value: Any) -> Any:
    """What JSON can hold: inf and nan, which it has not, as strings; tensors as lists."""
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not abs(value) < float("inf"):
        return str(value)
    return value


def require_writable(target: str | None) -> None:
    """WrongUseError, before any work, if ``write_json`` could not write there."""
    if target in (None, "-"):
        return
    path = Path(target)  # pyright: ignore[reportArgumentType]
    known = path.exists()
    try:
        with path.open("a", encoding="utf-8"):
            pass
        if not known:
            path.unlink()
    except OSError as error:
        raise WrongUseError(f"{target} cannot be written: {error.strerror}") from None


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    right: Sequence[str] = (),
    whole: Sequence[str] = (),
    out: Console | None = None,
) -> None:
    """A plain table; long cells fold, but for those of the columns ``whole``, which can be copied."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        justify = "right" if column in right else "left"
        table.add_column(column, justify=justify, overflow="fold", no_wrap=column in whole)
    for row in rows:
        table.add_row(*row)
    (out or console()).print(table)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """The reader has seen enough: no failure; ``dispatch`` ends quietly."""
        raise BrokenPipeError


def console(least: int = 0) -> Console:
    """stdout without markup, emoji or highlighting; COLUMNS or 80, or ``least``, where it is no terminal.

    What is no positive integer in COLUMNS counts as not said.
    """
    said = os.environ.get("COLUMNS", "")
    columns = int(said) if said.isascii() and said.isdigit() and 0 < len(said) < 10 else 0
    width, height = (None, None) if sys.stdout.isatty() else (max(columns or 80, least), 25)
    # with a height of its own rich does not read COLUMNS again
    return _Console(markup=False, emoji=False, highlight=False, width=width, height=height)
