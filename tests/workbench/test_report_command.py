"""``workbench report`` as a command; tables for LaTeX and BibTeX."""

import dataclasses
import json
import re

import pytest
from typer.testing import CliRunner

from tests.workbench.html_reader import parsed
from tests.workbench.report_toys import absent, made, verified, write
from workbench.cli.app import app
from workbench.report import Library, bibtex, latex_table, read_results, theorem_rows
from workbench.report.bibtex import citation_key
from workbench.report.latex import escaped
from workbench.theorems import THEOREMS


@pytest.fixture(scope="module")
def library() -> Library:
    return Library()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return verified(tmp_path_factory.mktemp("results"))


def cli(*arguments, status: int = 0):
    result = CliRunner().invoke(app, ["report", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def test_the_table_for_latex(tmp_path, library):
    write(
        tmp_path,
        made(theorem="my_own/50%", tightness=3e-7),
        made(theorem="bpm/line", tightness=1 - 1e-7),
        made(theorem="bpm/line", problem="Cosine()", verdict="inconclusive (rounding)", tightness=None),
        absent("gd/convex", "Cosine()"),
    )
    table = latex_table(theorem_rows(read_results(tmp_path), library))
    rows = [line for line in table.splitlines() if line.endswith(r"\\")]
    assert rows == [
        r"theorem & status & problems & verdict & tightness \\",
        r"gd/convex & derived & 0 & untested & -- \\",
        r"bpm/line & derived & 2 & inconclusive (rounding) & $0.9999$ \\",
        r"my\_own/50\% & derived & 1 & not refuted & $3 \cdot 10^{-7}$ \\",
    ]
    assert table.count(r"\begin{tabular}{llrlr}") == table.count(r"\end{tabular}") == 1


def test_latex_prints_every_character_as_it_is():
    shown = escaped('a_b & 50% $x$ #1 {y} ~ ^ \\ <z> | "q"\n\nnext')
    bare = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_]", "", shown)
    assert not set(bare) & set('&%$#_{}~^\\<>|"\n')
    assert shown.startswith(r"a\_b \& 50\% \$x\$ \#1 \textbraceleft{}y\textbraceright{}")


def test_no_text_becomes_an_option_of_a_line_or_another_sign():
    assert escaped("[1cm]* a--b---c ``d \x00\u200be") == "{[}1cm{]}{*} a-{}-b-{}-{}-c {`}{`}d e"


def test_the_table_is_balanced_whatever_the_ids_are(tmp_path, library):
    odd = ["[2em]", "*", "a&b", "{", "}{", "x\\\\y", "50%", "#$^~_", "\\end{tabular}", "a|b"]
    table = latex_table(theorem_rows(read_results(write(tmp_path, *(made(theorem=t) for t in odd))), library))
    rows = [line for line in table.splitlines() if line.endswith(r"\\")][1:]
    assert len(rows) == len(odd)
    for row in rows:
        assert len(re.findall(r"(?<!\\)&", row)) == 4
        assert row[0] not in "[*"
        assert not re.search(r"(?<!\\)%", row)
        depth = 0
        for sign in re.findall(r"(?<!\\)[{}]", row):
            depth += 1 if sign == "{" else -1
            assert depth >= 0
        assert depth == 0
    assert table.count("\\begin{") == table.count("\\end{") == 1


def test_bibtex_holds_what_the_sources_hold():
    chosen = [t for t in THEOREMS if t.id in ("bpm/line", "gd/convex", "bpm/distance", "nesterov/convex")]
    entries = bibtex(chosen).split("\n\n")
    keys = [e.partition(",")[0].removeprefix("@misc{") for e in entries]
    assert keys == ["DroriTeboulle2014", "Nesterov1983", "arXiv:2502.02002"]
    assert "author = {Drori and Teboulle}" in entries[0]
    assert "title" not in entries[1]
    assert "author" not in entries[2]
    assert "eprint = {2502.02002}" in entries[2]
    assert "theorems = {bpm/distance, bpm/line}" in entries[2]


def test_every_paper_of_the_library_has_a_key_of_its_own():
    papers = {t.source.paper for t in THEOREMS}
    keys = {citation_key(p) for p in papers}
    assert len(keys) == len(papers)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9:.]*", key) for key in keys)
    text = bibtex(THEOREMS)
    assert text.count("@misc{") == len(keys)
    assert text.count("{") == text.count("}")


