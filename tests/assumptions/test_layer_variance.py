import math

import pytest
import torch

from assumptions.layerwise.variance import LayerVariance
from assumptions.moments.bound import SampledCheck
from problems import (
    CoupledQuadratic,
    GaussianNoise,
    LayerSum,
    Noisy,
    ParetoNoise,
    Power,
    Quadratic,
    QuadraticSum,
    SignNoise,
    SkewedNoise,
    SpectralQuadratic,
)

LAYERS = LayerSum((SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3), Power(p=4.0)))
"""Six entries, and one."""


def certified(noise) -> LayerVariance:
    (found,) = (
        c.assumption for c in Noisy(LAYERS, noise).certified if isinstance(c.assumption, LayerVariance)
    )
    return found


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_finite_law_is_exact(scale: float):
    problem, right = Noisy(LAYERS, SignNoise(scale)), certified(SignNoise(scale))
    assert right.sigma_i == pytest.approx((scale * math.sqrt(6 / 7), scale * math.sqrt(1 / 7)), rel=1e-9)
    assert right.refute(problem, 400).verdict == "not refuted"
    assert LayerVariance.estimate(problem, problem.x0)["sigma_i_seen"] == pytest.approx(right.sigma_i)
    for layer in range(2):
        less = tuple(0.97 * s if i == layer else s for i, s in enumerate(right.sigma_i))
        found = LayerVariance(less).refute(problem, 400)
        assert (found.verdict, found.ratio) == ("refuted", pytest.approx(1 / 0.97))
    x = torch.randn(5, 3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(right.along(problem, x), torch.ones(5, 3, 2).double())


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_drawn_law_is_refuted_layer_by_layer(scale: float):
    problem, right = Noisy(LAYERS, GaussianNoise(scale)), certified(GaussianNoise(scale))
    found = right.refute(problem, 20_000)
    assert found.verdict == "not refuted"
    assert isinstance(found, SampledCheck)
    assert right.check(problem, problem.x0).verdict == "not refuted"
    for layer in range(2):
        less = tuple(0.97 * s if i == layer else s for i, s in enumerate(right.sigma_i))
        assert LayerVariance(less).refute(problem, 100_000).verdict == "refuted"
    assert LayerVariance.estimate(problem, problem.x0)["sigma_i_seen"] == pytest.approx(
        right.sigma_i, rel=0.02
    )


def test_noise_along_one_axis_leaves_the_other_layers_alone():
    assert certified(SkewedNoise()).sigma_i == (pytest.approx(math.sqrt(3), rel=1e-9), 0.0)
    last = SkewedNoise(2.0, (0.0,) * 6 + (1.0,))
    assert certified(last).sigma_i == (0.0, pytest.approx(2 * math.sqrt(3), rel=1e-9))
    assert LayerVariance((0.0, 4.0)).refute(Noisy(LAYERS, last), 200).verdict == "not refuted"
    assert LayerVariance((1.0, 3.0)).refute(Noisy(LAYERS, last), 200).verdict == "refuted"


def test_without_a_second_moment_nothing_is_certified():
    kinds = [type(c.assumption) for c in Noisy(LAYERS, ParetoNoise(1.5)).certified]
    assert LayerVariance not in kinds
    entries = certified(ParetoNoise(2.5))
    assert entries.sigma_i[0] == pytest.approx(math.sqrt(6) * entries.sigma_i[1])


def test_terms_of_a_sum_are_noise():
    problem = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (-1.0, 0.0)))
    assert LayerVariance((2.0,)).refute(problem, 500).verdict == "not refuted"
    assert LayerVariance((1.94,)).refute(problem, 500).verdict == "refuted"


def test_wrong_input():
    for bad in ((), (-1.0,), (math.inf,), (math.nan,)):
        with pytest.raises(ValueError, match="sigma_i must hold finite numbers >= 0"):
            LayerVariance(bad)
    with pytest.raises(ValueError, match="one entry for each of the 2 layers"):
        LayerVariance((1.0,)).check(Noisy(LAYERS, SignNoise(1.0)), LAYERS.x0)
    with pytest.raises(TypeError, match="LayerVariance needs noise, or several terms"):
        LayerVariance((1.0,)).check(Quadratic((1.0,)), torch.zeros(1, 1).double())
    with pytest.raises(TypeError, match="options are draws, seed"):
        LayerVariance.estimate(Noisy(LAYERS, SignNoise(1.0)), LAYERS.x0, rule="mean")


def test_the_noise_of_what_is_wrapped_does_not_count():
    problem = Noisy(CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1)), GaussianNoise(2.0))
    (found,) = (c.assumption for c in problem.certified if isinstance(c.assumption, LayerVariance))
    assert found.sigma_i == pytest.approx((math.sqrt(2), math.sqrt(2)), rel=1e-9)
    assert found.sigma_i[0] >= math.sqrt(2)
    assert not any(isinstance(c.assumption, LayerVariance) for c in LAYERS.certified)
