"""Figures of probes and of Drop-Muon on a network: their numbers, and data that they cannot use."""

import json
import re
from functools import cache

import numpy as np
import pytest
import torch
import xarray as xr
from torch import nn
from typer.testing import CliRunner

from figures import Numbers, NumbersError, render
from figures.recipes import drop_muon_accuracy
from figures.recipes._probed import few_of, short, spread
from figures.recipes.drop_muon_accuracy import DropMuonAccuracy, Setting, trained
from figures.recipes.drop_muon_cost import progressive
from figures.recipes.predicted_radius import PredictedRadius
from figures.recipes.radii import Radii
from figures.recipes.trajectory_smoothness import TrajectorySmoothness, euclidean
from tests.figures.computed import computed
from tests.figures.look import faults
from tests.workbench.probe_results import probe_result, straight
from workbench.cli import figure
from workbench.cli.app import app
from workbench.layer_laws import Full
from workbench.optim import Scion
from workbench.orthogonal import Exact
from workbench.probes import SmoothnessProbe, fit_smoothness
from workbench.probes.result import load, save

KINDS = (TrajectorySmoothness, PredictedRadius, Radii)
EVERY = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
TWO = ("ratio", "gradnorm", "gradnorm_next", "step_length")


def two_layers(power=0.0, **more):
    """A matrix on the line 2 + 3 g, a vector on 4 + g, and half of each number in the Euclidean norm."""
    g, L = straight(scatter=0.0)
    rows = [probe_result(g, L, power=power, layer="a.weight", **more)]
    rows += [probe_result(g, 4 + g, power=power, layer="a.bias", **more)]
    result = xr.concat(rows, "layer")
    result = result.assign({f"{name}_2": result[name] / 2 for name in TWO})
    return result.assign_coords(shape=("layer", ["3x2", "3"]), norm=("layer", ["hidden", "bias"]),
                                size=("layer", [6, 3]))  # fmt: skip


@cache
def quadratic():
    """|X|_F^2 / 2 of a 6 x 4 matrix along exact spectral steps: its constant is 4, in Euclidean norms 1."""
    model = nn.Module()
    model.X = nn.Parameter(torch.diag(torch.tensor([4.0, 3.0, 2.0, 1.0], dtype=torch.float64)))
    optimizer = Scion(model.parameters(), lr=0.01, norm="operator", beta=0.0, orthogonaliser=Exact())
    options = {"every": 1, "level": "radii", "announce": None, "dtype": torch.float64}
    rows = torch.zeros(2, 4, 4, dtype=torch.float64)
    probe = SmoothnessProbe(
        model,
        optimizer,
        loss=lambda m, b: (m.X - b).square().sum(dim=(1, 2)).mean() / 2,
        batch=rows,
        **options,
    )
    with probe:
        for _ in range(20):
            optimizer.zero_grad()
            (model.X.square().sum() / 2).backward()
            optimizer.step()
    return probe.result()


# -- numbers that are known --------------------------------------------------------------------------


def test_the_line_is_that_of_the_probe_in_both_norms():
    result = two_layers()
    n = TrajectorySmoothness().of_probe(result)
    for j, fit in enumerate(fit_smoothness(result)):
        assert n[f"line{j}"].tolist() == [fit.L0_seen, fit.L1_seen]
        assert n.facts["verdicts"][j] == fit.verdict == "identified"
    assert n["line0"] == pytest.approx([2, 3], rel=1e-6)
    assert n["line_20"] == pytest.approx([1, 3], rel=1e-6)  # half the ratio at half the gradient norm
    assert n["line_21"] == pytest.approx([2, 1], rel=1e-6)
    assert n["error0"][0] < 1e-9
    assert np.array_equal(n["gradnorm0"], result["gradnorm_next"].values[:, 0])
    assert np.array_equal(n["ratio_21"], result["ratio_2"].values[:, 1])


def test_a_quadratic_has_its_constants():
    n = TrajectorySmoothness().of_probe(quadratic())
    assert n["ratio0"] == pytest.approx(4)
    assert n["ratio_20"] == pytest.approx(1)
    assert n["line0"][0] + n["line0"][1] * n["gradnorm0"] == pytest.approx(4, rel=1e-6)
    flat = Radii().of_probe(quadratic())
    assert flat["ratio0"] == pytest.approx(4)
    assert flat["exponent"] == pytest.approx(0, abs=1e-9)
    radius = PredictedRadius().of_probe(quadratic())
    # g = 10 - 4 * 0.01 k before step k; the theory's radius is g / 4
    assert radius["radius0"] == pytest.approx((10 - 0.04 * radius["step0"]) / 4, rel=1e-6)
    assert radius["length0"] == pytest.approx(0.01)
    assert radius["used"] == pytest.approx(0.01)


