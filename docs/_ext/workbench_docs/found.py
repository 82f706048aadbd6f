"""What a verification found, for the pages of the theorems: verdicts, tightness, mutants caught."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.records import source_hash
from workbench.report.digits import digits
from workbench.report.looks import SILENT
from workbench.report.results import Results, read_results
from workbench.report.rows import largest, worst
from workbench.verify import Record


@dataclass(frozen=True)
class Found:
    """The results of a folder; none where no verification was made."""

    results: Results | None = None

    @classmethod
    def read(cls, folder: Path) -> "Found":
        """ResultsError where there is a folder that holds something else."""
        return cls(read_results(folder) if any(folder.glob("records-*.jsonl")) else None)

    @property
    def made(self) -> str:
        """When, and by which sources."""
        if self.results is None:
            return ""
        last = max(file.modified for file in self.results.files)
        codes = {record.code for record in self.results.records}
        same = codes == {source_hash()}
        return (
            f"{last}, {'by the sources of this page' if same else 'by other sources than those of this page'}"
        )

    def of_theorem(self, theorem: str) -> dict[str, Any]:
        """One row for each problem that was tried, and how many mutants were caught; empty if none was."""
        records = [] if self.results is None else [r for r in self.results.records if r.theorem == theorem]
        tried = [r for r in records if r.mutant is None and r.verdict not in SILENT]
        mutants = [r for r in records if r.mutant is not None]
        problems = list(dict.fromkeys(r.problem for r in tried))
        return {
            "rows": [_row(p, [r for r in tried if r.problem == p]) for p in problems],
            "caught": sum(r.expected is True for r in mutants),
            "mutants": len(mutants),
            "made": self.made,
        }


def _row(problem: str, records: Sequence[Record]) -> dict[str, Any]:
    tightness = largest(records)
    return {
        "problem": problem,
        "verdict": str(worst(records).value),
        "tightness": "" if tightness is None else digits(tightness),
        "checked": sum(r.checked for r in records),
    }
