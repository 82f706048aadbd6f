"""``workbench list``: from the generated catalogue, so that it needs no numerical library."""

import difflib
from collections.abc import Callable
from typing import Any

from workbench.catalogue import CATALOGUE
from workbench.cli.output import WrongUseError, console, print_table, write_json

Row = Callable[[dict[str, Any]], tuple[str, ...]]
COLUMNS: dict[str, tuple[tuple[str, ...], Row]] = {
    "papers": (("paper", "theorems", "title"), lambda p: (p["paper"], str(len(p["theorems"])), p["title"])),
    "theorems": (("id", "status", "title"), lambda t: (t["id"], t["status"], t["title"])),
    "methods": (("name", "source", "summary"), lambda m: (m["name"], m["source"], m["summary"])),
    "problems": (
        ("name", "instances", "summary"),
        lambda p: (p["name"], str(len(p["instances"])), p["summary"]),
    ),
    "assumptions": (
        ("name", "constants", "summary"),
        lambda a: (a["name"], " ".join(a["constants"]), a["summary"]),
    ),
    "options": (("name", "of", "summary"), lambda o: (o["name"], o["of"], o["summary"])),
    "counterexamples": (
        ("name", "false claim", "true instead"),
        lambda c: (c["name"], c["claim"], c["lesson"]),
    ),
    "figures": (
        ("name", "status", "paper", "summary"),
        lambda f: (f["name"], f["status"], f["paper"], f["summary"]),
    ),
}


def main(kind: str, json: bool) -> int:
    """Print one list of the catalogue; WrongUseError for another kind."""
    if kind not in COLUMNS:
        close = difflib.get_close_matches(kind, COLUMNS, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise WrongUseError(f"no list {kind!r}; there are {', '.join(COLUMNS)}{hint}")
    entries = CATALOGUE[kind]
    if json:
        write_json(entries, "-")
        return 0
    if not entries:
        console().print(f"no {kind}")
        return 0
    columns, row = COLUMNS[kind]
    print_table(
        columns, [row(entry) for entry in entries], right=("theorems", "instances"), whole=columns[:1]
    )
    return 0
