"""All that a page shows, as one JSON document with every text in it once."""

import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from workbench import __version__
from workbench.report.changes import changes, plain, rules
from workbench.report.looks import LOOKS
from workbench.report.results import Results
from workbench.report.rows import TheoremRow, theorem_rows
from workbench.report.statements import Library, statement
from workbench.report.witnesses import Witnesses
from workbench.verify import Record, Verdict

FORMAT = "workbench-report-1"
PACKAGES = ("torch", "numpy", "scipy", "sympy")


class Texts:
    """Texts by number; each is kept once."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str | None) -> int | None:
        """The number of a text; None for None."""
        return None if text is None else self.numbers.setdefault(text, len(self.numbers))


_TEXTS: Mapping[str, Callable[[Record], str | None]] = {
    "theorem": lambda r: r.theorem,
    "problem": lambda r: r.problem,
    "verdict": lambda r: r.verdict,
    "reason": lambda r: r.reason,
    "method": lambda r: r.method,
    "norm": lambda r: r.norm,
    "rules": lambda r: rules(r.parameters),
    "certificate": lambda r: ", ".join(r.certificate),
    "mutant": lambda r: r.mutant,
    "code": lambda r: r.code,
}
_AS_THEY_ARE = (
    *("expected", "tightness", "measured", "bound", "checked", "violations", "replicates", "steps", "seed"),
    *("e_value", "lower", "detectable", "statistics", "seconds"),
)


def document(results: Results, library: Library, before: Results | None = None) -> dict[str, Any]:
    """The data of the page; its columns of texts hold numbers of ``texts``.

    records   columns, one entry a record; where a theorem does not apply only theorem, problem and reason
              are told, under ``not_applicable``
    changes   what is different from an earlier folder, None without one
    """
    texts = Texts()
    told = [r for r in results.records if r.verdict != Verdict.NOT_APPLICABLE]
    skipped = [r for r in results.records if r.verdict == Verdict.NOT_APPLICABLE]
    witnesses = Witnesses(results)
    written = [r.to_json() for r in told]
    rows = theorem_rows(results, library)
    parts = {
        "format": FORMAT,
        "folders": [_folder(r, library) for r in (results, before) if r is not None],
        "environment": environment(),
        "verdicts": [{"name": v, **look._asdict()} for v, look in LOOKS.items()],
        "theorems": [_theorem(row, library) for row in rows],
        "records": {
            **{name: [texts(get(r)) for r in told] for name, get in _TEXTS.items()},
            **{name: [r[name] for r in written] for name in _AS_THEY_ARE},
            "witness": [witnesses.add(r) for r in told],
        },
        "not_applicable": {
            name: [texts(_TEXTS[name](r)) for r in skipped] for name in ("theorem", "problem", "reason")
        },
        "witnesses": witnesses.listed,
        "changes": changes(results, before) if before else None,
    }
    return _printable({**parts, "texts": list(texts.numbers)})


def _printable(value: Any) -> Any:
    """Half characters, which a path or a record may hold and no file can, become question marks."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_printable(name): _printable(entry) for name, entry in value.items()}
    return [_printable(entry) for entry in value] if isinstance(value, list | tuple) else value


def environment() -> dict[str, str]:
    """Versions of this installation."""
    packages = {name: _version(name) for name in PACKAGES}
    return {
        "workbench": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        **packages,
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _theorem(row: TheoremRow, library: Library) -> dict[str, Any]:
    """Its row, and its statement where there is one."""
    known = library.theorems.get(row.theorem)
    return {
        "id": row.theorem,
        "status": row.status,
        "tried": row.tried,
        "verdict": str(row.verdict),
        "tightness": plain(row.tightness),
        "caught": row.caught,
        "mutants": row.mutants,
        "statement": statement(known) if known else None,
    }


def _folder(results: Results, library: Library) -> dict[str, Any]:
    records = results.records
    counts = {code: sum(r.code == code for r in records) for code in dict.fromkeys(r.code for r in records)}
    compared = [r for r in records if r.verdict != Verdict.NOT_APPLICABLE]
    return {
        "name": str(results.folder),
        "records": len(records),
        "problems": len({r.problem for r in records}),
        "seeds": sorted({r.seed for r in records}),
        "steps": sorted({r.steps for r in compared if r.mutant is None}),
        "expected": sum(r.expected is True for r in records),
        "unexpected": sum(r.expected is False for r in records),
        "verdicts": _counts([r for r in records if r.mutant is None]),
        "mutants": sum(r.mutant is not None for r in records),
        "caught": sum(r.mutant is not None and r.expected is True for r in records),
        "seconds": sum(r.seconds for r in records),
        "files": [[f.name, f.modified, f.lines] for f in results.files],
        "codes": [[code, n, code in library.codes] for code, n in counts.items()],
        "older": results.older,
        "notes": list(results.notes),
    }


def _counts(records: Sequence[Record]) -> dict[str, int]:
    found = {str(v): sum(r.verdict == v for r in records) for v in LOOKS}
    return {name: n for name, n in found.items() if n}
