"""A theorem along a run that is already there: both sides of its claim, by the verifier's own machinery."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from assumptions import EVERYWHERE, Assumption
from figures.hyperparameters import named_fields, of_method, require_rules, require_true
from figures.restored import Restored, restored
from problems import Problem
from workbench import Theorem, Trace
from workbench.claims import free_symbols, support
from workbench.match import Case, match
from workbench.verify.claim import Comparison, compare
from workbench.verify.environment import Readings, at_start, constants, facts, named, used_quantities

Schedule = Mapping[str, Tensor | Callable[[Tensor], Tensor]]
UNDRAWN = {
    "equal": "compares two methods: draw both runs with compare()",
    "slope": "compares horizons, one run has one",
}
"""Kinds of claims that no single run can be held against, and why."""


@dataclass(frozen=True)
class Sides:
    """measured and bound, (replicates, n), at the recorded steps k, (n,); nan where the claim is silent.

    case: the theorem on the instance of the run. measured is inf where a replicate has diverged. whole: both
    sides at every step, (replicates, K + 1), also where the claim is silent.
    """

    case: Case
    k: Tensor
    measured: Tensor
    bound: Tensor
    whole: Comparison

    @property
    def theorem(self) -> Theorem:
        """In the norm of the run."""
        return self.case.theorem


def sides(
    trace: Trace,
    theorem: Theorem,
    *,
    problem: Problem | None = None,
    certificate: Assumption | Sequence[Assumption] = (),
    schedule: Schedule | None = None,
) -> Sides:
    """Both sides of the theorem's claim on the run, with the hyperparameters that the run had.

    problem      of a saved run whose problem cannot be made again from its text
    certificate  statements whose constants count; by default those that give the smallest bound at the end
    schedule     the very one that was given to ``run``, {name: function of k, or table}: a trace knows what
                 was scheduled, and not the values

    TypeError for what is no run or no theorem. ValueError where the theorem does not speak of the run:
    another method, norm or option, a constant that is not certified, a condition or a parameter rule that
    does not hold, a quantity that was not recorded.
    """
    if not isinstance(theorem, Theorem):
        raise TypeError(f"theorem must be a Theorem, as in workbench.theorems.THEOREMS, got {theorem!r}")
    if theorem.kind in UNDRAWN:
        raise ValueError(f"{theorem.id} cannot be drawn over a run: it {UNDRAWN[theorem.kind]}")
    run = restored(trace, problem)
    forgotten = sorted(set(trace.scheduled) - set(schedule or {}))
    if forgotten:
        raise ValueError(
            f"schedule must give {', '.join(forgotten)}, as run was given it: a trace keeps no values"
        )
    cases = _cases(
        run, theorem, (certificate,) if isinstance(certificate, Assumption) else tuple(certificate)
    )
    _require_recorded(trace, cases[0])
    found, said = [], ""
    for certificates in dict.fromkeys(case.certificates for case in cases):
        for case in (c for c in cases if c.certificates == certificates):
            try:
                found.append(_sides(run, case, schedule or {}))
            except ValueError as error:
                said = said or str(error)
                continue
            break
    if not found:
        raise ValueError(said)
    return min(found, key=_last)


def _last(found: Sides) -> float:
    """The mean bound at the last step of which the claim speaks."""
    finite = found.bound[:, found.bound.isfinite().all(0)]
    return float(finite[:, -1].mean()) if finite.shape[1] else float("inf")


def _cases(run: Restored, theorem: Theorem, wanted: tuple[Assumption, ...]) -> list[Case]:
    kind = type(run.method)
    if kind not in theorem.methods:
        names = " or ".join(m.__name__ for m in theorem.methods)
        raise ValueError(f"{theorem.id} speaks of {names}, the run is one of {kind.__name__}")
    stated = [t for t in theorem.in_norms() if t.geometry == run.norm]
    if not stated:
        norms = ", ".join(repr(t.geometry) for t in theorem.in_norms())
        raise ValueError(f"{theorem.id} is stated in the norm {norms}, the run was measured in {run.norm!r}")
    matched = match(stated[0], run.problem)
    if isinstance(matched, str):
        raise ValueError(f"{theorem.id} does not speak of {run.problem!r}: {matched}")
    certified = {c.assumption for case in matched for c in case.certificates}
    for each in wanted:
        if each not in certified:
            known = ", ".join(sorted(map(repr, certified))) or "none"
            raise ValueError(f"certificate {each!r} is not certified for {run.problem!r}; there are {known}")
    of_kind = [case for case in matched if case.methods == (kind,)]
    options = {name: getattr(run.method, name) for name in kind.options}
    cases = [case for case in of_kind if case.options == options]
    if not cases:
        known = "; ".join(dict.fromkeys(str(case.options) for case in of_kind))
        raise ValueError(f"{theorem.id} is stated with {known}, the run had {options}")
    chosen = [c for c in cases if set(wanted) <= {x.assumption for x in c.certificates}]
    if not chosen:
        raise ValueError(f"{theorem.id} does not rest on {', '.join(map(repr, wanted))} together")
    return chosen


def _require_recorded(trace: Trace, case: Case) -> None:
    """ValueError, with what would help, where the run left out what the claim needs."""
    theorem, used = case.theorem, list(used_quantities(case))
    missing = [name for name in used if name not in trace.quantities]
    if missing:
        own = (
            f", quantities=THEOREM.quantities with THEOREM = {theorem.id}"
            if {*used} & {*theorem.quantities}
            else ""
        )
        raise ValueError(
            f"{theorem.id} speaks of {', '.join(missing)}, which the run did not record; "
            f"run(..., record={tuple(used)!r}{own}) does"
        )
    thinned = len(trace.k) != trace.steps + 1
    if thinned and (theorem.next_names or support(theorem.measured, theorem.next_names) != (0, 0)):
        raise ValueError(f"{theorem.id} needs every step of the run, recorded with every=1")
    if trace.x is None and any(c.region != EVERYWHERE for c in case.certificates):
        raise ValueError(
            f"a constant of {theorem.id} is certified on a region only: run(..., keep_state=True) keeps the "
            "iterates, which tell where the run left it"
        )


def _sides(run: Restored, case: Case, schedule: Schedule) -> Sides:
    """ValueError where the hyperparameters of the run are not those of the case."""
    trace, steps = run.trace, run.trace.steps
    own = of_method(run.method, run.problem, schedule, steps)
    case = replace(case, rules={n: r for n, r in case.rules.items() if n not in named_fields(case)})
    known = {**facts(run.problem, steps), **constants(case)}
    start = {**known, **_at_start(run, case), **own}
    require_rules(case, start, own, steps)
    require_true(case, start, steps)
    read: Readings = {
        name: tuple(
            _dense(trace, group[name]) for group in (trace.quantities, trace.resolutions, trace.cancelled)
        )
        for name in used_quantities(case)
    }  # pyright: ignore[reportAssignmentType]
    rows = len(trace.diverged_at)
    x = (
        _dense(trace, trace.x)
        if trace.x is not None
        else torch.full((rows, steps + 1, run.problem.d), torch.nan)
    )
    lost = (trace.diverged_at[:, None] >= 0) & (torch.arange(steps + 1) >= trace.diverged_at[:, None])
    numbers = named(case, {**known, **own}, read, x, lost, run.method)
    found = compare(case, numbers, torch.ones(rows, dtype=torch.bool))
    seen = torch.where(lost & found.measured.isnan(), torch.inf, found.measured)
    measured, bound = (torch.where(found.asked, s, torch.nan)[:, trace.k] for s in (seen, found.bound))
    return Sides(case, trace.k, measured, bound, found)


def _at_start(run: Restored, case: Case) -> dict[str, Tensor]:
    """Quantities at the start of which the conditions and the rules that are left speak; (replicates, 1)."""
    theorem, trace = case.theorem, run.trace
    symbols = {s.name for e in (*case.number_rules.values(), theorem.requires) for s in free_symbols(e)}
    wanted = {m.base for m in map(theorem.meaning, symbols) if m.kind == "quantity"}
    known = {f"{name}0": trace.quantities[name][:, :1] for name in wanted & {*trace.quantities}}
    missing = sorted(wanted - {*trace.quantities})
    if missing and trace.x is None:
        raise ValueError(
            f"the conditions of {theorem.id} speak of {', '.join(missing)} at the start, which the run did "
            f"not record; run(..., record={tuple(sorted({*trace.quantities, *wanted}))!r}) does"
        )
    if missing and trace.x is not None:
        known = {**at_start(theorem, run.problem, trace.x[:, 0]), **known}
    return known


def _dense(trace: Trace, table: Tensor) -> Tensor:
    """A recorded table, (replicates, n, *axes), at every step; nan at those that were left out."""
    if len(trace.k) == trace.steps + 1:
        return table
    whole: Any = table.new_full((table.shape[0], trace.steps + 1, *table.shape[2:]), torch.nan)
    whole[:, trace.k] = table
    return whole
