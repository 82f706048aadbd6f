"""The ball from the proximal operator, against problems that know both."""

import pytest
import torch
from torch import Tensor

from problems import AbsAffine, Huber, Quadratic, SolverError
from problems.brox_from_prox import MAX_STEPS, brox_from_prox
from problems.max_affine import MaxAffine
from problems.weighted_l1 import WeightedL1

Known = AbsAffine | Huber | Quadratic | WeightedL1 | MaxAffine
EPS = torch.finfo(torch.float64).eps
KNOWN: list[Known] = [
    AbsAffine((1.0, -2.0, 0.5), b=1.0),
    Huber(L=2.0, delta=0.5, d=4),
    Quadratic((1e-3, 0.1, 1.0, 10.0), seed=2),
    Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None),
    WeightedL1((1.0, 0.0, 0.3), center=(1.0, -2.0, 0.5)),
    WeightedL1(tuple(10.0 ** (-4 * i) for i in range(6))),
    MaxAffine(2, 5),
]
every = pytest.mark.parametrize("problem", KNOWN, ids=repr)


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def points(problem: Known, n: int = 20) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return problem.x_star + 2 * torch.randn(n, problem.d, dtype=torch.float64, generator=generator)


@every
@pytest.mark.parametrize("radius", [1e-5, 0.1, 1.0, 30.0])
def test_it_is_the_ball_of_the_problem(problem: Known, radius: float):
    x, t = points(problem), tensor(radius).squeeze()
    nearest = problem.nearest_star(x)
    u, step, g, residual = brox_from_prox(problem.prox, x, t, nearest)
    exact = problem.brox(x, radius)
    assert torch.allclose(u, exact, rtol=0, atol=1e-10)
    near = (x - nearest).norm(dim=-1) <= radius
    assert torch.equal(u[near], nearest[near])
    assert ((step.norm(dim=-1) / radius - 1).abs()[~near] <= 1e-12).all()
    assert (residual <= 1e-12 * radius * g.norm(dim=-1)).all()
    # g is a subgradient at u, to the rounding of a step that is a difference of points
    z = points(problem, 300).unsqueeze(1)
    below = problem.value(u) + ((z - u) * g).sum(dim=-1)
    room = 1e-12 * (1 + problem.value(z)) + 64 * EPS * g.norm(dim=-1) / radius * 10
    assert (below <= problem.value(z) + room).all()


@every
def test_a_minimiser_that_nobody_knows(problem: Known):
    x = points(problem)
    step = brox_from_prox(problem.prox, x, tensor(30.0))
    assert (problem.gap(step.point) <= 1e-12).all()
    assert (step.residual <= 1e-12).all()
    assert (step.step.norm(dim=-1) <= 30).all()


def test_an_interval_of_stepsizes():
    """max(z, 2z) before its minimum: every stepsize in [1/2, 1] takes 1 to 0."""

    def prox(x: Tensor, stepsize: Tensor) -> Tensor:
        return torch.where(x > 2 * stepsize, x - 2 * stepsize, torch.where(x < stepsize, x - stepsize, 0.0))

    step = brox_from_prox(prox, tensor(1.0), tensor(1.0))
    assert step.point.item() == 0
    assert 1 <= step.subgradient.item() <= 2


def test_units_do_not_matter():
    for scale in (1e-12, 1e12):
        for steep in (1e-9, 1e9):
            problem = Quadratic((steep, 3 * steep, 0.1 * steep), center=(0.0, 0.0, 0.0), seed=1)
            x = scale * tensor(1.0, -2.0, 0.7)
            u = brox_from_prox(problem.prox, x, tensor(0.4 * scale)).point
            assert torch.allclose(u / scale, problem.brox(x, 0.4 * scale) / scale, rtol=1e-9, atol=1e-12)


