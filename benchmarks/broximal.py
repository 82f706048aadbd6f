"""Minimisation over balls: time of a run of BPM and of one call, and accuracy where it is hard.

    python benchmarks/broximal.py [--repeats 5] [--json FILE]

The same quadratic subproblems go to the workbench, to SciPy's exact trust region subproblem and to
cvxpy with Clarabel (compiled once, parameters changed). Times are CPU times on one thread; the solvers
take turns, so that the load of the machine falls on all of them.
"""

import argparse
import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cvxpy
import numpy as np
import scipy
import torch
from scipy.optimize._trustregion_exact import IterativeSubproblem
from threadpoolctl import threadpool_limits

from problems import Quadratic
from problems.secular import solve_ball_quadratic
from workbench import run
from workbench.methods.bpm import BPM

Array = np.ndarray
Step = Callable[[Array], Array]
"""Gradient at the centre -> step to the minimiser over the ball."""

SCIPY_DEFAULTS: Mapping[str, float] = {}
SCIPY_TIGHT: Mapping[str, float] = {"k_easy": 1e-12, "k_hard": 1e-12}
SLOW = 3.0
"""A solver whose run takes longer, in seconds, is not repeated."""


# -- the solvers, on models g's + s'Hs/2 ----------------------------------------------------------


def workbench_step(hessian: Array, g: Array, radius: float) -> Array:
    """Eigendecomposition and secular equation."""
    eigenvalues, basis = np.linalg.eigh(hessian)
    solved = solve_ball_quadratic(torch.from_numpy(eigenvalues), torch.from_numpy(g @ basis), radius)
    s = basis @ solved.step.numpy()
    return s * (radius / np.linalg.norm(s)) if float(solved.multiplier) > 0 else s


def scipy_step(hessian: Array, g: Array, radius: float, options: Mapping[str, float]) -> Array:
    """SciPy's exact solver with its limit of 25 iterations; it says nothing when that is reached."""
    model = IterativeSubproblem(np.zeros_like(g), lambda _: 0.0, lambda _: g, lambda _: hessian, **options)
    return model.solve(radius)[0]


def conic_step(hessian: Array, radius: float) -> Step:
    """cvxpy and Clarabel; the gradient is a parameter of a problem that is compiled once."""
    eigenvalues, basis = np.linalg.eigh(hessian)
    root = np.sqrt(eigenvalues)[:, None] * basis.T
    s, g = cvxpy.Variable(len(eigenvalues)), cvxpy.Parameter(len(eigenvalues))
    problem = cvxpy.Problem(
        cvxpy.Minimize(cvxpy.sum_squares(root @ s) / 2 + g @ s), [cvxpy.norm(s) <= radius]
    )

    def step(gradient: Array) -> Array:
        g.value = gradient
        problem.solve(solver="CLARABEL")
        return np.asarray(s.value)

    return step


# -- part 1: time of a run ------------------------------------------------------------------------


class Timing(NamedTuple):
    """Seconds of each run, the gap f - f_star and the largest |step| / radius - 1 of the last one."""

    seconds: list[float]
    gap: float
    excess: float


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


def time_runs(d: int, steps: int, repeats: int) -> dict[str, Timing]:
    """BPM for ``steps`` steps that do not reach the minimiser, by each solver."""
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
    return take_turns(solvers, repeats)


def take_turns(solvers: Mapping[str, Callable[[], tuple[float, float]]], repeats: int) -> dict[str, Timing]:
    """Every solver once per round; slow ones in the first round only."""
    timings: dict[str, Timing] = {}
    for _ in range(repeats):
        for name, solve in solvers.items():
            before = timings[name].seconds if name in timings else []
            if before and before[-1] > SLOW:
                continue
            started = time.process_time()
            gap, excess = solve()
            timings[name] = Timing([*before, time.process_time() - started], gap, excess)
    return timings


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
    seconds: dict[str, list[float]] = {name: [] for name in solvers}
    for solve in solvers.values():
        solve(0)
    for _ in range(repeats):
        for name, solve in solvers.items():
            started = time.process_time()
            for i in range(calls):
                solve(i)
            seconds[name].append((time.process_time() - started) / calls)
    return seconds


# -- part 3: hard cases ---------------------------------------------------------------------------


class Case(NamedTuple):
    """Models of one kind: ``make(rng)`` gives (H, g)."""

    name: str
    make: Callable[[np.random.Generator], tuple[Array, Array]]
    radius: float
    options: Mapping[str, float]


def _rotation(rng: np.random.Generator, d: int) -> Array:
    return np.linalg.qr(rng.standard_normal((d, d)))[0]


