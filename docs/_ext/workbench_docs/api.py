"""Pages of the API: one for each room, from the names that it exports."""

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType

from assumptions import ASSUMPTIONS
from problems import PROBLEMS
from workbench.methods import METHODS

from .markup import heading, text

MODULES = {
    "workbench": "What a file of yours needs.",
    "assumptions": "What can be said about a function.",
    "problems": "Functions with proved constants.",
    "figures": "Drawing runs and recipes.",
    "workbench.methods": "Reference methods.",
    "workbench.optim": "Optimizers for torch.",
    "workbench.probes": "Smoothness along the training of a network.",
    "workbench.verify": "Verdicts, budgets, records.",
    "workbench.worst_case": "The worst function of a class, exactly.",
    "workbench.report": "Pages and tables from records.",
    "workbench.testing": "Theorems in a test of yours.",
}
"""Module -> its page's first line, in the order of the table of contents."""


def pages() -> Iterator[tuple[str, str]]:
    """(name of the page, text), the front page first. What several modules export is described once."""
    lines = [
        heading("API"),
        "Every public name, from its docstring.",
        "",
        ".. toctree::",
        "   :maxdepth: 1",
        "",
    ]
    yield "index", "\n".join([*lines, *(f"   {name}" for name in MODULES), ""])
    described: dict[int, str] = {}
    for name, about in MODULES.items():
        module = importlib.import_module(name)
        parts = [heading(name), text(about), "", f".. py:currentmodule:: {name}", ""]
        for public in public_names(module):
            value = getattr(module, public)
            parts += _directive(f"{name}.{public}", value, described)
        yield name, "\n".join(parts)


def public_names(module: ModuleType) -> list[str]:
    """``__all__``; where there is none, the functions and classes that the module itself defines."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__, key=str.lower)
    own = [n for n, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
    return sorted(n for n in own if not n.startswith("_"))


def _directive(path: str, value: object, described: dict[int, str]) -> list[str]:
    """How autodoc is asked; of objects of the library, which have pages, for the signature alone."""
    first = described.setdefault(id(value), path)
    if first != path:
        return [f"``{path.rpartition('.')[2]}``: described as :py:obj:`{first}`.", ""]
    if inspect.isclass(value):
        listed = value in (*PROBLEMS, *ASSUMPTIONS, *METHODS)
        return [f".. autoclass:: {path}", *([] if listed else ["   :members:"]), ""]
    if inspect.isroutine(value):
        return [f".. autofunction:: {path}", ""]
    return [f".. py:data:: {path.rpartition('.')[2]}", f"   :type: {type(value).__name__}", ""]
