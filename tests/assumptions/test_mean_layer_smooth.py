"""Smoothness of the terms on average, layer by layer."""

import pytest

from assumptions import LayerSmooth, MeanLayerSmooth, Spectral, sample_points
from problems import MatrixSum

TERMS = ((2.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 3.0))
PROBLEM = MatrixSum.one_layer(TERMS, 2)
"""Constants 3 and 4 in the spectral norm, those of the terms; f itself has 3.5."""


def constant(kind):
    (found,) = [c.assumption for c in PROBLEM.certified if isinstance(c.assumption, kind)]
    return found


def test_the_certified_constant_is_the_mean_of_those_of_the_terms():
    assert PROBLEM.layers.norms == (Spectral(2, 2),)
    assert constant(MeanLayerSmooth).L_mean_i == pytest.approx((3.5,), rel=1e-12)
    assert constant(LayerSmooth).L_i == pytest.approx((3.5,), rel=1e-12)


def test_the_constant_holds_and_a_smaller_one_is_refuted():
    points = sample_points(PROBLEM, 200, 2, seed=1)
    assert constant(MeanLayerSmooth).check(PROBLEM, *points).verdict == "not refuted"
    assert MeanLayerSmooth((0.97 * 3.5,)).refute(PROBLEM, budget=5000).verdict == "refuted"


def test_equal_terms_need_what_each_needs():
    """Two equal terms need what each needs."""
    opposite = MatrixSum.one_layer((((1.0,),), ((1.0,),)), 1)
    assert MeanLayerSmooth((0.5,)).refute(opposite, budget=500).verdict == "refuted"
    assert MeanLayerSmooth((1.0,)).refute(opposite, budget=500).verdict == "not refuted"


def test_an_estimate_does_not_exceed_the_constant():
    seen = MeanLayerSmooth.estimate(PROBLEM, *sample_points(PROBLEM, 200, 2, seed=2))["L_mean_i_seen"]
    assert 0.5 * 3.5 < seen[0] <= 3.5 * (1 + 1e-9)


@pytest.mark.parametrize("bad", [(), (-1.0,), (float("inf"),), (float("nan"),)])
def test_wrong_constants(bad):
    with pytest.raises(ValueError, match="L_mean_i must"):
        MeanLayerSmooth(bad)


def test_another_number_of_layers():
    with pytest.raises(ValueError, match="L_mean_i"):
        MeanLayerSmooth((1.0, 1.0)).check(PROBLEM, *sample_points(PROBLEM, 4, 2, seed=0))
