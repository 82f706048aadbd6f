"""The benchmarks of the probe run at small size and measure what they say; no time is asserted."""

import json

import pytest
import torch

from benchmarks import gpu_probe, probe_overhead
from workbench.probes.networks import GPT_SIZES

SMALL = ["--size", "0.1M", "--rows", "2", "--blocks", "1"]


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def test_overhead_of_both_batches_at_both_distances(tmp_path, capsys, one_thread):
    file = tmp_path / "numbers.json"
    probe_overhead.main([*SMALL, "--every", "2", "3", "--json", str(file)])
    numbers = json.loads(file.read_text())
    assert set(numbers["results"]) == {f"{b}, every {k}" for b in ("training", "fixed") for k in (2, 3)}
    for found in numbers["results"].values():
        assert len(found["overhead"]) == len(found["step_seconds"]) == 1
        assert found["step_seconds"][0] > 0
    assert numbers["dual_error"] < 1e-5
    assert numbers["parameters"] > 1e5
    shares = [row for row in numbers["rows"] if row["unit"] == "% of a step"]
    assert len(shares) == 4
    assert all(row["headline"] for row in shares)
    assert "dual norms" in capsys.readouterr().out


def test_the_benchmark_of_the_gpu_runs_on_a_cpu(tmp_path, capsys):
    file = tmp_path / "numbers.json"
    gpu_probe.main([*SMALL, "--every", "2", "--device", "cpu", "--json", str(file)])
    numbers = json.loads(file.read_text())
    assert set(numbers["results"]) == {"training", "fixed"}
    assert [row["way"] for row in numbers["rows"]] == ["probe", "probe"]
    assert numbers["tokens"] == 2 * GPT_SIZES["0.1M"].context
    assert "no GPU" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_without_a_gpu_it_says_so(capsys):
    with pytest.raises(SystemExit, match="2"):
        gpu_probe.main([*SMALL])
    assert "torch.cuda.is_available() is False" in capsys.readouterr().err
