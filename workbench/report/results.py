"""A folder of results, read without touching it: its records, its witnesses, what was found odd."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.records import ResultsError, complete_units, read_record
from workbench.verify import Record

REMEDY = "; verify again into another folder, or remove that line"
"""What helps where a record cannot be read."""


@dataclass(frozen=True)
class RecordFile:
    """A file of records; ``modified`` is a time in UTC, as text."""

    name: str
    modified: str
    lines: int


@dataclass(frozen=True)
class Results:
    """What a folder holds. Of each theorem, problem and mutant the records of one version of the sources.

    records    complete units of work, in the order in which they were written; of each (theorem, problem,
               mutant) those made by the sources that wrote last
    files      those that were read, in folder
    older      how many records earlier sources had made of the same
    notes      what was odd but harmless: a torn line, a unit that was cut off
    witnesses  ``witness_key`` -> the file that ``workbench replay`` takes
    """

    folder: Path
    records: tuple[Record, ...]
    files: tuple[RecordFile, ...]
    older: int = 0
    notes: tuple[str, ...] = ()
    witnesses: Mapping[str, Path] | None = None

    def witness_file(self, record: Record) -> Path | None:
        """The witness of a record; None if it has none, or its file is gone."""
        if record.witness is None or self.witnesses is None:
            return None
        return self.witnesses.get(witness_key({**record.to_json()["witness"], "code": record.code}))


def read_results(folder: str | Path) -> Results:
    """The records of a folder. Nothing is locked or written: a run that goes on there is not disturbed.

    ResultsError: there is no such folder, it is a file, cannot be read or holds no records; a line is not a
    record of this version (file and line are named). A last line that is torn is left out, and noted.
    """
    folder = Path(folder)
    notes: list[str] = []
    files: list[RecordFile] = []
    records: list[Record] = []
    for path in _record_files(folder):
        content = _bytes(path)
        whole, newline, torn = content.rpartition(b"\n")
        lines = whole.split(b"\n") if newline else []
        if torn:
            notes.append(
                f"{path}, line {len(lines) + 1} is torn and left out: a run was stopped there, or is writing"
            )
        modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y-%m-%d %H:%M UTC")
        files.append(RecordFile(path.name, modified, len(lines)))
        records += [read_record(path, number, line, REMEDY) for number, line in enumerate(lines, start=1)]
    units, partial = complete_units(records)
    complete = [record for unit in units.values() for record in unit]
    if partial:
        notes.append(f"{partial} records belong to work that was cut off and were left out")
    if not complete:
        raise ResultsError(" ".join((f"{folder} holds no complete record;", *notes)).rstrip(";"))
    newest = _newest(complete)
    return Results(
        folder, newest, tuple(files), len(complete) - len(newest), tuple(notes), _witnesses(folder)
    )


def witness_key(witness: Mapping[str, Any]) -> str:
    """The same for a witness file and the record it was written from."""
    return json.dumps({k: v for k, v in witness.items() if k != "file_hash"}, sort_keys=True)


def _record_files(folder: Path) -> list[Path]:
    made_by = f"`workbench verify --out {folder}` writes there"
    if not folder.exists():
        raise ResultsError(f"there is no folder {folder}; {made_by}")
    if not folder.is_dir():
        raise ResultsError(f"{folder} is a file; name the folder that holds it")
    try:
        paths = sorted(p for p in folder.iterdir() if p.match("records-*.jsonl"))
    except OSError as error:
        raise ResultsError(f"{folder} cannot be read: {error.strerror}") from None
    if not paths:
        raise ResultsError(f"{folder} holds no records (records-*.jsonl); {made_by}")
    return paths


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror}") from None


def _newest(records: Sequence[Record]) -> tuple[Record, ...]:
    last = {(r.theorem, r.problem, r.mutant): r.code for r in records}
    return tuple(r for r in records if r.code == last[r.theorem, r.problem, r.mutant])


def _witnesses(folder: Path) -> dict[str, Path]:
    """A file that cannot be read as a witness is nobody's witness: `replay` would say so too."""
    found: dict[str, Path] = {}
    for path in sorted((folder / "witnesses").glob("witness-*.json")):
        try:
            found[witness_key(json.loads(path.read_text(encoding="utf-8")))] = path
        except (OSError, ValueError, AttributeError, RecursionError):
            continue
    return found
