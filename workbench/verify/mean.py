"""Judge a claim about an expectation or a probability: exactly while few draws are made, then by bets."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor

from workbench.engine import BLOCK
from workbench.match import Case
from workbench.verify.budget import Budget
from workbench.verify.certificates import bad_facts
from workbench.verify.claim import SUSPECT, Comparison
from workbench.verify.outcome import Outcome
from workbench.verify.path import summed_up
from workbench.verify.place import described, found_at, hyperparameters
from workbench.verify.process import Process, ratios_of
from workbench.verify.replicates import Replicates, replicated
from workbench.verify.setting import Setting, set_up
from workbench.verify.tree import Tree, depth, expected, grown
from workbench.verify.verdicts import Verdict

MOST_BLOCKS = 16
"""Blocks of replicates whose claim is evaluated together."""

PRECISE = 1.1
"""Replicates stop once a mean 1.1 times the bound would have been refuted and the bets have not won."""


class Group(NamedTuple):
    """Runs from the problem's start. ratios: what each replicate says, (replicates,), mean <= 1 if true."""

    ratios: Tensor
    runs: Replicates
    setting: Setting


def judge_mean(case: Case, budget: Budget, seed: int) -> Outcome:
    """The tree of all draws for as many steps as it is small; then one process over the whole horizon."""
    outcome, whole = _exact(case, budget, seed)
    if whole or outcome.excess > SUSPECT or outcome.bad_certificate:
        return outcome
    return _sampled(case, budget, seed, outcome)


# -- the tree ---------------------------------------------------------------------------------------


def _exact(case: Case, budget: Budget, seed: int) -> tuple[Outcome, bool]:
    """What the tree shows, and whether it reaches the horizon."""
    steps = depth(case, budget.pairs, budget.steps)
    if steps == 0:
        return Outcome(), False
    tree = grown(case, steps)
    comparison = failing(tree, case) if case.theorem.kind == "hp" else expected(tree)
    bad = bad_facts(case, tree.numbers, tree.comparison.excess)
    place = partial(_tree_place, tree, comparison, seed)
    outcome = summed_up(comparison, place, replicates=len(tree.weights), steps=steps, bad=bad)
    if case.theorem.kind == "hp":
        outcome = replace(outcome, undefined=int(tree.comparison.undefined.sum()), found=_failed(outcome))
    return outcome, steps == budget.steps


def _failed(outcome: Outcome) -> tuple[Verdict, str] | None:
    """The reason in words, where more runs fail than may."""
    place = outcome.worst
    if place is None or not outcome.excess > SUSPECT:
        return None
    share = f"runs of probability {place['measured']:.4g} have failed, {place['bound']:g} is allowed"
    return Verdict.REFUTED, f"by step {place['k']} {share}"


def failing(tree: Tree, case: Case) -> Comparison:
    """The claim about a probability: that of the runs which fail somewhere up to k against ``failure``."""
    failed = (tree.comparison.excess > SUSPECT).to(torch.int8).cummax(1).values.to(torch.float64)
    chance = (tree.weights[:, None] * failed).sum(0, keepdim=True)
    return Comparison(
        measured=chance,
        bound=torch.full_like(chance, float(case.theorem.failure or 0)),
        tolerance=torch.full_like(chance, 1e-12),
        asked=tree.comparison.asked.any(0, keepdim=True),
        lost=torch.zeros_like(chance, dtype=torch.bool),
    )


# -- replicates -------------------------------------------------------------------------------------


def _sampled(case: Case, budget: Budget, seed: int, outcome: Outcome) -> Outcome:
    """The process over groups of replicates; ``outcome`` is what the tree showed."""
    horizon = set_up(case, case.problem.x0[None], 1).affordable(BLOCK, budget.steps)
    process = Process(torch.zeros(0, dtype=torch.float64))
    groups = replicate_groups(case, horizon, seed)
    while True:
        group, asked_before = next(groups), len(process.ratios)
        process = Process(torch.cat([process.ratios, group.ratios])[: budget.replicates], _known_cv(case))
        if asked_before == 0 or process.refutes:
            bad = bad_facts(case, group.runs.numbers, group.runs.comparison.excess)
            undefined = int(group.runs.comparison.undefined.sum())
            outcome = outcome.merged(Outcome(bad_certificate=bad, undefined=undefined))
        enough = process.refutes or (process.detectable <= PRECISE and process.log_e <= 0)
        if enough or len(process.ratios) == budget.replicates or outcome.undefined or outcome.bad_certificate:
            return _told(outcome, process, group, seed)


def _known_cv(case: Case) -> float | None:
    """Of a run that fails with the probability that is allowed, 1 or 0; a mean has none known in advance."""
    chance = case.theorem.failure
    return None if chance is None else ((1 - chance) / chance) ** 0.5


