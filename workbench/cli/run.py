"""``workbench run``: one method on one problem, what it measured."""

import contextlib
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from problems import Problem
from problems.ball_newton import SolverError
from workbench.cli.output import (
    WrongUseError,
    console,
    plain,
    print_table,
    write_json,
    wrong_use,
)
from workbench.cli.run_until import document, goal, print_reached, reached, recorded
from workbench.cli.targets import require_targets
from workbench.engine import run
from workbench.methods import Method
from workbench.registry import Registry
from workbench.trace import Trace
from workbench.user_code import told
from workbench.user_file import UserFile, load_user_file

ROWS = 21
"""Rows of the table, at most, and one for the last step."""

RANGE = ("smallest", "median", "largest")
SUFFIXES = (".npz", ".csv")


def main(
    method: str,
    problem: str,
    steps: int,
    replicates: int | None,
    seed: int,
    x0: str | None,
    record: str | None,
    every: int,
    norm: str | None,
    file: Path | None,
    out: Path | None,
    iterates: bool,
    until: str | None,
    json: str | None,
) -> int:
    """Run, show, write; 0 also where the run diverged, which is a result.

    WrongUseError for a file that --out cannot write, or that cannot keep iterates.
    """
    with wrong_use():
        user = load_user_file(file) if file else None
        registry = Registry(user)
        chosen, on = registry.method(method), registry.problem(problem)
        options: dict[str, Any] = {"steps": steps, "replicates": replicates, "seed": seed, "every": every}
        options["x0"] = _start(x0, on.d) if x0 is not None else None
        options["norm"] = registry.norm(norm) if norm is not None else None
        options["record"] = [name.strip() for name in record.split(",")] if record is not None else None
        wanted = goal(until) if until is not None else None
        if wanted:
            options["record"] = recorded(wanted, options["record"], chosen, on, options["norm"])
    if out is not None and out.suffix not in SUFFIXES:
        raise WrongUseError(f"--out must end in {' or '.join(SUFFIXES)}, got {str(out)!r}")
    if iterates and (out is None or out.suffix != ".npz"):
        raise WrongUseError("--iterates keeps them in an .npz file: add --out RUN.npz")
    options["keep_state"] = iterates
    require_targets({"--out": out, "--json": json})
    with contextlib.redirect_stdout(sys.stderr):  # what a user's objects print is not part of the result
        trace = _run(chosen, on, user, options)
    with wrong_use():
        found = reached(trace, wanted) if wanted else None
    if json != "-":
        _print(trace)
        if found:
            print_reached(trace, found)
    if out is not None:
        _keep(trace, out)
        if json != "-":
            console().print(f"wrote {out}", soft_wrap=True)
    if json is not None:
        write_json(_document(trace) | ({"until": document(found)} if found else {}), json)
    return 0


def _start(text: str, d: int) -> Tensor:
    """(d,), or (rows, d) where rows are separated by semicolons."""
    try:
        rows = [[float(entry) for entry in row.split(",")] for row in text.split(";")]
    except ValueError:
        raise ValueError(f"x0 must be numbers separated by commas, got {text!r}") from None
    wrong = [len(row) for row in rows if len(row) != d]
    if wrong:
        raise ValueError(f"x0 must have as many entries as the problem has variables, {d}, got {wrong[0]}")
    start = torch.tensor(rows, dtype=torch.float64)
    return start[0] if len(rows) == 1 else start


def _run(method: Method, problem: Problem, user: UserFile | None, options: dict[str, Any]) -> Trace:
    """ValueError and TypeError say what the engine did not accept; a user's own error comes with its line."""
    torch.set_num_threads(1)
    try:
        return run(method, problem, **options)
    except Exception as error:
        if message := told(error, user.path if user else None):
            raise WrongUseError(message) from error
        if isinstance(error, SolverError):
            raise WrongUseError(f"a solver stopped: {error}") from error
        if isinstance(error, ValueError | TypeError):
            raise WrongUseError(str(error)) from error
        raise


# -- what is shown ----------------------------------------------------------------------------------