def test_a_small_radius_far_away():
    problem = Huber(d=2)
    step = brox_from_prox(problem.prox, tensor(1e8, 1e8), tensor(1e-3))
    assert float(step.step.norm()) == pytest.approx(1e-3, rel=1e-12)
    assert torch.allclose(step.step, tensor(-1e-3, -1e-3) / 2**0.5, rtol=1e-4)


def test_rows_do_not_mix_and_work_is_bounded():
    problem, calls = Quadratic((1e-3, 0.1, 1.0, 10.0), seed=2), []

    def counted(x: Tensor, stepsize: Tensor) -> Tensor:
        calls.append(1)
        return problem.prox(x, stepsize)

    x, t = points(problem, 3), tensor(0.1, 0.5, 3.0).unsqueeze(-1)
    together = brox_from_prox(counted, x, t).point
    assert len(calls) < MAX_STEPS / 2
    alone = torch.stack([brox_from_prox(problem.prox, x[i], t[i]).point for i in range(3)])
    assert torch.allclose(together, alone, rtol=0, atol=1e-13)
    x[1, 0] = torch.nan

    def careless(x: Tensor, stepsize: Tensor) -> Tensor:
        return problem.prox(x, stepsize)

    dirty = brox_from_prox(careless, x, t).point
    assert dirty[1].isnan().any()
    assert torch.allclose(dirty[[0, 2]], together[[0, 2]], rtol=0, atol=1e-13)


def test_a_difference_of_points_does_not_pass_for_a_minimiser():
    """Steps below the rounding of x: an error, not a step of length 0 that claims to be optimal."""
    problem, x = WeightedL1((1.0, 3.0)), tensor(1.0, 1.0)
    for nearest in (problem.x_star, None):
        for radius in (1e-13, 1e-16, 1e-200):
            with pytest.raises(SolverError, match="rounding of the step"):
                brox_from_prox(problem.prox, x, tensor(radius).squeeze(), nearest)
    at_star = brox_from_prox(problem.prox, problem.x_star, tensor(1e-16).squeeze())
    assert torch.equal(at_star.point, problem.x_star)
    # rows with nan are no reason for an error
    lost = brox_from_prox(problem.prox, tensor(torch.nan, 1.0), tensor(1e-16).squeeze(), problem.x_star)
    assert lost.point.isnan().any()


def test_a_shift_resolves_any_radius_and_slope():
    def shift(x: Tensor, stepsize: Tensor) -> Tensor:
        return -x.sign() * torch.minimum(x.abs(), stepsize * slopes)

    x = tensor(1.0, 1.0)
    for scale in (1e-200, 1e-65, 1.0, 1e65, 1e200):
        slopes = scale * tensor(1.0, 3.0)
        for radius in (1e-60, 1e-16, 0.5):
            found = brox_from_prox(lambda x, g: x + shift(x, g), x, tensor(radius).squeeze(), 0 * x, shift)
            assert torch.allclose(found.subgradient / scale, tensor(1.0, 3.0), rtol=1e-14, atol=0)
            assert torch.allclose(found.step / radius, -tensor(1.0, 3.0) / 10**0.5, rtol=1e-14, atol=0)
    slopes = tensor(1e-300, 1e-300)
    with pytest.raises(SolverError, match="no stepsize was found"):
        brox_from_prox(lambda x, g: x + shift(x, g), x, tensor(0.5).squeeze(), 0 * x, shift)


def test_a_prox_that_overflows_is_too_long():
    def prox(x: Tensor, stepsize: Tensor) -> Tensor:
        k = stepsize * 1e60
        return x - x * (k / (1 + k) if float(k.max()) < 1e200 else torch.nan)

    found = brox_from_prox(prox, tensor(1.0, -2.0), tensor(1.0).squeeze(), tensor(0.0, 0.0))
    assert float(found.step.norm()) == pytest.approx(1, rel=1e-12)
    assert torch.allclose(found.step * 5**0.5, tensor(-1.0, 2.0), rtol=1e-12)
