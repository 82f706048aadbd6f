"""``workbench evidence``: for each theorem what is known without faith, and the page that says it.

Beside the page FILE.md lies FILE.json with the rows: the same command goes on where it was stopped, and makes
anew the rows of theorems whose statement has changed. Delete it to make all rows anew.
"""

import json as json_module
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.cli.evidence_page import COLUMNS, page, table
from workbench.cli.evidence_rows import row, statement
from workbench.cli.output import (
    WrongUseError,
    note,
    plain,
    print_table,
    require_writable,
    write_json,
    write_whole,
    wrong_use,
)
from workbench.cli.progress import progress
from workbench.registry import Registry

INTERRUPTED = 130


def main(selectors: Sequence[str], budget: int, out: Path | None, seed: int, json: bool) -> int:
    """1 if a theorem that is sourced or derived is refuted, 130 after a Ctrl-C, else 0.

    After a Ctrl-C what is done is written. WrongUseError for a budget below 1.
    """
    if budget < 1:
        raise WrongUseError(f"--budget must be at least 1, got {budget}")
    registry = Registry(None)
    with wrong_use():
        theorems = registry.select_theorems(selectors)
    kept = None if out is None else _kept_path(out)
    asked = {"budget": budget, "seed": seed}
    rows = {} if kept is None else _known(kept, asked)
    stopped = False
    with progress() as tell:
        try:
            for done, theorem in enumerate(theorems):
                tell(done, len(theorems), theorem.id)
                if rows.get(theorem.id, {}).get("statement") == statement(theorem):
                    continue
                rows[theorem.id] = plain(row(theorem, registry.instances(), budget, seed))
                if kept is not None:
                    write_json({**asked, "rows": rows}, str(kept))
        except KeyboardInterrupt:
            stopped = True
            note(f"interrupted; {len(rows)} theorems are done")
    chosen = [rows[t.id] for t in theorems if t.id in rows]
    _tell(chosen, budget, seed, out, json)
    return INTERRUPTED if stopped else int(any(_refuted(r) for r in chosen))


def _refuted(row: dict[str, Any]) -> bool:
    """True if the search or a worst case breaks a claim that is sourced or derived."""
    verdicts = (row["search"]["verdict"], row["exact"].get("verdict"))
    return "refuted" in verdicts and row["status"] != "RECALLED"


def _kept_path(out: Path) -> Path:
    """Where the rows are kept beside the page. WrongUseError, before any work, if neither can be written."""
    if out.suffix != ".md":
        raise WrongUseError(f"--out takes a file that ends in .md, got {out}")
    kept = out.with_suffix(".json")
    require_writable(str(out))
    require_writable(str(kept))
    return kept


def _known(kept: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Rows of an earlier call with the same budget and seed; none otherwise."""
    try:
        found = json_module.loads(kept.read_text(encoding="utf-8"))
        same = all(found[name] == value for name, value in asked.items())
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise WrongUseError(f"{kept} is not what this command writes; move it away") from None
    if not same:
        note(f"{kept} was made with another budget or seed and is made anew")
        return {}
    return dict(found["rows"])


def _tell(rows: list[dict[str, Any]], budget: int, seed: int, out: Path | None, json: bool) -> None:
    if out is not None:
        write_whole(out, page(rows, budget, seed))
        note(f"written: {out}")
    if json:
        write_json({"budget": budget, "seed": seed, "theorems": rows}, "-")
    else:
        print_table(COLUMNS, table(rows), right=("tight", "search", "exact"), whole=("theorem",))
