"""Work ended at random moments and started again: how often the result is that of one run.

    python -m benchmarks.kills [--kills 50] [--seed 0] [--json FILE]

Verify (1 and 2 workers), probe and figure in turn, each ended by SIGKILL or SIGINT at a moment that the seed
draws. Exit status 1 if a result was lost or changed.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))  # the victims of the tests

from tests.robustness.victims import VICTIMS, prepare, result, survives


class Kill(NamedTuple):
    """why: "" if the result is that of one run."""

    victim: str
    seed: int
    why: str
    seconds: float


def kills(number: int, seed: int, folder: Path) -> Iterator[Kill]:
    """One kill after another, each on another victim."""
    expected: dict[str, dict[str, object]] = {}
    for index in range(number):
        name = list(VICTIMS)[index % len(VICTIMS)]
        if name not in expected:
            whole = prepare(folder / f"whole {name}")
            VICTIMS[name].finish(whole)
            expected[name] = result(whole)
        why, seconds = survives(VICTIMS[name], folder / "victim", seed + index, expected[name])
        yield Kill(name, seed + index, why, seconds)


def table(done: list[Kill]) -> str:
    """One line for each victim, and one for all."""
    lines = [f"{'victim':20} {'kills':>6} {'survived':>9} {'killed after, median s':>23}"]
    for name in (*VICTIMS, "all"):
        own = [kill for kill in done if name in ("all", kill.victim)]
        if own:
            survived = sum(not kill.why for kill in own)
            after = statistics.median(kill.seconds for kill in own)
            lines.append(f"{name:20} {len(own):6} {survived:9} {after:23.1f}")
    return "\n".join(lines)


def main() -> int:
    """0 if all survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if asked.kills < 1:
        parser.error(f"--kills must be at least 1, got {asked.kills}")
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for kill in kills(asked.kills, asked.seed, Path(folder)):
            done.append(kill)
            print(f"{len(done)}/{asked.kills} {kill.victim}: {kill.why or 'survived'}", file=sys.stderr)
    print(table(done))
    if asked.json:
        asked.json.write_text(json.dumps([kill._asdict() for kill in done], indent=1) + "\n")
    return int(any(kill.why for kill in done))


if __name__ == "__main__":
    raise SystemExit(main())
