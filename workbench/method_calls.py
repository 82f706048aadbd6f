"""Calls that make methods: a text read, what a class requires, an example."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import torch

from assumptions import parse_specification
from assumptions.guards import as_floats
from workbench.claims import axes_of
from workbench.methods.base import Method
from workbench.unknown_name import UnknownNameError

EXAMPLES = {"sampling": "Single()", "law": "RPT()"}
"""One for each hyperparameter that is an object and has no default."""


def method_of_call(text: str, kind: type[Method], names: Mapping[str, Any]) -> Method:
    """The method that ``text``, a call of ``kind``, makes: parsed, never evaluated.

    names: what its hyperparameters may be, besides numbers, such as norms. Those of layers or clients may be
    tuples, one number for each. UnknownNameError, with an example, where something is missing or too much;
    ValueError where the text is not accepted.
    """
    name = kind.__name__
    required = [field.name for field in _without_default(kind)]
    if "".join(text.split()) in (name, f"{name}()") and (text == name or required):
        needed = ", ".join(required) or "its brackets"
        raise UnknownNameError(f"{name} needs {needed}; for example {example_call(kind)}")
    try:
        return parse_specification(text, {**names, name: _with_axes(kind)})
    except TypeError as error:
        said = str(error).removeprefix(f"{name}.__init__() ")
        hint = f"; for example {example_call(kind)}" if said != str(error) else ""
        raise UnknownNameError(f"method {text!r}: {said}{hint}") from None


def example_call(kind: type[Method]) -> str:
    """A call that makes one."""
    given = {f.name: "1" if f.type in (int, "int") else "0.5" for f in _without_default(kind)}
    given |= {name: text for name, text in EXAMPLES.items() if name in given}
    return f"{kind.__name__}({', '.join(f'{name}={value}' for name, value in given.items())})"


def _without_default(kind: type[Method]) -> list[dataclasses.Field[Any]]:
    fields = dataclasses.fields(kind)  # pyright: ignore[reportArgumentType]
    return [f for f in fields if f.init and f.default is f.default_factory is dataclasses.MISSING]


def _with_axes(kind: type[Method]) -> Callable[..., Method]:
    """The class, with tuples accepted for hyperparameters of layers or clients: one number for each."""
    names = [f.name for f in dataclasses.fields(kind)]  # pyright: ignore[reportArgumentType]

    def number(name: str, value: Any) -> Any:
        if not axes_of(name) or not isinstance(value, tuple):
            return value
        return torch.tensor(as_floats(name, value), dtype=torch.float64)

    def make(*positional: Any, **named: Any) -> Method:
        placed = (number(names[i] if i < len(names) else "", v) for i, v in enumerate(positional))
        return kind(*placed, **{name: number(name, v) for name, v in named.items()})

    return make
