"""Many seeds at once: time of a step and seed of SGD and PAGE against a NumPy loop and a process per seed.

    python benchmarks/seeds.py [--repeats 5] [--processes 3] [--json FILE]

Logistic regression with n = 2000 terms in R^50 on made-up data, minibatch 1, 2000 steps, 200 recorded
points. The loop over seeds is plain NumPy, with the draws made beforehand. A process per seed runs
``workbench.run`` for one seed; its imports and its data are part of its time. Times are CPU times on one
thread; the runs take turns, so that the load of the machine falls on all of them, and the smallest of several
is the least disturbed.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from problems import LogisticRegression
from workbench import run
from workbench.draws import DrawStream
from workbench.methods.base import Method
from workbench.methods.page import PAGE
from workbench.methods.sgd import SGD
from workbench.walk import Walk, walk

Array = np.ndarray
REG, STEPSIZE = 0.01, 0.01
TARGETS = {30: 2.0, 64: 1.0}
"""Microseconds for a step and seed, from that number of seeds on."""


class Size(NamedTuple):
    """n: terms. d: columns, the column of ones included."""

    n: int
    d: int
    steps: int
    every: int


def data_file(size: Size, folder: Path) -> Path:
    """Normal features, labels of a random hyperplane with noise, as LIBSVM writes them."""
    rng = np.random.default_rng(0)
    a = rng.standard_normal((size.n, size.d - 1))
    b = np.sign(a @ rng.standard_normal(size.d - 1) + rng.standard_normal(size.n))
    lines = [
        f"{int(y)} " + " ".join(f"{i + 1}:{v:.8g}" for i, v in enumerate(r))
        for r, y in zip(a, b, strict=True)
    ]
    path = folder / "seeds.libsvm"
    path.write_text("\n".join(lines) + "\n")
    return path


def methods(n: int) -> dict[str, Method]:
    """Minibatch 1; PAGE with full and sampled gradients of equal cost."""
    return {"SGD": SGD(STEPSIZE), "PAGE": PAGE(STEPSIZE, PAGE.refresh(n))}


# -- the rival: a loop over seeds -----------------------------------------------------------------


def term_grad(rows: Array, x: Array, j: int) -> Array:
    """Gradient of a term; rows are -b_j a_j."""
    return rows[j] * (1 / (1 + np.exp(-(rows[j] @ x)))) + REG * x


def full_grad(rows: Array, x: Array) -> Array:
    """Gradient of the mean."""
    return (1 / (1 + np.exp(-(rows @ x)))) @ rows / len(rows) + REG * x


def numpy_sgd(rows: Array, j: Array, heads: Array | None) -> Array:
    """The last iterate of one seed. j: (steps,)."""
    del heads
    x = np.zeros(rows.shape[1])
    for index in j:
        x = x - STEPSIZE * term_grad(rows, x, index)
    return x


def numpy_page(rows: Array, j: Array, heads: Array | None) -> Array:
    """The last iterate of one seed. j, heads: (steps,)."""
    assert heads is not None
    x = np.zeros(rows.shape[1])
    g = full_grad(rows, x)
    for index, refresh in zip(j, heads, strict=True):
        before, x = x, x - STEPSIZE * g
        g = full_grad(rows, x) if refresh else g + term_grad(rows, x, index) - term_grad(rows, before, index)
    return x


LOOPS: Mapping[str, Callable[[Array, Array, Array | None], Array]] = {"SGD": numpy_sgd, "PAGE": numpy_page}


def drawn(method: Method, problem: LogisticRegression, replicates: range, steps: int) -> dict[str, Array]:
    """All draws, name -> (steps, seeds)."""
    spaces = method.draws(problem)
    stream = DrawStream(0, replicates, spaces, "cpu")
    table = [vars(stream.at(k, spaces)) for k in range(steps)]
    return {name: np.stack([draws[name].numpy()[:, 0] for draws in table]) for name in spaces}


# -- the measurements -----------------------------------------------------------------------------


def seconds_of(work: Callable[[], Any]) -> float:
    """CPU time."""
    started = time.process_time()
    work()
    return time.process_time() - started


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
    found: list[Array] = []
    heads = table.get("refresh")

    def loop() -> None:
        found.extend(
            LOOPS[name](rows, table["j"][:, i], None if heads is None else heads[:, i]) for i in range(seeds)
        )

    took = seconds_of(loop)
    return took, max(
        float(np.linalg.norm(a - b) / np.linalg.norm(a)) for a, b in zip(last, found, strict=True)
    )


def process_seconds(name: str, path: Path, size: Size) -> float:
    """CPU time of a process that runs one seed."""
    call = [sys.executable, "-m", "benchmarks.seeds", "--one", name, str(path)]
    call += ["--steps", str(size.steps), "--every", str(size.every)]
    before = os.times()
    subprocess.run(
        call, check=True, cwd=Path(__file__).parents[1], env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


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
        )

    runs: dict[str, list[float]] = {str(n): [] for n in counts}
    loops: list[tuple[float, float]] = []
    for _ in range(repeats):
        for n in counts:
            runs[str(n)].append(ran(n, ()))
        loops.append(against_numpy(name, method, problem, counts[0], size))
    return {
        "run": runs,
        "numpy": [took for took, _ in loops],
        "numpy difference": max(error for _, error in loops),
        "recorded": ran(counts[0], None),
    }


# -- the report -----------------------------------------------------------------------------------


def report(results: Mapping[str, Any], size: Size) -> str:
    """Microseconds for a step and seed: the smallest of the repeats, and the median."""
    lines = []
    for name, found in results.items():
        few = int(next(iter(found["run"])))
        lines += [
            "",
            f"{name}: CPU microseconds for a step and seed",
            f"{'':34}{'least':>9}{'median':>9}{'target':>9}",
        ]

        def line(what: str, seconds: Sequence[float], seeds: int, target: float | None = None) -> str:
            each = sorted(s / size.steps / seeds * 1e6 for s in seconds)
            wanted = f"{target:9.3g}" if target else ""
            return f"{what:34}{each[0]:9.3g}{statistics.median(each):9.3g}{wanted}"

        for n, seconds in found["run"].items():
            reached = [t for least, t in TARGETS.items() if int(n) >= least]
            lines.append(line(f"workbench.run, {n} seeds", seconds, int(n), min(reached, default=None)))
        lines.append(line(f"NumPy, loop over {few} seeds", found["numpy"], few))
        if found["process"]:
            lines.append(line("workbench.run, a process per seed", found["process"], 1))
        bare = min(found["run"][str(few)])
        points = size.steps // size.every + 1
        extra = (found["recorded"] - bare) / points / few * 1e6
        lines.append(
            f"recording gap, dist and gradnorm: {extra:.3g} microseconds for a recorded point and seed"
        )
        lines.append(
            f"draws that differ from those of a seed alone: {found['draws']}; iterates differ by "
            f"{found['iterates']:.1e}, from NumPy's by {found['numpy difference']:.1e}, relatively"
        )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each kind")
    parser.add_argument("--processes", type=int, default=3, help="processes of one seed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[30, 64, 256])
    parser.add_argument("--terms", type=int, default=2000)
    parser.add_argument("--dimension", type=int, default=50)
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=10)
    parser.add_argument("--one", nargs=2, metavar=("METHOD", "DATA"), help="run one seed, print nothing")
    options = parser.parse_args(arguments)
    size = Size(options.terms, options.dimension, options.steps, options.every)
    if options.one:
        problem = LogisticRegression(options.one[1], reg=REG)
        run(methods(problem.n_terms)[options.one[0]], problem, steps=size.steps, every=size.every, record=())
        return
    from benchmarks.broximal import hardware  # its imports are not part of the time of a process

    machine = hardware()
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        path = data_file(size, Path(folder))
        results = measure(path, size, options.seeds, options.repeats, options.processes)
    torch.set_num_threads(threads)
    print(report(results, size))
    if options.json:
        options.json.write_text(
            json.dumps({"hardware": machine, "size": size._asdict(), **results}, indent=2)
        )


if __name__ == "__main__":
    main()
