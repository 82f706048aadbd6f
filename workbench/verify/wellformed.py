"""Records that somebody else may have written: each field is of the type that `Record` declares."""

import dataclasses
import math
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from workbench.parts import KINDS, Status
from workbench.verify.record import Record
from workbench.verify.verdicts import Verdict

_KNOWN = {"verdict": tuple(Verdict), "kind": KINDS, "source_status": get_args(Status)}


def require_wellformed(record: Record) -> None:
    """ValueError that names the first field of another type, with an unknown word, or a wrong part.

    A bool is no number; an int is a float, and so are the texts "inf", "-inf" and "nan" that stand for one.
    """
    for name, hint in _hints().items():
        value = getattr(record, name)
        if not _fits(value, hint):
            raise ValueError(f"{name} must be {_said(hint)}, got {str(value)[:80]!r}")
    for name, known in _KNOWN.items():
        if getattr(record, name) not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}, got {getattr(record, name)!r}")
    index, count = record.part
    if not 0 <= index < count:
        raise ValueError(f"part must be (index, count) with 0 <= index < count, got {record.part!r}")
    if not (math.isfinite(float(record.seconds)) and record.seconds >= 0):
        raise ValueError(f"seconds must be at least 0 and finite, got {record.seconds!r}")


@cache
def _hints() -> dict[str, Any]:
    hints = get_type_hints(Record)
    return {field.name: hints[field.name] for field in dataclasses.fields(Record)}


def _fits(value: Any, hint: Any) -> bool:
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in inner)
    if origin is tuple:
        each = inner[:1] * len(value) if inner[-1] is Ellipsis else inner
        return len(value) == len(each) and all(map(_fits, value, each))
    if origin is Mapping:
        return isinstance(value, dict) and all(_fits(v, inner[1]) for v in value.values())
    if hint is float and isinstance(value, str):
        return value in ("inf", "-inf", "nan")
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def _said(hint: Any) -> str:
    return (
        hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")
    )
