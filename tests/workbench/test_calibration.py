"""Evidence about means: the process of bets, its power, and the command that measures both."""

import json
import math

import pytest
import torch
from typer.testing import CliRunner

from workbench.cli.app import app
from workbench.verify.calibration import STUDIES, calibrate, highest_log_e
from workbench.verify.process import Process, detectable, needed, ratios_of


def test_the_e_value_is_the_mixture_of_products():
    ratios = torch.tensor([0.5, 3.0, 0.0, 1.25], dtype=torch.float64)
    products = [math.prod(1 + 2.0**-j * (float(r) - 1) for r in ratios) for j in range(16)]
    assert Process(ratios).log_e == pytest.approx(math.log(sum(products) / 16), rel=1e-12)
    assert float(highest_log_e(ratios[None])[0, 3]) == pytest.approx(
        max(Process(ratios[:n]).log_e for n in range(1, 5)), rel=1e-12
    )
    assert Process(ratios[:0]).log_e == 0


def test_a_true_mean_is_seldom_refuted_and_a_false_one_is():
    generator = torch.Generator().manual_seed(0)
    heavy = (
        torch.rand(400, 500, generator=generator, dtype=torch.float64) ** -0.6 * 0.4
    )  # mean 1, no variance
    assert float(heavy.mean()) == pytest.approx(1, abs=0.1)
    assert float(highest_log_e(heavy).max()) < math.log(1e3)
    assert Process(2 * heavy.flatten()).refutes


def test_the_lower_limit_is_below_the_mean_and_rises():
    generator = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(4096, generator=generator, dtype=torch.float64)
    limits = [Process(x[:n]).lower for n in (64, 512, 4096)]
    assert limits == sorted(limits)
    assert 0.9 < limits[-1] < 1.0
    assert Process(3 * x).lower == pytest.approx(3 * limits[-1], rel=1e-6)
    assert Process(0 * x).lower == 0


def test_power_is_what_the_formula_says():
    for c, cv in ((1.05, 0.5), (1.25, 0.2), (2.0, 1.0)):
        assert detectable(round(needed(c, cv)), cv) == pytest.approx(c, rel=1e-2)
    assert detectable(27, 0.1) == math.inf
    assert detectable(1000, math.nan) == math.inf
    nothing = torch.zeros(64, dtype=torch.float64)
    assert Process(nothing).detectable == math.inf
    assert Process(nothing, cv=1.0).detectable == detectable(64, 1.0) < math.inf
    assert Process(torch.cat([nothing, torch.tensor([math.inf])])).refutes


def test_rounding_counts_for_the_claim_and_nan_against_it():
    measured = torch.tensor([1.0, 1e-20, math.nan, 2.0, 0.0], dtype=torch.float64)
    bound = torch.tensor([2.0, 0.0, 1.0, 0.0, 0.0], dtype=torch.float64)
    assert ratios_of(measured, bound, torch.full_like(bound, 1e-10)).tolist() == [
        pytest.approx(0.5), 0.0, math.inf, math.inf, 0.0
    ]  # fmt: skip
    below, one = torch.full((2,), -1.0, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    assert ratios_of(one * 0, below, one * 1e-10).tolist() == [math.inf, math.inf]
    assert ratios_of(one * math.inf, one, one * math.inf).tolist() == [0.0, 0.0]


def test_the_studies_are_exact():
    found = calibrate(studies=4, replicates=1024, seed=5)
    assert [c.name for c in found] == [s.name for s in STUDIES]
    for each in found[:2]:
        assert each.ratio == pytest.approx(1, abs=5 * each.cv / math.sqrt(4 * 1024))
    assert found[0].detected[0.5][-1] == found[0].detected[0.2][-1] == 1.0
    assert all(each.false == 0 for each in found)
    assert found[2].predicted[0.2] == math.inf


def test_studies_do_not_depend_on_the_number_of_processes():
    assert calibrate(3, 64, jobs=2) == calibrate(3, 64)


def test_the_command(tmp_path):
    command = ["calibrate", "--replicates", "64", "--studies"]
    done = CliRunner().invoke(
        app, [*command, "2", "--json", str(tmp_path / "c.json")], catch_exceptions=False
    )
    assert done.exit_code == 0
    assert "the true claim was refuted in 0 of 2 studies" in done.stdout
    assert "no variance" in done.stdout
    data = json.loads((tmp_path / "c.json").read_text())
    assert len(data["claims"]) == len(STUDIES)
    assert CliRunner().invoke(app, [*command, "0"], catch_exceptions=False).exit_code == 2
