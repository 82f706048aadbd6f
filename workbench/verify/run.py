"""Verify theorems on problems: every unit of the plan, its records, resumption."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from functools import partial
from typing import Protocol, runtime_checkable

from assumptions import IMPLICATIONS, Implies
from problems.base import Problem
from problems.well_formed import require_well_formed
from workbench.match import Case, match
from workbench.theorem import Theorem
from workbench.verify.budget import DEFAULT, Budget
from workbench.verify.claim import SUSPECT
from workbench.verify.cluster import Cluster
from workbench.verify.judge import judge
from workbench.verify.outcome import Outcome, decide
from workbench.verify.plan import Unit, plan, require_distinct
from workbench.verify.pool import one_thread, require_jobs, share
from workbench.verify.record import Record
from workbench.verify.sound import require_sound
from workbench.verify.verdicts import Verdict, is_expected


@runtime_checkable
class ResultStore(Protocol):
    """Where records go as soon as they exist."""

    def done(self, unit: str) -> list[Record] | None:
        """The complete records of a unit of work, or None."""
        ...

    def write(self, records: Sequence[Record]) -> None:
        """Keep the records of one unit."""
        ...


def verify(
    theorems: Iterable[Theorem],
    problems: Sequence[Problem],
    *,
    budget: Budget = DEFAULT,
    seed: int = 0,
    mutants: bool = True,
    store: ResultStore | None = None,
    code: str = "",
    progress: Callable[[int, int, str], None] | None = None,
    implications: Sequence[Implies] = IMPLICATIONS,
    file: str | None = None,
    report_untested: bool = True,
    jobs: int | Cluster = 1,
) -> list[Record]:
    """Records of every unit, in the order of the plan; those in ``store`` are not done again.

    A theorem to which nothing applied gets one record more, ``untested``, unless told otherwise.
    ``jobs`` processes share the units, -1: one per core, or the workers of a ``Cluster``; the records are the
    same whatever their number.
    ``progress`` is told how many units are done, of how many, and the first that is not.

    TypeError for what is no theorem, problem, budget or store, ValueError for a number of jobs that is none,
    ClusterError for a cluster that cannot work. IllFormedError, before any work, for a problem that breaks
    its contract. UnsendableError where several processes cannot share the work, WorkerLostError when one of
    them ends.
    """
    jobs = require_jobs(jobs)
    theorems, problems = _require_theorems(theorems), require_problems(problems)
    _require_budget_and_store(budget, store)
    units = plan(theorems, problems, budget=budget, seed=seed, mutants=mutants, code=code)
    require_distinct([*problems, *(u.problem for u in units)])
    for problem in {repr(u.problem): u.problem for u in units}.values():
        require_well_formed(problem)
    judged = partial(judge_unit, implications=implications, file=file)
    with one_thread():
        records = _records(units, judged, store, jobs, progress)
    if not report_untested:
        return records
    return records + [_untested(t, records, seed, code) for t in theorems if not _tested(t, records)]


def _records(
    units: Sequence[Unit],
    judged: Callable[[Unit], list[Record]],
    store: ResultStore | None,
    jobs: int | Cluster,
    progress: Callable[[int, int, str], None] | None,
) -> list[Record]:
    stored = [store.done(unit.key) if store else None for unit in units]
    found = {index: records for index, records in enumerate(stored) if records is not None}
    waiting = _by_problem(units, [index for index in range(len(units)) if index not in found])

    ahead = deque(waiting)

    def tell() -> None:
        while ahead and ahead[0] in found:
            ahead.popleft()
        if progress:
            progress(len(found), len(units), units[ahead[0]].label if ahead else "")

    tell()
    with closing(share(judged, [units[index] for index in waiting], jobs)) as done:
        for position, records in done:
            if store:
                store.write(records)
            found[waiting[position]] = records
            tell()
    return [record for index in range(len(units)) for record in found[index]]


def _by_problem(units: Sequence[Unit], waiting: list[int]) -> list[int]:
    """Units of the same problem one after the other, for they share runs; else in the order of the plan."""
    place: dict[str, int] = {}
    for index in waiting:
        place.setdefault(repr(units[index].problem), index)
    return sorted(waiting, key=lambda index: place[repr(units[index].problem)])


def _require_theorems(theorems: Iterable[Theorem]) -> list[Theorem]:
    if isinstance(theorems, Theorem | str) or not isinstance(theorems, Iterable):
        raise TypeError(f"theorems must be a list of Theorem objects, got {theorems!r}")
    listed = list(theorems)
    for theorem in listed:
        if not isinstance(theorem, Theorem):
            raise TypeError(f"theorems must be a list of Theorem objects, got {theorem!r} in it")
    return listed


def _require_budget_and_store(budget: Budget, store: ResultStore | None) -> None:
    if not isinstance(budget, Budget):
        raise TypeError(f"budget must be a Budget such as QUICK, DEFAULT or FULL, got {budget!r}")
    if store is not None and (isinstance(store, type) or not isinstance(store, ResultStore)):
        raise TypeError(f"store must be a Store, such as Store('results'), got {store!r}")


def require_problems(problems: Iterable[Problem]) -> list[Problem]:
    """The problems as a list. TypeError for one alone, a text, or a list of anything else."""
    if isinstance(problems, Problem | str) or not isinstance(problems, Iterable):
        raise TypeError(f"problems must be a list of Problem objects, got {problems!r}")
    listed = list(problems)
    for problem in listed:
        if not isinstance(problem, Problem):
            raise TypeError(f"problems must be a list of Problem objects, got {problem!r} in it")
    return listed


def _tested(theorem: Theorem, records: Sequence[Record]) -> bool:
    own = [r for r in records if r.theorem == theorem.id and r.mutant is None]
    return any(r.verdict not in (Verdict.NOT_APPLICABLE, Verdict.OUT_OF_DOMAIN) for r in own)


def judge_unit(
    unit: Unit, implications: Sequence[Implies] = IMPLICATIONS, file: str | None = None
) -> list[Record]:
    """Records of one unit: one per certificate choice, method and swept value; one for a mutant."""
    theorem = unit.theorem.mutated(unit.mutant) if unit.mutant else unit.theorem
    results: list[tuple[Theorem, Case | None, Outcome, float]] = []
    for stated in theorem.in_norms():
        cases = match(stated, unit.problem, implications)
        if isinstance(cases, str):
            results.append((stated, None, Outcome(not_applicable=cases), 0.0))
            continue
        for case in cases[:1] if unit.budget.first_only and unit.mutant is None else cases:
            require_sound(case)
            started = time.perf_counter()
            outcome = judge(case, unit.budget, unit.seed, unit.state)
            results.append((stated, case, outcome, time.perf_counter() - started))
    if unit.mutant:
        results = [max(results, key=lambda r: (not r[2].bad_certificate, r[2].excess))]
    count = len(results)
    return [_record(unit, t, c, o, s, (i, count), file) for i, (t, c, o, s) in enumerate(results)]


def _record(
    unit: Unit,
    theorem: Theorem,
    case: Case | None,
    outcome: Outcome,
    seconds: float,
    part: tuple[int, int],
    file: str | None,
) -> Record:
    verdict, reason = decide(outcome, SUSPECT, bool(case and case.declared))
    refuted = verdict is Verdict.REFUTED
    place = outcome.worst if refuted else outcome.tight
    expected = is_expected(verdict, unit.theorem.source.status, unit.mutant is not None, theorem.kind)
    if unit.mutant and refuted and place is not None and place["measured"] != place["measured"]:
        expected, reason = False, f"{reason}; a mutant must fail by a number, not by nan"
    witness = None
    if refuted and outcome.worst is not None:
        witness = {**outcome.worst, "mutant": unit.mutant.why if unit.mutant else None, "file": file}
    return Record(
        theorem=theorem.id,
        kind=theorem.kind,
        problem=repr(unit.problem),
        method=" = ".join(m.__name__ for m in (case.methods if case else theorem.methods)),
        parameters={name: str(rule) for name, rule in case.rules.items()} if case else {},
        certificate=tuple(repr(c.assumption) for c in case.certificates) if case else (),
        norm=repr(theorem.norm),
        verdict=str(verdict),
        expected=expected,
        reason=reason,
        tightness=outcome.tightness if outcome.tightness > float("-inf") else None,
        measured=place["measured"] if place else None,
        bound=place["bound"] if place else None,
        checked=outcome.checked,
        violations=outcome.violations,
        replicates=outcome.replicates,
        steps=outcome.steps,
        seed=unit.seed,
        e_value=outcome.e_value,
        lower=outcome.lower,
        detectable=outcome.detectable,
        statistics=outcome.statistics,
        seconds=round(seconds, 4),
        witness=witness,
        mutant=unit.mutant.why if unit.mutant else None,
        source_status=theorem.source.status,
        code=unit.code,
        unit=unit.key,
        part=part,
    )


def _untested(theorem: Theorem, records: Sequence[Record], seed: int, code: str) -> Record:
    said = Counter(r.reason for r in records if r.theorem == theorem.id and r.mutant is None)
    # what a rule or a draw refused says more than what problems lack
    refused = Counter({reason: n for reason, n in said.items() if reason.startswith("the parameter rules")})
    why = f"; most often: {(refused or said).most_common(1)[0][0]}" if said else ""
    return Record(
        theorem=theorem.id,
        kind=theorem.kind,
        problem="-",
        method=" = ".join(m.__name__ for m in theorem.methods),
        norm=repr(theorem.norm),
        verdict=str(Verdict.UNTESTED),
        expected=is_expected(Verdict.UNTESTED, theorem.source.status, mutant=False),
        reason=f"the theorem applied to no problem{why}",
        seed=seed,
        source_status=theorem.source.status,
        code=code,
        unit=f"untested-{theorem.id}",
        part=(0, 1),
    )
