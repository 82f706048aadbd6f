"""What verifying the whole library costs with each budget: pieces drawn at random, and their CPU time.

    python -m benchmarks.library [--pieces 300] [--limit 300] [--seed 0] [--budgets quick default full]
                                 [--json FILE]

A piece is one theorem on one problem, or one mutant. The first pieces of the shuffled plan are judged, in
one process and thread, until there are so many or ``--limit`` CPU seconds are spent on the budget (looked
at between pieces, so that a long one is not left out). The total is their mean times the number of pieces
in the plan; its standard error says how far that can be believed.
"""

import argparse
import json
import math
import random
import statistics
import sys
from pathlib import Path
from typing import Any

from benchmarks.report import hardware, one_thread, positive, seconds_of
from workbench.registry import Registry
from workbench.verify import DEFAULT, FULL, QUICK, Budget, judge_unit, plan

BUDGETS = {budget.name: budget for budget in (QUICK, DEFAULT, FULL)}


def sampled(budget: Budget, pieces: int, limit: float, seed: int) -> dict[str, Any]:
    """One row of the table: CPU seconds of pieces of the budget's plan."""
    registry = Registry()
    units = plan(registry.theorems, registry.instances(budget is FULL), budget=budget)
    random.Random(seed).shuffle(units)
    seconds: list[float] = []
    for unit in units[:pieces]:
        if sum(seconds) > limit:
            break
        spent, _ = seconds_of(lambda unit=unit: judge_unit(unit))
        seconds.append(spent)
        print(f"{budget.name}: {len(seconds)} pieces, {sum(seconds):.0f} s", file=sys.stderr)
    scatter = statistics.stdev(seconds) if len(seconds) > 1 else math.nan
    return {
        "budget": budget.name,
        "plan": len(units),
        "pieces": len(seconds),
        "mean": statistics.mean(seconds),
        "longest": max(seconds),
        "hours": len(units) * statistics.mean(seconds) / 3600,
        "error": len(units) * scatter / math.sqrt(len(seconds)) / 3600,
    }


def table(rows: list[dict[str, Any]]) -> str:
    """One line for each budget."""
    head = f"{'budget':8} {'plan':>6} {'judged':>6} {'mean, s':>8}"
    lines = [f"{head} {'longest, s':>10} {'core hours':>10} {'+-':>6}"]
    for row in rows:
        counts = f"{row['budget']:8} {row['plan']:6} {row['pieces']:6}"
        lines.append(
            f"{counts} {row['mean']:8.3f} {row['longest']:10.1f} {row['hours']:10.3g} {row['error']:6.2g}"
        )
    return "\n".join(lines)


def main() -> int:
    """Always 0: nothing is compared."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pieces", type=positive, default=300)
    parser.add_argument("--limit", type=positive, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--budgets", nargs="+", choices=list(BUDGETS), default=list(BUDGETS))
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    machine = hardware()
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    with one_thread():
        rows = [sampled(BUDGETS[name], asked.pieces, asked.limit, asked.seed) for name in asked.budgets]
    print(table(rows))
    if asked.json:
        asked.json.write_text(json.dumps({"hardware": machine, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
