"""The benchmark of polar factors runs at small size and measures what it says; no time is asserted."""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import orthogonalise


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    file: Path = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    orthogonalise.main(["--quick", "--repeats", "1", "--json", str(file)])
    return json.loads(file.read_text())


def test_every_routine_is_measured_on_every_shape(numbers: dict):
    assert [title.split(" on ")[0] for title in numbers["results"]][:3] == [
        "64 x 64",
        "256 x 256",
        "32 x 16 x 24",
    ]
    for found in numbers["results"].values():
        assert set(found) == set(orthogonalise.routines())
        assert all(len(m["seconds"]) == 1 and m["seconds"][0] > 0 for m in found.values())


def test_ratios_refer_to_the_iteration_of_torch_done_here(numbers: dict):
    for title, found in numbers["results"].items():
        rows = [row for row in numbers["rows"] if row["setting"] == title]
        assert rows[0]["way"] == orthogonalise.BASE
        assert {row["way"] for row in rows} == set(found)


def test_exact_ones_are_exact_and_the_others_within_their_ranges(numbers: dict):
    for found in numbers["results"].values():
        for name, m in found.items():
            if name.startswith(("SVD", "Gram")):
                assert m["error"] < 1e-5
                assert (m["a"], m["b"]) == pytest.approx((1, 1), abs=1e-5)
            elif "Newton" in name or "Muon" in name:
                assert 0.1 < m["error"] < 0.4
                assert 0.8 < m["a"] < m["b"] < 1.21
            elif name.startswith("Polar Express 5"):
                assert 0.05 < m["error"] < 0.2
                assert 0.94 < m["a"] < m["b"] < 1.15


def test_the_error_sees_a_wrong_factor(monkeypatch: pytest.MonkeyPatch):
    routines = {"zero": torch.zeros_like, "its negative": lambda x: -orthogonalise.Exact()(x)}
    monkeypatch.setattr(orthogonalise, "routines", lambda: routines)
    found = orthogonalise.measure((2, 5, 7), "cpu", 1)
    assert (found["zero"].error, found["zero"].a, found["zero"].b) == (1.0, 0.0, 0.0)
    assert found["its negative"].error == pytest.approx(2.0)
    assert found["its negative"].a == pytest.approx(-1.0)