def replicate_groups(case: Case, horizon: int, seed: int, first: int = 0) -> Iterator[Group]:
    """Groups of replicates without end, larger and larger, from replicate ``first`` on.

    Replicate i is the same whatever is asked. A claim that mentions K is run at several horizons, the last
    of them ``horizon``; a replicate says the mean of what it says there.
    """
    horizons = Budget("horizons", horizon, 1).horizons if case.horizon_only else (horizon,)
    settings = [set_up(case, case.problem.x0[None], h) for h in horizons]
    blocks = 1
    while True:
        rows = BLOCK * min(blocks, settings[-1].affordable(horizon * BLOCK, MOST_BLOCKS))
        groups = [_group(setting, first, rows, seed) for setting in settings]
        yield groups[-1]._replace(ratios=torch.stack([g.ratios for g in groups]).mean(0))
        first, blocks = first + rows, min(2 * blocks, MOST_BLOCKS)


def process_of(case: Case, replicates: int, horizon: int, seed: int, first: int = 0) -> Process:
    """The process of so many replicates, from ``first`` on."""
    parts, have = [], 0
    groups = replicate_groups(case, horizon, seed, first)
    while have < replicates:
        parts.append(next(groups).ratios)
        have += len(parts[-1])
    return Process(torch.cat(parts)[:replicates])


def _group(setting: Setting, first: int, rows: int, seed: int) -> Group:
    runs, case = replicated(setting, first, rows, seed), setting.case
    said = _failures(runs.comparison, case) if case.theorem.kind == "hp" else _means(runs.comparison)
    return Group(said, runs, setting)


def _means(c: Comparison) -> Tensor:
    """The mean over the steps at which the claim speaks of what each replicate measured, over the bound.

    A replicate outside the region of a certificate counts for the claim, as 0.
    """
    spoken = c.spoken.any(0) if c.spoken is not None else c.asked.any(0)
    ratios = torch.where(c.asked, ratios_of(c.measured, c.bound, c.tolerance), 0.0)[:, spoken]
    return ratios.mean(1) if ratios.shape[1] else torch.zeros(len(ratios), dtype=torch.float64)


def _failures(c: Comparison, case: Case) -> Tensor:
    """1 / failure for a run that fails, else 0."""
    return (c.excess > SUSPECT).any(1).to(torch.float64) / float(case.theorem.failure or 1)


def _told(outcome: Outcome, process: Process, group: Group, seed: int) -> Outcome:
    """The verdict of the process, merged with what the tree showed."""
    n, c = len(process.ratios), group.runs.comparison
    decided = c.asked & ((c.tolerance < torch.inf) | c.lost)
    asked = int(decided.any(0).sum())
    told = Outcome(
        checked=asked * n,
        violations=int(process.refutes),
        undecided=int((c.asked & (c.tolerance == torch.inf)).sum()),
        replicates=n,
        steps=group.setting.horizon,
        e_value=_exp(process.log_e),
        lower=process.lower,
        detectable=process.detectable,
        statistics={
            "ratio": process.mean,
            "standard_error": process.standard_error,
            "exact_steps": float(outcome.steps),
        },
        found=_verdict(process, group, asked, bool(outcome.checked)),
    )
    if process.refutes:
        told = _refuted(told, process, group, seed)
    elif outcome.tight is None and asked:
        told = _with_tightness(told, process, group)
    return outcome.with_statistics(told)


def _verdict(process: Process, group: Group, asked: int, exact: bool) -> tuple[Verdict, str] | None:
    n = len(process.ratios)
    if not asked:
        return None
    if process.refutes:
        lost = group.runs.trace.diverged_at
        first = f"; a run diverged at step {int(lost[lost >= 0].min())}" if bool((lost >= 0).any()) else ""
        return Verdict.REFUTED, (
            f"e = {_exp(process.log_e):.3g} after {n} replicates, mean / bound = {process.mean:.4g}{first}"
        )
    if process.detectable == float("inf") and not exact:
        return Verdict.INCONCLUSIVE, f"{n} replicates vary too much to refute any factor"
    return None


def _refuted(told: Outcome, process: Process, group: Group, seed: int) -> Outcome:
    where = {
        **described(group.setting.case, seed, told.steps),
        "replicates": len(process.ratios),
        "measured": process.mean,
        "bound": 1.0,
        "tolerance": 0.0,
        "e_value": told.e_value,
        "hyperparameters": hyperparameters(group.setting.solved, 0, 0),
        "x0": group.setting.x0[0].tolist(),
    }
    return replace(told, worst=where, excess=process.log_e)


def _with_tightness(told: Outcome, process: Process, group: Group) -> Outcome:
    """The estimate mean / bound, at the last step for the numbers that are shown."""
    c = group.runs.comparison
    last = int(c.asked.any(0).nonzero()[-1])
    where = {"k": last, "measured": float(c.measured[:, last].mean()), "bound": float(c.bound[0, last])}
    return replace(told, tight=where, tightness=process.mean)


def _exp(log: float) -> float:
    return float(torch.tensor(log, dtype=torch.float64).exp())


def _tree_place(tree: Tree, c: Comparison, seed: int, row: int, k: int) -> dict[str, Any] | None:
    setting, leaves = tree.setting, {"leaves": len(tree.weights), "x0": tree.setting.x0[0].tolist()}
    return found_at(setting.case, c, (row, k), setting.solved, k, seed=seed, horizon=tree.steps, **leaves)
