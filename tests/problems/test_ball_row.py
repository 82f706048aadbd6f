"""The ball step of a quadratic at one point against the batched one."""

import pytest
import torch

from assumptions import EUCLIDEAN
from problems import Quadratic
from problems.ball_row import row_ball_step
from problems.spectrum import quadratic_ball_step

CASES = {
    "basis": Quadratic((1.0, 0.3, 0.1, 0.01), seed=1),
    "kernel": Quadratic((1.0, 0.3, 0.0), seed=2),
    "diagonal": Quadratic((2.0, 0.5, 0.1), seed=None),
}


def at_one(problem, x, t):
    spectrum = problem._spectrum
    return row_ball_step(
        x,
        problem.x_star,
        spectrum.eigenvalues,
        spectrum.basis,
        spectrum.flat,
        torch.tensor(t, dtype=torch.float64),
    )


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)], ids=str)
@pytest.mark.parametrize("name", CASES)
def test_it_is_the_batched_step(name, shape):
    """Two rows take the batched way."""
    problem = CASES[name]
    x = problem.x0.expand(*shape, problem.d)
    found = at_one(problem, x, 0.25)
    assert found is not None
    both = problem.brox_step(x.reshape(1, -1).expand(2, -1), 0.25)
    for part, whole in zip(found, both, strict=True):
        assert part.shape[: len(shape)] == shape
        assert torch.allclose(part.reshape(whole[0].shape), whole[0], rtol=1e-13, atol=1e-15)
    assert found.step.norm().item() == pytest.approx(0.25, rel=1e-14)
    assert (found.residual >= 0).all()
    assert (found.residual <= 1e-15).all()


@pytest.mark.parametrize("t", [100.0, 1e-150], ids=["minimiser in the ball", "radius whose square vanishes"])
def test_other_cases_go_the_batched_way(t):
    problem = CASES["basis"]
    assert at_one(problem, problem.x0, t) is None
    assert problem.brox_step(problem.x0, t).point.isfinite().all()


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_goes_the_batched_way(bad):
    problem = CASES["basis"]
    x = problem.x0.clone()
    x[1] = bad
    assert at_one(problem, x, 0.25) is None


@pytest.mark.parametrize("height", [1e-250, 1e250], ids=["slopes vanish", "slopes overflow"])
@pytest.mark.parametrize("seed", [None, 1], ids=["diagonal", "basis"])
def test_slopes_beyond_the_numbers_go_the_batched_way(height, seed):
    """Lengths of 1e-100 and 1e10: their squares are numbers, and those of the slopes are not."""
    spectrum = Quadratic((height, 0.3 * height), seed=seed)._spectrum
    size = 1e-100 if height < 1 else 1e10
    x, radius = size * torch.tensor([[0.5, -1.0], [0.5, 0.0]], dtype=torch.float64)
    zero, t = torch.zeros_like(x), radius[0]
    assert row_ball_step(x, zero, spectrum.eigenvalues, spectrum.basis, spectrum.flat, t) is None
    if height > 1:  # slopes that vanish altogether are beyond the batched way too
        assert quadratic_ball_step(x, zero, spectrum, spectrum, t, EUCLIDEAN).point.isfinite().all()


@pytest.mark.parametrize("name", CASES)
def test_a_point_whose_square_overflows_goes_the_batched_way(name):
    problem = CASES[name]
    assert at_one(problem, torch.full_like(problem.x0, 1e200), 0.25) is None


def test_gradients_flow_through_the_batched_way():
    problem = CASES["basis"]
    x = problem.x0.clone().requires_grad_()
    spectrum = problem._spectrum
    assert at_one(problem, x, 0.25) is None
    found = quadratic_ball_step(
        x, problem.x_star, spectrum, spectrum, torch.tensor(0.25, dtype=torch.float64), EUCLIDEAN
    )
    assert found.point.requires_grad
