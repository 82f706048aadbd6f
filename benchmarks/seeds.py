"""Many seeds at once: time of a step and seed of SGD and PAGE against a NumPy loop and a process per seed.

    python -m benchmarks.seeds [--repeats 5] [--processes 3] [--json FILE]

Logistic regression with n = 2000 terms in R^50 on made-up data, minibatch 1, 2000 steps, 200 recorded
points. The loop over seeds is plain NumPy, with the draws made beforehand; for SGD also a loop over optimiser
objects that draw as they go. A process per seed runs ``workbench.run`` for one seed; its imports and its
data are part of its time. Times are CPU times on one thread; the runs take turns, so that the load of the
machine falls on all of them.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.report import (
    Row,
    begin,
    child_seconds,
    finish,
    one_thread,
    parser,
    positive,
    seconds_of,
    timed,
)
from benchmarks.seed_data import Size, data_file
from benchmarks.seed_loops import LOOPS, REG, STEPSIZE, Array, SampledSGD
from problems import LogisticRegression
from workbench import run
from workbench.draws import DrawStream
from workbench.methods.base import Method
from workbench.methods.page import PAGE
from workbench.methods.sgd import SGD
from workbench.walk import Walk, walk

TARGETS = {30: 2.0, 64: 1.0}
"""Microseconds for a step and seed, from that number of seeds on."""


def methods(n: int) -> dict[str, Method]:
    """Minibatch 1; PAGE with full and sampled gradients of equal cost."""
    return {"SGD": SGD(STEPSIZE), "PAGE": PAGE(STEPSIZE, PAGE.refresh(n))}


def drawn(method: Method, problem: LogisticRegression, replicates: range, steps: int) -> dict[str, Array]:
    """All draws, name -> (steps, seeds)."""
    spaces = method.draws(problem)
    stream = DrawStream(0, replicates, spaces, "cpu")
    table = [vars(stream.at(k, spaces)) for k in range(steps)]
    return {name: np.stack([draws[name].numpy()[:, 0] for draws in table]) for name in spaces}


# -- the measurements -----------------------------------------------------------------------------


def walked(method: Method, problem: LogisticRegression, replicates: range, size: Size) -> Walk:
    """The bare loop of a block, as ``run`` calls it."""
    x0 = problem.x0.expand(len(replicates), -1).clone()
    with torch.no_grad():
        draws = DrawStream(0, replicates, method.draws(problem), "cpu")
        return walk(method, problem, x0, size.steps, draws, {}, size.every)


def agreement(method: Method, problem: LogisticRegression, seeds: int, size: Size) -> dict[str, float]:
    """Seeds of a block against each alone: draws that differ, and |x - x_alone| / |x| at most."""
    block, seen = drawn(method, problem, range(seeds), size.steps), 0
    together = walked(method, problem, range(seeds), size)
    error = 0.0
    for i in (0, seeds // 2, seeds - 1):
        alone = drawn(method, problem, range(i, i + 1), size.steps)
        seen += sum(int((alone[name][:, 0] != block[name][:, i]).sum()) for name in block)
        single = walked(method, problem, range(i, i + 1), size)
        for a, b in zip(together.states, single.states, strict=True):
            error = max(error, float((a.x[i] - b.x[0]).norm() / (1e-300 + b.x[0].norm())))
    return {"draws": seen, "iterates": error}


def against_numpy(
    name: str, method: Method, problem: LogisticRegression, seeds: int, size: Size
) -> tuple[float, float]:
    """Seconds of the loop over seeds, and the largest relative difference of a last iterate."""
    rows, table = problem._z.numpy(), drawn(method, problem, range(seeds), size.steps)
    last = walked(method, problem, range(seeds), size).states[-1].x.numpy()
    heads = table.get("refresh")

    def loop() -> list[Array]:
        return [
            LOOPS[name](rows, table["j"][:, i], None if heads is None else heads[:, i]) for i in range(seeds)
        ]

    took, found = seconds_of(loop)
    return took, max(
        float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in zip(last, found, strict=True)
    )


def sampled_seconds(problem: LogisticRegression, seeds: int, size: Size) -> float:
    """Seconds of the loop over optimiser objects."""
    sampled = SampledSGD(problem._z.numpy(), seeds)
    return seconds_of(lambda: sampled.run(size.steps, size.every))[0]


def process_seconds(name: str, path: Path, size: Size) -> float:
    """CPU time of a process that runs one seed."""
    call = [sys.executable, "-m", "benchmarks.seeds", "--one", name, str(path)]
    call += ["--steps", str(size.steps), "--every", str(size.every)]
    return child_seconds(call)[1]


def measure(path: Path, size: Size, counts: Sequence[int], repeats: int, processes: int) -> dict[str, Any]:
    """Seconds of every run, method by method."""
    problem = LogisticRegression(str(path), reg=REG)
    problem.gap(problem.x0)  # the minimiser is made before the clock starts
    found = {}
    for name, method in methods(size.n).items():
        found[name] = {
            **times(name, method, problem, size, counts, repeats),
            "process": [process_seconds(name, path, size) for _ in range(processes)],
            **agreement(method, problem, counts[0], size),
        }
    return found


def times(
    name: str, method: Method, problem: LogisticRegression, size: Size, counts: Sequence[int], repeats: int
) -> dict[str, Any]:
    """Runs of many seeds and the loop over the fewest of them, taking turns; then one run that records."""

    def ran(seeds: int, record: tuple[str, ...] | None) -> float:
        return seconds_of(
            lambda: run(method, problem, steps=size.steps, every=size.every, replicates=seeds, record=record)
        )[0]

    runs: dict[str, list[float]] = {str(n): [] for n in counts}
    loops: list[tuple[float, float]] = []
    objects: list[float] = []
    for _ in range(repeats):
        for n in counts:
            runs[str(n)].append(ran(n, ()))
        loops.append(against_numpy(name, method, problem, counts[0], size))
        if name == "SGD":
            objects.append(sampled_seconds(problem, counts[0], size))
    return {
        "run": runs,
        "numpy": [took for took, _ in loops],
        "objects": objects,
        "numpy difference": max(error for _, error in loops),
        "recorded": ran(counts[0], None),
    }


# -- the report -----------------------------------------------------------------------------------


def rows_of(results: Mapping[str, Any], size: Size) -> list[Row]:
    """Microseconds for a step and seed; the first row is the workbench with the fewest seeds."""
    rows = []
    for name, found in results.items():
        few = int(next(iter(found["run"])))
        line = partial(step_and_seed, f"{name}, a step and seed, n = {size.n}, d = {size.d}", size.steps)
        for n, seconds in found["run"].items():
            reached = [t for least, t in TARGETS.items() if int(n) >= least]
            note = f"target {min(reached)}" if reached else ""
            rows.append(line(f"workbench.run, {n} seeds", seconds, int(n), headline=int(n) == few, note=note))
        same = f"iterates differ by {found['numpy difference']:.1e}, relatively"
        rows.append(line(f"NumPy, loop over {few} seeds", found["numpy"], few, note=same))
        if found["objects"]:
            note = "draws of its own"
            rows.append(line(f"optimiser objects, loop over {few} seeds", found["objects"], few, note=note))
        if found["process"]:
            rows.append(line("workbench.run, a process per seed", found["process"], 1))
        extra = found["recorded"] - min(found["run"][str(few)])
        each = extra / (size.steps // size.every + 1) / few
        differ = (
            f"{found['draws']} draws differ from those of a seed alone, iterates by {found['iterates']:.1e}"
        )
        setting = f"{name}, recording gap, dist and gradnorm, a point and seed"
        rows.append(timed(setting, "workbench.run", [each], "us", note=differ))
    return rows


def step_and_seed(
    setting: str,
    steps: int,
    way: str,
    seconds: Sequence[float],
    seeds: int,
    headline: bool = True,
    note: str = "",
) -> Row:
    """Seconds of whole runs, divided."""
    return timed(setting, way, [s / steps / seeds for s in seconds], "us", headline=headline, note=note)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--repeats", type=positive, default=5, help="runs of each kind")
    read.add_argument("--processes", type=int, default=3, help="processes of one seed")
    read.add_argument("--seeds", type=positive, nargs="+", default=[30, 64, 256])
    read.add_argument("--terms", type=positive, default=2000)
    read.add_argument("--dimension", type=positive, default=50)
    read.add_argument("--steps", type=positive, default=2000)
    read.add_argument("--every", type=positive, default=10)
    read.add_argument("--one", nargs=2, metavar=("METHOD", "DATA"), help="run one seed, print nothing")
    options = read.parse_args(arguments)
    size = Size(options.terms, options.dimension, options.steps, options.every)
    if options.one:
        problem = LogisticRegression(options.one[1], reg=REG)
        run(methods(problem.n_terms)[options.one[0]], problem, steps=size.steps, every=size.every, record=())
        return
    machine = begin()
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        path = data_file(size, Path(folder))
        results = measure(path, size, options.seeds, options.repeats, options.processes)
    rows = rows_of(results, size)
    finish(options.json, machine, {"size": size._asdict(), **results}, rows)


if __name__ == "__main__":
    main()
