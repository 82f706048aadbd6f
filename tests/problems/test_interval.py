"""Problems of one variable: every norm is a multiple of |.|, and a batch may be empty."""

import math

import pytest
import torch

from assumptions import EUCLIDEAN, Lp, Norm, Weighted
from problems import BallOracle, Cosine, DoubleWell, IntegerJump, LatticeAbs, PiecewiseLinear
from problems.interval import half_length

LINE: list[BallOracle] = [Cosine(1), DoubleWell(1), IntegerJump(), LatticeAbs(), PiecewiseLinear()]
NORMS: list[Norm] = [EUCLIDEAN, Lp(math.inf), Lp(1.0, scale=2.0), Weighted((4.0,))]
norms = pytest.mark.parametrize("norm", NORMS, ids=repr)


@norms
@pytest.mark.parametrize("problem", LINE, ids=repr)
@pytest.mark.parametrize("batch", [(0,), (2, 0), (0, 3)])
def test_an_empty_batch(problem: BallOracle, norm: Norm, batch: tuple[int, ...]):
    x = torch.zeros(*batch, 1, dtype=torch.float64)
    for radius in (1.0, torch.ones_like(x)):
        found = problem.brox_step(x, radius, norm)
        assert found.point.shape == found.step.shape == found.subgradient.shape == x.shape
        assert found.residual.shape == batch


@norms
@pytest.mark.parametrize("shape", [(), (3, 1), (0, 1)])
def test_the_length_of_a_step(norm: Norm, shape: tuple[int, ...]):
    x, t = torch.zeros(3, 1, dtype=torch.float64), torch.full(shape, 3.0, dtype=torch.float64)
    length = half_length(t, norm, x)
    assert length.shape == shape
    assert torch.allclose(length * norm.norm(torch.ones(1, dtype=torch.float64)), t, rtol=1e-15)
