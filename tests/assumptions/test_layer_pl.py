"""The Polyak-Lojasiewicz inequality, layer by layer."""

import pytest
import torch

from assumptions import LayerPL, sample_points
from problems import LayerSum, Quadratic, SpectralQuadratic
from problems.cosine import Cosine

LAYERS = LayerSum((Quadratic((2.0, 3.0), seed=None), SpectralQuadratic(((1.0,),), 1)))
"""Constants 2 and 1, so that 1 holds for the sum."""


def test_the_smallest_constant_of_the_layers_is_certified_and_tight():
    (found,) = [c.assumption for c in LAYERS.certified if isinstance(c.assumption, LayerPL)]
    assert found.mu_layers == pytest.approx(1.0, rel=1e-12)
    points = sample_points(LAYERS, 500, 1, seed=1)
    assert found.check(LAYERS, *points).verdict == "not refuted"
    assert LayerPL(found.mu_layers / 0.97).refute(LAYERS, budget=3000).verdict == "refuted"


def test_a_stationary_point_above_the_minimum_refutes_every_constant():
    top = torch.tensor([[torch.pi]], dtype=torch.float64)  # of 1 - cos
    assert LayerPL(1e-3).check(Cosine(), top).verdict == "refuted"


def test_an_estimate_is_the_smallest_ratio():
    x = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], dtype=torch.float64)
    assert LayerPL.estimate(LAYERS, x)["mu_layers_seen"] == pytest.approx(1.0, rel=1e-9)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("inf"), float("nan")])
def test_wrong_constants(bad):
    with pytest.raises(ValueError, match="mu_layers must"):
        LayerPL(bad)
