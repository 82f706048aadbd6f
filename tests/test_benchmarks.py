"""The benchmarks run at small size and measure what they say; no time is asserted."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ball_cases, ball_solvers, broximal, refute, seeds


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


def test_rows_compare_with_the_workbench(numbers: dict):
    """First in each setting; a hard case by its worst error."""
    first = {}
    for row in numbers["rows"]:
        first.setdefault(row["setting"], row)
    assert {row["way"] for row in first.values()} == {"workbench.run", "brox", "workbench"}
    assert len(first) == 2 + len(numbers["cases"])
    for case, found in numbers["cases"].items():
        error = max(abs(found["workbench"][key]) for key in ("radius", "kkt", "loss"))
        assert first[f"{case}: worst error"]["median"] == error


def test_quality_sees_wrong_steps():
    """H = diag(1, 2), g = (3, 4): too short, too long, a wrong direction."""
    hessian, g = np.diag([1.0, 2.0]), np.array([3.0, 4.0])
    s = ball_solvers.workbench_step(hessian, g, 0.5)
    right = ball_cases.quality(hessian, g, 0.5, s)
    assert abs(right["radius"]) <= 1e-15
    assert right["kkt"] <= 1e-15
    assert ball_cases.quality(hessian, g, 0.5, 1.1 * s)["radius"] == pytest.approx(0.1)
    assert ball_cases.quality(hessian, g, 0.5, 0.5 * s)["value"] > right["value"]
    assert ball_cases.quality(hessian, g, 0.5, s[::-1].copy())["kkt"] > 0.01
    assert ball_cases.quality(hessian, g, 0.5, 0 * s)["kkt"] == 1.0


def test_the_report_names_every_solver_and_case(capsys: pytest.CaptureFixture[str]):
    broximal.main(["--dimension", "5", "--steps", "3", "--repeats", "1", "--instances", "1"])
    text = capsys.readouterr().out
    for word in ("cpu:", "torch:", "workbench.run", "SciPy, k = 1e-12", "Clarabel", "hard case", "ratio"):
        assert word in text


@pytest.fixture(scope="module")
def searches(tmp_path_factory: pytest.TempPathFactory) -> dict:
    file: Path = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    refute.main(["--budget", "60", "--repeats", "1", "--json", str(file)])
    return json.loads(file.read_text())


def test_every_search_keeps_to_its_budget(searches: dict):
    assert searches["budget"] == 60
    for found in searches["results"].values():
        assert set(found) == set(refute.SEARCHES)
        for name, numbers in found.items():
            # one more evaluation: whether the ratio has a gradient
            share = refute.MORE if "times" in name else 1
            assert 0 < numbers["evaluations"][0] <= 60 * share + (20 if share > 1 else 1)
            assert len(numbers["ratios"]) == len(numbers["seconds"]) == 1


def test_no_search_exceeds_the_supremum(searches: dict):
    for case, found in searches["results"].items():
        supremum = float(searches["suprema"][case])
        for numbers in found.values():
            # ratios are shown where a side is 10 times its rounding
            assert 0 <= numbers["ratios"][0] <= supremum * 1.1
    assert math.isinf(float(searches["suprema"]["smooth with 1e6: |x|_1, d = 3"]))


def test_the_objective_is_the_ratio_and_its_gradient():
    case = refute.cases()[0]
    flat = np.linspace(-1.0, 2.0, 20)
    objective = refute.Objective(case, budget=1000)
    value, gradient = objective.with_gradient(flat)
    x, y = (part.reshape(1, 10) for part in np.split(flat, 2))
    ratio = case.assumption.ratio(case.problem, *map(refute.torch.from_numpy, (x, y)))
    assert math.exp(-value) == pytest.approx(float(ratio), rel=1e-12)
    assert objective(flat) == pytest.approx(value, rel=1e-14)
    for i in range(20):
        moved = flat + 1e-6 * np.eye(20)[i]
        assert (objective(moved) - value) / 1e-6 == pytest.approx(gradient[i], abs=1e-5)
    assert objective(np.zeros(20)) == refute.VOID
    assert objective.ratio() <= 1 + 1e-12
    small = refute.Objective(case, budget=1)
    small(flat)
    with pytest.raises(refute.SpentError):
        small(flat)


def test_a_search_has_done_its_work_near_the_supremum_or_beyond_the_claim():
    def found(ratio: float) -> dict:
        return {name: {"ratios": [ratio], "seconds": [2.0], "evaluations": [1]} for name in refute.SEARCHES}

    ratios = {"tight": 0.995, "missed": 0.9, "false": 2.0, "not seen": 1.01}
    suprema = {"tight": 1.0, "missed": 1.0, "false": "inf", "not seen": 2.0}
    numbers = {"budget": 5, "suprema": suprema, "results": {case: found(r) for case, r in ratios.items()}}
    for row in refute.together(numbers):
        assert row.note.startswith("2 of 4 cases")
        assert row.samples == (8.0,)


def test_the_table_names_hardware_searches_and_cases(searches: dict, capsys: pytest.CaptureFixture[str]):
    refute.main(["--budget", "10"])
    text = capsys.readouterr().out
    for word in ("cpu:", "torch:", *refute.SEARCHES, *searches["results"], "supremum"):
        assert word in text


@pytest.fixture(scope="module")
def many_seeds(tmp_path_factory: pytest.TempPathFactory) -> dict:
    file: Path = tmp_path_factory.mktemp("benchmark") / "numbers.json"
    size = ["--terms", "40", "--dimension", "5", "--steps", "150", "--every", "10"]
    seeds.main([*size, "--seeds", "4", "70", "--repeats", "1", "--processes", "0", "--json", str(file)])
    return json.loads(file.read_text())


@pytest.mark.parametrize("method", ["SGD", "PAGE"])
def test_seeds_together_are_the_seeds_alone(many_seeds: dict, method: str):
    """Draws bit for bit, iterates to rounding; NumPy's own loop ends at the same points."""
    found = many_seeds[method]
    assert found["draws"] == 0
    assert found["iterates"] <= 1e-11
    assert found["numpy difference"] <= 1e-11
    assert all(seconds[0] > 0 for seconds in (*found["run"].values(), found["numpy"]))
    assert found["recorded"] > 0
    assert len(found["objects"]) == (1 if method == "SGD" else 0)
    ways = [row["way"] for row in many_seeds["rows"] if row["setting"].startswith(f"{method}, a step")]
    assert ways[0] == "workbench.run, 4 seeds"
    assert ("optimiser objects, loop over 4 seeds" in ways) == (method == "SGD")


def test_a_process_of_one_seed_runs(tmp_path: Path):
    size = seeds.Size(n=20, d=3, steps=5, every=5)
    path = seeds.data_file(size, tmp_path)
    seeds.main(["--one", "PAGE", str(path), "--steps", "5", "--every", "5"])
    assert seeds.process_seconds("SGD", path, size) > 0


def test_the_table_of_seeds_names_rivals_and_targets(capsys: pytest.CaptureFixture[str]):
    size = ["--terms", "20", "--dimension", "3", "--steps", "5", "--every", "5", "--processes", "0"]
    seeds.main([*size, "--seeds", "2", "30", "--repeats", "1"])
    text = capsys.readouterr().out
    for word in ("cpu:", "SGD", "PAGE", "30 seeds", "NumPy, loop over 2 seeds", "target", "recording gap"):
        assert word in text
