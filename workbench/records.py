"""Records on disk: one JSON line each, written at once, found again by a later run."""

import contextlib
import fcntl
import hashlib
import json
import os
import weakref
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from workbench.verify.record import SCHEMA_VERSION, Record
from workbench.verify.wellformed import require_wellformed
from workbench.whole_file import whole_file

ROOMS = ("assumptions", "problems", "workbench", "figures")

REMEDY = ". Name another folder with --out, or remove that line"
"""What helps a run that cannot go on from a file of records."""


class ResultsError(ValueError):
    """The folder of results cannot be used; says why and what to do. Nothing in it was deleted."""


class Store:
    """Records of units of work in a folder: ``records-<worker>.jsonl``, one line per record.

    fresh: nothing that is there counts as done; new records are appended and win later. ``notes``
    lists what was found odd but harmless (a line torn when a run was killed).

    While a store exists, no other process can open one on its folder; the lock ends with the process,
    however that ends.

    ResultsError before any work: the folder is a file, cannot be written or is another process's, a file
    of records in it cannot be read, or a line is not a record.
    """

    def __init__(self, folder: str | Path, fresh: bool = False, worker: str = "0") -> None:
        self.folder = Path(folder)
        self.notes: list[str] = []
        self._complete: dict[str, list[Record]] = {}
        self._file, self._lock = _prepared(self.folder, worker)
        self.notes += [self._lock.note] if self._lock.note else []
        for path in sorted(self.folder.glob("records-*.jsonl")):
            lines = self._whole_lines(path)
            if not fresh:
                self._load(path, lines)

    def done(self, unit: str) -> list[Record] | None:
        """The complete records of a unit, the latest where there are several sets; else None."""
        return self._complete.get(unit)

    def write(self, records: Sequence[Record]) -> None:
        """Append the records of one unit, and a witness file for each that is refuted.

        OSError where the disk is full or the folder cannot be written; what was there stays as it was.
        """
        for record in records:
            if record.witness is not None:
                self.witness(record)
        lines = [json.dumps(record.to_json(), allow_nan=False) + "\n" for record in records]
        before = self._file.stat().st_size
        try:
            with self._file.open("a", encoding="utf-8") as file:
                file.write("".join(lines))
        except OSError:
            with contextlib.suppress(OSError):  # what is torn would hide in the middle, were more to follow
                os.truncate(self._file, before)
            raise
        self._complete |= {record.unit: list(records) for record in records}

    def witness(self, record: Record) -> Path:
        """The file that ``workbench replay`` takes; written if it is not there.

        It holds the witness, and the sources and the user's file as they were, as hashes.
        ValueError if the record has none.
        """
        if record.witness is None:
            raise ValueError(f"{record.theorem} on {record.problem} is {record.verdict}: it has no witness")
        user_file = record.witness.get("file")
        content = {**record.to_json()["witness"], "code": record.code, "file_hash": file_hash(user_file)}
        text = json.dumps(content, allow_nan=False, indent=2, sort_keys=True) + "\n"
        path = self.folder / "witnesses" / f"witness-{hashlib.sha256(text.encode()).hexdigest()[:10]}.json"
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            with whole_file(path) as part:
                part.write_text(text, encoding="utf-8")
        return path

    def _whole_lines(self, path: Path) -> list[bytes]:
        """Lines that end; a torn last one is cut off the worker's own file, so that appending is safe."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ResultsError(
                f"{path} cannot be read: {error.strerror}; name another folder with --out, or move it away"
            ) from None
        whole, newline, torn = content.rpartition(b"\n")
        if torn:
            number = whole.count(b"\n") + len(newline) + 1
            self.notes.append(
                f"{path}, line {number} was cut off when a run was stopped; that work is repeated"
            )
            if path == self._file:
                with path.open("r+b") as file:
                    file.truncate(len(whole) + len(newline))
        return whole.split(b"\n") if newline else []

    def _load(self, path: Path, lines: Sequence[bytes]) -> None:
        whole, _ = complete_units(
            read_record(path, number, line, REMEDY) for number, line in enumerate(lines, start=1)
        )
        self._complete |= whole


def complete_units(records: Iterable[Record]) -> tuple[dict[str, list[Record]], int]:
    """unit -> its records, of those all of whose parts are there; and how many records belong to none.

    records: in the order in which they were written. Of several sets of a unit the latest counts; the unit
    written last stands last.
    """
    whole: dict[str, list[Record]] = {}
    begun: dict[str, dict[int, Record]] = {}
    for record in records:
        index, count = record.part
        parts = begun.setdefault(record.unit, {})
        if index in parts or any(r.part[1] != count for r in parts.values()):
            parts.clear()  # a later run began this unit again
        parts[index] = record
        if len(parts) == count:
            whole.pop(record.unit, None)
            whole[record.unit] = [parts[i] for i in sorted(parts)]
            del begun[record.unit]
    return whole, sum(map(len, begun.values()))


def _prepared(folder: Path, worker: str) -> "tuple[Path, _FolderLock]":
    """The worker's file, made if it is not there and proved to be writable, and the lock of its folder."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"records-{worker}.jsonl"
        with file.open("a", encoding="utf-8"):
            pass
        return file, _FolderLock.of(folder)
    except FileExistsError:
        place = next(p for p in (folder, *folder.parents) if p.is_symlink() or p.exists())
        what = "is a file" if place.exists() else f"is a link to {os.readlink(place)}, which is no folder"
        raise ResultsError(f"{place} {what}; results need a folder: name another with --out") from None
    except OSError as error:
        raise ResultsError(
            f"results cannot be written to {folder}: {error.strerror}; name another folder with --out"
        ) from None


