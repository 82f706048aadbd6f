"""Gluon with an inexact oracle: known answers and what is measured of the oracle."""

from types import SimpleNamespace

import pytest
import torch

from problems import Quadratic
from problems.layer_sum import LayerSum
from problems.link_matrix import LinkMatrix
from problems.spectral_quadratic import SpectralQuadratic
from workbench import run
from workbench.methods.inexact_gluon import InexactGluon
from workbench.orthogonal import Exact, NewtonSchulz
from workbench.orthogonal.rescaled import Rescaled

NOTHING = SimpleNamespace()
THREE = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
TWICE_I = SpectralQuadratic(THREE, 3, start=(2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0))
MIXED = LayerSum(
    (SpectralQuadratic(THREE, 2), Quadratic((1.0, 4.0), seed=3), LinkMatrix("cosh", 3, 3, (1.0, 0.3)))
)


def gaps(method, problem, steps):
    return run(method, problem, steps=steps)["gap"][0].tolist()


@pytest.mark.parametrize("factor", [1.0, 0.7, 1.2, 0.1])
def test_a_rescaled_direction_costs_nothing_once_it_is_measured(factor):
    """|X|_F^2 / 2 at 2 I: a = b, t b = g / L = 2, to 0."""
    method = InexactGluon(3.0, 0.0, Rescaled(factor, factor))
    assert gaps(method, TWICE_I, 1) == pytest.approx([6.0, 0.0], abs=1e-13)


def test_two_factors_by_hand():
    """X = diag(2, 1) with (0.5, 1): <G, O> = 2, g = 3, a = 2/3, b = 1, L = 2: t = 1, X = diag(1.5, 0)."""
    problem = SpectralQuadratic(((1.0, 0.0), (0.0, 1.0)), 2, start=(2.0, 0.0, 0.0, 1.0))
    method = InexactGluon(2.0, 0.0, Rescaled(0.5, 1.0))
    trace = run(method, problem, steps=1, record=("lmo_a_i", "lmo_b_i"), keep_state=True)
    assert trace["lmo_a_i"][0, 0].tolist() == pytest.approx([2 / 3])
    assert trace["lmo_b_i"][0, 0].tolist() == pytest.approx([1.0])
    assert trace.x is not None
    assert trace.x[0, 1].tolist() == pytest.approx([1.5, 0.0, 0.0, 0.0], abs=1e-14)


def test_slope_and_offset_make_the_radius():
    """On Exact() a layer moves by g / (offset + slope g)."""
    method = InexactGluon(2.0, 0.5, Exact())
    x = MIXED.x0
    new = method.step(MIXED, method.init(MIXED, x, NOTHING), NOTHING)
    g = MIXED.layers.dual_i(MIXED.grad(x))
    torch.testing.assert_close(MIXED.layers.norm_i(new.x - x), g / (2 + 0.5 * g), rtol=1e-12, atol=0)


def test_other_norms_keep_their_exact_directions():
    trace = run(InexactGluon(9.0, 2.0, NewtonSchulz(5)), MIXED, steps=2, record=("lmo_a_i", "lmo_b_i"))
    a, b = trace["lmo_a_i"][0], trace["lmo_b_i"][0]
    assert a[:, 1].tolist() == pytest.approx([1.0] * 3)
    assert b[:, 1].tolist() == pytest.approx([1.0] * 3)
    assert bool((a[:, [0, 2]] < 0.99).any())
    assert bool((a <= b + 1e-12).all())


def test_a_layer_without_gradient_stays_even_where_the_offset_is_0():
    method = InexactGluon(0.0, 2.0, Rescaled(0.7, 1.2))
    new = method.step(MIXED, method.init(MIXED, MIXED.x_star, NOTHING), NOTHING)
    torch.testing.assert_close(new.x, MIXED.x_star, rtol=0, atol=0)


def test_a_layer_without_an_offset_and_a_slope_stays():
    method = InexactGluon(torch.tensor([[1e-60, 0.0, 2.0]], dtype=torch.float64), 0.0, Rescaled(0.7, 1.2))
    moved = method.step(MIXED, method.init(MIXED, MIXED.x0, NOTHING), NOTHING).x - MIXED.x0
    assert (MIXED.layers.norm_i(moved) > 0).squeeze().tolist() == [True, False, True]


def test_batches_and_nan():
    x = torch.randn(3, MIXED.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x[1] = torch.nan
    method = InexactGluon(torch.tensor([[3.0, 4.0, 2.0]], dtype=torch.float64), 1.0, NewtonSchulz(5))
    new = method.step(MIXED, method.init(MIXED, x, NOTHING), NOTHING).x
    assert new[1].isnan().all()
    for i in (0, 2):
        alone = method.step(MIXED, method.init(MIXED, x[i : i + 1], NOTHING), NOTHING).x[0]
        torch.testing.assert_close(new[i], alone, rtol=1e-12, atol=1e-13)
    cost = method.cost(MIXED, method.init(MIXED, x, NOTHING), NOTHING)
    assert {n: c.tolist() for n, c in cost.items()} == {"grad_calls": [1] * 3, "lmo_calls": [3] * 3}


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"offset_i": -1.0}, ValueError, "offset_i must be finite and >= 0, got -1.0"),
        ({"slope_i": float("nan")}, ValueError, "slope_i must be finite and >= 0"),
        (
            {"offset_i": 0.0, "slope_i": 0.0},
            ValueError,
            "offset_i and slope_i must not both be 0 in every layer",
        ),
        ({"orthogonaliser": None}, TypeError, "orthogonaliser must be one such as Exact"),
    ],
)
def test_wrong_arguments_are_named(arguments, error, match):
    with pytest.raises(error, match=match):
        InexactGluon(**{"offset_i": 1.0, "slope_i": 1.0, **arguments})


def test_it_prints_as_the_call_that_makes_it():
    method = InexactGluon(1.0, 0.5, Rescaled(0.7, 1.2))
    assert eval(repr(method), {"InexactGluon": InexactGluon, "Rescaled": Rescaled}) == method
