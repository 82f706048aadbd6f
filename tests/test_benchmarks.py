"""The benchmarks run at small size and measure what they say; no time is asserted."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import broximal


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> dict:
    file: Path = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    small = ["--dimension", "12", "--steps", "10", "--repeats", "2", "--instances", "2"]
    broximal.main([*small, "--json", str(file)])
    return json.loads(file.read_text())


def test_all_solvers_run_to_the_same_value(numbers: dict):
    runs = numbers["runs"]
    assert len(runs) == 4
    assert all(len(timing["seconds"]) == 2 for timing in runs.values())
    gap = runs["workbench.run"]["gap"]
    assert gap > 0
    assert abs(runs["workbench.run"]["excess"]) <= 1e-13
    for name in ("SciPy, k = 1e-12", "cvxpy, Clarabel"):
        assert runs[name]["gap"] == pytest.approx(gap, rel=0.05)
    assert runs["cvxpy, Clarabel"]["gap"] == pytest.approx(gap, rel=1e-3)


def test_calls_are_timed(numbers: dict):
    assert set(numbers["calls"]) == {"brox", "SciPy, defaults", "cvxpy, Clarabel"}
    assert all(s > 0 for seconds in numbers["calls"].values() for s in seconds)


def test_the_workbench_solves_the_hard_cases(numbers: dict):
    assert len(numbers["cases"]) == 6
    for found in numbers["cases"].values():
        assert abs(found["workbench"]["radius"]) <= 1e-12
        assert found["workbench"]["kkt"] <= 1e-14
        assert found["workbench"]["loss"] == 0
        assert found["SciPy"]["value"] != 0


def test_quality_sees_wrong_steps():
    """H = diag(1, 2), g = (3, 4): too short, too long, a wrong direction."""
    hessian, g = np.diag([1.0, 2.0]), np.array([3.0, 4.0])
    s = broximal.workbench_step(hessian, g, 0.5)
    right = broximal.quality(hessian, g, 0.5, s)
    assert abs(right["radius"]) <= 1e-15
    assert right["kkt"] <= 1e-15
    assert broximal.quality(hessian, g, 0.5, 1.1 * s)["radius"] == pytest.approx(0.1)
    assert broximal.quality(hessian, g, 0.5, 0.5 * s)["value"] > right["value"]
    assert broximal.quality(hessian, g, 0.5, s[::-1].copy())["kkt"] > 0.01
    assert broximal.quality(hessian, g, 0.5, 0 * s)["kkt"] == 1.0


def test_the_report_names_every_solver_and_case(capsys: pytest.CaptureFixture[str]):
    broximal.main(["--dimension", "5", "--steps", "3", "--repeats", "1", "--instances", "1"])
    text = capsys.readouterr().out
    for word in ("cpu:", "torch:", "workbench.run", "SciPy, k = 1e-12", "Clarabel", "hard case", "ratio"):
        assert word in text
