"""Sums of matrix quadratics, and smoothness of their layers in the mean over the terms."""

import dataclasses

import pytest
import torch

from assumptions.column_norms import MaxRow
from assumptions.layerwise.mean_smooth import MeanLayerSmooth
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.matrix_norms import Spectral
from assumptions.norms import Lp
from problems import LinkSum, Quadratic
from problems.matrix_sum import MatrixSum

I2 = ((1.0, 0.0), (0.0, 1.0))
TWO_LAYERS = MatrixSum(
    ((((2.0, 0.0), (0.0, 1.0)), ((1.0, 0.5), (0.5, 3.0))), (I2, ((4.0, 0.0), (0.0, 0.25)))),
    (2, 3),
    (Spectral(2, 2, 0.5), MaxRow(2, 3)),
    linear=(
        (1.0, 0.0, 2.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 2.0),
        (0.0, -1.0, 1.0, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0, -1.0),
    ),
)
AXES = MatrixSum.one_layer((((2.0, 0.0), (0.0, 0.0)), ((0.0, 0.0), (0.0, 2.0))), 1)
"""x_1^2 and x_2^2: each term has constant 2, the mean has 1."""


def constant(problem, kind):
    (found,) = [c.assumption for c in problem.certified if isinstance(c.assumption, kind)]
    return found


def test_terms_are_matrix_quadratics():
    x = torch.randn(3, 10, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    q = torch.tensor(TWO_LAYERS.hessians[0][1], dtype=torch.float64)
    first = x[:, :4].reshape(3, 2, 2)
    b = torch.tensor(TWO_LAYERS.linear[1], dtype=torch.float64)
    torch.testing.assert_close(TWO_LAYERS.part_grads(x)[:, 1, :4], (q @ first).flatten(1) - b[:4])
    torch.testing.assert_close(TWO_LAYERS.part_grads(x).mean(-2), TWO_LAYERS.grad(x))
    torch.testing.assert_close(TWO_LAYERS.part_values(x).mean(-1), TWO_LAYERS.value(x))
    y = x.clone().requires_grad_()
    (g,) = torch.autograd.grad(TWO_LAYERS.value(y).sum(), y)
    torch.testing.assert_close(g, TWO_LAYERS.grad(x))
    assert float(TWO_LAYERS.gap(TWO_LAYERS.x_star)) <= 1e-15
    assert TWO_LAYERS.layers.shapes == ((2, 2), (2, 3))


def test_constants_of_the_mean_and_of_the_terms():
    assert constant(AXES, LayerSmooth).L_i == (1.0,)
    assert constant(AXES, MeanLayerSmooth).L_mean_i == (2.0,)
    assert constant(TWO_LAYERS, LayerSmooth).L_i == (14.0, 3.125)
    assert constant(TWO_LAYERS, MeanLayerSmooth).L_mean_i == (14.0, 3.125)


@pytest.mark.parametrize(
    "problem", [AXES, TWO_LAYERS, MatrixSum.one_layer((I2,) * 2, 2)], ids=["axes", "two", "one"]
)
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_true_at_every_scale(problem, size):
    x = size * torch.randn(200, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    y = x + 1e-7 * x.roll(1, 0)
    for kind in (LayerSmooth, MeanLayerSmooth):
        assert constant(problem, kind).check(problem, x, y).verdict == "not refuted"
        assert constant(problem, kind).check(problem, x, problem.x_star + 1e-9 * y).verdict == "not refuted"


def test_the_constant_is_tight_and_less_is_refuted():
    square = MatrixSum.one_layer((I2,) * 2, 2, linear=((1.0, 0.0, 0.0, 1.0), (-1.0, 0.0, 0.0, -1.0)))
    x = torch.eye(2, dtype=torch.float64).flatten()[None]
    tight = constant(square, MeanLayerSmooth)
    assert tight.L_mean_i == (2.0,)
    assert tight.check(square, x, 3 * x).ratio == pytest.approx(1.0, abs=1e-12)
    assert MeanLayerSmooth((2.0 * 0.97,)).check(square, x, 3 * x).verdict == "refuted"
    # |2 z_1| / 2 + |2 z_2| / 2 <= sqrt(2) |z|: the mean of the constants, 2, is not the least
    assert MeanLayerSmooth((2**0.5 * (1 + 1e-12),)).refute(AXES, budget=4000).verdict == "not refuted"
    assert MeanLayerSmooth((2**0.5 * 0.97,)).refute(AXES, budget=4000).verdict == "refuted"
    assert MeanLayerSmooth.estimate(square, x, 3 * x)["L_mean_i_seen"] == pytest.approx((2.0,))


def test_one_layer_of_a_plain_sum():
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    logistic = LinkSum("logistic", ((1.0, 0.0), (0.0, 1.0)))
    assert MeanLayerSmooth((0.125,)).check(logistic, x, -x).verdict == "not refuted"
    assert MeanLayerSmooth((0.1,)).check(logistic, 1e-3 * x, -1e-3 * x).verdict == "refuted"
    with pytest.raises(ValueError, match="one entry for each of the 1 layers"):
        MeanLayerSmooth((1.0, 1.0)).check(logistic, x, -x)
    with pytest.raises(TypeError, match="no options"):
        MeanLayerSmooth.estimate(logistic, x, -x, draws=3)
    assert MeanLayerSmooth((1.0,)).check(Quadratic((1.0, 1.0), seed=0), x, -x).verdict == "not refuted"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hessians": ()}, "hessians must be a non-empty tuple"),
        ({"hessians": ((I2, I2), (I2,))}, "as many terms in each layer"),
        ({"columns": (2,)}, "columns must be a tuple of 2 entries"),
        ({"norms": (Lp(2.0),)}, "norms must be a tuple of 2 entries"),
        ({"hessians": ((I2, ((1.0,),)), (I2, I2)), "norms": ()}, "one size"),
        ({"linear": ((1.0,),)}, "linear must be"),
        ({"start": (1.0,)}, "start must be"),
    ],
)  # fmt: skip
def test_wrong_input(changes, said):
    with pytest.raises(ValueError, match=said):
        dataclasses.replace(TWO_LAYERS, **changes)