def test_the_predicted_radius_is_that_of_the_fit():
    result = two_layers()
    n = PredictedRadius().of_probe(result)
    for j, fit in enumerate(fit_smoothness(result)):
        assert (n["suggested"][j], n["used"][j]) == (fit.radius_suggested, fit.radius_used)
        assert tuple(n["interval"][j]) == fit.radius_interval
    g = result["gradnorm"].values[:, 0]
    assert n["radius0"] == pytest.approx(g / (2 + 3 * g), rel=1e-6)
    assert n["suggested"][0] == pytest.approx(np.median(g) / (2 + 3 * np.median(g)), rel=1e-6)


@pytest.mark.parametrize(("power", "verdict"), [(0.0, "identified"), (-1.0, "c over t")])
def test_the_exponent_tells_smoothness_from_a_kink(power, verdict):
    n = Radii().of_probe(two_layers(power))
    assert n["exponent"] == pytest.approx(power, abs=1e-9)
    assert n.facts["verdicts"] == [verdict] * 2
    assert n["length0"] == pytest.approx(0.01)


def test_noise_at_different_batches_predicts_the_radius_that_was_used():
    g, _ = straight()
    noise = probe_result(g, np.sqrt(2) * g / 0.01, batch="different", scales=None)
    n = PredictedRadius().of_probe(noise)
    assert n["suggested"][0] == pytest.approx(0.01 / np.sqrt(2), rel=1e-6)
    assert n.facts["verdicts"] == ["noise"]


# -- the quick training ------------------------------------------------------------------------------


def test_a_perceptron_on_digits_is_smooth_at_the_scale_of_its_steps():
    n = computed(Radii)
    assert len(n.facts["layers"]) == 6
    assert np.abs(n["exponent"][:, 1]).max() < 0.1  # far from -1
    assert n.facts["shown"] == ["layers.0.weight", "layers.1.weight", "head.weight"]
    both = computed(TrajectorySmoothness)
    assert both.facts["layers"] == ["layers.0.weight", "head.weight"]
    assert both["step0"].tolist() == [*range(0, 160, 4)]
    radius = computed(PredictedRadius)
    hidden = radius.facts["layers"].index("layers.1.weight")
    assert radius["used"][hidden] == pytest.approx(0.03 * 1.2, rel=0.02)  # Newton-Schulz is longer than 1
    assert (radius["interval"][:, 0] <= radius["suggested"]).all()
    assert (radius["suggested"] <= radius["interval"][:, 1]).all()


def test_laws_of_layers_have_one_budget_and_cheaper_steps(monkeypatch):
    monkeypatch.setattr(drop_muon_accuracy, "QUICK", Setting("mlp", 15, (0.01, 0.04), 2))
    n = DropMuonAccuracy().compute()
    costs = [float(n[f"step_cost{i}"][0]) for i in range(3)]
    assert costs[0] > costs[1] > costs[2]
    for i in range(3):
        assert n[f"paid{i}"].shape == (2, len(n["cost"]))
        assert n[f"paid{i}"][:, 0] == pytest.approx(n[f"accuracy{i}"][:, 0])
        assert (n[f"paid{i}"][:, 0] < 0.3).all()
        assert (n[f"paid{i}"][:, -1] > 0.5).all()
    lengths = [n[f"accuracy{i}"].shape[1] for i in range(3)]
    assert lengths[0] == 16
    assert lengths[0] < lengths[1] < lengths[2]
    assert n.facts["rates"] == [0.04] * 3  # the shorter steps do not arrive


ROWS, SIDE, HIDDEN, CLASSES = 256, 64, 3, 10


def multiplications(first):
    """Of a step of the layers first, ..., 3: forward, backward, five Newton-Schulz steps for each square."""
    sizes = [SIDE * SIDE] * HIDDEN + [SIDE * CLASSES]
    backward = sum(sizes[first:]) + sum(sizes[first + 1 :])
    return ROWS * (sum(sizes) + backward) + 5 * 3 * SIDE**3 * max(0, HIDDEN - first)


def test_the_cost_is_every_multiplication_of_the_step():
    whole = trained("mlp", Full(), 0.02, 1.0, 0)
    assert whole.cost.tolist() == [0, multiplications(0)]
    law = progressive(1.0, 4)
    several = np.diff(trained("mlp", law, 0.02, 10 * multiplications(0), 0).cost)
    assert {*several} == {multiplications(s) for s in range(4)}


def test_the_same_seed_gives_the_same_run_and_another_one_another():
    runs = [trained("mlp", progressive(1.0, 4), 0.02, 4e7, seed) for seed in (0, 0, 1)]
    assert np.array_equal(runs[0].accuracy, runs[1].accuracy)
    assert not np.array_equal(runs[0].cost, runs[2].cost)


# -- which layers ------------------------------------------------------------------------------------


def test_layers_are_spread_and_matrices_come_first():
    assert spread([3, 5, 7, 9, 11], 3) == [3, 7, 11]
    assert spread([3, 5], 3) == [3, 5]
    assert few_of(two_layers(), 1) == [0]
    assert few_of(two_layers(), 2) == [0, 1]


