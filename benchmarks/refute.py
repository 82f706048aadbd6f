"""Search for violations: the batched ascent of ``refute`` against SciPy's optimisers, one start at a time.

    python benchmarks/refute.py [--full] [--budget N] [--repeats N] [--json FILE]

All maximise the same ratio lhs / rhs with the same number of its evaluations, and ``refute`` once more with
20 times as many, for a batch costs less; a point where rounding or the domain makes the ratio void counts as
nothing. L-BFGS-B and Nelder-Mead start again at sampled points until the budget is spent; gradients are
automatic and free of charge. Differential evolution and dual annealing get the cube that holds these points.
What is reported is the ratio at the best points of each, as ``check`` finds it. Times are CPU times on one
thread; the methods take turns.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import differential_evolution, dual_annealing, minimize
from threadpoolctl import threadpool_limits
from torch import Tensor

from assumptions import Convex, Inequality, Lipschitz, Smooth, StronglyConvex, sample_points
from assumptions.l0l1.literal import LiteralL0L1
from assumptions.sampling import LARGEST, in_domain
from assumptions.search import ascend
from benchmarks.broximal import hardware
from problems import Cosine, LogisticRegression, Problem, Quadratic, QuarticRidge, WeightedL1

Array = np.ndarray
VOID = 1e3
"""Objective where the ratio says nothing: worse than log(1e-300)."""
MORE = 20
"""Times the budget, in the second run of ``refute``."""


class Case(NamedTuple):
    """An inequality, a function, and the supremum of the ratio if it is known."""

    name: str
    assumption: Inequality
    problem: Problem
    supremum: float | None


def cases() -> tuple[Case, ...]:
    """Tight constants (1 is the supremum) and false claims (2, or inf)."""
    logistic = LogisticRegression("breast_cancer", reg=0.01)
    L = next(c.assumption.L for c in logistic.certified if isinstance(c.assumption, Smooth))
    spectrum = tuple(float(a) for a in np.logspace(0, -2, 10))
    return (
        Case("smooth: quadratic, d = 10", Smooth(1.0), Quadratic(spectrum, seed=0), 1.0),
        Case(
            "strongly convex: quadratic, d = 4",
            StronglyConvex(0.01),
            Quadratic((1.0, 0.5, 0.1, 0.01), seed=0),
            1.0,
        ),
        Case("smooth: logistic, d = 31", Smooth(L), logistic, 1.0),
        Case("Lipschitz: sum of 1 - cos, d = 8", Lipschitz(8.0**0.5), Cosine(8), 1.0),
        Case("convex: 1 - cos, d = 2", Convex(), Cosine(2), 2.0),
        Case("literal (L0, L1) = (4, 1): s^4/4", LiteralL0L1(4.0, 1.0), QuarticRidge((1.0,)), math.inf),
        Case("smooth with 1e6: |x|_1, d = 3", Smooth(1e6), WeightedL1((1.0, 1.0, 1.0)), math.inf),
    )


class SpentError(Exception):
    """The budget of evaluations is spent."""


@dataclass
class Objective:
    """-log(lhs / rhs) at one tuple of points at a time, counted; the best tuple is kept."""

    case: Case
    budget: int
    used: int = 0
    best: float = math.inf
    points: tuple[Tensor, ...] = field(default=())

    def __call__(self, flat: Array) -> float:
        """flat: (arity d,)."""
        return self._evaluate(torch.from_numpy(np.array(flat)), graph=False)[0]

    def with_gradient(self, flat: Array) -> tuple[float, Array]:
        """Value and gradient; a gradient that is not finite is 0."""
        leaf = torch.from_numpy(np.array(flat)).requires_grad_()
        value, result = self._evaluate(leaf, graph=True)
        if result is None or not result.requires_grad:
            return value, np.zeros_like(flat)
        (gradient,) = torch.autograd.grad(result, leaf)
        return value, np.nan_to_num(gradient.numpy(), nan=0.0, posinf=0.0, neginf=0.0)

    def _evaluate(self, flat: Tensor, graph: bool) -> tuple[float, Tensor | None]:
        if self.used >= self.budget:
            raise SpentError
        self.used += 1
        assumption, problem = self.case.assumption, self.case.problem
        with torch.set_grad_enabled(graph):
            points = tuple(flat.reshape(assumption.arity, 1, problem.d))
            lhs, rhs, resolution = assumption.sides(problem, *assumption.admissible(problem, *points))
            score = rhs.log() - lhs.log()
        resolution = resolution.nan_to_num(nan=0.0, posinf=0.0)
        seen = bool(torch.maximum(lhs, rhs) > 10 * resolution) or bool(lhs > rhs + resolution)
        value = float(score.detach())
        if not (seen and math.isfinite(value) and all(bool(in_domain(problem, p.detach())) for p in points)):
            return VOID, None
        if value < self.best:
            self.best, self.points = value, tuple(p.detach().clone() for p in points)
        return value, score.squeeze()

    def ratio(self) -> float:
        """What ``check`` says of the best points; 0 if none was found."""
        return self.case.assumption.check(self.case.problem, *self.points).ratio if self.points else 0.0


# -- the searches ---------------------------------------------------------------------------------


class Counted:
    """An inequality whose evaluations are counted, for ``ascend``."""

    def __init__(self, assumption: Inequality) -> None:
        self.assumption, self.arity, self.used = assumption, assumption.arity, 0
        self.admissible, self.check = assumption.admissible, assumption.check

    def sides(self, problem: Problem, *points: Tensor) -> Any:
        """As the inequality; one evaluation a row."""
        self.used += points[0].shape[0]
        return self.assumption.sides(problem, *points)


def batched(case: Case, budget: int, seed: int) -> tuple[float, int]:
    """``refute``. Returns the ratio and the evaluations used."""
    counted = Counted(case.assumption)
    found = ascend(counted, case.problem, budget=budget, seed=seed)  # pyright: ignore[reportArgumentType]
    return found.ratio, counted.used


def _from_samples(method: str) -> Callable[[Case, int, int], tuple[float, int]]:
    """A local optimiser, started at one sampled tuple after the other."""

    def search(case: Case, budget: int, seed: int) -> tuple[float, int]:
        objective, smooth = Objective(case, budget), method == "L-BFGS-B"
        arity = case.assumption.arity
        starts = sample_points(case.problem, budget, arity, seed=1_000_003 * seed)
        function = objective.with_gradient if smooth else objective
        try:
            for i in range(budget):
                flat = torch.cat([column[i] for column in starts]).numpy()
                minimize(function, flat, jac=smooth or None, method=method)
        except SpentError:
            pass
        return objective.ratio(), objective.used

    return search


def _in_cube(optimiser: Callable[..., Any], **options: Any) -> Callable[[Case, int, int], tuple[float, int]]:
    """A global optimiser over the cube that holds the sampled points."""

    def search(case: Case, budget: int, seed: int) -> tuple[float, int]:
        objective, problem = Objective(case, budget), case.problem
        reach = 2 * LARGEST * max(1.0, float(problem.x0.norm()))
        sides = [(float(c) - reach, float(c) + reach) for c in problem.x0] * case.assumption.arity
        try:
            for restart in range(budget):
                optimiser(objective, sides, rng=np.random.default_rng([seed, restart]), **options)
        except SpentError:
            pass
        return objective.ratio(), objective.used

    return search


SEARCHES: dict[str, Callable[[Case, int, int], tuple[float, int]]] = {
    "refute": batched,
    f"refute, {MORE} times the budget": lambda case, budget, seed: batched(case, MORE * budget, seed),
    "L-BFGS-B": _from_samples("L-BFGS-B"),
    "Nelder-Mead": _from_samples("Nelder-Mead"),
    "differential evolution": _in_cube(differential_evolution, polish=False),
    "dual annealing": _in_cube(dual_annealing),
}


# -- measuring ------------------------------------------------------------------------------------


class Found(NamedTuple):
    """Ratios, CPU seconds and evaluations of each repeat."""

    ratios: list[float]
    seconds: list[float]
    evaluations: list[int]


def measure(case: Case, budget: int, repeats: int) -> dict[str, Found]:
    """Every search on one case, seeds 0, 1, ..., taking turns."""
    case.assumption.check(
        case.problem, *sample_points(case.problem, 2, case.assumption.arity)
    )  # data are read
    found = {name: Found([], [], []) for name in SEARCHES}
    for seed in range(repeats):
        for name, search in SEARCHES.items():
            start = time.process_time()
            with np.errstate(all="ignore"):
                ratio, used = search(case, budget, seed)
            found[name].seconds.append(time.process_time() - start)
            found[name].ratios.append(ratio)
            found[name].evaluations.append(used)
    return found


def report(results: dict[str, dict[str, Found]], suprema: dict[str, float | None], budget: int) -> str:
    """A table: median and range of the best ratio, seconds, how many times as long as ``refute``."""
    lines = ["", f"Best ratio of about {budget} evaluations: median [lowest, highest]; CPU seconds, median"]
    for case, found in results.items():
        supremum = suprema[case]
        lines += ["", f"{case}" + ("" if supremum is None else f"; supremum {supremum:g}")]
        first = statistics.median(found["refute"].seconds)
        for name, f in found.items():
            ratio, low, high = statistics.median(f.ratios), min(f.ratios), max(f.ratios)
            seconds = statistics.median(f.seconds)
            lines.append(
                f"  {name:28}{ratio:12.6g} [{low:.6g}, {high:.6g}]".ljust(72)
                + f"{seconds:9.3f} s{seconds / first:8.1f} x{max(f.evaluations):10d}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--full", action="store_true", help="budget 20000, 5 repeats; takes many minutes")
    parser.add_argument("--budget", type=int, help="evaluations of the ratio, 1000 by default")
    parser.add_argument("--repeats", type=int, help="seeds of each search, 1 by default")
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    options = parser.parse_args(arguments)
    budget = options.budget or (20_000 if options.full else 1000)
    repeats = options.repeats or (5 if options.full else 1)
    machine = hardware()
    print("\n".join(f"{name}: {value}" for name, value in machine.items()))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with threadpool_limits(1):
        chosen = cases()
        results = {case.name: measure(case, budget, repeats) for case in chosen}
    torch.set_num_threads(threads)
    suprema = {case.name: case.supremum for case in chosen}
    print(report(results, suprema, budget))
    if options.json:
        numbers = {
            "hardware": machine,
            "budget": budget,
            "suprema": {name: s if s is None or s < math.inf else "inf" for name, s in suprema.items()},
            "results": {c: {name: f._asdict() for name, f in found.items()} for c, found in results.items()},
        }
        options.json.write_text(json.dumps(numbers, indent=2))


if __name__ == "__main__":
    main()
