"""A disk that is full, a folder that cannot be written: a clear error, nothing lost, nothing torn kept."""

import dataclasses
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.robustness.full_disk import DENIED, FULL, failing, left_overs
from tests.robustness.world import CLAIM, RECORD, SHRINKS, TASK, contents
from workbench.cli.app import app
from workbench.cli.dispatch import dispatch
from workbench.probes.result import load
from workbench.records import Store
from workbench.report import read_results

BOTH = pytest.mark.parametrize("code", [FULL, DENIED], ids=["full", "denied"])
VERIFY = ("verify", "--quick", "--file", "mine.py", "--out", "out")
PROBE = ("probe", "task.py:make", "--optimizer", "sgd", "--steps", "6", "--every", "2", "--out", "run")
TWO = """
import torch
from assumptions import Convex
from problems import from_function
ONE = from_function(lambda x: x.square().sum(-1), d=2, name="one", f_star=0.0, assume=(Convex(),))
TWO = from_function(lambda x: x.abs().sum(-1), d=2, name="two", f_star=0.0, assume=(Convex(),))
FALSE = Theorem(id="mine/false", title="t", source=Source("mine", "DERIVED"), method=Halve, parameters={},
                assumes=(Convex,), measured=gap_next, bound=gap / 100)
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(f"{SHRINKS}{CLAIM}{TWO}")
    Path("task.py").write_text(TASK)


def cli(*arguments: str, status: int) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == status, result.output
    assert "Traceback" not in result.output
    return result.stderr


def verdicts(folder: str = "out") -> list[tuple[str, ...]]:
    records = read_results(folder).records
    return sorted((r.theorem, r.problem, r.verdict, str(r.tightness), str(r.witness)) for r in records)


def small(monkeypatch) -> None:
    """Only the user's two problems are verified."""
    monkeypatch.setattr(
        "workbench.cli.verify._chosen",
        lambda registry, *_: (list(registry.user.theorems), list(registry.user.problems)),
    )


# -- records and witnesses ---------------------------------------------------------------------------


@BOTH
def test_a_record_that_was_not_written_hides_no_other(tmp_path, code):
    store = Store("out")
    first, second, third = (dataclasses.replace(RECORD, unit=unit) for unit in "abc")
    store.write([first])
    with failing("*/records-0.jsonl", code) as struck, pytest.raises(OSError, match=r"No space|denied"):
        store.write([second])
    assert struck
    assert store.done("b") is None
    assert read_results("out").records == (first,)
    store.write([third])  # the disk has room again, and the run goes on
    assert read_results("out").records == (first, third)
    assert Store("out").notes == []


@BOTH
def test_a_witness_that_was_not_written_is_written_by_the_next_run(code):
    store = Store("out")
    refuted = dataclasses.replace(RECORD, verdict="refuted", expected=False, witness={"theorem": "gd/convex"})
    with failing("*/witnesses/*", code) as struck, pytest.raises(OSError, match=r"No space|denied"):
        store.write([refuted])
    assert struck
    assert store.done("u") is None
    assert list(Path("out/witnesses").iterdir()) == []
    store.write([refuted])
    assert json.loads(store.witness(refuted).read_text())["theorem"] == "gd/convex"


@BOTH
@pytest.mark.parametrize("after", [1, 3])
def test_verify_says_what_is_saved_and_goes_on_from_there(monkeypatch, code, after):
    small(monkeypatch)
    with failing("*/records-0.jsonl", code, after) as struck:
        said = cli(*VERIFY, status=2)
    assert struck
    assert "out cannot be written" in said
    assert f"{after - 1} of 4 pieces of work are saved in out" in said
    kept = Path("out/records-0.jsonl").read_bytes()
    assert kept.count(b"\n") == after - 1
    assert left_overs(Path()) == []
    cli(*VERIFY, status=1)
    assert Path("out/records-0.jsonl").read_bytes().startswith(kept)
    cli(*VERIFY[:-1], "whole", status=1)
    assert verdicts() == verdicts("whole")


@BOTH
def test_a_document_that_was_there_is_kept_whole(monkeypatch, code):
    small(monkeypatch)
    Path("all.json").write_text('{"mine": 1}')
    with failing("*all.json*", code, after=1) as struck:  # the first opening is the trial before the work
        said = cli(*VERIFY, "--json", "all.json", status=2)
    assert struck
    assert "all.json cannot be written" in said
    assert Path("all.json").read_text() == '{"mine": 1}'
    assert left_overs(Path()) == []
    assert len(verdicts()) == 4


# -- figures -----------------------------------------------------------------------------------------

FIGURE = ("figure", "bpm-envelopes", "--format", "png", "--out", "drawn")


@BOTH
@pytest.mark.parametrize("what", ["*bpm-envelopes.json*", "*bpm-envelopes.png*"])
def test_a_figure_that_was_there_stays(code, what):
    cli(*FIGURE, status=0)
    before = contents(Path("drawn"))
    with failing(what, code) as struck:
        said = cli(*FIGURE, "--seed", "1", status=2)
    assert struck
    assert "drawn cannot be written" in said
    assert left_overs(Path()) == []
    after = contents(Path("drawn"))
    assert after["bpm-envelopes.png"] == before["bpm-envelopes.png"]
    if "json" in what:
        assert after == before


# -- probes ------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("what", ["*/checkpoint.pt*", "*/manifest.json*", "*/probe.nc*", "*/training.csv*"])
def test_a_probe_says_so_and_goes_on_from_what_is_saved(code, what):
    cli(*PROBE[:-1], "whole", status=0)
    with failing(f"*run{what}", code, after=1) as struck:  # what is saved before the first step is written
        said = cli(*PROBE, status=2)
    assert struck
    assert "cannot be written" in said
    cli(*PROBE, status=0)
    one, two = (load(folder).drop_vars("seconds") for folder in ("run", "whole"))
    assert one.identical(two)
    assert Path("run/training.csv").read_bytes() == Path("whole/training.csv").read_bytes()
    assert left_overs(Path()) == []


# -- the report --------------------------------------------------------------------------------------


@BOTH
def test_a_report_that_cannot_be_written_leaves_the_records(code):
    Store("out").write([RECORD])
    before = Path("out/records-0.jsonl").read_bytes()
    with failing("*.html*", code) as struck:
        said = cli("report", "out", status=2)
    assert struck
    assert "report.html cannot be written" in said
    assert Path("out/records-0.jsonl").read_bytes() == before
    cli("report", "out", status=0)


# -- stdout ------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("json", [False, True])
def test_a_full_disk_behind_stdout_is_said(json, monkeypatch, capsys):
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(typer.Exit) as end:
            dispatch("list", kind="methods", json=json)
    assert end.value.exit_code == 2
    assert capsys.readouterr().err == (
        "workbench list: the output cannot be written: No space left on device\n"
    )


def test_a_closed_stdout_is_no_failure(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(typer.Exit) as end:
        dispatch("list", kind="methods", json=False)
    assert end.value.exit_code == 0
    sys.stdout.close()
