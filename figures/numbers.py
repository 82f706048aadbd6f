"""The numbers behind a figure: named tables and facts, kept as JSON beside the drawing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from workbench.whole_file import whole_file

FORMAT = "workbench-figure-1"


class NumbersError(ValueError):
    """A file that does not hold the numbers of this figure; says what it holds."""


@dataclass(frozen=True)
class Numbers:
    """What a figure draws.

    figure  name of the recipe          tables  name -> array of floats, any shape
    full    paper quality, or quick     facts   name -> plain value: texts, lists, numbers
    seed    of every random draw
    """

    figure: str
    tables: Mapping[str, NDArray[np.float64]]
    facts: Mapping[str, Any] = field(default_factory=dict)
    full: bool = False
    seed: int = 0

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        """A table. KeyError that lists what there is."""
        if name not in self.tables:
            raise KeyError(f"no table {name!r}; there are {', '.join(sorted(self.tables))}")
        return self.tables[name]

    def save(self, path: Path) -> Path:
        """One JSON file; nan and infinities of tables as text, which JSON lacks. Whole or not at all.

        ValueError or TypeError for a fact that JSON cannot hold.
        """
        document = {
            "format": FORMAT,
            "figure": self.figure,
            "full": self.full,
            "seed": self.seed,
            "facts": dict(self.facts),
            "tables": {name: _listed(table.tolist()) for name, table in self.tables.items()},
        }
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
        with whole_file(path) as part:
            part.write_text(text + "\n", encoding="utf-8")
        return path

    @classmethod
    def load(cls, path: Path, figure: str | None = None) -> "Numbers":
        """What ``save`` wrote. NumbersError: not such a file, damaged, another version or another figure."""
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise NumbersError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            raise NumbersError(
                f"{path} does not hold the numbers of a figure: it is no JSON, or torn"
            ) from None
        found = document.get("format") if isinstance(document, dict) else None
        if found != FORMAT:
            raise NumbersError(f"{path} has the format {found!r}, and this version reads {FORMAT!r}")
        if figure is not None and document.get("figure") != figure:
            raise NumbersError(f"{path} holds the numbers of {document.get('figure')!r}, not of {figure!r}")
        try:
            tables = {name: table(values) for name, values in document["tables"].items()}
            facts = dict(document["facts"].items())
            return cls(document["figure"], tables, facts, bool(document["full"]), int(document["seed"]))
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NumbersError(f"{path} does not hold the numbers of a figure: parts are missing") from None


def table(values: ArrayLike) -> NDArray[np.float64]:
    """An array of floats; "nan", "inf" and "-inf" are read as such."""
    return np.asarray(values, dtype=np.float64)


def _listed(value: Any) -> Any:
    if isinstance(value, list):
        return [_listed(entry) for entry in value]
    return value if abs(value) < float("inf") else str(value)
