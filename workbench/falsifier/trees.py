"""Numbers in nested tuples and in the fields of objects: where they are, and others in their place."""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

Path = tuple[str | int, ...]
"""Names of fields and places in tuples, from the outside inwards."""


def numbers(value: Any, path: Path = ()) -> Iterator[tuple[Path, float | int]]:
    """Every number with its place, in order; True and False are none."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield path, value
        return
    for key, inner in _parts(value):
        yield from numbers(inner, (*path, key))


def sequences(value: Any, path: Path = ()) -> Iterator[tuple[Path, tuple[Any, ...]]]:
    """Every tuple with its place, outer ones first."""
    if isinstance(value, tuple):
        yield path, value
    for key, inner in _parts(value):
        yield from sequences(inner, (*path, key))


def at(value: Any, path: Path) -> Any:
    """What is there."""
    for key in path:
        value = getattr(value, key) if isinstance(key, str) else value[key]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    """The same with something else there; what objects refuse is a ValueError or TypeError."""
    if not path:
        return new
    key, rest = path[0], path[1:]
    if isinstance(key, str):
        return dataclasses.replace(value, **{key: put(getattr(value, key), rest, new)})
    return (*value[:key], put(value[key], rest, new), *value[key + 1 :])


def mapped(value: Any, change: Callable[[float | int], float | int]) -> Any:
    """Every number of nested tuples changed; the rest as it is."""
    if isinstance(value, tuple):
        return tuple(mapped(v, change) for v in value)
    return change(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def shorter(value: Any, length: int, index: int) -> Any:
    """Nested tuples, with entry ``index`` taken out of each that has this length."""
    if not isinstance(value, tuple):
        return value
    inner = tuple(shorter(v, length, index) for v in value)
    return (*inner[:index], *inner[index + 1 :]) if len(inner) == length else inner


def frozen(value: Any) -> Any:
    """Lists as tuples, all the way down."""
    return tuple(frozen(v) for v in value) if isinstance(value, list | tuple) else value


def field_names(value: Any) -> tuple[str, ...]:
    """Fields with which an object is made; none of what is no dataclass."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return ()
    return tuple(f.name for f in dataclasses.fields(value) if f.init and f.repr)


def _parts(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, tuple):
        yield from enumerate(value)
    else:
        yield from ((name, getattr(value, name)) for name in field_names(value))
