"""A user's file: loaded as a module, its objects collected; nothing needs to be registered."""

import contextlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from assumptions import IMPLICATIONS, Assumption, Implies
from problems import FULL_INSTANCES, INSTANCES, Problem
from workbench.methods.base import Method
from workbench.theorem import Theorem
from workbench.theorems import THEOREMS
from workbench.user_code import as_module, told


class UserFileError(ValueError):
    """The user's file cannot be used; says where and why."""


@dataclass(frozen=True)
class UserFile:
    """What a user's file holds at module level, also inside tuples and lists.

    theorems, problems, implications  instances that the library does not have
    methods, assumptions, families    classes defined in the file
    sources                           the file, and the modules beside it that it imported
    """

    path: Path
    theorems: tuple[Theorem, ...] = ()
    problems: tuple[Problem, ...] = ()
    methods: tuple[type[Method], ...] = ()
    assumptions: tuple[type[Assumption], ...] = ()
    families: tuple[type[Problem], ...] = ()
    implications: tuple[Implies, ...] = ()
    sources: tuple[Path, ...] = ()


def load_user_file(path: str | Path) -> UserFile:
    """Run the file and collect its objects.

    Its folder can be imported from while it loads, and no longer. What it prints goes to stderr.
    UserFileError: no such file, a folder, not Python, an exception while it runs, no object in it, or
    two objects under one name.
    """
    path = Path(path)
    module = _import(path)
    try:
        found = _collect(module)
        printed = [repr(p) for p in found["problems"]]
    except Exception as error:  # what an object at module level raises when it is asked what it is
        raise UserFileError(_told(path, error)) from error
    user = UserFile(path.resolve(), **found, sources=_sources(path.resolve()))
    if not any(found.values()):
        raise UserFileError(
            f"{path} holds no Theorem, Problem, Method or Assumption at module level; "
            "`workbench new theorem` writes an example"
        )
    _require_unique(path, "theorems with the id", [t.id for t in user.theorems])
    _require_unique(path, "problems that print as", printed)
    return user


def _sources(place: Path) -> tuple[Path, ...]:
    """The file and the loaded modules under its folder, less the library and installed packages."""
    rooms = {"assumptions", "problems", "workbench", "figures"}
    loaded = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
    files = [Path(f).resolve() for name, f in loaded.items() if f and name.partition(".")[0] not in rooms]
    beside = {f for f in files if f.is_relative_to(place.parent) and "site-packages" not in f.parts}
    return tuple(sorted({place, *beside}))


def _import(path: Path) -> ModuleType:
    code = _compiled(path)
    place = path.resolve()
    try:
        with as_module(place, "workbench_user") as module, contextlib.redirect_stdout(sys.stderr):
            exec(code, module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too, and what a user derives from BaseException
        raise UserFileError(_told(path, error)) from error
    return module


def _told(path: Path, error: BaseException) -> str:
    """An error of the user's code, with its line."""
    return told(error, path) or f"{path}: {type(error).__name__}: {error}"


def _compiled(path: Path) -> Any:
    if path.is_dir():
        raise UserFileError(f"{path} is a folder; a Python file is needed")
    try:
        source = importlib.util.decode_source(path.read_bytes())
        return compile(source, str(path.resolve()), "exec")
    except FileNotFoundError:
        raise UserFileError(f"{path} does not exist") from None
    except OSError as error:
        raise UserFileError(f"{path} cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        text = f": {error.text.strip()}" if error.text else ""
        where = f"{path}, line {error.lineno}" if error.lineno else str(path)
        raise UserFileError(f"{where}: {error.msg}{text}") from None
    except (MemoryError, RecursionError):  # what the parser raises
        raise UserFileError(f"{path}: an expression in it is nested too deeply for Python") from None
    except ValueError as error:  # bytes that are not text
        raise UserFileError(f"{path} is not a Python file: {error}") from None


def _collect(module: ModuleType) -> dict[str, tuple[Any, ...]]:
    library = {id(o) for o in (*THEOREMS, *INSTANCES, *FULL_INSTANCES, *IMPLICATIONS)}
    kinds = {"theorems": Theorem, "problems": Problem, "implications": Implies}
    classes = {"methods": Method, "assumptions": Assumption, "families": Problem}
    found: dict[str, dict[int, Any]] = {name: {} for name in (*kinds, *classes)}
    for thing in _flat([value for name, value in vars(module).items() if not name.startswith("__")]):
        if isinstance(thing, type):
            own = thing.__module__ == module.__name__ and not inspect.isabstract(thing)
            names = [name for name, base in classes.items() if own and issubclass(thing, base)]
        else:
            names = [n for n, kind in kinds.items() if isinstance(thing, kind) and id(thing) not in library]
        for name in names:
            found[name].setdefault(id(thing), thing)
    return {name: tuple(things.values()) for name, things in found.items()}


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if type(value) in (tuple, list):
            yield from _flat(value)
        else:
            yield value


def _require_unique(path: Path, what: str, names: list[str]) -> None:
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise UserFileError(
            f"{path} has two {what} {twice[0]}; "
            "that text is the identity in results, so give them different names"
        )
