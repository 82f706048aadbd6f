"""The smallest interpolating function: data met, class kept, oracles against their conditions."""

import math

import cvxpy
import pytest
import torch
from torch import Tensor

from assumptions import Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.specification import parse_specification
from problems.interpolant import Interpolant
from problems.well_formed import require_well_formed
from workbench.engine import run
from workbench.methods import BPM

HESSIAN = torch.diag(torch.tensor([1.0, 0.1, 0.4], dtype=torch.float64))
CLASSES = ((1.0, 0.0), (1.5, 0.05), (math.inf, 0.0), (math.inf, 0.1))


def tuples(a: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in a.tolist())


def sampled(L: float, mu: float, n: int = 6) -> Interpolant:
    """Data of the quadratic with eigenvalues 1, .1, .4; the minimiser is the last point."""
    x = torch.randn(n, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x[-1] = torch.tensor([0.5, -1.0, 2.0])
    y = x - x[-1]
    g = y @ HESSIAN
    f = 3.0 + (y * g).sum(dim=-1) / 2
    return Interpolant(tuples(x), tuples(g), tuple(f.tolist()), L, mu)


ABS = Interpolant(((2.0,), (0.0,), (-3.0,)), ((1.0,), (0.0,), (-1.0,)), (2.0, 0.0, 3.0))
HUBER = Interpolant(((2.0, 0.0), (0.0, 0.0)), ((1.0, 0.0), (0.0, 0.0)), (1.5, 0.0), L=1.0)
PROBLEMS = tuple(sampled(*constants) for constants in CLASSES)
every = pytest.mark.parametrize("problem", [*PROBLEMS, ABS, HUBER], ids=range(len(PROBLEMS) + 2))


def spread(problem: Interpolant, n: int = 20) -> Tensor:
    return 2 * torch.randn(n, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


@every
def test_values_and_gradients_are_those_given(problem: Interpolant):
    x = torch.tensor(problem.points, dtype=torch.float64)
    values, gradients = (torch.tensor(t, dtype=torch.float64) for t in (problem.values, problem.gradients))
    assert (problem.value(x) - values).abs().max() < 1e-13
    assert (problem.grad(x) - gradients).abs().max() < 1e-13


@every
def test_the_gradient_is_that_of_the_value(problem: Interpolant):
    x = spread(problem).requires_grad_()
    (g,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert (g - problem.grad(x.detach())).abs().max() < 1e-13


@every
def test_certificates_hold_on_random_pairs(problem: Interpolant):
    assert problem.certified
    for certificate in problem.certified:
        found = certificate.assumption.refute(problem, budget=400)
        assert found.verdict == "not refuted", found


def test_certificates_are_those_of_the_class():
    kinds = [{type(c.assumption) for c in p.certified} for p in PROBLEMS]
    both = {Convex, StronglyConvex}
    assert kinds == [{Convex, Lipschitz, Smooth}, both | {Smooth}, {Convex, Lipschitz}, both]


@pytest.mark.parametrize("constants", [(1.0, 0.0), (math.inf, 0.0)], ids=str)
def test_a_larger_slope_constant_than_certified_is_needed_nowhere_but_it_is_reached(constants):
    problem = sampled(*constants)
    (G,) = (c.assumption.G for c in problem.certified if isinstance(c.assumption, Lipschitz))
    slopes = problem.grad(torch.tensor(problem.points, dtype=torch.float64)).norm(dim=-1)
    assert float(slopes.max()) == pytest.approx(G, rel=1e-14)


def test_it_is_the_smallest_of_the_class():
    """The quadratic that gave the data is in each class, so it is nowhere below."""
    x = spread(PROBLEMS[0], 200)
    y = x - torch.tensor(PROBLEMS[0].points[-1], dtype=torch.float64)
    quadratic = 3.0 + torch.linalg.vecdot(y @ HESSIAN, y) / 2
    for problem in PROBLEMS[:3]:
        assert (problem.value(x) <= quadratic + 1e-13).all()
    assert (PROBLEMS[0].value(x) >= PROBLEMS[2].value(x) - 1e-13).all()  # smoother is larger
    assert (PROBLEMS[0].value(x) > PROBLEMS[2].value(x) + 1e-3).any()


@every
def test_prox_meets_its_condition(problem: Interpolant):
    """phi(z) = f(z) + |z - x|^2 / (2 gamma) is least at u among near points, and 1/gamma-strongly convex."""
    x = spread(problem, 6)
    for gamma in (0.05, 1.0, 30.0):
        u = problem.prox(x, gamma)
        z = u + torch.cat([s * spread(problem, 50).unsqueeze(1) for s in (1e-3, 0.1, 1.0)])
        near = problem.value(z) + (z - x).square().sum(dim=-1) / (2 * gamma)
        least = problem.value(u) + (u - x).square().sum(dim=-1) / (2 * gamma)
        assert (near - least >= (z - u).square().sum(dim=-1) / (2 * gamma) * (1 - 1e-9) - 1e-12).all()


@every
def test_ball_steps_prove_themselves(problem: Interpolant):
    x, z = spread(problem), spread(problem, 100).unsqueeze(1)
    for radius in (0.1, 1.0):
        step = problem.brox_step(x, radius)
        assert (step.step.norm(dim=-1) <= radius * (1 + 1e-12)).all()
        assert step.residual.max() < 1e-9
        below = problem.value(step.point) + ((z - step.point) * step.subgradient).sum(dim=-1)
        assert (problem.value(z) >= below - 1e-11).all()


@every
def test_minimisers_are_minimisers_and_nearest(problem: Interpolant):
    x = spread(problem)
    nearest = problem.nearest_star(x)
    assert problem.gap(nearest).max() < 1e-12
    assert float(problem.value(torch.as_tensor(problem.x_star))) == problem.f_star
    others = problem.nearest_star(spread(problem, 60).unsqueeze(1) * 3)
    away, other = (x - nearest).norm(dim=-1), (x - others).norm(dim=-1)
    assert (away <= other + 1e-9).all()


def test_the_conic_form_has_the_same_proximal_point():
    problem = PROBLEMS[3]
    x = spread(problem, 1)[0]
    z = cvxpy.Variable(problem.d)
    objective = problem.conic(z, cvxpy) + cvxpy.sum_squares(z - x.numpy()) / 2
    cvxpy.Problem(cvxpy.Minimize(objective)).solve(solver=cvxpy.CLARABEL)
    assert torch.tensor(z.value) == pytest.approx(problem.prox(x, 1.0), abs=1e-5)
    with pytest.raises(NotImplementedError, match="not written for a conic solver"):
        HUBER.conic(z, cvxpy)


@every
def test_it_prints_as_its_call_and_is_well_formed(problem: Interpolant):
    assert parse_specification(repr(problem), {"Interpolant": Interpolant}) == problem
    require_well_formed(problem)


def test_closed_forms():
    x = torch.tensor([[5.0], [0.25], [-2.0]], dtype=torch.float64)
    assert torch.equal(ABS.value(x), x.abs()[:, 0])
    assert ABS.unique_star
    assert torch.equal(ABS.brox(x, 0.5), torch.tensor([[4.5], [0.0], [-1.5]], dtype=torch.float64))
    y = torch.tensor([[0.5, 7.0], [3.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    assert HUBER.value(y).tolist() == pytest.approx([0.125, 2.5, 0.0], abs=1e-15)
    assert not HUBER.unique_star
    flat = torch.tensor([[0.0, 7.0], [0.0, 1.0], [-1.0, 0.0]], dtype=torch.float64)
    assert (HUBER.nearest_star(y) - flat).abs().max() < 1e-14


def test_ties_go_to_the_nearest_point_within_the_slack():
    kink = torch.tensor([1e-10], dtype=torch.float64)
    fields = (ABS.points, ABS.gradients, ABS.values)
    assert float(ABS.grad(kink)) == 1.0
    assert float(Interpolant(*fields, slack=1e-9).grad(kink)) == 0.0


def test_an_ordinary_run_follows_it():
    trace = run(BPM(radius=0.5), ABS, steps=4, record=("gap",))
    assert trace["gap"][0].tolist() == pytest.approx([2.0, 1.5, 1.0, 0.5, 0.0])


def test_without_a_minimiser_none_is_offered():
    one = Interpolant(((1.0,), (2.0,)), ((1.0,), (2.0,)), (0.0, 1.5), L=1.0)
    assert not any(one.offers(name) for name in ("f_star", "x_star"))
    with pytest.raises(TypeError, match="no point with gradient 0"):
        one.gap(one.x0)
    with pytest.raises(TypeError, match="no point with gradient 0"):
        one.nearest_star(one.x0)


BAD = (
    ({"L": 0.0}, "L must be finite and > 0, got 0.0"),
    ({"L": math.nan}, "L must be finite and > 0, got nan"),
    ({"mu": -1.0}, "mu must be finite and >= 0"),
    ({"mu": 2.0, "L": 1.0}, "mu must be < L = 1.0, got 2.0"),
    ({"values": (1.0,)}, "points must hold 1 vectors"),
    ({"gradients": ((1.0, 0.0), (0.0, 0.0))}, "gradients must have 1 entries"),
    ({"values": (2.0, math.inf)}, "values must have finite entries"),
    ({"slack": -1e-9}, "slack must be finite and >= 0"),
    ({"start": (1.0, 2.0)}, "start must be empty or have 1 finite entries"),
    ({"values": (-1.0, 0.0)}, "points 0 and 1: no function with mu = 0.0, L = inf"),
    ({"L": 0.2}, "condition of interpolation is broken"),
)


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message[:20] for _, message in BAD])
def test_bad_data_are_named(change: dict, message: str):
    fields = {"points": ((2.0,), (0.0,)), "gradients": ((1.0,), (0.0,)), "values": (2.0, 0.0)}
    with pytest.raises(ValueError, match=message):
        Interpolant(**(fields | change))
