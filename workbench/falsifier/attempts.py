"""The bookkeeping of a search: what was tried, what it cost, what came closest, what could not be tried."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from assumptions import IMPLICATIONS, Assumption, Implies
from problems.base import Problem
from workbench.engine import BLOCK
from workbench.falsifier.candidate import NOTHING, Tried
from workbench.falsifier.encode import Source
from workbench.falsifier.evaluate import MEANS, RUNS, afresh, evaluate, evaluate_states
from workbench.falsifier.free import moved
from workbench.falsifier.starting import centre_of, starting, varied
from workbench.match import Case, match
from workbench.theorem import Theorem
from workbench.verify.budget import Budget
from workbench.verify.states import tried_states
from workbench.verify.weaken import satisfies

STARTS, MEAN_STARTS, STATES = 32, 2, 24
"""Starts tried on one problem; of a claim about a mean; half the states of a step claim."""
LENGTH = 50
"""Steps of a run of a claim that is read at every step."""
ENDS = (LENGTH, 5, 1)
"""Lengths of runs, each with its share of the starts, where a claim names its horizon."""
HORIZONS = (LENGTH, 5, 20, 1, 10)
"""Lengths of the runs of a claim about a mean, in turn: its ratio is a mean over all steps."""
SLOW = 4
"""Evaluations for which one counts whose oracle is inexact: it takes about so much longer."""
ALONE = 4
"""Evaluations for which a run counts, at least, that is not made in a batch with others."""
PROMISING, CHECKS = 1.1, 12
"""A sampled ratio above it is judged afresh at once, at most so many times."""
FRESH_SEED = 2**32
"""Added to the seed of the search for draws that judge what it sampled."""
LAST_SEED = 3 * FRESH_SEED
"""Added to it for draws that judge the best once more at the end: those before have helped to choose it."""


class SpentError(Exception):
    """The budget is used up."""


@dataclass(frozen=True)
class Point:
    """Where a problem came from. u: its place in the cube of its source; choice: case, moved: free fields.

    horizon: steps of a run; None for the usual ones.
    """

    source: Source | None
    u: tuple[float, ...]
    choice: float = 0.0
    moved: float = 0.5
    horizon: int | None = None


@dataclass(frozen=True, eq=False)
class Entry:
    """The best of one evaluation, and its best starts relative to the minimiser, (rows, d)."""

    tried: Tried
    point: Point
    starts: Tensor


Keep = Callable[[Tried], None]
Progress = Callable[[int, int, str], None]


class Attempts:
    """A search on one theorem. ``best`` is the worst for the claim so far; ``keep`` is told of each better.

    spent, budget  evaluations; SpentError when one begins beyond the budget
    refused        why something was not tried -> how often
    families       label -> evaluations
    outside        an assumption: problems that certify it, with whatever constant, are not tried
    doubtful       of what samples showed above 1 and no fresh draw has judged, the largest
    """

    def __init__(
        self,
        theorem: Theorem,
        budget: int,
        seed: int,
        implications: Sequence[Implies] = IMPLICATIONS,
        steps: int | None = None,
        keep: Keep | None = None,
        progress: Progress | None = None,
        outside: type[Assumption] | None = None,
    ) -> None:
        self.theorem, self.budget, self.seed, self.steps = theorem, budget, seed, steps
        self.implications, self.keep, self.progress = implications, keep, progress
        self.outside = outside
        self.spent = 0
        self.best: Tried | None = None
        self.refused: Counter[str] = Counter()
        self.families: Counter[str] = Counter()
        self.doubtful: Tried | None = None
        self._checks = 0

    @property
    def refuted(self) -> bool:
        """Whether the best refutes the claim."""
        return self.best is not None and self.best.refutes

    def cases(self, problem: Problem) -> list[Case]:
        """Cases of the theorem on a problem; none, and the reason kept, where it does not apply."""
        found = match(self.theorem, problem, self.implications)
        if isinstance(found, str):
            self.refuse(found)
            return []
        if self.outside is None:
            return found
        left = [c for c in found if not satisfies(c, self.outside, self.implications)]
        if not left:
            self.refuse(f"{self.outside.__name__} is certified: not outside it")
        return left

    def refuse(self, reason: object) -> None:
        """Keep why something was not tried."""
        text = str(reason) if isinstance(reason, str) else f"{type(reason).__name__}: {reason}"
        self.refused[text.split("\n")[0][:200]] += 1

    def at(self, point: Point, near: Tensor | None = None) -> Entry | None:
        """Try a point of a source; None where there is no problem or the theorem does not apply.

        near: relative starts, (rows, d), of which half the starts are variations where dimensions agree.
        """
        source = point.source
        assert source is not None
        try:
            problem = source.at(point.u)
            cases = self.cases(problem)
        except Exception as error:  # a family may refuse its own parameters in any way
            self.refuse(error)
            return None
        if not cases:
            return None
        case = cases[min(int(point.choice * len(cases)), len(cases) - 1)]
        return self.on(moved(case, point.moved), point, source.label, near)

    def on(self, case: Case, point: Point, label: str, near: Tensor | None = None) -> Entry | None:
        """Try a case at starts or states; None, and the reason kept, where nothing can be tried."""
        if self.spent >= self.budget:
            raise SpentError
        try:
            tried = self._tried(case, point, near)
        except Exception as error:  # whatever raises inside a family ends this attempt alone
            self.refuse(error)
            return None
        self.families[label] += 1
        if self.progress:
            self.progress(min(self.spent, self.budget), self.budget, label)
        ranked = sorted(tried, key=lambda t: t.rank, reverse=True)
        for bad in {t.bad for t in tried if t.bad}:
            self.refuse(f"bad certificate: {bad}")
        if not ranked or ranked[0].rank[1:] == (NOTHING, NOTHING):
            return None
        top = self.offer(ranked[0])
        centre = centre_of(case.problem)
        return Entry(top, point, torch.stack([t.candidate.x0 - centre for t in ranked[:8]]))

    def _tried(self, case: Case, point: Point, near: Tensor | None) -> list[Tried]:
        """Evaluate, and count what that took: a failure counts as one."""
        self.spent += 1
        horizons = self._horizons(case, point)
        if self.theorem.kind == "step":
            budget = Budget("search", steps=min(horizons[0], 20), starts=1, states=STATES)
            pool = tried_states(case, budget, self.seed, None)
            self.spent += weight(case) * len(pool.k) - 1
            return evaluate_states(case, pool)
        x0 = self._starts(case.problem, near)
        parts = x0.tensor_split(len(horizons))
        found = [t for h, x in zip(horizons, parts, strict=True) for t in evaluate(case, x, h, self.seed)]
        self.spent += weight(case) * cost(case, found) - 1
        return found

    def _horizons(self, case: Case, point: Point) -> tuple[int, ...]:
        if self.steps or point.horizon:
            return (self.steps or point.horizon or LENGTH,)
        return ENDS if case.horizon_only and self.theorem.kind in RUNS else (LENGTH,)

    def _starts(self, problem: Problem, near: Tensor | None) -> Tensor:
        """Starts all over, shuffled; half of them around given ones."""
        mean = self.theorem.kind in MEANS
        rows = MEAN_STARTS if mean else STARTS
        x0 = starting(problem, rows, self.seed)
        if mean and "start" not in vars(problem):
            return x0[:1]
        if near is None or near.shape[1] != x0.shape[1]:
            return x0
        x0 = torch.cat([x0[: rows // 2], varied(problem, near, rows - rows // 2, self.seed)])
        return x0[torch.arange(rows).reshape(2, -1).T.flatten()]

    def offer(self, tried: Tried) -> Tried:
        """Compare with the best; a sampled ratio above 1 is judged on fresh draws first."""
        sampled = tried.how == "replicates" and tried.candidate.seed == self.seed
        if sampled and tried.ratio > PROMISING and self._checks < CHECKS:
            self._checks += 1
            tried = self.judged(tried)
        elif sampled and tried.ratio > 1:  # what chance may have made is not the best before it is judged
            if self.doubtful is None or tried.rank > self.doubtful.rank:
                self.doubtful = tried
            return tried
        if self.best is None or tried.rank > self.best.rank:
            self.best = tried
            if self.keep:
                self.keep(tried)
        return tried

    def conclude(self, most: int) -> None:
        """Judge what rests on a sample, the best and the doubtful one, on draws that have chosen nothing."""
        if self.best is None or self.refuted:
            return
        asked = [self.best] if self.doubtful is None else [self.doubtful, self.best]
        each = max(most // len(asked), BLOCK)
        self.best = max((self.judged(t, each, LAST_SEED) for t in asked), key=lambda t: t.rank)
        if self.keep:
            self.keep(self.best)

    def judged(self, tried: Tried, most: int = 1024, draws: int = FRESH_SEED) -> Tried:
        """On draws that have not chosen it."""
        try:
            fresh = afresh(tried, self.seed + draws, most)
        except Exception as error:
            self.refuse(error)
            return replace(tried, ratio=NOTHING)
        self.spent += fresh.replicates
        return fresh


def cost(case: Case, tried: Sequence[Tried]) -> int:
    """Runs that were made; a start of a claim about a mean is run by itself and counts as a few."""
    least = ALONE if case.theorem.kind in MEANS else 1
    return max(1, len(case.methods)) * sum(max(t.replicates, least) for t in tried)


def weight(case: Case) -> int:
    """For how many evaluations one counts: more where an oracle of the method solves equations."""
    needed = {name for method in case.methods for name in method.needs}
    return SLOW if needed & set(case.problem.oracle_errors) else 1
