"""Judge one case: runs in blocks, both sides of the claim at every step, certificates first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from assumptions import Inequality
from problems.ball_newton import SolverError
from workbench.engine import BLOCK
from workbench.expressions import Evaluator
from workbench.match import Case
from workbench.trace import Trace
from workbench.verify.budget import Budget
from workbench.verify.claim import SUSPECT, Comparison, asked_where, at_next, compare
from workbench.verify.environment import (
    X_ERROR,
    Numbers,
    at_start,
    borrowed,
    constants,
    facts,
    make_method,
    numbers,
    run_case,
    solve_rules,
    valid_rows,
)
from workbench.verify.outcome import Outcome
from workbench.verify.starts import starts

PAIRS = 256
"""Visited pairs of each kind at which the certificates of a case are checked."""

ROUNDINGS = 8
"""Errors of one run that a difference of two iterates may hold."""


def judge(case: Case, budget: Budget, seed: int) -> Outcome:
    """All horizons and blocks of the budget."""
    horizons = budget.horizons if case.horizon_only else (budget.steps,)
    outcome = Outcome()
    for horizon in horizons:
        for block in range((budget.starts + BLOCK - 1) // BLOCK):
            asked = min(BLOCK, budget.starts - block * BLOCK)
            found = judge_block(case, horizon, block, seed, asked)
            outcome = outcome.merged(replace(found, replicates=block * BLOCK + asked))
    return outcome


def judge_block(case: Case, horizon: int, block: int, seed: int, asked: int = BLOCK) -> Outcome:
    """One block at one horizon; the first ``asked`` replicates of it count."""
    try:
        measured = measure_block(case, horizon, block, seed, asked)
    except SolverError as error:
        return Outcome(obstacle=f"a solver stopped: {error}")
    except NotApplicableError as error:
        return Outcome(not_applicable=str(error))
    comparison, found, solved = measured
    excess, tightness = comparison.excess, comparison.tightness
    bad = _bad_minimum(case, found) or _bad_certificate(case, found.x, excess)
    # a violation by a number says more than one by nan
    by_number = torch.where(comparison.measured.isnan(), -torch.inf, excess)
    worst = int((by_number if bool((by_number > SUSPECT).any()) else excess).argmax())
    tight = int(tightness.argmax())
    place = _Place(case, comparison, solved, block, horizon, seed)
    return Outcome(
        checked=int(comparison.compared.sum()),
        undecided=int((comparison.asked & (comparison.tolerance == torch.inf)).sum()),
        violations=int((excess > SUSPECT).sum()),
        undefined=int(comparison.undefined.sum()),
        replicates=asked,
        steps=horizon,
        excess=float(excess.flatten()[worst]),
        worst=place(worst),
        tightness=float(tightness.flatten()[tight]),
        tight=place(tight),
        bad_certificate=bad,
    )


class NotApplicableError(Exception):
    """The parameter rules or ``requires`` exclude the whole block; says why."""


def measure_block(
    case: Case, horizon: int, block: int, seed: int, asked: int = BLOCK
) -> tuple[Comparison, Numbers, dict[str, Tensor]]:
    """Run a whole block and compare both sides on its first ``asked`` replicates.

    A pure function of its arguments; the block is run whole whatever is asked, for its last digits
    depend on the batch.
    """
    theorem, problem = case.theorem, case.problem
    x0 = starts(problem, seed, range(block * BLOCK, (block + 1) * BLOCK))
    known = {**facts(problem, horizon), **constants(case), **at_start(theorem, problem, x0)}
    solved = solve_rules(case.rules, known, horizon)
    required = Evaluator({**known, **solved}, horizon)(theorem.requires).expand(x0.shape[0], -1)
    rows = required[:, : max(1, horizon if required.shape[1] > 1 else 1)].all(1)
    if not bool((rows & (torch.arange(len(rows)) < asked)).any()):
        raise NotApplicableError(f"requires {theorem.requires}")
    valid, error = valid_rows(case.methods, solved, len(rows), case.norm)
    rows = rows & valid & (torch.arange(len(rows)) < asked)
    if not bool(rows.any()):
        raise NotApplicableError(f"the parameter rules give no valid method: {error}")
    solved = {name: borrowed(value, valid) for name, value in solved.items()}
    methods = [make_method(kind, solved, case.norm) for kind in case.methods]
    traces = [
        run_case(case, method, tables, x0, horizon, seed, read=index == 0)
        for index, (method, tables) in enumerate(methods)
    ]
    found = numbers(case, traces[0], solved)
    _require_monotone(case, found)
    if theorem.kind == "equal":
        return _same_iterates(case, traces, found, rows), found, solved
    return compare(case, found, rows), found, solved


def _require_monotone(case: Case, found: Numbers) -> None:
    """A lower bound of f may stand for f_star only if a larger gap0 makes the bound weaker."""
    if case.problem.offers("f_star") or "gap0" not in found.values:
        return
    larger = {**found.values, "gap0": 1.5 * found.values["gap0"] + 1}
    now, then = (Evaluator(v, found.steps)(case.theorem.bound) for v in (found.values, larger))
    if bool((then < now).any()):
        raise NotApplicableError("the bound falls as gap0 grows: a lower bound of f cannot stand for f_star")


def _same_iterates(case: Case, traces: list[Trace], found: Numbers, rows: Tensor) -> Comparison:
    """Kind equal: the distance of the iterates after step k against zero, up to the error of both runs."""
    one, two = (t.x for t in traces)
    assert one is not None
    assert two is not None
    both_lost = ~one.isfinite().all(-1) & ~two.isfinite().all(-1)
    errors = [t[X_ERROR].nan_to_num(nan=0.0, posinf=0.0) for t in traces]
    tolerance = ROUNDINGS * (errors[0] + errors[1])
    lost = at_next(found.lost)
    asked = asked_where(case, found, lost) & rows[:, None] & ~at_next(both_lost)
    asked[:, -1] = False
    return Comparison(
        measured=at_next((one - two).norm(dim=-1)),
        bound=torch.zeros(one.shape[:2], dtype=one.dtype),
        tolerance=at_next(tolerance).clamp(min=torch.finfo(one.dtype).tiny),
        asked=asked,
        lost=lost,
    )


def _bad_certificate(case: Case, x: Tensor, excess: Tensor) -> str:
    """Check each certificate that the case uses at visited points; "" or the finding.

    Pairs at which a side is not finite are left out: nan and overflow are the claim's to judge.
    """
    one, two = _visited_pairs(case, x, excess)
    for certificate in case.certificates:
        assumption = certificate.assumption
        inside = certificate.region.contains(one) & certificate.region.contains(two)
        if not isinstance(assumption, Inequality) or not bool(inside.any()):
            continue
        pairs = (one[inside], two[inside])[: assumption.arity]
        lhs, rhs, resolution = assumption.sides(case.problem, *pairs)
        beyond = (lhs > rhs + SUSPECT * resolution) & lhs.isfinite() & rhs.isfinite()
        if not bool(beyond.any()):
            continue
        check = assumption.check(case.problem, *(p[beyond] for p in pairs))
        if check.verdict != "not refuted":
            word = "declared" if certificate.status == "declared" else "certified"
            shown = "; ".join(_shown(p) for p in check.witness)
            return f"{assumption!r} is {word} but {check.verdict}, ratio {check.ratio:.6g} at {shown}"
    return ""


def _bad_minimum(case: Case, found: Numbers) -> str:
    """An f_star that a visited point falls below, beyond rounding; "" or the finding."""
    if "gap" not in found.values or not case.problem.offers("f_star"):
        return ""
    below = found.values["gap"] + SUSPECT * found.resolutions["gap"]
    lowest = below.nan_to_num(nan=0.0).flatten().argmin()
    if not float(below.flatten()[lowest]) < 0:
        return ""
    gap = float(found.values["gap"].flatten()[lowest])
    return f"f_star = {case.problem.f_star!r} is not the infimum: f is lower by {-gap:.6g} at a visited point"  # pyright: ignore[reportAttributeAccessIssue]


def _shown(point: Tensor) -> str:
    entries = ", ".join(f"{v:.6g}" for v in point.tolist()[:6])
    return f"({entries}{', ...' if len(point) > 6 else ''})"


def _visited_pairs(case: Case, x: Tensor, excess: Tensor) -> tuple[Tensor, Tensor]:
    """Consecutive iterates all over the block, random pairs, and the worst places of the claim.

    At the worst places: the iterate with the next one and with the nearest minimiser, both ways; a
    wrong constant must not look like a wrong theorem.
    """
    n_steps = x.shape[1] - 1
    points = x[:, :-1].flatten(0, 1)
    after = x[:, 1:].flatten(0, 1)
    spread = torch.linspace(0, len(points) - 1, PAIRS).long()
    some = torch.randint(len(points), (2, PAIRS), generator=torch.Generator().manual_seed(0))
    worst = excess[:, :-1].flatten().topk(min(PAIRS, len(points))).indices if n_steps else spread[:0]
    ones = [points[spread], points[some[0]], points[worst], after[worst]]
    twos = [after[spread], points[some[1]], after[worst], points[worst]]
    if case.problem.offers_dist(case.norm):
        nearest = case.problem.nearest_star(points[worst], case.norm)  # pyright: ignore[reportAttributeAccessIssue]
        ones += [points[worst], nearest]
        twos += [nearest, points[worst]]
    one, two = torch.cat(ones), torch.cat(twos)
    finite = one.isfinite().all(-1) & two.isfinite().all(-1)
    return one[finite], two[finite]


class _Place:
    """Describes the entry of a table, enough to rerun it."""

    def __init__(
        self, case: Case, c: Comparison, solved: Mapping[str, Tensor], block: int, horizon: int, seed: int
    ) -> None:
        self.case, self.c, self.solved = case, c, solved
        self.block, self.horizon, self.seed = block, horizon, seed

    def __call__(self, flat: int) -> dict[str, Any] | None:
        row, k = divmod(flat, self.c.measured.shape[1])
        if not bool(self.c.asked[row, k]):
            return None
        start = starts(self.case.problem, self.seed, range(self.block * BLOCK, (self.block + 1) * BLOCK))[row]
        return {
            "theorem": self.case.theorem.id,
            "norm": repr(self.case.norm),
            "problem": repr(self.case.problem),
            "methods": [m.__name__ for m in self.case.methods],
            "rules": {name: str(rule) for name, rule in self.case.rules.items()},
            "certificates": [repr(c.assumption) for c in self.case.certificates],
            "seed": self.seed,
            "block": self.block,
            "row": row,
            "k": k,
            "horizon": self.horizon,
            "measured": float(self.c.measured[row, k]),
            "bound": float(self.c.bound[row, k]),
            "tolerance": float(self.c.tolerance[row, k]),
            "hyperparameters": {n: float(_entry(v, row, k)) for n, v in self.solved.items() if v.dim() == 2},
            "x0": start.tolist(),
        }


def _entry(table: Tensor, row: int, k: int) -> Tensor:
    return table[min(row, table.shape[0] - 1), min(k, table.shape[1] - 1)]
