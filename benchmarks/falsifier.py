"""How close a search comes to known worst cases, and how many false variants it finds by itself.

    python -m benchmarks.falsifier [--budget 6000] [--every 5] [--first 0] [--json FILE]

Worst cases: theorems whose bound is attained (measured / bound = 1) on a member of a family that the search
may use; it is not told which. Mutants: every N-th false variant of the library, from a shuffled list; the
search is given the library's instances, never the one on which the variant is known to fail.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import hardware
from problems import INSTANCES
from workbench.falsifier.search import Falsified, falsify
from workbench.parts import Mutant
from workbench.theorem import Theorem
from workbench.theorems import THEOREMS

WORST = (
    "gd/convex",
    "gd/strongly-convex",
    "gd/nonconvex",
    "gd/pl",
    "subgradient/horizon",
    "ppm/convex",
    "bpm/line",
)
AIM, REACHED = 0.9, 0.99
"""Share of the mutants to refute, and share of the exact worst case to reach."""


def _searched(theorem: Theorem, budget: int) -> Falsified:
    """One search; a search that was interrupted ends the benchmark."""
    found = falsify(theorem, INSTANCES, budget=budget, simplify=False)
    if found.stopped:
        raise KeyboardInterrupt
    return found


def worst_cases(budget: int) -> list[dict[str, Any]]:
    """One row per theorem: the largest ratio found over the exact one."""
    rows = []
    for theorem in THEOREMS:
        if theorem.id not in WORST:
            continue
        began = time.process_time()
        found = _searched(theorem, budget)
        exact = max(tight.tightness for tight in theorem.tight)
        ratio = (found.smallest_c or 0.0) / exact
        rows.append(
            {
                "theorem": theorem.id,
                "exact": exact,
                "found": found.smallest_c,
                "share": ratio,
                "instance": repr(found.best.candidate.case.problem) if found.best else None,
                "cpu_seconds": round(time.process_time() - began, 1),
            }
        )
        seconds = rows[-1]["cpu_seconds"]
        print(f"{theorem.id:28} exact {exact:.6g}  found / exact {ratio:.6f}  {seconds} s", flush=True)
    return rows


def mutants(every: int, first: int) -> list[tuple[Theorem, Mutant]]:
    """Every N-th false variant, but for slopes, which no finite run refutes."""
    listed = [(t, m) for t in THEOREMS for m in t.mutants if t.kind != "slope"]
    random.Random(1).shuffle(listed)
    return listed[first::every]


def refuted(budget: int, every: int, first: int) -> list[dict[str, Any]]:
    """One row per mutant: whether it is refuted, where, and why not."""
    rows = []
    for theorem, mutant in mutants(every, first):
        began = time.process_time()
        row: dict[str, Any] = {"theorem": theorem.id, "kind": theorem.kind, "why": mutant.why}
        try:
            found = _searched(theorem.mutated(mutant), budget)
            row |= {"verdict": found.verdict, "ratio": found.to_json()["smallest_c"]}
            row["evaluations"] = found.evaluations
            row["instance"] = repr(found.best.candidate.case.problem) if found.best else None
        except ValueError as error:
            row |= {"verdict": "nothing to try", "ratio": None, "reason": str(error)}
        row["cpu_seconds"] = round(time.process_time() - began, 1)
        rows.append(row)
        if row["verdict"] != "refuted":
            print(f"missed: {theorem.id}, {mutant.why!r}: {row['verdict']}, ratio {row['ratio']}", flush=True)
    return rows


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Both tables, and all rows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--budget", type=int, default=6000, help="evaluations for each theorem or mutant")
    parser.add_argument("--every", type=int, default=5, help="take every N-th mutant")
    parser.add_argument("--first", type=int, default=0, help="from this one on")
    parser.add_argument("--json", type=Path, help="also write the rows here")
    asked = parser.parse_args(arguments)
    machine = hardware()
    print(*(f"{name}: {value}" for name, value in machine.items()), sep="\n")
    worst = worst_cases(asked.budget)
    found = refuted(asked.budget, asked.every, asked.first)
    share = sum(row["verdict"] == "refuted" for row in found) / max(1, len(found))
    close = sum(row["share"] >= REACHED for row in worst)
    print(f"worst cases reached to {REACHED:.0%}: {close} of {len(worst)}")
    print(f"mutants refuted without their instance: {share:.1%} of {len(found)} (aim {AIM:.0%})")
    numbers = {"hardware": machine, "budget": asked.budget, "worst": worst, "mutants": found}
    if asked.json:
        asked.json.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    return numbers


if __name__ == "__main__":
    main()