def _print(trace: Trace) -> None:
    """Medians over the replicates at steps spread over the run; their range at the last one."""
    out = console()
    rows = len(trace.diverged_at)
    over = f", {rows} replicates" if rows > 1 else ""
    said = [f"method   {trace.method!r}", f"problem  {trace.problem!r}", f"norm     {trace.norm!r}"]
    out.print(
        "\n".join([*said, f"run      {trace.steps} steps{over}, seed {trace.seed}", ""]), soft_wrap=True
    )
    tables = _columns(trace)
    shown = {name: table.nanmedian(0).values for name, table in tables.items() if name != "seconds"}
    lines = [(str(int(trace.k[i])), *(f"{v[i]:.6g}" for v in shown.values())) for i in _spread(len(trace.k))]
    columns = ("k", *shown)
    print_table(columns, lines, right=columns)
    if rows > 1:
        out.print(f"\nmedians of {rows} replicates; at k = {trace.steps}:\n")
        ends = [(name, *_range(tables[name][:, -1])) for name in shown]
        print_table(("quantity", *RANGE), ends, right=RANGE)
    for line in _remarks(trace, tables):
        out.print(f"\n{line}", soft_wrap=True)


def _range(values: Tensor) -> list[str]:
    """Smallest, median and largest over the replicates that did not diverge."""
    left = values[~values.isnan()]
    return [f"{v:.6g}" for v in (left.min(), left.median(), left.max())] if len(left) else ["nan"] * 3


def _remarks(trace: Trace, tables: dict[str, Tensor]) -> Iterator[str]:
    lost = trace.diverged_at[trace.diverged_at >= 0]
    rows = len(trace.diverged_at)
    if len(lost):
        who = f"{len(lost)} of {rows} replicates, the first" if rows > 1 else "the iterate was not finite"
        yield f"diverged: {who} at step {int(lost.min())}"
    whole = [table.nan_to_num() for name, table in tables.items() if name != "seconds"]
    if rows > 1 and all(bool((table == table[:1]).all()) for table in whole):
        yield "all replicates are the same: nothing is drawn at random, and there is one start"


def _spread(n: int) -> list[int]:
    """Positions of at most ``ROWS`` rows at equal distances, 1, 2 or 5 times a power of ten, and the last."""
    strides = (factor * 10**power for power in range(20) for factor in (1, 2, 5))
    stride = next(s for s in strides if (n - 1) // s < ROWS)
    return sorted({*range(0, n, stride), n - 1})


def _columns(trace: Trace) -> dict[str, Tensor]:
    """Quantities, then costs, each (replicates, n); further axes become columns of their own."""
    columns: dict[str, Tensor] = {}
    for name, table in {**trace.quantities, **trace.costs}.items():
        flat = table.flatten(2) if table.dim() > 2 else table[..., None]
        several = table.dim() > 2
        columns |= {f"{name}[{i}]" if several else name: flat[..., i] for i in range(flat.shape[-1])}
    return columns


# -- what is written --------------------------------------------------------------------------------


def _keep(trace: Trace, out: Path) -> None:
    try:
        if out.suffix == ".npz":
            trace.save(out)
        else:
            _write_csv(trace, out)
    except OSError as error:
        raise WrongUseError(f"{out} cannot be written: {error.strerror}") from None


def _write_csv(trace: Trace, out: Path) -> None:
    """One line per replicate and recorded step; numbers with all their digits."""
    tables = _columns(trace)
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["replicate", "k", *tables])
        for row in range(len(trace.diverged_at)):
            values = [table[row].tolist() for table in tables.values()]
            for k, *entries in zip(trace.k.tolist(), *values, strict=True):
                writer.writerow([row, k, *map(repr, entries)])


def _document(trace: Trace) -> dict[str, Any]:
    """Lists are (replicates, recorded steps)."""
    tables = _columns(trace)
    return {
        "method": repr(trace.method),
        "problem": repr(trace.problem),
        "norm": repr(trace.norm),
        "steps": trace.steps,
        "seed": trace.seed,
        "k": trace.k.tolist(),
        "columns": {name: plain(t) for name, t in tables.items()},
        "diverged_at": [k if k >= 0 else None for k in trace.diverged_at.tolist()],
    }
