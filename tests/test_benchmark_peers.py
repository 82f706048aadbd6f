"""The benchmarks against other libraries run at small size and measure what they say; no time is asserted."""

import importlib.util
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks import bytes as traffic
from benchmarks import curvature, muon, seed_loops, startup, worst_case

Run = Callable[..., dict]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def ran(module, *arguments: str) -> dict:
        file = tmp_path / "numbers.json"
        module.main([*arguments, "--json", str(file)])
        return json.loads(file.read_text())

    return ran


@pytest.fixture
def training() -> curvature.Training:
    return curvature.Training("0.1M", 2)


def test_both_optimizers_end_at_the_same_matrices_up_to_bfloat16(run: Run):
    numbers = run(muon, "--shapes", "12x12", "8x20", "20x8", "--steps", "3", "--repeats", "1")
    assert set(numbers["results"]) == set(muon.optimizers())
    assert [row["way"] for row in numbers["rows"]] == list(muon.optimizers())
    distance = {name: m["distance"] for name, m in numbers["results"].items()}
    assert distance[muon.FIRST] == 0
    assert distance["workbench, SVD"] > 0.05
    if hasattr(torch.optim, "Muon"):  # products in another order: as far as bfloat16 is from float32
        rounding = distance["workbench, Newton-Schulz 5, float32"]
        assert 0 < distance["torch.optim.Muon, bfloat16"] < 3 * rounding < 0.05


