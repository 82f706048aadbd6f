"""Smoothness by matrices from the left: who has it, who lacks it, rounding, bad matrices."""

import math

import pytest
import torch

from assumptions.layerwise.left_smooth import LeftSmooth
from assumptions.layerwise.smooth import LayerSmooth
from assumptions.specification import parse_specification
from problems import LayerSum, LinkMatrix, SpectralQuadratic

Q = ((2.0, 0.5), (0.5, 1.0))
EYE = ((1.0, 0.0), (0.0, 1.0))


def shrunk(q, factor=0.97):
    return tuple(tuple(factor * entry for entry in row) for row in q)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n", [1, 3])
def test_a_quadratic_has_its_own_matrix_and_no_smaller_one(scale, n):
    q = shrunk(Q, scale)
    problem = SpectralQuadratic(q, n)
    (own,) = [c.assumption for c in problem.certified if isinstance(c.assumption, LeftSmooth)]
    assert own == LeftSmooth((q,))
    held = own.refute(problem, budget=3000)
    assert held.verdict == "not refuted"
    assert held.ratio > 0.99
    assert LeftSmooth((shrunk(q),)).refute(problem, budget=3000).verdict == "refuted"


def test_a_matrix_that_is_too_small_in_one_direction_is_refuted():
    problem = SpectralQuadratic(((2.0, 0.0), (0.0, 1.0)), 2)
    assert LeftSmooth((((2.0, 0.0), (0.0, 1.0)),)).refute(problem, budget=3000).verdict == "not refuted"
    assert LeftSmooth((((3.0, 0.0), (0.0, 0.9)),)).refute(problem, budget=3000).verdict == "refuted"


def test_a_function_that_grows_too_fast_lacks_it():
    assert (
        LeftSmooth((shrunk(EYE, 100.0),)).refute(LinkMatrix("cosh", 2, 2), budget=3000).verdict == "refuted"
    )


def test_layers_have_matrices_of_their_own():
    problem = LayerSum((SpectralQuadratic(Q, 3), SpectralQuadratic(((3.0,),), 2)))
    assert LeftSmooth((Q, ((3.0,),))).refute(problem, budget=3000).verdict == "not refuted"
    assert LeftSmooth((Q, ((2.9,),))).refute(problem, budget=3000).verdict == "refuted"


def test_the_trace_is_exact_or_rounded_up_and_bounds_the_spectral_constant():
    assert LeftSmooth((Q,)).trace_i == (3.0,)
    tenths = tuple(tuple(0.1 if i == j else 0.0 for j in range(3)) for i in range(3))
    (trace,) = LeftSmooth((tenths,)).trace_i
    assert math.fsum([0.1] * 3) <= trace <= 0.30000000000000004
    problem = SpectralQuadratic(Q, 3)
    (smooth,) = [c.assumption for c in problem.certified if isinstance(c.assumption, LayerSmooth)]
    assert smooth.L_i == (3.0,)


def test_near_the_minimiser_rounding_refutes_nothing():
    problem = SpectralQuadratic(Q, 3, center=(1e3,) * 6)
    own = LeftSmooth((Q,))
    for step in (1e-12, 1e-9, 1e-6, 1e-3):
        x = problem.x_star + step * torch.randn(50, 6, dtype=torch.float64)
        assert own.check(problem, x, x.flip(0)).verdict == "not refuted"


def test_it_prints_as_the_call_that_makes_it():
    own = LeftSmooth((Q, ((3.0,),)))
    assert parse_specification(repr(own), {"LeftSmooth": LeftSmooth}) == own


@pytest.mark.parametrize(
    ("left", "said"),
    [
        ((), "non-empty tuple of matrices"),
        (1.0, "non-empty tuple of matrices"),
        ((1.0,), "tuples of rows"),
        ((((1.0, 0.0),),), "square"),
        ((((1.0, 0.5), (0.0, 1.0)),), "symmetric"),
        ((((math.nan,),),), "finite"),
        ((((1.0, 2.0), (2.0, 1.0)),), "positive semidefinite"),
    ],
)
def test_wrong_matrices(left, said):
    with pytest.raises(ValueError, match=said):
        LeftSmooth(left)


def test_matrices_must_fit_the_layers():
    problem, x = SpectralQuadratic(Q, 3), torch.ones(2, 6, dtype=torch.float64)
    with pytest.raises(ValueError, match="left must have 2 rows"):
        LeftSmooth((((1.0,),),)).check(problem, x, 2 * x)
    with pytest.raises(ValueError, match="one entry for each of the 1 layers"):
        LeftSmooth((Q, Q)).check(problem, x, 2 * x)
