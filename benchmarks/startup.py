"""Start-up: how long commands take before they say anything, and what importing a library costs.

    python -m benchmarks.startup [--repeats 5] [--json FILE]

Each is a process of its own, on one thread; they take turns. Wall times, CPU times beside them. A command or
library that is not installed is left out and named.
"""

import importlib.util
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks.report import Row, begin, child_seconds, finish, parser, positive, timed

AIM = 0.5
"""Seconds for the help of the command."""


class Start(NamedTuple):
    """A module that must be there, and what follows the name of the interpreter."""

    module: str
    call: tuple[str, ...]


COMMANDS = {
    "workbench --help": Start("workbench", ("-m", "workbench", "--help")),
    "workbench --version": Start("workbench", ("-m", "workbench", "--version")),
    "workbench list theorems": Start("workbench", ("-m", "workbench", "list", "theorems")),
    "workbench verify --help": Start("workbench", ("-m", "workbench", "verify", "--help")),
    "benchopt --help": Start("benchopt", ("-m", "benchopt", "--help")),
    "benchopt --version": Start("benchopt", ("-m", "benchopt", "--version")),
}
IMPORTS = {
    f"import {name}": Start(name, ("-c", f"import {name}"))
    for name in ("workbench", "torch", "cvxpy", "PEPit", "curvlinops", "benchopt", "sklearn")
}
IMPORTS["from workbench import run, Theorem"] = Start(
    "workbench", ("-c", "from workbench import run, Theorem")
)
SETTINGS = {"start of a command": COMMANDS, "import of a library": IMPORTS}


def measure(starts: Mapping[str, Start], repeats: int) -> dict[str, dict[str, list[float]]]:
    """Wall and CPU seconds of each that is installed; the first round, which fills caches, is not counted."""
    there = {name: start for name, start in starts.items() if importlib.util.find_spec(start.module)}
    found: dict[str, dict[str, list[float]]] = {name: {"wall": [], "cpu": []} for name in there}
    for turn in range(repeats + 1):
        for name, start in there.items():
            wall, cpu = child_seconds([sys.executable, *start.call])
            if turn > 0:
                found[name]["wall"].append(wall)
                found[name]["cpu"].append(cpu)
    return found


def rows_of(results: Mapping[str, Any]) -> list[Row]:
    """Wall seconds; the first row of each setting is the workbench."""
    rows = []
    for setting, found in results.items():
        for name, m in found.items():
            note = f"CPU {statistics.median(m['cpu']):.2f} s"
            if name == "workbench --help":
                reached = statistics.median(m["wall"]) <= AIM
                note += f", aim {AIM} s: {'reached' if reached else 'missed'}"
            rows.append(timed(setting, name, m["wall"], "s", headline=True, note=note))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--repeats", type=positive, default=5)
    options = read.parse_args(arguments)
    machine = begin("PEPit", "curvlinops-for-pytorch", "benchopt")
    results = {setting: measure(starts, options.repeats) for setting, starts in SETTINGS.items()}
    missing = sorted({n for s, starts in SETTINGS.items() for n in starts if n not in results[s]})
    rows = rows_of(results)
    if missing:
        print(f"\nnot installed: {', '.join(missing)}")
    finish(options.json, machine, {"results": results, "missing": missing}, rows)


if __name__ == "__main__":
    main()
