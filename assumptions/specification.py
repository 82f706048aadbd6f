"""Objects that print as the call that makes them; that text is their identity in results."""

import ast
import dataclasses
import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from numbers import Integral, Real
from typing import Any


class Specified:
    """Base of every object with an identity: ``repr`` is the call that makes it.

    Fields equal to their default are left out: ``Huber(L=1.0, d=4)``. A class may still write
    its own ``__repr__`` in its body.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Install the printing before ``@dataclass`` looks for one."""
        super().__init_subclass__(**kwargs)
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Specified.__repr__

    def __repr__(self) -> str:
        """The call, keyword by keyword."""
        fields = dataclasses.fields(self) if dataclasses.is_dataclass(self) else ()
        parts = [
            f"{f.name}={_plain(getattr(self, f.name))!r}"
            for f in fields
            if f.init and f.repr and not _is_default(f, getattr(self, f.name))
        ]
        return f"{type(self).__name__}({', '.join(parts)})"


def _plain(value: Any) -> Any:
    """A float or integer of another library as Python's own, which prints as a literal; all else as it is."""
    if isinstance(value, bool | Fraction) or type(value) in (float, int) or not isinstance(value, Real):
        return value
    return int(value) if isinstance(value, Integral) else float(value)


def _is_default(field: dataclasses.Field, value: Any) -> bool:
    if field.default is dataclasses.MISSING:
        return False
    return type(value) is type(field.default) and value == field.default


def parse_specification(text: str, names: Mapping[str, Callable[..., Any]]) -> Any:
    """Make the object that ``text`` prints; parsed, never evaluated.

    Accepted: calls of the given ``names`` with literals, tuples, ``inf``, ``nan`` and nested calls.
    ValueError names the part that is not accepted.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"specification {text!r} is not a call: {error.msg}") from None
    return _build(tree.body, names, text)


def _build(node: ast.expr, names: Mapping[str, Callable[..., Any]], text: str) -> Any:
    match node:
        case ast.Constant(value=value) if isinstance(value, bool | int | float | str | None):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() | ast.Name() as operand):
            value = _build(operand, names, text)
            if not isinstance(value, int | float):
                raise ValueError(f"specification {text!r}: only a number can follow a minus, got {value!r}")
            return -value
        case ast.Tuple(elts=items):
            return tuple(_build(item, names, text) for item in items)
        case ast.Name(id="inf"):
            return math.inf
        case ast.Name(id="nan"):
            return math.nan
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords):
            if name not in names:
                known = ", ".join(sorted(names))
                raise ValueError(f"specification {text!r}: unknown name {name!r}; known: {known}")
            if any(k.arg is None for k in keywords):
                raise ValueError(f"specification {text!r}: ** is not accepted")
            given = [k.arg for k in keywords]
            twice = next((key for key in given if given.count(key) > 1), None)
            if twice is not None:
                raise ValueError(f"specification {text!r}: {twice!r} is given twice")
            positional = [_build(arg, names, text) for arg in args]
            named = {k.arg: _build(k.value, names, text) for k in keywords if k.arg is not None}
            return names[name](*positional, **named)
        case _:
            part = ast.unparse(node)
            raise ValueError(
                f"specification {text!r}: {part!r} is not accepted; "
                "calls of listed names, numbers, strings and tuples are"
            )