def test_bibtex_of_a_source_with_odd_letters():
    [theorem] = [t for t in THEOREMS if t.id == "gd/convex"]
    source = dataclasses.replace(theorem.source, paper="Łoś, Müller, and O'Brien (2020)", title="50% {more")
    text = bibtex([dataclasses.replace(theorem, source=source)])
    assert text.startswith("@misc{osMullerOBrien2020,")
    assert "author = {Łoś and Müller and O'Brien}" in text
    assert text.count("{") == text.count("}")


def test_papers_that_would_share_a_key_are_told_apart():
    [theorem] = [t for t in THEOREMS if t.id == "gd/convex"]
    papers = ("Поляк (1983)", "Нестеров (1983)", "Поляк (1983)", "arXiv:2502.02002v1", "arXiv:2502.02002")
    given = [
        dataclasses.replace(theorem, id=f"t/{i}", source=dataclasses.replace(theorem.source, paper=paper))
        for i, paper in enumerate(papers)
    ]
    text = bibtex(given)
    assert re.findall(r"@misc\{(.*),", text) == ["1983", "1983-2", "arXiv:2502.02002"]
    assert re.findall(r"theorems = \{(.*)\}", text) == ["t/0, t/2", "t/1", "t/3, t/4"]


def test_the_command_writes_and_says_what(folder, tmp_path):
    tex, bib, data = (tmp_path / name for name in ("t.tex", "t.bib", "d.json"))
    said = cli(folder, "--latex", tex, "--bibtex", bib, "--json", data).stdout
    assert said.startswith("3 theorems, ")
    shown = json.loads(data.read_text())
    assert json.loads(parsed((folder / "report.html").read_text()).raw["script"][0]) == shown
    assert "bpm/line" in tex.read_text()
    assert "@misc{arXiv:2502.02002," in bib.read_text()
    html = tmp_path / "page.html"
    assert json.loads(cli(folder, "--out", html, "--json", "-").stdout) == shown
    assert html.read_bytes() == (folder / "report.html").read_bytes()


def test_the_command_compares(folder, tmp_path):
    said = cli(folder, write(tmp_path, made(problem="Gone()")), "--out", tmp_path / "p.html").stdout
    assert re.search(r"since .*: 0 with another verdict, 0 with another tightness, \d+ new, 1 gone", said)
    assert "for that alone" not in said


def test_the_command_says_that_seeds_and_steps_differ(tmp_path):
    now, before = write(tmp_path / "now", made(seed=1)), write(tmp_path / "before", made())
    said = cli(now, before).stdout
    assert said.startswith("1 theorem, 1 record: 1 as expected, 0 not as expected\nsince ")
    assert "1 of 1 claim in both ran with other seeds, steps or numbers of runs" in said


def test_notes_go_to_stderr(tmp_path):
    write(tmp_path, made())
    with (tmp_path / "records-0.jsonl").open("a") as file:
        file.write("{")
    result = cli(tmp_path)
    assert "line 2 is torn" in result.stderr
    assert "torn" not in result.stdout


def test_a_user_file_brings_its_statements(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CliRunner().invoke(app, ["new", "theorem", "mine.py"], catch_exceptions=False)
    [name] = re.findall(r'\bid="([^"]+)"', (tmp_path / "mine.py").read_text())
    write(tmp_path / "r", made(theorem=name))
    bare = json.loads(cli("r", "--json", "-").stdout)["theorems"][0]["statement"]
    told = json.loads(cli("r", "--file", "mine.py", "--json", "-").stdout)["theorems"][0]["statement"]
    assert bare is None
    assert told["mathml"].startswith("<math")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "there is no folder nowhere"),
        (["results", "nowhere"], "there is no folder nowhere"),
        (["empty"], "empty holds no records"),
        (["results", "--out", "empty"], "empty cannot be written: Is a directory"),
        (["results", "--out", "no/such/page.html"], "cannot be written: No such file"),
        (["results", "--latex", "empty"], "empty cannot be written"),
        (["results", "--json", "empty"], "empty cannot be written"),
        (["results", "--out", "results/records-0.jsonl"], "that file holds records"),
        (["results", "--out", "a", "--bibtex", "./a"], "that file is what --out writes"),
        (["results", "--file", "absent.py"], "absent.py"),
    ],
)
def test_wrong_use_is_named_before_work(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    write(tmp_path / "results", made())
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()}
    result = cli(*arguments, status=2)
    assert said in result.stderr
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*") if p.is_file()} == before
