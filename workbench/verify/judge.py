"""Judge one case: runs in blocks, both sides of the claim at every step, certificates first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from assumptions import Inequality
from problems.ball_newton import SolverError
from workbench.engine import BLOCK
from workbench.expressions import EPS, Evaluator
from workbench.match import Case
from workbench.trace import Trace
from workbench.verify.budget import Budget
from workbench.verify.claim import ROUNDINGS, SUSPECT, Comparison, compare
from workbench.verify.environment import (
    Numbers,
    at_start,
    constants,
    facts,
    make_method,
    numbers,
    run_case,
    solve_rules,
)
from workbench.verify.outcome import Outcome
from workbench.verify.starts import starts

PAIRS = 256
"""Visited pairs at which the certificates of a case are checked."""


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
    bad = _bad_certificate(case, found.x)
    excess, tightness = comparison.excess, comparison.tightness
    worst, tight = int(excess.argmax()), int(tightness.argmax())
    place = _Place(case, comparison, solved, block, horizon, seed)
    return Outcome(
        checked=int(comparison.asked.sum()),
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
    required = Evaluator({**known, **solved}, horizon)(theorem.requires)
    rows = required.expand(x0.shape[0], -1).all(1) & (torch.arange(x0.shape[0]) < asked)
    if not bool(rows.any()):
        raise NotApplicableError(f"requires {theorem.requires}")
    try:
        methods = [make_method(kind, solved) for kind in case.methods]
    except ValueError as error:
        raise NotApplicableError(f"the parameter rules give no valid method: {error}") from None
    traces = [run_case(case, method, tables, x0, horizon, seed) for method, tables in methods]
    found = numbers(case, traces[0], solved)
    if theorem.kind == "equal":
        return _same_iterates(traces, rows), found, solved
    return compare(case, found, rows), found, solved


def _same_iterates(traces: list[Trace], rows: Tensor) -> Comparison:
    """Kind equal: the distance of the two iterates against zero, up to the rounding of both runs."""
    one, two = (t.x for t in traces)
    assert one is not None
    assert two is not None
    size = (one.norm(dim=-1) + two.norm(dim=-1)).nan_to_num(0.0).cummax(1).values
    k = torch.arange(one.shape[1], dtype=one.dtype)
    both_lost = ~one.isfinite().all(-1) & ~two.isfinite().all(-1)
    return Comparison(
        measured=(one - two).norm(dim=-1),
        bound=torch.zeros_like(size),
        tolerance=(ROUNDINGS * EPS * (1 + k) * size).clamp(min=torch.finfo(one.dtype).tiny),
        asked=rows[:, None] & ~both_lost,
        lost=both_lost,
    )


def _bad_certificate(case: Case, x: Tensor) -> str:
    """Check each certificate that the case uses at visited points; "" or the finding.

    Pairs at which a side is not finite are left out: nan and overflow are the claim's to judge.
    """
    points = x.flatten(0, 1)
    points = points[points.isfinite().all(-1)]
    generator = torch.Generator().manual_seed(0)
    for certificate in case.certificates:
        assumption = certificate.assumption
        inside = points[certificate.region.contains(points)]
        if not isinstance(assumption, Inequality) or not len(inside):
            continue
        some = torch.randint(len(inside), (2, PAIRS), generator=generator)
        first = torch.arange(PAIRS) % len(inside)
        later = (first + 1).clamp(max=len(inside) - 1)
        pairs = (torch.cat([inside[some[0]], inside[first]]), torch.cat([inside[some[1]], inside[later]]))
        pairs = pairs[: assumption.arity]
        lhs, rhs, _ = assumption.sides(case.problem, *pairs)
        finite = lhs.isfinite() & rhs.isfinite()
        if not bool(finite.any()):
            continue
        check = assumption.check(case.problem, *(p[finite] for p in pairs))
        if check.verdict != "not refuted":
            word = "declared" if certificate.status == "declared" else "certified"
            shown = "; ".join(str([round(v, 6) for v in p.tolist()[:6]]) for p in check.witness)
            return f"{assumption!r} is {word} but {check.verdict}, ratio {check.ratio:.6g} at {shown}"
    return ""


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