@pytest.mark.parametrize("text", ["12", "12x", "0x3", "3x4x5", "axb"])
def test_shapes_that_are_none_are_refused(text: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        muon.main(["--shapes", text])
    assert f"two sides as 256x1024, got {text!r}" in capsys.readouterr().err


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of curvlinops, when it is imported
def test_curvature_names_probe_step_and_eigenvalue(run: Run):
    numbers = run(curvature, "--rows", "1", "--every", "1", "--repeats", "1")
    ways = [row["way"] for row in numbers["rows"]]
    assert ways[:2] == ["probe, L_seen of all layers", "a training step"]
    assert ("curvlinops: largest eigenvalue" in ways) == bool(importlib.util.find_spec("curvlinops"))
    assert numbers["eigenvalues"]["workbench: largest eigenvalue"] > 0


def test_the_product_is_that_of_the_hessian(training: curvature.Training):
    """Against the change of the gradient along the direction."""
    product, d = curvature.own_product(training), sum(p.numel() for p in training.task.model.parameters())
    v = np.random.default_rng(0).standard_normal(d).astype(np.float32)
    v /= np.linalg.norm(v)

    def gradient(shift: float) -> np.ndarray:
        parameters = list(training.task.model.parameters())
        before = [p.detach().clone() for p in parameters]
        flat = torch.from_numpy(shift * v).split([p.numel() for p in parameters])
        with torch.no_grad():
            for p, part in zip(parameters, flat, strict=True):
                p += part.reshape(p.shape)
        loss = training.task.loss(training.task.model, training.task.fixed)
        found = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, old in zip(parameters, before, strict=True):
                p.copy_(old)
        return torch.cat([g.reshape(-1) for g in found]).double().numpy()

    expected = (gradient(0.01) - gradient(-0.01)) / 0.02
    assert np.linalg.norm(product(v) - expected) < 0.05 * np.linalg.norm(expected)


def test_the_largest_eigenvalue_of_a_known_matrix():
    matrix = np.diag([1.0, -5.0, 3.0, 0.0, 2.0]).astype(np.float32)
    assert curvature.largest(lambda v: matrix @ v, 5) == pytest.approx(-5, rel=1e-3)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of curvlinops, when it is imported
def test_products_of_two_libraries_agree(training: curvature.Training):
    pytest.importorskip("curvlinops", reason="curvlinops is a peer, not a dependency")
    d = sum(p.numel() for p in training.task.model.parameters())
    v = np.random.default_rng(0).standard_normal(d).astype(np.float32)
    with curvature.sdpa_kernel(curvature.SDPBackend.MATH):
        theirs = curvature.peer_product(training)(v)
    ours = curvature.own_product(training)(v)
    assert np.linalg.norm(ours - theirs) < 1e-5 * np.linalg.norm(ours)


def test_worst_cases_with_and_without_the_peer(run: Run, monkeypatch: pytest.MonkeyPatch):
    ours = {name: way for name, way in worst_case.WAYS.items() if name != "PEPit"}
    monkeypatch.setattr(worst_case, "WAYS", ours)
    numbers = run(worst_case, "--steps", "2", "--repeats", "1")
    assert [row["faster"] for row in numbers["results"]] == [None, None]
    assert [row["value"] for row in numbers["results"]] == pytest.approx([0.1, 0.1], rel=1e-6)
    monkeypatch.setattr(worst_case, "WAYS", ours | {"PEPit": lambda n: 1 / (4 * n + 2)})
    numbers = run(worst_case, "--steps", "2", "--repeats", "1")
    assert all(row["faster"] > 0 for row in numbers["results"])


@pytest.mark.parametrize("value", [0.2, float("nan")])
def test_a_worst_case_that_is_off_ends_with_an_error(value: float, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worst_case, "WAYS", {"ours": lambda _: value})
    with pytest.raises(SystemExit, match="off by more than 1e-6"):
        worst_case.main(["--steps", "2", "--repeats", "1"])


def test_a_loop_over_optimiser_objects_goes_where_the_others_go():
    """Rows that are all equal: every draw is the same, and so is the path of the loop with given draws."""
    rows = np.tile(np.array([0.5, -1.0, 2.0]), (6, 1))
    sampled = seed_loops.SampledSGD(rows, seeds=2)
    last = sampled.run(20, every=5)
    expected = seed_loops.numpy_sgd(rows, np.zeros(20, dtype=int), None)
    assert last == pytest.approx(np.stack([expected, expected]), rel=1e-12)
    assert [len(trace) for trace in sampled.trace] == [5, 5]


def test_seeds_of_the_objects_differ_and_repeat():
    rows = np.random.default_rng(0).standard_normal((30, 4))
    a, b = (seed_loops.SampledSGD(rows, seeds=3).run(50, every=50) for _ in range(2))
    assert (a == b).all()
    assert not np.allclose(a[0], a[1])


def test_starts_of_what_is_installed_alone(monkeypatch: pytest.MonkeyPatch, run: Run):
    starts = {
        "nothing": startup.Start("sys", ("-S", "-c", "pass")),
        "absent": startup.Start("no_such_module", ("-c", "import no_such_module")),
    }
    monkeypatch.setattr(startup, "SETTINGS", {"start of a command": starts})
    numbers = run(startup, "--repeats", "2")
    assert numbers["missing"] == ["absent"]
    assert [row["way"] for row in numbers["rows"]] == ["nothing"]
    assert numbers["rows"][0]["runs"] == 2
    assert numbers["rows"][0]["low"] > 0


def test_every_start_runs_the_module_it_asks_for():
    for starts in startup.SETTINGS.values():
        for start in starts.values():
            assert any(start.module in word for word in start.call)


def test_bytes_become_rows_with_their_share():
    found = {"none": {"up": 60.0, "down": 40.0, "loss": 1.0}, "some": {"up": 5.0, "down": 20.0, "loss": 2.0}}
    rows = traffic.rows_of(found)
    assert [row.samples for row in rows] == [(100.0,), (25.0,)]
    assert "loss 2.0000" in rows[1].note


@pytest.mark.slow
def test_bytes_are_counted_over_two_processes(run: Run):
    numbers = run(traffic, "--steps", "2")
    share = {row["way"]: row["ratio"] for row in numbers["rows"]}
    assert set(share) == set(traffic.PAIRS)
    assert share["none"] == 1
    assert all(0 < share[name] < 1 for name in traffic.PAIRS if name != "none")


@pytest.mark.parametrize("arguments", [["--workers", "1"], ["--steps", "1"]], ids=["workers", "steps"])
def test_one_process_or_step_counts_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        traffic.main(arguments)
    assert "must be 2 or more" in capsys.readouterr().err
