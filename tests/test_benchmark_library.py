"""What the verification of the library is said to cost."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import library


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["library", *arguments])
    assert library.main() == 0


def test_the_total_is_the_mean_over_the_pieces_times_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    kept = tmp_path / "cost.json"
    spent = iter((1.0, 3.0, 5.0))
    monkeypatch.setattr(library, "seconds_of", lambda work: (next(spent), work()))
    ran(monkeypatch, "--pieces", "3", "--budgets", "quick", "--json", str(kept))
    (row,) = json.loads(kept.read_text())["rows"]
    assert (row["pieces"], row["mean"], row["longest"]) == (3, 3.0, 5.0)
    assert row["hours"] == pytest.approx(row["plan"] * 3 / 3600)
    assert row["error"] == pytest.approx(row["plan"] * 2 / 3**0.5 / 3600)
    assert row["plan"] > 9000
    assert "core hours" in capsys.readouterr().out


def test_the_limit_is_looked_at_between_pieces(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(library, "seconds_of", lambda _: (4.0, []))
    assert library.sampled(library.QUICK, 300, 10, 0)["pieces"] == 3


def test_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "argv", ["library", "--budgets", "huge"])
    with pytest.raises(SystemExit):
        library.main()
    assert "huge" in capsys.readouterr().err
