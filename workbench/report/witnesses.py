"""What a page tells of a witness, and the command that reruns it."""

import json
import shlex
from typing import Any

from workbench.report.results import Results
from workbench.verify import Record

_TOLD = (
    "k",
    "measured",
    "bound",
    "tolerance",
    "horizon",
    "seed",
    "block",
    "row",
    "hyperparameters",
    "x0",
    "start",
    "dropped",
    "values",
    "mutant",
    "file",
)
LONGEST = 400
"""Characters of a value that are told; the file holds the rest."""


class Witnesses:
    """Witnesses by number, in the order in which they were added."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self.listed: list[dict[str, Any]] = []

    def add(self, record: Record) -> int | None:
        """The number of a record's witness; None if it has none."""
        witness = record.to_json()["witness"]
        if witness is None:
            return None
        file = self._results.witness_file(record)
        command = f"workbench replay {_quoted(str(file))}" if file else ""
        told = {name: _short(witness[name]) for name in _TOLD if witness.get(name) is not None}
        self.listed.append({"command": command, "told": told})
        return len(self.listed) - 1


def _quoted(path: str) -> str:
    """For a shell; a path that begins with a dash is no option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        text = ", ".join(f"{name} = {_short(entry)}" for name, entry in value.items())
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... (whole in the file)"
