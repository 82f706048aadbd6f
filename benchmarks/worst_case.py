"""Worst case of gradient descent on smooth convex functions: ours against PEPit, time and value.

    python benchmarks/worst_case.py [--steps 10 30] [--repeats 5] [--json FILE]

Same claim (stepsize 1/L, f(x_n) - f_star over |x_0 - x_star|^2, exact value L / (4 n + 2)), same solver
(Clarabel), CPU time on one thread, medians; they take turns, so that the load of the machine falls on all.
PEPit returns the solver's number. Ours is shown twice: the solver's number, and the number proved with exact
multipliers.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"  # read when the libraries are loaded

from PEPit.examples.unconstrained_convex_minimization import wc_gradient_descent  # noqa: E402

from workbench.theorems.drori2014 import CONVEX  # noqa: E402
from workbench.worst_case.active import solve  # noqa: E402
from workbench.worst_case.evaluate import worst_case  # noqa: E402
from workbench.worst_case.translate import question  # noqa: E402

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = wc_gradient_descent(L=1, gamma=1, n=n, wrapper="cvxpy", solver="CLARABEL", verbose=-1)
    return float(found[0] or "nan")


WAYS: dict[str, Callable[[int], float]] = {"ours": ours, "ours, proved": proved, "PEPit": pepit}


def measured(n: int, repeats: int) -> list[dict[str, Any]]:
    """A row per way: median CPU time in ms, value, relative error against the closed form."""
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    values: dict[str, float] = {}
    for call in WAYS.values():
        call(2)  # imports and caches
    for _ in range(repeats):
        for way, call in WAYS.items():
            started = time.process_time()
            values[way] = call(n)
            times[way].append((time.process_time() - started) * 1e3)
    exact = 1 / (4 * n + 2)
    slow = statistics.median(times["PEPit"])
    return [
        {
            "steps": n,
            "way": way,
            "cpu_ms": statistics.median(times[way]),
            "faster": slow / statistics.median(times[way]),
            "value": values[way],
            "error": values[way] / exact - 1,
        }
        for way in WAYS
    ]


def main() -> None:
    """Print the table; exit 1 if a value is off by more than 1e-6."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--steps", type=int, nargs="+", default=[10, 30])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = [row for n in options.steps for row in measured(n, options.repeats)]
    print(
        f"{platform.processor() or platform.machine()}, one thread, Python {platform.python_version()}, "
        f"Clarabel {version('clarabel')}; medians of {options.repeats}"
    )
    print(f"{'n':>4} {'way':14} {'CPU ms':>9} {'x PEPit':>8} {'value':>18} {'rel. error':>11}")
    for row in rows:
        print(
            f"{row['steps']:>4} {row['way']:14} {row['cpu_ms']:9.1f} {row['faster']:8.1f} "
            f"{row['value']:18.12f} {row['error']:11.1e}"
        )
    for row in rows:
        if row["way"] == "ours" and row["steps"] in AIMS:
            aim = AIMS[row["steps"]]
            print(
                f"n = {row['steps']}: {row['faster']:.1f} times faster, aim {aim:g}: "
                f"{'reached' if row['faster'] >= aim else 'missed'}"
            )
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1))
    if any(abs(row["error"]) > 1e-6 for row in rows):
        sys.exit("a value is off by more than 1e-6")


if __name__ == "__main__":
    main()
