"""``workbench table``: every problem against every assumption, as text, Markdown and JSON."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch
from joblib import Parallel, delayed

from assumptions import Assumption, PathLayerL0L1
from problems import Problem
from workbench.assumption_table import Cell, cell
from workbench.cli.output import (
    console,
    note,
    plain,
    write_json,
    write_whole,
    wrong_use,
)
from workbench.cli.targets import require_targets
from workbench.registry import Registry
from workbench.user_file import load_user_file
from workbench.verify.pool import require_jobs

SYMBOLS = {
    "certified": "C",
    "proved": "P",
    "declared": "D",
    "not refuted": "n",
    "refuted": "R",
    "lacking": "-",
    "contradicted": "!!",
}
LEGEND = """
| symbol | means |
|---|---|
| C | certified: proved beside the problem, or implied by what is; a search found nothing against it |
| P | the same, and proved by ball arithmetic for a member of the family written as an expression |
| D | declared by the user; a search found nothing against it |
| n | not refuted: nothing is proved; the statement stood a search |
| R | refuted by a witness (in the JSON); constants: at twice those that samples near x0 need |
| - | the problem lacks what the assumption speaks of (terms, layers, noise, a minimiser, a Hessian) |
| !! | certified and refuted: a defect; there is none |
"""


def main(
    problem: list[str] | None,
    assumption: list[str] | None,
    full: bool,
    budget: int,
    seed: int,
    jobs: int,
    file: Path | None,
    out: Path | None,
    json: str | None,
) -> int:
    """0 if nothing that is certified was refuted, else 1. ValueError for --jobs with --file."""
    require_targets({"--out": out, "--json": json})
    with wrong_use():
        registry = Registry(load_user_file(file) if file else None)
        jobs = require_jobs(jobs)
        if file and jobs != 1:
            raise ValueError("--jobs must be 1 with --file")
        problems = _problems(registry, problem or [], full)
        kinds = _kinds(registry, assumption or [])
    rows = list(_rows(problems, kinds, budget, seed, jobs))
    document = {
        "budget": budget,
        "seed": seed,
        "cells": [plain(asdict(cell)) for row in rows for cell in row],
    }
    if out is not None:
        write_whole(out, _markdown(rows, kinds, budget, seed))
    if json != "-":
        _print(rows, kinds, out)
    if json is not None:
        write_json(document, json)
    return 1 if any(cell.status == "contradicted" for row in rows for cell in row) else 0


def _problems(registry: Registry, patterns: Sequence[str], full: bool) -> list[Problem]:
    """The first instance of each family, or all; those that fit a glob if there are any."""
    every = registry.instances(full)
    first = {p.family: p for p in reversed(every)}
    listed = list(every) if full else [p for p in every if first[p.family] is p]
    if not patterns:
        return listed
    for pattern in patterns:
        if not any(fnmatchcase(repr(p), pattern) or p.family == pattern for p in every):
            raise ValueError(f"no problem fits {pattern!r}; `workbench list problems` shows all")
    return [p for p in every if any(fnmatchcase(repr(p), g) or p.family == g for g in patterns)]


def _kinds(registry: Registry, patterns: Sequence[str]) -> list[type[Assumption]]:
    for pattern in patterns:
        if not any(fnmatchcase(a.__name__, pattern) for a in registry.assumptions):
            raise ValueError(f"no assumption fits {pattern!r}; `workbench list assumptions` shows all")
    chosen = patterns or ["*"]
    fitting = [a for a in registry.assumptions if any(fnmatchcase(a.__name__, p) for p in chosen)]
    # a statement about a path has no points to search for
    return [a for a in fitting if a is not PathLayerL0L1]


def _rows(
    problems: Sequence[Problem], kinds: Sequence[type[Assumption]], budget: int, seed: int, jobs: int
) -> Iterator[list[Cell]]:
    """One list of cells for each problem, as they are done."""
    tasks = (delayed(_row)(p, kinds, budget, seed) for p in problems)
    if jobs == 1:
        done: Any = (_row(p, kinds, budget, seed) for p in problems)
    else:
        done = Parallel(n_jobs=jobs, return_as="generator")(tasks)
    for i, row in enumerate(done):
        if sys.stderr.isatty():
            note(f"{i + 1}/{len(problems)}  {problems[i]!r}")
        yield row


def _row(problem: Problem, kinds: Sequence[type[Assumption]], budget: int, seed: int) -> list[Cell]:
    torch.set_num_threads(1)
    return [cell(problem, kind, budget, seed) for kind in kinds]


# -- what is shown ----------------------------------------------------------------------------------


def _print(rows: Sequence[list[Cell]], kinds: Sequence[type[Assumption]], out: Path | None) -> None:
    counts = {s: sum(cell.status == s for row in rows for cell in row) for s in SYMBOLS}
    detailed = len(rows) * len(kinds) <= 100
    for row in rows:
        symbols = "" if detailed else f"{' '.join(SYMBOLS[c.status] for c in row)}  "
        console().print(f"{symbols}{row[0].problem}", soft_wrap=True)
        for c in row if detailed else ():
            console().print(f"  {c.status:12} {c.statement or f'{c.assumption}: {c.why}'}", soft_wrap=True)
    said = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
    console().print(f"\n{len(rows)} x {len(kinds)} (problems x assumptions): {said}", soft_wrap=True)
    if out is not None:
        console().print(f"wrote {out}", soft_wrap=True)


def _markdown(rows: Sequence[list[Cell]], kinds: Sequence[type[Assumption]], budget: int, seed: int) -> str:
    """The table in parts of a dozen assumptions, so that it fits a page."""
    command = f"workbench table --out docs/assumption_table.md --budget {budget} --seed {seed}"
    parts = [f"# Problems and assumptions\n\nMade by `{command}`.\n{LEGEND}"]
    each = 13
    for start in range(0, len(kinds), each):
        chosen = kinds[start : start + each]
        header = f"| problem | {' | '.join(k.__name__ for k in chosen)} |"
        lines = [header, f"|---|{'---|' * len(chosen)}"]
        for row in rows:
            symbols = [SYMBOLS[cell.status] for cell in row[start : start + each]]
            lines.append(f"| `{short(row[0].problem)}` | {' | '.join(symbols)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def short(text: str, width: int = 60) -> str:
    """The text, its end replaced by dots where it is longer than ``width``."""
    return text if len(text) <= width else f"{text[: width - 3]}..."
