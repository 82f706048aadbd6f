"""The certified solver against closed forms, and that it never answers silently."""

import math

import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Smooth, StronglyConvex
from problems import LogisticRegression, LogSumExp, Quadratic, SolverError, from_function
from problems.ball_newton import ball_minimise, proximal_minimise
from problems.newton_steps import newton_ball

EIGENVALUES = (1e-2, 1.0, 30.0)


class AsRows:
    """A quadratic with the four functions that the solver asks for."""

    def __init__(self, problem: Quadratic, resolution: float = 1e-13):
        self.problem, self.resolution = problem, resolution
        self.rows_seen: list[int] = []

    def value(self, x: Tensor) -> Tensor:
        return self.problem.value(x)

    def grad(self, x: Tensor) -> Tensor:
        self.rows_seen.append(x.shape[0])
        return self.problem.grad(x)

    def hessian(self, x: Tensor) -> Tensor:
        eye = torch.eye(self.problem.d, dtype=torch.float64)
        return self.problem.hvp(eye, eye).expand(x.shape[0], -1, -1)

    def grad_resolution(self, x: Tensor) -> Tensor:
        return x.new_full((x.shape[0],), self.resolution)


def rows(n: int = 20) -> Tensor:
    return 5 * torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def test_quadratics_take_one_step():
    problem, x = Quadratic(EIGENVALUES), rows()
    t = 0.3 * (x - problem.x_star).norm(dim=-1, keepdim=True)
    ball = ball_minimise(AsRows(problem), x, t)
    assert torch.allclose(ball.point, problem.brox(x, t), rtol=0, atol=1e-11)
    assert (ball.residual <= ball.tolerance).all()
    assert ball.steps <= 2
    proximal = proximal_minimise(AsRows(problem), x, torch.full_like(t, 0.5))
    assert torch.allclose(proximal.point, problem.prox(x, 2.0), rtol=0, atol=1e-11)


def test_weight_zero_minimises():
    problem, x = Quadratic(EIGENVALUES), rows()
    solution = proximal_minimise(AsRows(problem), x, torch.zeros_like(x[:, :1]))
    assert torch.allclose(solution.point, problem.x_star.expand_as(x), rtol=0, atol=1e-11)


class SquareRoot(AsRows):
    """sum sqrt(1 + x^2): undamped Newton steps diverge from |x| > 1."""

    def __init__(self, resolution: float = 1e-13):
        super().__init__(Quadratic((1.0,)), resolution)

    def value(self, x: Tensor) -> Tensor:
        return (1 + x.square()).sqrt().sum(-1)

    def grad(self, x: Tensor) -> Tensor:
        return x / (1 + x.square()).sqrt()

    def hessian(self, x: Tensor) -> Tensor:
        return torch.diag_embed((1 + x.square()) ** -1.5)


def test_damping_is_needed_and_works():
    x = torch.tensor([[5.0, -3.0], [0.1, 8.0]], dtype=torch.float64)
    solution = proximal_minimise(SquareRoot(), x, torch.zeros(2, 1, dtype=torch.float64))
    assert torch.allclose(solution.point, torch.zeros_like(x), atol=1e-12)
    undamped = x - x * (1 + x.square())
    assert (undamped.abs().amax(-1) > x.abs().amax(-1)).all()
    ball = ball_minimise(SquareRoot(), x, torch.full((2, 1), 2.0, dtype=torch.float64))
    angles = torch.linspace(0, 2 * math.pi, 20_001, dtype=torch.float64)
    circle = x.unsqueeze(1) + 2 * torch.stack([angles.cos(), angles.sin()], -1)
    best = SquareRoot().value(circle).amin(-1)
    assert (SquareRoot().value(ball.point) <= best + 1e-12).all()
    assert (SquareRoot().value(ball.point) >= best - 1e-6).all()


def test_rows_that_are_done_are_not_computed_again():
    problem = Quadratic(EIGENVALUES)
    x = torch.cat([problem.x_star.expand(7, 3), rows(2)])
    function = AsRows(problem)
    proximal_minimise(function, x, torch.zeros(9, 1, dtype=torch.float64))
    assert function.rows_seen[0] == 9
    assert max(function.rows_seen[1:]) == 2


