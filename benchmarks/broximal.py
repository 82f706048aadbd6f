"""Minimisation over balls: time of a run of BPM and of one call, and accuracy where it is hard.

    python -m benchmarks.broximal [--repeats 5] [--json FILE]

The same quadratic subproblems go to the workbench, to SciPy's exact trust region subproblem and to
cvxpy with Clarabel (compiled once, parameters changed). Times are CPU times on one thread; the solvers
take turns, so that the load of the machine falls on all of them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from benchmarks.ball_cases import hard_cases, measure_case
from benchmarks.ball_solvers import SCIPY_DEFAULTS, SCIPY_TIGHT, Array, Step, conic_step, scipy_step
from benchmarks.report import Row, Turns, begin, finish, one_thread, parser, positive, take_turns, timed
from problems import Quadratic
from workbench import run
from workbench.methods.bpm import BPM

SLOW = 3.0
"""A solver whose run takes longer, in seconds, is not repeated."""

# -- part 1: time of a run ------------------------------------------------------------------------


def quadratic(d: int) -> Quadratic:
    """Eigenvalues from 1 down to 1e-3, evenly in the logarithm, random eigenvectors."""
    return Quadratic(tuple(float(a) for a in np.logspace(0, -3, d)), seed=0)


def walk(problem: Quadratic, hessian: Array, step: Step, radius: float, steps: int) -> tuple[float, float]:
    """BPM with this step. Returns the gap reached and the largest |step| / radius - 1."""
    x, center, excess = problem.x0.numpy().copy(), problem.x_star.numpy(), -1.0
    for _ in range(steps):
        s = step(hessian @ (x - center))
        excess = max(excess, float(np.linalg.norm(s)) / radius - 1)
        x = x + s
    return float(problem.gap(torch.from_numpy(x))), excess


def time_runs(d: int, steps: int, repeats: int) -> dict[str, Turns[tuple[float, float]]]:
    """BPM for ``steps`` steps that do not reach the minimiser, by each solver: gap and excess as ``walk``."""
    problem = quadratic(d)
    radius = float((problem.x0 - problem.x_star).norm()) / (1.25 * steps)
    hessian = problem.hvp(problem.x0, torch.eye(d).double()).numpy()
    conic = conic_step(hessian, radius)
    conic(hessian @ np.ones(d))  # compiled here

    def ours() -> tuple[float, float]:
        trace = run(BPM(radius), problem, steps=steps, record=("gap", "dist", "gradnorm", "moved"))
        moved = trace.quantities["moved"][0, 1:]
        return float(trace.quantities["gap"][0, -1]), float(moved.max()) / radius - 1

    solvers: dict[str, Callable[[], tuple[float, float]]] = {
        "workbench.run": ours,
        "SciPy, defaults": lambda: walk(
            problem, hessian, lambda g: scipy_step(hessian, g, radius, SCIPY_DEFAULTS), radius, steps
        ),
        "SciPy, k = 1e-12": lambda: walk(
            problem, hessian, lambda g: scipy_step(hessian, g, radius, SCIPY_TIGHT), radius, steps
        ),
        "cvxpy, Clarabel": lambda: walk(problem, hessian, conic, radius, steps),
    }
    ours()  # imports and caches
    return take_turns(solvers, repeats, SLOW)


# -- part 2: time of a call -----------------------------------------------------------------------


def time_calls(d: int, calls: int, repeats: int) -> dict[str, list[float]]:
    """Seconds per call after factorisation and compilation, at points on the way to the minimiser."""
    problem = quadratic(d)
    radius = float((problem.x0 - problem.x_star).norm()) / (1.25 * calls)
    hessian = problem.hvp(problem.x0, torch.eye(d).double()).numpy()
    share = torch.linspace(0, 0.7, calls, dtype=torch.float64).unsqueeze(-1)
    points = problem.x0 + share * (problem.x_star - problem.x0)
    gradients = ((points - problem.x_star) @ torch.from_numpy(hessian)).numpy()
    conic = conic_step(hessian, radius)
    solvers: dict[str, Callable[[int], Any]] = {
        "brox": lambda i: problem.brox(points[i], radius),
        "SciPy, defaults": lambda i: scipy_step(hessian, gradients[i], radius, SCIPY_DEFAULTS),
        "cvxpy, Clarabel": lambda i: conic(gradients[i]),
    }

    def rounds(solve: Callable[[int], Any]) -> Callable[[], None]:
        solve(0)

        def calls_of_one() -> None:
            for i in range(calls):
                solve(i)

        return calls_of_one

    found = take_turns({name: rounds(solve) for name, solve in solvers.items()}, repeats)
    return {name: [took / calls for took in turns.seconds] for name, turns in found.items()}


# -- the report -----------------------------------------------------------------------------------


def rows_of(numbers: Mapping[str, Any]) -> list[Row]:
    """Runs, calls and hard cases."""
    d, steps = numbers["dimension"], numbers["steps"]
    rows = []
    for name, run_ in numbers["runs"].items():
        note = f"f - f_star = {run_['gap']:.6g}, step over radius - 1 = {run_['excess']:.1e}"
        setting = f"BPM, {steps} steps, quadratic, d = {d}"
        rows.append(timed(setting, name, run_["seconds"], headline=name != "SciPy, k = 1e-12", note=note))
    for name, seconds in numbers["calls"].items():
        rows.append(timed(f"one call after factorisation, d = {d}", name, seconds, "us", headline=True))
    for case, found in numbers["cases"].items():
        for solver, q in found.items():
            error = max(abs(q[key]) for key in ("radius", "kkt", "loss"))
            note = f"step over radius - 1 = {q['radius']:.1e}, KKT {q['kkt']:.1e}, loss {q['loss']:.1e}"
            rows.append(
                Row(f"{case}: worst error", solver, "", (error,), note=f"{note}, value {q['value']:.6g}")
            )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--repeats", type=positive, default=5, help="runs of each solver")
    read.add_argument("--dimension", type=positive, default=100)
    read.add_argument("--steps", type=positive, default=200)
    read.add_argument("--instances", type=positive, default=20, help="models of each hard case")
    options = read.parse_args(arguments)
    machine = begin()
    with one_thread():
        runs = time_runs(options.dimension, options.steps, options.repeats)
        calls = time_calls(options.dimension, options.steps, options.repeats)
        cases = {c.name: measure_case(c, options.instances) for c in hard_cases(options.dimension)}
    numbers = {
        "dimension": options.dimension,
        "steps": options.steps,
        "runs": {
            name: {"seconds": turns.seconds, "gap": turns.result[0], "excess": turns.result[1]}
            for name, turns in runs.items()
        },
        "calls": calls,
        "cases": cases,
    }
    rows = rows_of(numbers)
    finish(options.json, machine, numbers, rows)


if __name__ == "__main__":
    main()
