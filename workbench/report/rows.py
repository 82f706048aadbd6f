"""One row for each theorem: its worst verdict, its largest tightness, its mutants."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workbench.report.looks import ORDER, SILENT
from workbench.report.results import Results
from workbench.report.statements import Library
from workbench.verify import Record, Verdict


@dataclass(frozen=True)
class TheoremRow:
    """A theorem over all its problems.

    status     of its source: SOURCED, DERIVED or RECALLED
    tried      problems on which something was compared
    verdict    the worst of its records; untested where nothing was compared
    tightness  the largest measured / bound; None where no record has one
    caught     mutants found false, of ``mutants``
    """

    theorem: str
    status: str
    tried: int
    verdict: Verdict
    tightness: float | None
    caught: int
    mutants: int


def theorem_rows(results: Results, library: Library) -> list[TheoremRow]:
    """In the order of the library."""
    of: dict[str, list[Record]] = {
        name: [] for name in library.in_order([r.theorem for r in results.records])
    }
    for record in results.records:
        of[record.theorem].append(record)
    return [_row(name, records) for name, records in of.items()]


def _row(name: str, records: Sequence[Record]) -> TheoremRow:
    own = [r for r in records if r.mutant is None and r.verdict not in SILENT]
    mutants = [r for r in records if r.mutant is not None]
    return TheoremRow(
        theorem=name,
        status=records[0].source_status,
        tried=len({r.problem for r in own}),
        verdict=worst(own) if own else Verdict.UNTESTED,
        tightness=largest(own),
        caught=sum(r.expected is True for r in mutants),
        mutants=len(mutants),
    )


def worst(records: Iterable[Record]) -> Verdict:
    """The worst verdict of records, of which there must be one."""
    return min((Verdict(r.verdict) for r in records), key=ORDER.__getitem__)


def largest(records: Iterable[Record]) -> float | None:
    """The largest tightness; a nan counts only where there is nothing else."""
    values = [r.tightness for r in records if r.tightness is not None]
    return max(values, key=lambda v: -math.inf if math.isnan(v) else v) if values else None
