"""Search for violations: the batched ascent of ``refute`` against SciPy's optimisers, one start at a time.

    python -m benchmarks.refute [--full] [--budget N] [--repeats N] [--json FILE]

All maximise the same ratio lhs / rhs with the same number of its evaluations, and ``refute`` once more with
20 times as many, for a batch costs less; a point where rounding or the domain makes the ratio void counts as
nothing. L-BFGS-B and Nelder-Mead start again at sampled points until the budget is spent; gradients are
automatic and free of charge. Differential evolution and dual annealing get the cube that holds these points.
What is reported is the ratio at the best points of each, as ``check`` finds it. Times are CPU times on one
thread; the methods take turns.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.optimize import differential_evolution, dual_annealing, minimize
from torch import Tensor

from assumptions import Inequality, sample_points
from assumptions.sampling import LARGEST, in_domain
from assumptions.search import ascend
from benchmarks.refute_cases import Case, cases
from benchmarks.report import Row, begin, finish, one_thread, parser, positive, seconds_of, timed
from problems import Problem

Array = np.ndarray
VOID = 1e3
"""Objective where the ratio says nothing: worse than log(1e-300)."""
REACHED, FALSE = 0.99, 1.5
"""Share of the supremum, and ratio that shows a claim to be false, at which a search has done its work."""
MORE = 20
"""Times the budget, in the second run of ``refute``."""


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
            with np.errstate(all="ignore"):
                took, (ratio, used) = seconds_of(partial(search, case, budget, seed))
            found[name].seconds.append(took)
            found[name].ratios.append(ratio)
            found[name].evaluations.append(used)
    return found


def rows_of(numbers: Mapping[str, Any]) -> list[Row]:
    """CPU seconds of each search; beside them the best ratio, and how far from the supremum it is."""
    rows = []
    for case, found in numbers["results"].items():
        setting = f"{case}, about {numbers['budget']} evaluations, supremum {numbers['suprema'][case]}"
        for name, f in found.items():
            ratio, low, high = statistics.median(f["ratios"]), min(f["ratios"]), max(f["ratios"])
            note = f"best ratio {ratio:.6g} [{low:.6g}, {high:.6g}], {max(f['evaluations'])} evaluations"
            rows.append(timed(setting, name, f["seconds"], note=note))
    return [*together(numbers), *rows]


def together(numbers: Mapping[str, Any]) -> list[Row]:
    """All cases in one setting: seconds of each seed, and how often a search came to where it should."""
    results, rows = numbers["results"], []
    for name in SEARCHES:
        seconds = [
            sum(each) for each in zip(*(found[name]["seconds"] for found in results.values()), strict=True)
        ]
        there = sum(
            statistics.median(found[name]["ratios"]) >= min(REACHED * float(numbers["suprema"][case]), FALSE)
            for case, found in results.items()
        )
        note = f"{there} of {len(results)} cases: {REACHED:.0%} of the supremum, or a ratio above {FALSE:g}"
        setting = f"all cases, about {numbers['budget']} evaluations each"
        rows.append(timed(setting, name, seconds, "s", headline=True, note=note))
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write the numbers to a file if asked."""
    read = parser(__doc__)
    read.add_argument("--full", action="store_true", help="budget 20000, 5 repeats; takes many minutes")
    read.add_argument("--budget", type=positive, help="evaluations of the ratio, 1000 by default")
    read.add_argument("--repeats", type=positive, help="seeds of each search, 1 by default")
    options = read.parse_args(arguments)
    budget = options.budget or (20_000 if options.full else 1000)
    repeats = options.repeats or (5 if options.full else 1)
    machine = begin()
    with one_thread():
        chosen = cases()
        results = {case.name: measure(case, budget, repeats) for case in chosen}
    numbers = {
        "budget": budget,
        "suprema": {c.name: "inf" if c.supremum == math.inf else c.supremum for c in chosen},
        "results": {c: {name: f._asdict() for name, f in found.items()} for c, found in results.items()},
    }
    rows = rows_of(numbers)
    finish(options.json, machine, numbers, rows)


if __name__ == "__main__":
    main()
