"""``workbench report``: one HTML page from the records of a folder; tables for papers."""

from pathlib import Path

from workbench.cli.output import (
    console,
    note,
    write_json,
    write_whole,
    wrong_use,
)
from workbench.cli.targets import require_targets
from workbench.registry import Registry
from workbench.report import Library, bibtex, document, latex_table, page, read_results, theorem_rows
from workbench.report.summary import compared, summary
from workbench.user_file import load_user_file


def main(
    folder: Path,
    before: Path | None,
    file: Path | None,
    out: Path | None,
    latex: Path | None,
    bibtex_file: Path | None,
    json: str | None,
) -> int:
    """Read, write, and say what was written; 0 whatever the verdicts are."""
    with wrong_use():
        results = read_results(folder)
        earlier = read_results(before) if before else None
        html = out or folder / "report.html"
        records = {r.folder / f.name: "holds records" for r in (results, earlier) if r for f in r.files}
        require_targets({"--out": html, "--latex": latex, "--bibtex": bibtex_file, "--json": json}, records)
        library = Library(Registry(load_user_file(file)) if file else None)
    for line in (*results.notes, *(earlier.notes if earlier else ())):
        note(line)
    shown = document(results, library, earlier)
    rows = theorem_rows(results, library)
    written = [_write(html, page(shown))]
    if latex:
        written.append(_write(latex, latex_table(rows)))
    if bibtex_file:
        written.append(_write(bibtex_file, bibtex(library.known([row.theorem for row in rows]))))
    if json is not None:
        write_json(shown, json)
    if json != "-":
        said = filter(None, (summary(shown), compared(shown), *written))
        console().print("\n".join(said), soft_wrap=True)
    return 0


def _write(path: Path, text: str) -> str:
    """The line that says so. WrongUseError if it fails after all."""
    content = text.encode("utf-8", errors="replace")
    write_whole(path, content.decode("utf-8"))
    return f"wrote {path}, {len(content) / 1000:,.0f} kB"
