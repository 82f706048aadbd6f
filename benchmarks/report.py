"""What the comparisons share: the machine, one thread, turns, and rows with median, range and ratio."""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

T = TypeVar("T")

PACKAGES = ("torch", "numpy", "scipy", "cvxpy", "clarabel", "scikit-learn")
"""What the numbers of the workbench depend on."""
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
"""Read by libraries when they are loaded."""
ROOT = Path(__file__).resolve().parents[1]
UNITS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


# -- the machine ----------------------------------------------------------------------------------


def versions(names: Sequence[str]) -> dict[str, str]:
    """Of the packages that are installed; nothing is imported."""
    found = {}
    for name in names:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def hardware(*peers: str) -> dict[str, str]:
    """What the numbers depend on: processor, Python, libraries, and the packages named."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    name = model[0] if model else platform.processor() or platform.machine()
    return {
        "cpu": f"{name}, {len(model) or 1} visible, 1 thread used",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **versions([*PACKAGES, *peers]),
    }


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Torch and the libraries under NumPy keep to one thread inside, and get theirs back.

    Clarabel, which reads its number of threads once, keeps to one.
    """
    import torch  # the start-up of commands is measured by a process without it
    from threadpoolctl import threadpool_limits

    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(threads)


# -- turns ----------------------------------------------------------------------------------------


class Turns(NamedTuple, Generic[T]):
    """Seconds of every run of one way, and what its last run returned."""

    seconds: list[float]
    result: T


def seconds_of(work: Callable[[], T], clock: Callable[[], float] = time.process_time) -> tuple[float, T]:
    """Time of one call by the clock, CPU time by default, and what it returned."""
    started = clock()
    result = work()
    return clock() - started, result


def take_turns(
    ways: Mapping[str, Callable[[], T]],
    repeats: int,
    slow: float = float("inf"),
    clock: Callable[[], float] = time.process_time,
) -> dict[str, Turns[T]]:
    """Every way once a round, so that the machine's load falls on all; those over ``slow`` s only once."""
    found: dict[str, Turns[T]] = {}
    for _ in range(repeats):
        for name, work in ways.items():
            before = found[name].seconds if name in found else []
            if before and before[-1] > slow:
                continue
            took, result = seconds_of(work, clock)
            found[name] = Turns([*before, took], result)
    return found


def child_seconds(call: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a process at the root of the repository, on one thread; it prints nothing.

    CalledProcessError with what it said if it fails.
    """
    before, started = os.times(), time.perf_counter()
    subprocess.run(call, check=True, cwd=ROOT, env=surroundings(), capture_output=True)
    wall, after = time.perf_counter() - started, os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return wall, spent


def surroundings() -> dict[str, str]:
    """The environment of a process on one thread that finds the rooms of the repository."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, **dict.fromkeys(THREADS, "1"), "PYTHONPATH": path}


# -- rows -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One way of doing the work of a setting; the first row of a setting is what ratios refer to.

    samples: in ``unit``, at least one. headline: the row stands in the summary too. note: what else was
    found, as the accuracy. ValueError without samples.
    """

    setting: str
    way: str
    unit: str
    samples: tuple[float, ...]
    headline: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if not self.samples:
            raise ValueError(f"samples of {self.way!r} in {self.setting!r} must hold at least one number")


def timed(
    setting: str,
    way: str,
    seconds: Sequence[float],
    unit: str = "ms",
    *,
    headline: bool = False,
    note: str = "",
) -> Row:
    """A row of times, given in seconds; unit: s, ms or us."""
    return Row(setting, way, unit, tuple(s / UNITS[unit] for s in seconds), headline, note)


def finished(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Rows with median, lowest and highest sample, and ratio: median over that of the setting's first row.

    ratio is None where the first median is 0.
    """
    first: dict[str, float] = {}
    found = []
    for row in rows:
        middle = statistics.median(row.samples)
        base = first.setdefault(row.setting, middle)
        found.append(
            {
                "setting": row.setting,
                "way": row.way,
                "unit": row.unit,
                "median": middle,
                "low": min(row.samples),
                "high": max(row.samples),
                "runs": len(row.samples),
                "ratio": middle / base if base else None,
                "headline": row.headline,
                "note": row.note,
            }
        )
    return found


# -- the command line -----------------------------------------------------------------------------


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Named by the first line of a module's text, with ``--json``."""
    made = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    made.add_argument("--json", type=Path, help="write all numbers to this file")
    return made


def positive(text: str) -> int:
    """A whole number of at least 1, for ``argparse``."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text}")
    return number


def begin(*peers: str, **more: str) -> dict[str, str]:
    """The hardware, with the versions of some peers and what else is said of it, printed."""
    machine = hardware(*peers) | more
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    return machine


def table(rows: Sequence[Row]) -> str:
    """For the terminal."""
    lines, setting = [], None
    for row in finished(rows):
        if row["setting"] != setting:
            setting = row["setting"]
            lines += ["", f"{setting:46}{row['unit'] + ', median [range]':>32}{'runs':>6}{'ratio':>9}"]
        between = f"{row['median']:.4g} [{row['low']:.3g}, {row['high']:.3g}]"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.3g}"
        lines.append(f"  {row['way']:44}{between:>32}{row['runs']:6d}{ratio:>9}  {row['note']}".rstrip())
    return "\n".join(lines)


def finish(
    path: Path | None, machine: Mapping[str, str], numbers: Mapping[str, Any], rows: Sequence[Row]
) -> None:
    """The table, and where a file is asked for hardware, the script's own numbers and the rows in it."""
    print(table(rows))
    if path is not None:
        path.write_text(json.dumps({"hardware": machine, **numbers, "rows": finished(rows)}, indent=1) + "\n")
