"""Worst case of gradient descent on smooth convex functions: ours against PEPit, time and value.

    python -m benchmarks.worst_case [--steps 10 30] [--repeats 5] [--json FILE]

Same claim (stepsize 1/L, f(x_n) - f_star over |x_0 - x_star|^2, exact value L / (4 n + 2)), same solver
(Clarabel), CPU time on one thread, medians; they take turns, so that the load of the machine falls on all.
PEPit returns the solver's number. Ours is shown twice: the solver's number, and the number proved with exact
multipliers.
"""

import statistics
import sys
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.report import Row, begin, finish, one_thread, parser, positive, take_turns, timed
from workbench.theorems.drori2014 import CONVEX
from workbench.worst_case.active import solve
from workbench.worst_case.evaluate import worst_case
from workbench.worst_case.translate import question

try:
    from PEPit.examples.unconstrained_convex_minimization import wc_gradient_descent
except ImportError:  # a peer, not needed by the workbench
    wc_gradient_descent = None

AIMS = {10: 10.0, 30: 5.0}
"""Times faster than PEPit that are aimed at."""


def ours(n: int) -> float:
    """The theorem read, the programme built and solved."""
    return solve(question(CONVEX, n).programme).value


def proved(n: int) -> float:
    """The same, with exact multipliers and a repaired point."""
    return worst_case(CONVEX, steps=n).upper


def pepit(n: int) -> float:
    """PEPit's own example."""
    assert wc_gradient_descent is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = wc_gradient_descent(L=1, gamma=1, n=n, wrapper="cvxpy", solver="CLARABEL", verbose=-1)
    return float(found[0] or "nan")


WAYS: dict[str, Callable[[int], float]] = {"ours": ours, "ours, proved": proved} | (
    {"PEPit": pepit} if wc_gradient_descent else {}
)


def measured(n: int, repeats: int) -> list[dict[str, Any]]:
    """A row per way: CPU seconds, how many times as fast as PEPit if that is there, value, relative error."""
    for call in WAYS.values():
        call(2)  # imports and caches
    found = take_turns({way: partial(call, n) for way, call in WAYS.items()}, repeats)
    exact = 1 / (4 * n + 2)
    slow = statistics.median(found["PEPit"].seconds) if "PEPit" in found else None
    return [
        {
            "steps": n,
            "way": way,
            "seconds": turns.seconds,
            "faster": slow and slow / statistics.median(turns.seconds),
            "value": turns.result,
            "error": turns.result / exact - 1,
        }
        for way, turns in found.items()
    ]


def rows_of(found: Sequence[dict[str, Any]]) -> list[Row]:
    """A setting per number of steps."""
    rows = []
    for row in found:
        note = f"value {row['value']:.12f}, relative error {row['error']:.1e}"
        aim = AIMS.get(row["steps"])
        if row["way"] == "ours" and row["faster"] and aim:
            reached = "reached" if row["faster"] >= aim else "missed"
            note += f"; {row['faster']:.1f} times as fast as PEPit, aim {aim:g}: {reached}"
        setting = f"gradient descent, smooth convex, n = {row['steps']}"
        rows.append(timed(setting, row["way"], row["seconds"], headline=True, note=note))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; exit 1 if a value is off by more than 1e-6."""
    read = parser(__doc__)
    read.add_argument("--steps", type=positive, nargs="+", default=[10, 30])
    read.add_argument("--repeats", type=positive, default=5)
    options = read.parse_args(arguments)
    machine = begin("PEPit")
    with one_thread():
        found = [row for n in options.steps for row in measured(n, options.repeats)]
    rows = rows_of(found)
    finish(options.json, machine, {"results": found}, rows)
    if not all(abs(row["error"]) <= 1e-6 for row in found):
        sys.exit("a value is off by more than 1e-6")


if __name__ == "__main__":
    main()
