"""The command of all comparisons: what it refuses, what it writes, what a failure leaves."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as command
from benchmarks import comparisons, page, peers
from benchmarks.comparisons import COMPARISONS, Comparison
from benchmarks.report import ROOT, Row, finished, hardware

KEYS = {"schema", "command", "hardware", "not_installed", "results"}
RESULT = {"title", "command", "quick", "peers", "left_out", "date", "seconds", "others", "rows", "numbers"}
ROW = {"setting", "way", "unit", "median", "low", "high", "runs", "ratio", "headline", "note"}


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two comparisons of a moment: one that works, one that fails."""
    rows = finished([Row("a | b", "ours", "ms", (1.0,)), Row("a | b", "theirs", "ms", (3.0,), True, "$x$")])
    works = f"import json, sys; open(sys.argv[-1], 'w').write(json.dumps({{'rows': {rows!r}}}))"
    calls = {"works": ("-c", works), "fails": ("-c", "raise SystemExit('no such matrix')")}

    class Short(Comparison):
        def call(self, quick: bool) -> tuple[str, ...]:
            return calls[self.module]

    listed = {name: Short(name, f"Title of {name}", peers=("no-such-peer",)) for name in calls}
    for module in (comparisons, command):
        monkeypatch.setattr(module, "COMPARISONS", listed)


def read(out: Path) -> dict:
    return json.loads(out.with_suffix(".json").read_text())


def test_the_list_names_all_and_runs_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    out = tmp_path / "page.md"
    assert command.main(["--list", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines()] == list(COMPARISONS)
    assert not out.exists()


def test_every_comparison_is_a_script_of_the_folder():
    for name, comparison in COMPARISONS.items():
        assert (ROOT / "benchmarks" / f"{comparison.module}.py").is_file(), name
        assert comparison.call(True) != comparison.call(False), name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--only", "sedes"], ["no comparison is called sedes", "seeds", "broximal"]),
        (["--only", "seeds", "--only", ""], ["no comparison is called"]),
        (["--out", "page.html"], ["--out must end in .md", "page.html"]),
        (["--limit", "0"], ["at least 1"]),
        (["--limit", "soon"], ["--limit", "soon"]),
        (["--quicker"], ["--quicker"]),
    ],
    ids=["unknown name", "empty name", "not Markdown", "no time", "not a number", "unknown option"],
)
def test_wrong_arguments_are_refused_before_work(arguments, words, capsys, monkeypatch):
    monkeypatch.setattr(command, "measure", lambda *_: pytest.fail("work has started"))
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert all(word in said for word in words)


@pytest.mark.usefixtures("two")
def test_a_failure_is_named_and_stops_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "new" / "page.md"
    assert command.main(["--out", str(out)]) == 1
    numbers, text = read(out), out.read_text()
    assert set(numbers) == KEYS
    assert set(numbers["results"]["works"]) == RESULT
    assert set(numbers["results"]["works"]["rows"][0]) == ROW
    assert numbers["results"]["fails"]["error"] == "no such matrix"
    assert "**Failed:** no such matrix" in text
    assert "| [works](#works) | a \\| b | ours: 1 ms | theirs: 3 ms | 3 |" in text
    assert "| a \\| b | ours | 1 ms |  | 1 | 1 |  |" in text
    assert "|  | theirs | 3 ms |  | 1 | 3 | \\$x\\$ |" in text
    assert "no-such-peer; `python -m benchmarks --peers DIR`" in text
    assert "no such matrix" in capsys.readouterr().out


@pytest.mark.usefixtures("two")
def test_the_rest_of_a_page_is_kept(tmp_path: Path):
    out = tmp_path / "page.md"
    assert command.main(["--only", "works", "--out", str(out)]) == 0
    before = read(out)["results"]["works"]
    assert command.main(["--only", "fails", "--out", str(out)]) == 1
    assert read(out)["results"]["works"] == before
    assert list(read(out)["results"]) == ["works", "fails"]


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not of this command"),
        ("[]", "not of this command"),
        ('{"schema": "another/1"}', "another/1"),
        (
            json.dumps({"schema": command.SCHEMA, "results": {}, "hardware": {"cpu": "other"}}),
            "another machine",
        ),
    ],
    ids=["damaged", "list", "foreign", "another machine"],
)
def test_files_that_do_not_fit_are_left_as_they_are(content: str, words: str, tmp_path: Path):
    out = tmp_path / "page.md"
    out.with_suffix(".json").write_text(content)
    with pytest.raises(SystemExit, match=words):
        command.main(["--only", "works", "--out", str(out)])
    assert out.with_suffix(".json").read_text() == content
    assert not out.exists()


