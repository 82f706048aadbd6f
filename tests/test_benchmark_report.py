"""Rows, machine, turns and load of the comparisons: what they say, and what they refuse."""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from benchmarks import report
from benchmarks.load import Mark, busy_seconds


def test_ratios_refer_to_the_first_row_of_a_setting():
    rows = [
        report.timed("a", "ours", [0.001, 0.003, 0.002]),
        report.timed("a", "theirs", [0.008]),
        report.Row("b", "none", "errors", (0.0,)),
        report.Row("b", "some", "errors", (1.0,)),
    ]
    found = report.finished(rows)
    assert [row["ratio"] for row in found] == [1, 4, None, None]
    first = found[0]
    assert (first["median"], first["low"], first["high"], first["runs"]) == (2, 1, 3, 3)
    assert first["unit"] == "ms"


def test_a_row_without_samples_is_refused():
    with pytest.raises(ValueError, match=r"samples of 'x' in 'setting'"):
        report.timed("setting", "x", [])


@pytest.mark.parametrize(("unit", "value"), [("s", 0.5), ("ms", 500), ("us", 5e5)])
def test_units(unit: str, value: float):
    assert report.timed("a", "b", [0.5], unit).samples == (pytest.approx(value),)


def test_ways_take_turns_and_slow_ones_run_once():
    clock, called = iter(range(1000)), []

    def way(name: str, takes: int):
        def work() -> str:
            called.append(name)
            for _ in range(takes):
                next(clock)
            return name

        return work

    ways = {"fast": way("fast", 0), "slow": way("slow", 10)}
    found = report.take_turns(ways, 3, slow=5, clock=lambda: float(next(clock)))
    assert called == ["fast", "slow", "fast", "fast"]
    assert found["fast"] == report.Turns([1.0, 1.0, 1.0], "fast")
    assert found["slow"].seconds == [11.0]


@pytest.mark.parametrize("text", ["0", "-3", "two", "1.5"])
def test_a_number_that_is_none_is_refused(text: str):
    with pytest.raises((ValueError, argparse.ArgumentTypeError), match=r"at least 1|invalid literal"):
        report.positive(text)


def test_one_thread_is_given_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with report.one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_machine_names_what_is_installed_and_nothing_else():
    found = report.hardware("pytest", "no-such-distribution")
    assert {"cpu", "system", "python", "torch", "numpy", "pytest"} <= set(found)
    assert found["torch"] == torch.__version__
    assert "no-such-distribution" not in found


def test_a_process_is_timed_and_its_failure_is_one():
    wall, spent = report.child_seconds([sys.executable, "-S", "-c", "sum(range(3_000_000))"])
    assert wall > 0
    assert spent > 0
    with pytest.raises(subprocess.CalledProcessError):
        report.child_seconds([sys.executable, "-c", "raise SystemExit(3)"])


def test_a_process_has_one_thread_and_finds_the_rooms(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    found = report.surroundings()
    assert {found[name] for name in report.THREADS} == {"1"}
    assert found["PYTHONPATH"].split(os.pathsep) == [str(report.ROOT), "elsewhere"]


def test_numbers_are_written_with_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "numbers.json"
    report.finish(file, {"cpu": "x"}, {"own": [1]}, [report.Row("a", "b", "bytes", (2.0,), note="why")])
    numbers = json.loads(file.read_text())
    assert numbers["own"] == [1]
    assert numbers["hardware"] == {"cpu": "x"}
    assert numbers["rows"][0]["median"] == 2
    assert "why" in capsys.readouterr().out


def test_work_of_others_is_what_is_left():
    start = Mark(wall=10.0, busy=100.0, own=5.0)
    cores = os.cpu_count() or 1
    assert Mark(wall=20.0, busy=100.0 + 4.0, own=9.0).others(start) == 0
    half = Mark(wall=20.0, busy=100.0 + 4.0 + 5.0 * cores, own=9.0).others(start)
    assert half == pytest.approx(0.5)
    assert Mark(wall=20.0, busy=None, own=9.0).others(start) is None
    assert Mark(wall=10.0, busy=100.0, own=5.0).others(start) is None


def test_busy_seconds_leave_idle_time_out(tmp_path: Path):
    file = tmp_path / "stat"
    tick = os.sysconf("SC_CLK_TCK")
    file.write_text(f"cpu {tick} {tick} {tick} 900 90 0 {tick} 0 0 0\ncpu0 0 0 0\n")
    assert busy_seconds(file) == 4
    for text in ("", "nothing\n", "cpu 1 2 3\n", "cpu a b c d e f g h\n"):
        file.write_text(text)
        assert busy_seconds(file) is None
    assert busy_seconds(tmp_path / "missing") is None
