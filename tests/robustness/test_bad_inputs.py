"""What is wrong in what is given is said in words, before any work, and nothing that was there is lost."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.robustness.names import NAMES
from tests.robustness.rows import ROWS, Row
from tests.robustness.world import build, contents
from workbench.cli.app import app

PAGE = Path(__file__).parents[2] / "docs" / "robustness.md"
PARTS = (
    *("assumptions", "problems", "methods", "theorems", "verify", "user files", "check", "run", "replay"),
    *("figure", "report", "probe", "new, list, show", "calibrate", "table", "falsify, evidence"),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    build(folder)
    return folder, contents(folder)


def named(row: Row) -> str:
    return re.sub(r"[^\w.-]+", "-", f"{row.part}-{row.given}").strip("-")[:90]


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_bad_input_is_refused_in_words_and_nothing_is_lost(row, world, monkeypatch):
    folder, before = world
    monkeypatch.chdir(folder)
    said = command(row) if row.given.startswith("workbench ") else python(row)
    for words in row.words:
        assert words in said, said
    assert contents(folder) == before


def python(row: Row) -> str:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (its type is in the row)
        eval(row.given, dict(NAMES))
    assert type(caught.value).__name__ == row.ends
    return str(caught.value)


def command(row: Row) -> str:
    result = CliRunner().invoke(app, shlex.split(row.given)[1:], catch_exceptions=False)
    assert f"exit {result.exit_code}" == row.ends, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    return result.stderr


def test_the_table_covers_every_part_and_says_nothing_twice():
    assert {row.part for row in ROWS} == set(PARTS)
    assert len({row.given for row in ROWS}) == len(ROWS) >= 40
    assert all(all(row.words) for row in ROWS)


def test_the_page_shows_the_table():
    text = PAGE.read_text(encoding="utf-8")
    start, end = text.index("<!-- rows -->"), text.index("<!-- end of rows -->")
    assert text[start:end].strip() == f"<!-- rows -->\n\n{table()}".strip()


def table() -> str:
    """The rows as Markdown, one table for each part."""
    blocks = []
    for part in PARTS:
        lines = [f"### {part}", "", "| given | ends with | says |", "|---|---|---|"]
        for row in (r for r in ROWS if r.part == part):
            given = row.given.replace("|", "\\|")
            said = " ... ".join(row.words).replace("|", "\\|")
            lines.append(f"| `` {given} `` | {row.ends} | {said} |")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)
