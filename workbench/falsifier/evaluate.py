"""Try starts or states on a case, many at once; judge one alone."""

import dataclasses

import torch
from torch import Tensor

from problems.base import Problem
from problems.composite.views import certificates
from workbench.engine import BLOCK
from workbench.falsifier.candidate import NOTHING, Candidate, Tried
from workbench.match import Case, match
from workbench.verify.certificates import bad_facts
from workbench.verify.claim import SUSPECT, Comparison
from workbench.verify.enumeration import chunks, judged, outcomes_of, require_room, state_fields
from workbench.verify.mean import failing, process_of, replicate_groups
from workbench.verify.path import measure
from workbench.verify.process import Process
from workbench.verify.setting import NotApplicableError, set_up
from workbench.verify.states import Pool, given_state, setting_of
from workbench.verify.tree import depth, expected, grown

RUNS = ("path", "exact", "equal")
MEANS = ("mean", "hp")
PAIRS = 2**15
"""States times outcomes of a step, at most."""
LEAVES, FEWEST_STEPS = 2**6, 2
"""Leaves of a tree of draws, at most; the tree is read where it is at least so deep."""
FRESH = 1024
"""Replicates that judge a claim about a mean, drawn anew."""


def evaluate(case: Case, x0: Tensor, horizon: int, seed: int = 0) -> list[Tried]:
    """One ``Tried`` for each start of x0, (batch, d), in its order.

    A step claim is tried at the states with which runs from x0 begin; a claim about a mean on the whole tree
    of draws where that is small, else on one block of replicates from each start, whose ratio is an estimate.

    NotApplicableError where the case applies to none of the starts, SolverError where a solver stops,
    ValueError for a slope, which no finite run refutes.
    """
    kind = case.theorem.kind
    if kind == "slope":
        raise ValueError(f"{case.theorem.id} claims a slope over horizons: no run comes close to breaking it")
    if kind in RUNS:
        blocks = range(0, x0.shape[0], BLOCK)
        return [t for low in blocks for t in _runs(case, x0[low : low + BLOCK], horizon, seed)]
    if kind == "step":
        state = set_up(case, x0, 1).first_states(seed)
        return evaluate_states(case, Pool(state, torch.zeros(x0.shape[0], dtype=torch.int64)))
    return [_mean(started(case, row), horizon, seed) for row in x0]


def evaluate_one(candidate: Candidate) -> Tried:
    """The candidate alone: a batch of one. Errors as ``evaluate``; of replicates on the draws of its seed."""
    case, one = candidate.case, candidate.x0[None]
    if candidate.state is not None:
        return evaluate_states(case, given_state(case, {**candidate.state, "k": candidate.k}))[0]
    if case.theorem.kind in RUNS:
        return _runs(case, one, candidate.horizon, candidate.seed, candidate.replicate)[0]
    return evaluate(case, one, candidate.horizon, candidate.seed)[0]


# -- runs ---------------------------------------------------------------------------------------------


def _runs(case: Case, x0: Tensor, horizon: int, seed: int, first: int = 0) -> list[Tried]:
    comparison, found, setting = measure(case, x0, horizon, seed, first)
    bad = ""
    if bool((comparison.excess > SUSPECT).any()):
        bad = bad_facts(case, found, comparison.excess)
    random = bool(setting.methods()[0][0].draws(case.problem))

    def candidate(row: int) -> Candidate:
        return Candidate(case, x0[row], horizon, replicate=first + row if random else 0, seed=seed)

    return [_tried(candidate(row), comparison, row, bad) for row in range(x0.shape[0])]


def _tried(candidate: Candidate, c: Comparison, row: int, bad: str, how: str = "run", k: int = -1) -> Tried:
    """One row of a comparison. k: the step of which its one column speaks, where that is not the column.

    What is measured counts where it is finite: far out numbers overflow, and that refutes nothing.
    """
    finite = c.measured[row].isfinite()
    excess, tightness = c.excess[row].where(finite, NOTHING), c.tightness[row]
    ratio, most = float(tightness.max()), float(excess.max())
    within = most <= SUSPECT
    column = int((tightness if within and ratio > NOTHING else excess).argmax())
    return Tried(
        candidate=candidate,
        ratio=min(ratio, 1.0) if within else ratio,  # what exceeds 1 is rounding
        excess=NOTHING if bad and most > SUSPECT else most,
        k=column if k < 0 else k,
        measured=float(c.measured[row, column]),
        bound=float(c.bound[row, column]),
        tolerance=float(c.tolerance[row, column]),
        how=how,
        bad=bad if most > SUSPECT else "",
    )


# -- states -------------------------------------------------------------------------------------------