@pytest.mark.parametrize("radius", [1e-3, 1e-10, 1e-17, 1e-200])
def test_steps_below_the_rounding_of_the_point(radius: float):
    """Each is along the gradient; a difference of points is 4.9e-7 off at 1e-10, and 0 at 1e-17."""
    logistic = LogisticRegression("breast_cancer", reg=0.01)
    sum_exp = LogSumExp(d=3)
    declared = from_function(
        lambda x: torch.logsumexp(x, -1) + x.square().sum(-1) / 20,
        d=3,
        assume=(Smooth(0.6), StronglyConvex(0.1)),
    )
    for problem in (logistic, sum_exp, declared):
        x = problem.x0 + torch.tensor([[1.0], [3.0]], dtype=torch.float64)
        assert problem.brox_step is not None
        found = problem.brox_step(x, radius)
        g = problem.grad(x + found.step)
        along = g / g.norm(dim=-1, keepdim=True)
        assert ((EUCLIDEAN.norm(found.step) / radius - 1).abs() <= 1e-12).all()
        assert torch.allclose(found.step / radius, -along, rtol=0, atol=1e-12)
        # the residual by hand: that of the result is cut at 0
        residual = g.norm(dim=-1) + (g * (found.step / radius)).sum(dim=-1)
        assert (residual.abs() <= 1e-12 * g.norm(dim=-1)).all()


def test_radii_that_almost_reach_the_minimiser():
    for problem in (LogisticRegression("breast_cancer", reg=0.01), LogSumExp()):
        distance = (problem.x0 + 1 - problem.x_star).norm()
        short = 1 - 10.0 ** -torch.arange(1, 17, dtype=torch.float64)
        t = (distance * short).unsqueeze(-1)
        found = problem.brox_step(problem.x0 + 1, t)
        assert ((found.step.norm(dim=-1) / t.squeeze(-1) - 1).abs() <= 1e-12).all()
        assert (problem.gap(found.point)[:4].diff() < 0).all()
        room = 4 * t.squeeze(-1) * 1e-11
        assert (found.residual <= room).all()


def test_a_step_that_ends_before_the_sphere_is_an_error():
    """The slope 1e-20 along the second axis is rounding; the minimiser is out of reach all the same."""
    function = AsRows(Quadratic((1.0, 1e-20), center=(0.0, 0.0), seed=None))
    x, origin = torch.ones(1, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    with pytest.raises(SolverError, match=r"length 1\.2 ended after 1, where the gradient is below"):
        newton_ball(function, x, 1.2, origin)
    assert newton_ball(function, x, 1.5, origin).point.tolist() == [[0, 0]]
    # where no minimiser is known, that point is as good as one
    assert float(function.value(newton_ball(function, x, 1.2, None).point)) <= 1e-20


class Decay(SquareRoot):
    """sum e^(-x), which has no minimiser: the gradient falls for ever."""

    def value(self, x: Tensor) -> Tensor:
        return (-x).exp().sum(-1)

    def grad(self, x: Tensor) -> Tensor:
        return -(-x).exp()

    def hessian(self, x: Tensor) -> Tensor:
        return torch.diag_embed((-x).exp())


def test_a_missed_tolerance_is_an_error_with_numbers():
    function = Decay(resolution=0.0)
    with pytest.raises(SolverError, match=r"prox: KKT residual \S+ above the tolerance 0 .* of 20 rows"):
        proximal_minimise(function, rows(), torch.zeros(20, 1, dtype=torch.float64))


@pytest.mark.parametrize("reg", [1e-3, 1.0])
@pytest.mark.parametrize("spread", [0.1, 3.0, 100.0])
def test_logistic_steps_are_within_their_stated_error(reg: float, spread: float):
    problem = LogisticRegression("breast_cancer", reg=reg)
    generator = torch.Generator().manual_seed(1)
    x = spread * torch.randn(8, problem.d, dtype=torch.float64, generator=generator)
    radius = 0.4 * (x - problem.x_star).norm(dim=-1, keepdim=True)
    u = problem.brox(x, radius)
    g, s = problem.grad(u), u - x
    pull = -(g * s).sum(-1, keepdim=True) / radius.square()
    assert (
        (g + pull * s).norm(dim=-1)
        <= 2 * (problem.grad_resolution(u) + problem.grad_resolution(x)) + 1e-14 * pull.squeeze(-1) * spread
    ).all()
    v = problem.prox(x, 3.0)
    assert (
        (v + 3.0 * problem.grad(v) - x).norm(dim=-1) <= 6 * problem.grad_resolution(v) + 1e-14 * spread
    ).all()
