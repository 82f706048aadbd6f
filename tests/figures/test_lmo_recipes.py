"""Figures of the methods by linear minimisation: what theory predicts, in the numbers that are drawn."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from figures.recipes.drop_muon_cost import (
    CONSTANTS,
    EPS,
    DropMuonCost,
    measured_cost,
    predicted_cost,
    progressive,
)
from figures.recipes.ef21_muon_bytes import COMPRESSORS, EF21MuonBytes, bits_to, workers
from figures.recipes.gluon_radius_sweep import ALPHAS, GluonRadiusSweep
from figures.recipes.inexact_lmo_coupling import InexactLMOCoupling, error_bound, leading, minimised
from figures.recipes.inexact_lmo_heatmap import CERTAIN, InexactLMOHeatmap, layered
from figures.recipes.orthogonalisers import FAMILIES, LOW, STEPS, Orthogonalisers, mapped
from tests.figures.computed import computed as numbers
from workbench.layer_laws import Full

# -- Drop-Muon ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(2), ids=["hardest-last", "hardest-first"])
def test_measured_costs_are_the_predicted_ones(i):
    n = numbers(DropMuonCost)
    predicted = np.interp(n["depth"], n["fine"], n[f"predicted{i}"])
    # means of 256 runs, the largest of four layers
    assert n[f"measured{i}"] == pytest.approx(predicted, rel=0.2)
    assert n[f"measured{i}"][0] == predicted[0] == 2 * 4 / EPS * 4  # a full update leaves nothing to chance


def test_the_cheapest_law_is_the_optimal_one():
    n = numbers(DropMuonCost)
    last, first = n["predicted0"], n["predicted1"]
    assert n["fine"][last.argmin()] == pytest.approx(1)
    assert last.min() == pytest.approx(n["least0"][0]) == pytest.approx(5 / 8 * last[0])
    assert n["optimal0"].tolist() == [0.25, 0.5, 0.75, 1]
    assert first.argmin() == 0
    assert n["least1"][0] == first[0]
    assert n["optimal1"].tolist() == [1, 1, 1, 1]
    assert abs(n["depth"][n["measured0"].argmin()] - 1) <= 0.25
    assert n["measured1"].argmin() == 0


@pytest.mark.parametrize("i", range(3))
def test_means_of_drop_muon_stay_at_their_bounds(i):
    n = numbers(DropMuonCost)
    assert (n[f"squares{i}"] <= 1.1 * n[f"bound{i}"]).all()
    k = np.arange(1, len(n[f"bound{i}"]) + 1)
    assert n[f"bound{i}"] * k == pytest.approx(n[f"bound{i}"][0])


def test_depth_zero_updates_everything():
    L_i = CONSTANTS["hardest last"]
    assert progressive(0.0).probabilities(4) == Full().probabilities(4)
    assert predicted_cost(progressive(0.0), L_i) == predicted_cost(Full(), L_i)


def test_too_few_steps_are_said(monkeypatch):
    monkeypatch.setattr("figures.recipes.drop_muon_cost.EPS", 1e3)
    stuck = SimpleNamespace(probabilities=lambda n: (1e3,) * n)
    monkeypatch.setattr(
        "figures.recipes.drop_muon_cost._runs", lambda *_: {"gradnorm_i": torch.full((1, 2, 4), 99.0)}
    )
    with pytest.raises(RuntimeError, match="1 steps were too few"):
        measured_cost(stuck, None, CONSTANTS["hardest last"], 1, 0)  # pyright: ignore[reportArgumentType]


# -- EF21-Muon ---------------------------------------------------------------------------------------


def test_compression_saves_bits_and_costs_steps():
    n = numbers(EF21MuonBytes)
    level = n.facts["level"]
    bits = bits_to(n, level)
    assert max(bits["natural"], bits["top 8"]) < 0.7 * bits["identity"]
    steps = {name: int((n[f"norm{i}"] > level).sum()) for i, name in enumerate(n.facts["names"])}
    assert steps["identity"] == min(steps.values())
    assert set(bits_to(n, 0.0).values()) == {math.inf}


def test_bits_are_those_of_the_messages():
    n = numbers(EF21MuonBytes)
    for i, (name, compressor) in enumerate(COMPRESSORS.items()):
        most = 5 * sum(compressor.bits(shape) for shape in workers(0).layers.shapes)
        steps = np.diff(n[f"bits{i}"])
        assert (steps[1:] <= most).all()  # the first messages are whole gradients
        assert name == "skip" or (steps[1:] == most).all()
        assert (np.diff(n[f"norm{i}"]) <= 0).all()
        assert n[f"norm{i}"][0] == 1


# -- inexact oracles ---------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(2), ids=["newton-schulz", "polar-express"])
def test_f_falls_up_to_twice_the_learning_rate_of_theory(i):
    n = numbers(InexactLMOHeatmap)
    certain = n["rate"] < CERTAIN
    assert (n[f"rises{i}"][:, certain] == 0).all()
    assert (n[f"final{i}"][:, certain] < 1).all()
    assert (n[f"rises{i}"][:, -1] > 0).any()  # and not for any learning rate


@pytest.mark.parametrize("i", range(2), ids=["newton-schulz", "polar-express"])
def test_the_rate_of_an_inexact_oracle_is_not_exceeded(i):
    n = numbers(InexactLMOHeatmap)
    assert (n[f"least{i}"] <= n[f"bound{i}"]).all()
    one = n[f"final{i}"][:, n["rate"] == 1][:, 0]
    assert (n[f"least{i}"] <= 1).all()
    assert (n[f"least{i}"] > 0).all()
    assert np.isfinite(one).all()


def test_at_the_learning_rate_of_theory_polar_express_needs_six_steps():
    n = numbers(InexactLMOHeatmap)
    schulz, express = (n[f"final{i}"][:, n["rate"] == 1][:, 0] for i in range(2))
    assert express[5:].max() < 1e-2 * min(express[:4].min(), schulz.min())
    assert (np.diff(n["bound1"])[2:] < 0).all()


def test_the_coupling_has_the_numbers_of_the_theory():
    radius, alpha, error = minimised(np.array([0, 0.2, 0.4, 0.6]))
    assert radius * 1e4 == pytest.approx([1.829, 1.741, 1.671, 1.612], abs=6e-4)
    assert alpha * 1e3 == pytest.approx([6.65, 7.24, 7.78, 8.28], abs=6e-3)
    assert (np.diff(error) > 0).all()


def test_no_neighbour_has_a_lower_bound():
    n = numbers(InexactLMOCoupling)
    delta = torch.from_numpy(n["delta"])
    radius, alpha = (torch.from_numpy(n[name]) for name in ("radius", "alpha"))
    lowest = error_bound(delta, radius, alpha)
    assert lowest.numpy() == pytest.approx(n["error"])
    for by_radius, by_alpha in ((1.01, 1), (0.99, 1), (1, 1.01), (1, 0.99)):
        assert (error_bound(delta, by_radius * radius, by_alpha * alpha) > lowest).all()


def test_radius_falls_and_alpha_rises_with_the_error():
    n = numbers(InexactLMOCoupling)
    assert (np.diff(n["radius"]) < 0).all()
    assert (np.diff(n["alpha"]) > 0).all()
    for name in ("radius", "alpha", "error"):
        assert n[name] / n[name][0] == pytest.approx(leading(name, n["delta"]), rel=0.03)


# -- Gluon -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", ["", "0", "1"], ids=["no-noise", "slow", "fast"])
def test_averages_of_gluon_stay_below_their_bounds(which):
    n = numbers(GluonRadiusSweep)
    measured, promised = n[f"measured{which}"], n[f"bound{which}"]
    assert (measured <= promised * (1 + 1e-9)).all()
    best, predicted = measured.argmin(), promised.argmin()
    assert 0 < best < len(measured) - 1
    assert 0 < predicted < len(promised) - 1
    assert n["radius"][predicted] <= n["radius"][best] <= 6 * n["radius"][predicted]


def test_without_noise_the_bound_is_attained_at_its_best_radius():
    n = numbers(GluonRadiusSweep)
    at = n["bound"].argmin()
    assert n["measured"].argmin() == at
    assert n["measured"][at] == pytest.approx(n["bound"][at], rel=0.02)


def test_a_heavier_new_gradient_asks_for_a_longer_radius():
    n = numbers(GluonRadiusSweep)
    assert ALPHAS[0] < ALPHAS[1]
    assert n["bound0"].argmin() < n["bound1"].argmin()
    assert n["measured0"].argmin() < n["measured1"].argmin()


# -- orthogonalisers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("i", range(len(FAMILIES)), ids=["quintic", "polar-express", "cubic", "order5"])
def test_singular_values_land_in_the_certified_range(i):
    n = numbers(Orthogonalisers)
    s, image = n["s"], n[f"map{i}"]
    low, high = n[f"range{i}"][STEPS.index(5)]
    inside = image[s >= LOW]
    assert low - 1e-12 <= inside.min()
    assert inside.max() <= high + 1e-12
    assert inside.min() == pytest.approx(low, abs=0.02)  # and the range is no wider than it must be
    assert inside.max() == pytest.approx(high, abs=0.02)
    a, b = n[f"factors{i}"]
    other = np.sqrt(np.maximum(1 - s**2, 0))
    share = (s * image + other * mapped(list(FAMILIES.values())[i](5), other)) / (s + other)
    assert a <= share.min() + 1e-12
    assert image.max() <= b + 1e-12


def test_ranges_of_five_steps_are_the_published_ones():
    n = numbers(Orthogonalisers)
    assert n["range0"][4] == pytest.approx([0.682, 1.134], abs=1e-3)
    assert n["range2"][4] == pytest.approx([0.076, 1.0], abs=1e-3)
    assert n["range3"][4] == pytest.approx([0.312, 1.002], abs=1e-3)


def test_all_but_the_quintic_converge():
    n = numbers(Orthogonalisers)
    widths = [np.ptp(n[f"range{i}"], axis=1) for i in range(4)]
    assert widths[0][-1] == pytest.approx(widths[0][4], abs=1e-3)
    assert widths[1][7:].max() < 1e-3
    assert widths[3][-1] < 1e-3
    assert (np.diff(widths[2]) < 0).all()


# -- all ---------------------------------------------------------------------------------------------


def test_the_seed_chooses_what_is_random():
    assert workers(0) == workers(0) != workers(1)
    assert layered(0) == layered(0) != layered(1)