def evaluate_states(case: Case, pool: Pool) -> list[Tried]:
    """One ``Tried`` for each state, all outcomes of its next step enumerated.

    NotApplicableError where there are too many.
    """
    method, _ = setting_of(case, pool.at(slice(0, 1))).methods()[0]
    require_room(case, method, pool, PAIRS)
    tried = []
    for part in chunks(pool, outcomes_of(method.draws(case.problem))):
        found = judged(case, part)
        excess = found.comparison.excess
        bad = ""
        if bool((excess > SUSPECT).any()):
            bad = bad_facts(case, found.numbers, excess.expand(-1, 2), found.x)
        for row, k in enumerate(part.k.tolist()):
            fields = {n: v for n, v in state_fields(part, row).items() if n != "k"}
            candidate = Candidate(case, part.state.x[row], 1, state=fields, k=k)
            tried.append(_tried(candidate, found.comparison, row, bad, "state", k))
    return tried


# -- means --------------------------------------------------------------------------------------------


def started(case: Case, x0: Tensor) -> Case:
    """The case on the same problem with start x0, (d,): a claim about a mean speaks of the problem's own.

    NotApplicableError where the family has no field for it, or no longer has these certificates.
    """
    problem = case.problem
    if torch.equal(problem.x0, x0):
        return case
    made = with_start(problem, x0)
    if certificates(made) == certificates(problem):  # most do not depend on the start
        return dataclasses.replace(case, problem=made)
    return matched_again(case, made)


def with_start(problem: Problem, x0: Tensor) -> Problem:
    """The problem with another start. NotApplicableError where its family cannot be given one."""
    fields = {f.name for f in dataclasses.fields(problem)}  # pyright: ignore[reportArgumentType]
    if "start" not in fields:
        raise NotApplicableError(f"{problem.family} has its start fixed")
    try:
        made = dataclasses.replace(problem, start=tuple(x0.tolist()))  # pyright: ignore[reportArgumentType]
    except ValueError as error:
        raise NotApplicableError(str(error)) from None
    return made


def matched_again(case: Case, problem: Problem) -> Case:
    """The case on another problem: same methods and rules, certificates in the same place of their list.

    NotApplicableError where the theorem does not apply to it.
    """
    cases = match(case.theorem, problem)
    if isinstance(cases, str):
        raise NotApplicableError(cases)
    rules = dict(case.rules)
    alike = [dataclasses.replace(c, rules=rules) for c in cases if c.methods == case.methods]
    same = [c for c in alike if _names(c) == _names(case)]
    if not (same or alike):
        raise NotApplicableError("no case of the theorem on it has the same methods")
    return (same or alike)[0]


def _names(case: Case) -> list[str]:
    return [repr(c.assumption) for c in case.certificates]


def _mean(case: Case, horizon: int, seed: int) -> Tried:
    """The tree where it has steps enough, else a block of replicates."""
    steps = depth(case, LEAVES, horizon)
    candidate = Candidate(case, case.problem.x0, horizon, seed=seed)
    if steps >= min(FEWEST_STEPS, horizon) and not (case.horizon_only and steps < horizon):
        found = _tree(dataclasses.replace(candidate, horizon=steps))
        if found.refutes or steps == horizon:
            return found
        sampled = _sample(candidate, BLOCK)
        return max(found, sampled, key=lambda t: t.ratio)
    return _sample(candidate, BLOCK)


def _tree(candidate: Candidate) -> Tried:
    case = candidate.case
    tree = grown(case, candidate.horizon)
    comparison = failing(tree, case) if case.theorem.kind == "hp" else expected(tree)
    bad = ""
    if bool((comparison.excess > SUSPECT).any()):
        bad = bad_facts(case, tree.numbers, tree.comparison.excess)
    return dataclasses.replace(_tried(candidate, comparison, 0, bad, "tree"), replicates=len(tree.weights))


def _sample(candidate: Candidate, replicates: int) -> Tried:
    """A sample. No evidence is read from it: it chose the candidate; ``afresh`` judges."""
    group = next(replicate_groups(candidate.case, candidate.horizon, candidate.seed))
    ratio = float(group.ratios[:replicates].mean())
    bad = bad_facts(candidate.case, group.runs.numbers, group.runs.comparison.excess)
    return Tried(
        candidate=candidate,
        ratio=NOTHING if bad or not bool(group.runs.comparison.asked.any()) else ratio,
        excess=NOTHING,
        k=candidate.horizon,
        measured=ratio,
        bound=1.0,
        how="replicates",
        replicates=min(replicates, len(group.ratios)),
        bad=bad,
    )


def afresh(tried: Tried, seed: int, most: int = FRESH) -> Tried:
    """A sampled candidate judged by up to ``most`` replicates on draws that did not choose it; else itself.

    ``seed`` must not be one with which candidates were chosen.
    """
    if tried.how != "replicates":
        return tried
    candidate = dataclasses.replace(tried.candidate, seed=seed)
    process, n = Process(torch.zeros(0, dtype=torch.float64)), BLOCK
    while n <= most:
        process = process_of(candidate.case, n, candidate.horizon, seed)
        if process.refutes or process.mean < 1:
            break
        n *= 4
    ratio = process.mean
    return dataclasses.replace(
        tried,
        candidate=candidate,
        ratio=ratio,
        excess=process.log_e,
        measured=ratio,
        replicates=len(process.ratios),
    )
