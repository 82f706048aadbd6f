"""Work for another process: everything by value that an import there would not find, and its answer."""

import contextlib
import importlib.machinery
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import cloudpickle

from workbench._shadow import ROOMS


class UnsendableError(ValueError):
    """A piece of work cannot be sent to another process."""


class WorkerLostError(RuntimeError):
    """What does the work elsewhere ended in the middle of it."""


@dataclass(frozen=True)
class Answer:
    """What comes back: the result of ``tasks[index]``, or the text of an error."""

    index: int
    result: Any = None
    text: str = ""


class FailedError(Exception):
    """An answer that is an error."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


def answer(function: Callable[[Any], Any], tasks: Sequence[Any], place: int, index: int) -> Answer:
    """``function(tasks[place])`` as the answer number ``index``; whatever it raises becomes text."""
    try:
        return Answer(index, function(tasks[place]))
    except BaseException:
        return Answer(index, text=traceback.format_exc())


def packed(function: Callable[[Any], Any], tasks: Sequence[Any], elsewhere: bool = False) -> bytes:
    """The pair (function, tasks) for ``pickle.loads`` in a process that has the same library.

    elsewhere: that process need not share the current folder; what was imported from it goes by value too.
    UnsendableError for what cannot be pickled.
    """
    by_value = [module for name, module in _top_modules() if not _found(name)]
    if elsewhere:
        by_value += [m for name, m in _top_modules() if m not in by_value and _from_here(name, m)]
    for module in by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps((function, list(tasks)))
    except Exception as error:  # __reduce__ of a user's object may raise anything
        raise UnsendableError(
            f"the work cannot be sent to other processes: {type(error).__name__}: {error}; "
            "with jobs = 1 it need not be"
        ) from error
    finally:
        for module in by_value:
            cloudpickle.unregister_pickle_by_value(module)


def _top_modules() -> list[tuple[str, ModuleType]]:
    """Loaded top-level modules that come from files; ``__main__`` is always sent by value."""
    loaded = [(n, m) for n, m in list(sys.modules.items()) if "." not in n and n != "__mp_main__"]
    files = [(n, m) for n, m in loaded if n != "__main__" and getattr(m, "__file__", None)]
    return [(n, m) for n, m in files if m.__name__ == n]


def _found(name: str) -> bool:
    """True if a finder finds the module by its name: not so a user's file, and what lies beside it."""
    finders: list[Any] = [*sys.meta_path, importlib.machinery.PathFinder]
    for finder in finders:
        with contextlib.suppress(Exception):  # a finder that cannot say has not found it
            if finder.find_spec(name, None) is not None:
                return True
    return False


def _from_here(name: str, module: ModuleType) -> bool:
    """True if the module lies in the current folder, and is none of the library's rooms."""
    file = Path(os.path.realpath(module.__file__ or ""))
    home = file.parents[1] if hasattr(module, "__path__") else file.parent
    return home == Path.cwd().resolve() and name not in (*ROOMS, "workbench")
