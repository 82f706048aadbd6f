"""Sums of cosines: shapes of the step over a ball."""

import pytest
import torch

from assumptions import EUCLIDEAN, Lp, Norm
from problems import Cosine


@pytest.mark.parametrize("norm", [EUCLIDEAN, Lp(float("inf"))], ids=repr)
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("radius", [0.1, 2.0])
def test_one_point_and_many_radii(norm: Norm, d: int, radius: float):
    """Also where all of them reach the lattice."""
    problem, x = Cosine(d), torch.full((d,), 0.3, dtype=torch.float64)
    t = torch.full((3, 1), radius, dtype=torch.float64)
    found, alone = problem.brox_step(x, t, norm), problem.brox_step(x, radius, norm)
    for together, one in zip(found, alone, strict=True):
        assert together.shape == (3, *one.shape)
        assert torch.allclose(together, one.expand_as(together), rtol=0, atol=1e-15)
    assert problem.brox(x.expand(2, 1, d), t, norm).shape == (2, 3, d)