def test_all_anew_on_another_machine(tmp_path: Path):
    file = tmp_path / "page.json"
    file.write_text(json.dumps({"schema": command.SCHEMA, "results": {"seeds": {}}, "hardware": {}}))
    assert command.kept(file, {"cpu": "x"}, some=False) == {}
    file.write_text(
        json.dumps({"schema": command.SCHEMA, "results": {"seeds": {}}, "hardware": {"cpu": "x"}})
    )
    assert command.kept(file, {"cpu": "x"}, some=True) == {"seeds": {}}


def test_one_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Comparison, "call", lambda *_: ("-S", "-c", "import time; time.sleep(60)"))
    found = command.measure("seeds", COMPARISONS["seeds"], True, sys.executable, 1)
    assert "not finished after 1 s" in found["error"]
    assert "rows" not in found


def test_numbers_that_cannot_be_read_are_an_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Comparison, "call", lambda *_: ("-S", "-c", "pass"))
    found = command.measure("seeds", COMPARISONS["seeds"], True, sys.executable, 60)
    assert "seeds wrote no numbers" in found["error"]


@pytest.mark.parametrize(("others", "marked"), [(0.02, False), (0.4, True), (None, False)])
def test_the_page_says_when_the_machine_was_shared(others: float | None, marked: bool):
    result = {
        "title": "T",
        "command": "c",
        "quick": False,
        "peers": {"PEPit": "0.5"},
        "left_out": [],
        "date": "d",
        "seconds": 1.0,
        "others": others,
        "rows": finished([Row("alone", "x", "s", (2.0,), True)]),
    }
    numbers = {
        "command": "python -m benchmarks",
        "hardware": hardware(),
        "not_installed": {"absent": "no wheel"},
        "results": {"seeds": result},
    }
    text = page.page(numbers, "page.json")
    assert ("Measured while other work was running" in text) == marked
    for words in (
        "absent: no wheel",
        "With PEPit 0.5",
        "| [seeds](#seeds) | alone | x: 2 s | - | - |",
        "page.json",
    ):
        assert words in text


def test_names_stand_once():
    lines = [["a", "b", "1"], ["a", "b", "2"], ["a", "c", "2"], ["d", "c", "2"]]
    assert page.named_once(lines, 2) == [["a", "b", "1"], ["", "", "2"], ["", "c", "2"], ["d", "c", "2"]]


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (0.0, "0"), (1234.5, "1234"), (2e7, "2e+07"), (1.239e-5, "1.24e-05")]
)
def test_numbers_are_short(value: float | None, text: str):
    assert page.number(value) == text


def test_the_search_for_worst_cases_is_read():
    mutants = [{"verdict": "refuted"}, {"verdict": "not refuted"}, {"verdict": "refuted"}]
    worst = [{"theorem": "gd/convex", "share": 0.75, "cpu_seconds": 1}]
    rows = comparisons.falsifier_rows({"worst": worst, "mutants": mutants})
    assert [row["median"] for row in rows] == [1, 0.75, 3, 2]
    assert [row["ratio"] for row in rows] == [1, 0.75, 1, pytest.approx(2 / 3)]


def test_a_folder_of_another_kind_is_no_environment(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match="--peers must be a new or empty folder"):
        peers.made(tmp_path)
    with pytest.raises(SystemExit, match="--peers must be"):
        command.main(["--peers", str(tmp_path), "--out", str(tmp_path / "page.md")])
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_what_could_not_be_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    def run(call: list, **_: object) -> SimpleNamespace:
        if call[-1] == "slow":
            raise subprocess.TimeoutExpired(call, 1)
        return SimpleNamespace(returncode=call[-1] == "bad", stderr="warning\nERROR: no wheel\n\n")

    monkeypatch.setattr(peers, "present", lambda *_: {"there": "1"})
    monkeypatch.setattr(peers.subprocess, "run", run)
    found = peers.install(Path("python"), ("there", "good", "bad", "slow"))
    assert found == {"bad": "ERROR: no wheel", "slow": f"not installed after {peers.SECONDS} s"}


def test_versions_are_those_of_the_interpreter():
    assert set(peers.present(sys.executable, ("numpy", "no-such-distribution"))) == {"numpy"}


@pytest.mark.slow
def test_an_environment_is_a_layer_over_this_one(tmp_path: Path):
    """It finds what this one has, and its own packages lie in its own folder."""
    python = peers.made(tmp_path / "peers")
    assert peers.made(tmp_path / "peers") == python
    mine = peers.present(sys.executable, ("numpy", "torch"))
    assert peers.present(str(python), ("numpy", "torch")) == mine
    code = "import sys; print(sys.prefix)"
    prefix = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert Path(prefix).resolve() == (tmp_path / "peers").resolve()