def test_long_names_keep_their_ends():
    assert short("layers.0.weight") == "layers.0"
    assert short("transformer.h.11.attn.c_proj.weight") == "\N{HORIZONTAL ELLIPSIS}er.h.11.attn.c_proj"
    assert short("a$b") == r"a\$b"


def test_the_euclidean_result_holds_nothing_of_other_norms():
    seen = euclidean(two_layers())
    assert {*seen} == {*TWO, "cosine"}


@EVERY
def test_few_layers_and_few_steps_are_drawn(kind):
    result = two_layers()
    for some in (result, result.isel(layer=[0]), result.isel(probe=[0])):
        assert faults(render(kind(), kind().of_probe(some))) == []


# -- saved probes ------------------------------------------------------------------------------------


@pytest.fixture
def probe(tmp_path, monkeypatch):
    monkeypatch.setattr(figure, "FIGURES", (DropMuonAccuracy, *KINDS))
    return save(two_layers().assign_attrs(level="pair, radii"), tmp_path / "probe")


def cli(*arguments, status=0):
    result = CliRunner().invoke(app, ["figure", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


@EVERY
def test_a_saved_probe_is_drawn_and_its_numbers_are_kept(kind, probe, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    cli(kind.name, "--data", probe, "--out", first, "--format", "svg")
    numbers = Numbers.load(first / f"{kind.name}.json", kind.name)
    expected = kind().of_probe(load(probe))
    assert {*numbers.tables} == {*expected.tables}
    assert all(np.array_equal(numbers[t], expected[t], equal_nan=True) for t in numbers.tables)
    assert numbers.facts["batch"] == "fixed"
    for data in (first, first / f"{kind.name}.json"):
        cli(kind.name, "--data", data, "--out", second, "--format", "svg")
        assert (second / f"{kind.name}.svg").read_bytes() == (first / f"{kind.name}.svg").read_bytes()


def test_one_probe_gives_several_figures_and_is_newer_than_numbers_beside_it(probe, tmp_path):
    Numbers("radii", {}).save(probe / "radii.json")
    (said, *_) = json.loads(
        cli("radii", "predicted-*", "--data", probe / "probe.nc", "--out", tmp_path, "--json", "-").stdout
    )
    assert (said["name"], said["computed"]) == ("predicted-radius", False)
    assert (tmp_path / "radii.pdf").is_file()


@pytest.mark.parametrize(
    ("change", "arguments", "said"),
    [
        (lambda p: (p / "probe.nc").unlink(), ["radii"], "holds neither radii.json, .* nor probe.nc"),
        (lambda p: (p / "probe.nc").unlink(), ["radii", "--data", "FILE"], "probe.nc is not there; a result"),
        (lambda p: (p / "manifest.json").unlink(), ["radii"], "manifest.json is not there; a result is"),
        (lambda p: (p / "probe.nc").write_bytes(b"CDF"), ["radii"], "probe.nc cannot be read, it is damaged"),
        (lambda p: (p / "manifest.json").write_text('{"format": "workbench-probe-0"}'), ["radii"],
         "has the format 'workbench-probe-0', and 'workbench-probe-1' can be read"),
        (lambda p: save(load(p).drop_vars("ratio_scaled").assign_attrs(level="pair"), p), ["radii"],
         "radii needs ratio_scaled, of level radii; the probe was taken at level pair: .* --level radii"),
        (lambda p: save(load(p).isel(scale=[3]), p), ["radii"], "scales that differ by a factor 2; .* has 1"),
        (lambda p: save(load(p).isel(probe=[]), p), ["predicted-radius"],
         "needs steps at which a layer moved; the probe has 0 steps"),
        (lambda p: save(load(p).drop_vars("ratio_2"), p), ["traj*"], "needs ratio_2, of level pair"),
        (lambda p: None, ["all"], "holds no [a-z-]*.json, the numbers of the figure "),
        (lambda p: None, ["radii", "--full"], "--full computes and --data does not"),
    ],
    ids=["no-data", "named-file", "no-manifest", "torn", "version", "level", "scales", "empty", "quantity",
         "not-drawn", "full"],
)  # fmt: skip
def test_a_probe_that_does_not_serve_is_named(probe, tmp_path, change, arguments, said):
    change(probe)
    out = tmp_path / "out"
    given = [probe / "probe.nc" if a == "FILE" else a for a in arguments]
    data = [] if "--data" in given else ["--data", probe]
    result = cli(*given, *data, "--out", out, status=2)
    assert re.search(said, result.stderr), result.stderr
    assert result.stderr.startswith("workbench figure: ")
    assert not out.exists()


@EVERY
def test_layers_that_never_moved_are_no_figure(kind):
    still = two_layers()
    still["ratio"] = still["ratio"] * np.nan
    with pytest.raises(NumbersError, match="none of its layers moved"):
        kind().of_probe(still)
