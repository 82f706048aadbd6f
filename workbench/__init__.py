"""Verify convergence theorems of optimisation methods on problems with certified constants.

What a user's file needs is importable from here; each name is loaded when it is first used, so that
``import workbench`` costs nothing.
"""

import importlib
import sys
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import TYPE_CHECKING, Any

from workbench._shadow import check_rooms, is_command

if TYPE_CHECKING:
    from workbench.claims import Recurrence
    from workbench.draws import Coin, Gaussian, Index, Subset
    from workbench.engine import run
    from workbench.methods.base import Method, Point
    from workbench.parts import Mutant, Source, Tight
    from workbench.quantity import Quantity
    from workbench.symbols import (
        after,
        avg,
        best,
        client_max,
        client_mean,
        first,
        layer_max,
        layer_sum,
        product,
        symbols,
        total,
    )
    from workbench.theorem import Theorem
    from workbench.trace import Trace
    from workbench.verify import DEFAULT, FULL, QUICK, Budget, Record, replay, verify

try:
    __version__ = version("workbench")
except PackageNotFoundError:  # used from a checkout that is not installed
    __version__ = "0.1.0"

_HOME_OF = {
    "DEFAULT": "workbench.verify",
    "FULL": "workbench.verify",
    "QUICK": "workbench.verify",
    "Budget": "workbench.verify",
    "Coin": "workbench.draws",
    "Gaussian": "workbench.draws",
    "Index": "workbench.draws",
    "Subset": "workbench.draws",
    "Method": "workbench.methods.base",
    "Mutant": "workbench.parts",
    "Point": "workbench.methods.base",
    "Quantity": "workbench.quantities",
    "Record": "workbench.verify",
    "Recurrence": "workbench.claims",
    "Source": "workbench.parts",
    "Theorem": "workbench.theorem",
    "Tight": "workbench.parts",
    "Trace": "workbench.trace",
    "after": "workbench.symbols",
    "avg": "workbench.symbols",
    "best": "workbench.symbols",
    "client_max": "workbench.symbols",
    "client_mean": "workbench.symbols",
    "first": "workbench.symbols",
    "layer_max": "workbench.symbols",
    "layer_sum": "workbench.symbols",
    "product": "workbench.symbols",
    "replay": "workbench.verify",
    "run": "workbench.engine",
    "symbols": "workbench.symbols",
    "total": "workbench.symbols",
    "verify": "workbench.verify",
}

__all__ = [
    "DEFAULT",
    "FULL",
    "QUICK",
    "Budget",
    "Coin",
    "Gaussian",
    "Index",
    "Method",
    "Mutant",
    "Point",
    "Quantity",
    "Record",
    "Recurrence",
    "Source",
    "Subset",
    "Theorem",
    "Tight",
    "Trace",
    "after",
    "avg",
    "best",
    "client_max",
    "client_mean",
    "first",
    "layer_max",
    "layer_sum",
    "product",
    "replay",
    "run",
    "symbols",
    "total",
    "verify",
]


class _Package(ModuleType):
    """The import system binds a submodule to its package once loaded, over an export of the same name."""

    def __setattr__(self, name: str, value: Any) -> None:
        """``workbench.verify`` and ``workbench.symbols`` stay functions; from-imports find the modules."""
        if not (name in _HOME_OF and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


sys.modules[__name__].__class__ = _Package
try:
    check_rooms()
except ImportError as error:
    if not is_command():
        raise
    sys.stderr.write(f"workbench: {error}\n")
    raise SystemExit(2) from None
