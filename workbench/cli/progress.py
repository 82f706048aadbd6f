"""A bar while something long runs."""

import contextlib
import sys
from collections.abc import Iterator
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn


class Tell(Protocol):
    """Says how far it is, and with what."""

    def __call__(self, done: int, total: int, label: str = "") -> None:
        """``done`` pieces of ``total``; label: the one at hand."""
        ...


@contextlib.contextmanager
def progress() -> Iterator[Tell]:
    """A bar on stderr if that is a terminal, else nothing."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    columns = (BarColumn(20), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Progress(*columns, console=Console(stderr=True, emoji=False), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int, label: str = "") -> None:
            bar.update(task, completed=done, total=total, description=label[:48])

        yield show


def _nothing(done: int, total: int, label: str = "") -> None:
    del done, total, label
