"""Roundings of points of which many are equal: branches that share their past are looked at once."""

import pytest
import torch

from assumptions.rounding import gradient_errors, value_noise
from problems import LinkMatrix, QuadraticSum

PROBLEMS = (LinkMatrix("cosh", 2, 2), QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0))))


def tree(d: int) -> torch.Tensor:
    """Points of 64 branches over 4 steps, (64, 4, d): 1, 4, 16 and 64 different ones."""
    points = torch.randn(64, 4, d, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    branch = torch.arange(64)
    return torch.stack([points[branch // 4 ** (3 - k) * 4 ** (3 - k), k] for k in range(4)], 1)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda p: type(p).__name__)
@pytest.mark.parametrize("error", [value_noise, gradient_errors])
def test_a_tree_has_the_roundings_of_its_points(error, problem, scale):
    x = scale * tree(problem.d)
    one_by_one = torch.stack([torch.stack([error(problem, p) for p in row]) for row in x[::7]])
    for batch in (x, x.reshape(8, 8, 4, problem.d)):
        found = error(problem, batch)
        assert found.shape[: batch.dim() - 1] == batch.shape[:-1]
        torch.testing.assert_close(found.reshape(64, 4, *found.shape[batch.dim() - 1 :])[::7], one_by_one)


def test_a_tree_asks_for_each_point_once():
    problem, asked = PROBLEMS[0], []

    class Counted(LinkMatrix):
        def grad(self, x):
            asked.append(x[..., 0].numel())
            return super().grad(x)

    gradient_errors(Counted(problem.link, problem.m, problem.n), tree(problem.d))
    assert max(asked) == 1 + 4 + 16 + 64


def test_nan_stays_in_its_row():
    x = tree(PROBLEMS[0].d)
    clean = gradient_errors(PROBLEMS[0], x)
    x[40:, 2:] = torch.nan
    found = gradient_errors(PROBLEMS[0], x)
    torch.testing.assert_close(found[:40], clean[:40])
    torch.testing.assert_close(found[:, :2], clean[:, :2])
    assert bool(found.isfinite().all())