def _definite(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    half = rng.standard_normal((d, d))
    return half @ half.T + 0.1 * np.eye(d), rng.standard_normal(d)


def _indefinite(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    half = rng.standard_normal((d, d))
    return (half + half.T) / 2, rng.standard_normal(d)


def _hard(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """The gradient is orthogonal to the lowest eigenvector."""
    basis, b = _rotation(rng, d), rng.standard_normal(d)
    b[0] = 0
    return (basis * np.sort(rng.standard_normal(d))) @ basis.T, basis @ b


def _far(rng: np.random.Generator, d: int) -> tuple[Array, Array]:
    """Condition number 1000, the minimiser some 10 away: the multiplier is hundreds of times H."""
    basis = _rotation(rng, d)
    hessian = (basis * np.logspace(-3, 0, d)) @ basis.T
    return hessian, hessian @ rng.standard_normal(d)


def hard_cases(d: int) -> tuple[Case, ...]:
    """At d = 100, what is known to go wrong elsewhere."""
    return (
        Case(f"definite, d={d}, t=0.1", lambda r: _definite(r, d), 0.1, SCIPY_DEFAULTS),
        Case(f"indefinite, d={d}, t=0.1", lambda r: _indefinite(r, d), 0.1, SCIPY_DEFAULTS),
        Case("indefinite, d=10, t=0.1, k=1e-12", lambda r: _indefinite(r, 10), 0.1, SCIPY_TIGHT),
        Case(f"hard case, d={d}, t=100", lambda r: _hard(r, d), 100.0, SCIPY_DEFAULTS),
        Case(f"hard case, d={d}, t=100, k=1e-12", lambda r: _hard(r, d), 100.0, SCIPY_TIGHT),
        Case(f"far start, d={d}, t=0.05, k=1e-12", lambda r: _far(r, d), 0.05, SCIPY_TIGHT),
    )


def quality(hessian: Array, g: Array, radius: float, s: Array) -> dict[str, float]:
    """Relative radius error, KKT residual over |g| + |H| |s|, and the value of the model."""
    length, grad = float(np.linalg.norm(s)), hessian @ s + g
    lam = max(0.0, -float(grad @ s) / length**2) if length > 0 else 0.0
    size = float(np.linalg.norm(g)) + float(np.linalg.norm(hessian, 2)) * length
    return {
        "radius": length / radius - 1,
        "kkt": float(np.linalg.norm(grad + lam * s)) / size,
        "value": float(s @ hessian @ s / 2 + g @ s),
    }


def measure_case(case: Case, instances: int) -> dict[str, dict[str, float]]:
    """Both solvers on seeds 0, 1, ...: of each measure the largest in absolute value.

    value: of the model on which SciPy's loss is largest.

    All solutions of these models lie on the sphere. loss: (value - value of the workbench) / its size;
    below 0 only for points outside the ball.
    """
    found: list[tuple[dict[str, float], dict[str, float]]] = []
    for seed in range(instances):
        hessian, g = case.make(np.random.default_rng(seed))
        ours = quality(hessian, g, case.radius, workbench_step(hessian, g, case.radius))
        theirs = quality(hessian, g, case.radius, scipy_step(hessian, g, case.radius, case.options))
        for q in (ours, theirs):
            q["loss"] = (q["value"] - ours["value"]) / abs(ours["value"])
        found.append((ours, theirs))
    shown = max(found, key=lambda pair: abs(pair[1]["loss"]))
    return {
        name: {
            **{key: max((pair[i][key] for pair in found), key=abs) for key in ("radius", "kkt", "loss")},
            "value": shown[i]["value"],
        }
        for i, name in enumerate(("workbench", "SciPy"))
    }


# -- the report -----------------------------------------------------------------------------------


def hardware() -> dict[str, str]:
    """What the numbers depend on."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cpu": f"{model[0] if model else platform.processor()}, {len(model) or 1} visible, 1 thread used",
        "python": platform.python_version(),
        **{m.__name__: m.__version__ for m in (torch, np, scipy, cvxpy)},
    }


def spread(seconds: Sequence[float], unit: float) -> str:
    """Median and range."""
    low, high = min(seconds) / unit, max(seconds) / unit
    return f"{statistics.median(seconds) / unit:10.3g} [{low:.3g}, {high:.3g}]"


def report(
    runs: Mapping[str, Timing], calls: Mapping[str, list[float]], cases: Mapping[str, Any], steps: int
) -> str:
    """Three tables."""
    lines = ["", f"BPM, {steps} steps, quadratic", f"{'':20}{'CPU ms, median [range]':>34}  runs"]
    lines[-1] += f"{'ratio':>8}{'f - f_star':>13}{'|s|/t - 1':>11}"
    first = statistics.median(runs["workbench.run"].seconds)
    for name, timing in runs.items():
        ratio = statistics.median(timing.seconds) / first
        lines.append(
            f"{name:20}{spread(timing.seconds, 1e-3):>34}{len(timing.seconds):6d}{ratio:8.1f}"
            f"{timing.gap:13.6g}{timing.excess:11.1e}"
        )
    lines += ["", "One call after factorisation", f"{'':20}{'CPU us, median [range]':>34}{'ratio':>14}"]
    first = statistics.median(calls["brox"])
    for name, seconds in calls.items():
        lines.append(f"{name:20}{spread(seconds, 1e-6):>34}{statistics.median(seconds) / first:14.1f}")
    lines += ["", "Hard cases, worst of the instances"]
    lines.append(f"{'':38}{'':11}{'|s|/t - 1':>11}{'KKT':>10}{'loss':>11}{'model value':>14}")
    for name, found in cases.items():
        for solver, q in found.items():
            lines.append(
                f"{name:38}{solver:11}{q['radius']:11.1e}{q['kkt']:10.1e}{q['loss']:11.1e}{q['value']:14.6g}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--repeats", type=int, default=5, help="runs of each solver")
    parser.add_argument("--dimension", type=int, default=100)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--instances", type=int, default=20, help="models of each hard case")
    options = parser.parse_args(arguments)
    machine = hardware()
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        runs = time_runs(options.dimension, options.steps, options.repeats)
        calls = time_calls(options.dimension, options.steps, options.repeats)
        cases = {c.name: measure_case(c, options.instances) for c in hard_cases(options.dimension)}
    torch.set_num_threads(threads)
    print(report(runs, calls, cases, options.steps))
    if options.json:
        numbers = {
            "hardware": machine,
            "runs": {name: timing._asdict() for name, timing in runs.items()},
            "calls": calls,
            "cases": cases,
        }
        options.json.write_text(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