class _FolderLock:
    """This process alone writes to a folder. The file ``.lock`` stays behind; it is the lock that counts."""

    _held: ClassVar[weakref.WeakValueDictionary[tuple[int, int], "_FolderLock"]] = (
        weakref.WeakValueDictionary()
    )

    def __init__(self, folder: Path) -> None:
        opened = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        weakref.finalize(self, os.close, opened)
        self.note = ""
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(opened, 20).decode(errors="replace").strip()
            raise ResultsError(
                f"{folder} is being written to by process {holder or 'unknown'}; wait until that has ended, "
                "or name another folder with --out"
            ) from None
        except OSError as error:
            self.note = f"{folder} cannot be locked ({error.strerror}): let no other run write there"
        os.truncate(opened, 0)
        os.write(opened, f"{os.getpid()}\n".encode())

    @classmethod
    def of(cls, folder: Path) -> "_FolderLock":
        """The lock of a folder; one for all the stores of this process."""
        place = folder.stat()
        key = (place.st_dev, place.st_ino)
        held = cls._held.get(key)
        if held is None:
            held = cls._held[key] = cls(folder)
        return held


def read_record(path: Path, number: int, line: bytes, remedy: str) -> Record:
    """The record in a line of a file. ResultsError that names both, and what would help."""
    try:
        record = Record.from_json(json.loads(line))
        require_wellformed(record)
        return record
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ResultsError(
            f"{path}, line {number} is not a record that this program can read ({error}){remedy}"
        ) from None


def results_json(records: Sequence[Record], seed: int) -> dict[str, Any]:
    """The document of ``workbench verify --json``; its schema is ``record.schema.json``."""
    return {"version": SCHEMA_VERSION, "seed": seed, "records": [record.to_json() for record in records]}


def file_hash(path: str | Path | None) -> str | None:
    """sha256 of a file; None for None or where there is no such file."""
    if path is None or not Path(path).is_file():
        return None
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def source_hash(user_files: Sequence[Path] = ()) -> str:
    """sha256 of all that decides a record: the four rooms, the user's files, torch and numpy versions."""
    digest = hashlib.sha256()
    for room in ROOMS:
        for name, path in _sources(room):
            digest.update(f"{name} {file_hash(path)}\n".encode())
    for user_file in user_files:
        digest.update(f"user {file_hash(user_file)}\n".encode())
    for package in ("torch", "numpy"):
        digest.update(f"{package} {_version(package)}\n".encode())
    return digest.hexdigest()


def _sources(room: str) -> list[tuple[str, Path]]:
    spec = find_spec(room)
    folders = [Path(f) for f in (spec.submodule_search_locations or ())] if spec else []
    found = {f"{room}/{p.relative_to(f).as_posix()}": p for f in folders for p in f.rglob("*.py")}
    return sorted(found.items())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
