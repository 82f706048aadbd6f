"""Gradients and proximal steps of batches of terms, of links and quadratics."""

from typing import Any

import mpmath as mp
import pytest
import torch
from torch import Tensor

from problems import LeastSquares, LogisticRegression, Problem, Quadratic
from problems.ball_newton import SolverError
from problems.link_prox import SCALAR_PROX
from problems.link_sum import LinkSum
from problems.links import LINKS
from problems.quadratic_sum import QuadraticSum

CONVEX = tuple(sorted(name for name, link in LINKS.items() if link.convex))
ROWS = ((1.0, 0.5, -0.25), (0.5, -1.0, 2.0), (-2.0, 0.25, 0.0), (0.3, 0.3, 0.3))
TARGETS, CENTER = (0.1, -0.2, 0.3, 1.0), (0.5, -1.0, 0.25)
STEPS = (1e-8, 1e-3, 0.7, 1e3, 1e8)
INDEFINITE = QuadraticSum.opposite_pair(3.0, 0.5)
QUADRATICS = (
    INDEFINITE,
    QuadraticSum.coordinates(3),
    QuadraticSum.rank_one(((1.0, 0.5), (0.5, -1.0), (2.0, 0.25)), (1.0, 2.0, 0.5)),
    QuadraticSum.isotropic(2.0, ((1.0, 2.0), (0.0, -1.0))),
)
DATA = (LogisticRegression("breast_cancer", 0.1), LeastSquares("breast_cancer"))
SUMS = (*QUADRATICS, *DATA, *(LinkSum(name, ROWS, TARGETS, CENTER) for name in sorted(LINKS)))
MP_SLOPES = {
    "square": (lambda s: s, lambda s: mp.mpf(1)),
    "quartic": (lambda s: s**3, lambda s: 3 * s * s),
    "logistic": (lambda s: -1 / (1 + mp.exp(s)), lambda s: 1 / (2 + mp.exp(s) + mp.exp(-s))),
    "exp": (mp.exp, mp.exp),
    "cosh": (mp.sinh, mp.cosh),
    "log-cosh": (mp.tanh, lambda s: 1 / mp.cosh(s) ** 2),
}
sums = pytest.mark.parametrize("problem", SUMS, ids=repr)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def indices(n: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(n, shape, generator=torch.Generator().manual_seed(seed))


def prox(problem: Problem, x: Tensor, j: Tensor, stepsize: float | Tensor) -> Tensor:
    assert problem.offers("batch_prox")
    assert problem.batch_prox is not None
    return problem.batch_prox(x, j, stepsize)


def stepsize_for(problem: Problem) -> float:
    return 0.3 if problem is INDEFINITE else 0.7


@sums
@pytest.mark.parametrize("b", [1, 3])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)], ids=str)
def test_batch_gradient_is_the_mean_of_the_terms(problem: Problem, b: int, shape: tuple[int, ...]):
    x, j = problem.x0 + normal(*shape, problem.d), indices(problem.n_terms, *shape, b)
    every = problem.part_grads(x)
    expected = every.gather(-2, j.unsqueeze(-1).expand(*j.shape, problem.d)).mean(dim=-2)
    found = problem.batch_grad(x, j)
    away = x + 1.0
    change = problem.batch_change(away, x, j)
    torch.testing.assert_close(change, problem.batch_grad(away, j) - found, rtol=1e-12, atol=1e-11)
    assert torch.allclose(found, expected, rtol=1e-11, atol=1e-12)
    if b == 1:
        assert torch.equal(found, problem.part_grad(x, j.squeeze(-1)))


@sums
def test_wrong_indices_are_refused(problem: Problem):
    x, j = problem.x0.expand(2, -1), torch.zeros(2, 2, dtype=torch.int64)
    for wrong in (j.double(), j[0, 0], j[:1], j[:, :0], [0, 1], j.int()):
        with pytest.raises(ValueError, match="j must be int64 of shape"):
            problem.batch_grad(x, wrong)  # pyright: ignore[reportArgumentType]
    for wrong in (j, j[:, 0].double()):
        with pytest.raises(ValueError, match="j must be int64 of shape"):
            problem.part_grad(x, wrong)
    for term in (-1, problem.n_terms):
        with pytest.raises(IndexError):
            problem.batch_grad(x, j + term)
    if problem.batch_prox is not None and problem.offers("batch_prox"):
        with pytest.raises(ValueError, match="stepsize must be finite and > 0"):
            problem.batch_prox(x, j, 0.0)
        with pytest.raises(ValueError, match="j must be int64 of shape"):
            problem.batch_prox(x, j[:, 0], 1.0)
        with pytest.raises(ValueError, match="j must be the terms"):
            problem.oracle_error("batch_prox", x, 1.0, x)


def test_one_term_takes_its_prox():
    problem, x = Quadratic((1.0, 3.0)), normal(4, 2)
    j = torch.zeros(4, 2, dtype=torch.int64)
    assert torch.equal(problem.batch_grad(x, j), problem.grad(x))
    assert torch.equal(prox(problem, x, j, 0.5), problem.prox(x, 0.5))
    assert (problem.oracle_error("batch_prox", x, 0.5, x, j) == 0).all()
    assert not LinkSum("cosine", ROWS).offers("batch_prox")
    with pytest.raises(TypeError, match="convex link"):
        LinkSum("robust", ROWS).batch_prox(normal(3), torch.tensor([0]), 1.0)


def exact_prox(problem: LinkSum, x: Tensor, j: list[int], stepsize: float, start: Tensor) -> Any:
    """Newton's method in 50 digits, from a point that is close."""
    slope, curvature = MP_SLOPES[problem.link]
    d, share = problem.d, mp.mpf(stepsize) / len(j)
    vector = lambda values: mp.matrix([mp.mpf(float(v)) for v in values])  # noqa: E731
    z, x0, c = vector(start), vector(x), vector(problem.center)
    for _ in range(60):
        f, hessian = z - x0, mp.eye(d)
        for i in j:
            a = vector(problem.rows[i])
            s = (a.T * (z - c))[0] - mp.mpf(problem.targets[i])
            f, hessian = f + share * slope(s) * a, hessian + share * curvature(s) * (a * a.T)
        move = mp.lu_solve(hessian, f)
        z = z - move
        if mp.norm(move) < mp.mpf(10) ** -35 * (1 + mp.norm(z)):
            return z
    raise AssertionError("Newton's method did not converge")


@pytest.mark.parametrize("link", CONVEX)
@pytest.mark.parametrize("b", [1, 2, 5])
def test_proximal_point_of_links_against_many_digits(link: str, b: int):
    problem = LinkSum(link, ROWS, TARGETS, CENTER)
    with mp.workdps(50):
        for scale in (1e-3, 1.0, 100.0):
            x, j = scale * normal(2, 3, seed=b), indices(4, 2, b, seed=b)
            for stepsize in STEPS:
                z = prox(problem, x, j, stepsize)
                stated = problem.oracle_error("batch_prox", x, stepsize, z, j)
                for row in range(2):
                    exact = exact_prox(problem, x[row], j[row].tolist(), stepsize, z[row])
                    error = float(mp.norm(exact - mp.matrix(z[row].tolist())))
                    size = float(1 + x[row].norm() + z[row].norm())
                    assert error <= stated[row]
                    assert error <= 1e-14 * size * (1 if b < 4 else 1e4)
                    assert stated[row] <= 1e-13 * size * (1 + stepsize)


@pytest.mark.parametrize("problem", QUADRATICS, ids=repr)
@pytest.mark.parametrize("b", [1, 2, 4])
def test_proximal_point_of_quadratics_against_many_digits(problem: QuadraticSum, b: int):
    linear = problem.linear or ((0.0,) * problem.d,) * problem.n_terms
    with mp.workdps(50):
        for scale in (1e-6, 1.0, 1e6):
            x, j = scale * normal(3, problem.d, seed=b), indices(problem.n_terms, 3, b, seed=b)
            for stepsize in (1e-8, 1e-3, 0.3) if problem is INDEFINITE else STEPS:
                z = prox(problem, x, j, stepsize)
                stated = problem.oracle_error("batch_prox", x, stepsize, z, j)
                for row, terms in enumerate(j.tolist()):
                    a, right = mp.eye(problem.d), mp.matrix(x[row].tolist())
                    for i in terms:
                        a += mp.mpf(stepsize) / b * mp.matrix(problem.hessians[i])
                        right += mp.mpf(stepsize) / b * mp.matrix(linear[i])
                    error = float(mp.norm(mp.lu_solve(a, right) - mp.matrix(z[row].tolist())))
                    assert error <= stated[row]
                    assert stated[row] <= 1e-12 * float(x[row].norm() + z[row].norm() + 1) * (1 + stepsize)


@pytest.mark.parametrize("problem", QUADRATICS, ids=repr)
def test_all_terms_are_the_whole(problem: QuadraticSum):
    x = problem.x0 + normal(5, problem.d)
    every = torch.arange(problem.n_terms).expand(5, -1)
    assert torch.allclose(prox(problem, x, every, 2.0), problem.prox(x, 2.0), rtol=1e-12, atol=1e-13)


def test_weakly_convex_terms_limit_the_stepsize():
    """The second term is -2.5 x^2 / 2: there is a proximal point for stepsizes below 0.4."""
    x, second = torch.ones(1, 1, dtype=torch.float64), torch.tensor([[1]])
    assert torch.allclose(prox(INDEFINITE, x, second, 0.39), x / (1 - 2.5 * 0.39))
    for stepsize in (0.4, 0.41, 1e8):
        with pytest.raises(ValueError, match=r"stepsize must be less than 0\.4 .* got"):
            prox(INDEFINITE, x, second, stepsize)
    assert torch.allclose(prox(INDEFINITE, x, 1 - second, 1e8), x / (1 + 3.5e8))
    # their mean is convex: 0.5 x^2 / 2
    both = torch.tensor([[0, 1]])
    assert torch.allclose(prox(INDEFINITE, x, both, 100.0), x / 51)


@pytest.mark.parametrize("problem", DATA, ids=repr)
@pytest.mark.parametrize("b", [1, 4, 40])
def test_proximal_point_of_data_is_stationary(problem: Problem, b: int):
    x, j = normal(3, problem.d), indices(problem.n_terms, 3, b)
    for stepsize in STEPS:
        z = prox(problem, x, j, stepsize)
        residual = z - x + stepsize * problem.batch_grad(z, j)
        stated = problem.oracle_error("batch_prox", x, stepsize, z, j)
        assert (residual.norm(dim=-1) <= 1e-12 * (1 + stepsize) * (1 + x.norm(dim=-1))).all()
        assert (stated <= 1e-12 * (1 + stepsize) * (1 + x.norm(dim=-1))).all()


def test_all_examples_of_logistic_regression_are_the_whole():
    problem = DATA[0]
    x, every = normal(2, problem.d), torch.arange(problem.n_terms).expand(2, -1)
    assert torch.allclose(prox(problem, x, every, 0.5), problem.prox(x, 0.5), rtol=0, atol=1e-10)


@pytest.mark.parametrize("problem", [p for p in SUMS if p.offers("batch_prox")], ids=repr)
@pytest.mark.parametrize("b", [1, 3])
class TestBatches:
    def test_rows_do_not_mix(self, problem: Problem, b: int):
        x, j = problem.x0 + normal(4, problem.d), indices(problem.n_terms, 4, b)
        stepsize = stepsize_for(problem) * torch.tensor([[0.5], [1.0], [0.1], [1.0]], dtype=torch.float64)
        together = prox(problem, x, j, stepsize)
        alone = torch.stack([prox(problem, x[i], j[i], float(stepsize[i])) for i in range(4)])
        assert torch.allclose(together, alone, rtol=1e-12, atol=1e-13)
        folded = prox(problem, x.reshape(2, 2, -1), j.reshape(2, 2, -1), stepsize.reshape(2, 2, 1))
        assert torch.allclose(folded.reshape(4, -1), together, rtol=1e-12, atol=1e-13)
        x[1, 0] = torch.nan
        spoilt = prox(problem, x, j, stepsize)
        assert spoilt[1].isnan().any()
        assert torch.allclose(spoilt[[0, 2, 3]], together[[0, 2, 3]], rtol=1e-12, atol=1e-13)
        assert problem.oracle_error("batch_prox", x, stepsize, spoilt, j).isnan().tolist()[1]

    def test_a_term_that_repeats_counts_twice(self, problem: Problem, b: int):
        x, j = problem.x0 + normal(2, problem.d), indices(problem.n_terms, 2, b)
        step = stepsize_for(problem)
        twice = prox(problem, x, torch.cat([j, j], dim=-1), step)
        assert torch.allclose(twice, prox(problem, x, j, step), rtol=1e-12, atol=1e-13)

    def test_derivative_is_that_of_the_proximal_point(self, problem: Problem, b: int):
        x, v = problem.x0 + normal(2, problem.d), normal(2, problem.d, seed=1)
        j, step = indices(problem.n_terms, 2, b), stepsize_for(problem)
        _, found = torch.autograd.functional.jvp(lambda y: prox(problem, y, j, step), x, v)
        assert isinstance(found, Tensor)
        h = 1e-5
        expected = (prox(problem, x + h * v, j, step) - prox(problem, x - h * v, j, step)) / (2 * h)
        assert torch.allclose(found, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("link", ["exp", "cosh", "quartic"])
def test_steep_links_far_away(link: str):
    """Slopes of 1e100 and more, of which one row's drowns the others'."""
    problem = LinkSum(link, ROWS, TARGETS, CENTER)
    x, j = 150 * normal(20, 3), indices(4, 20, 3)
    for stepsize in (1e-3, 1.0, 1e3):
        z = prox(problem, x, j, stepsize)
        assert (problem.oracle_error("batch_prox", x, stepsize, z, j) <= 1e-10 * (1 + x.norm(dim=-1))).all()


@pytest.mark.parametrize("link", CONVEX)
def test_scalar_equation(link: str):
    m = torch.tensor([-30.0, -1.0, 0.0, 1e-9, 2.0, 30.0], dtype=torch.float64)
    for k in (1e-8, 1.0, 1e8):
        s = SCALAR_PROX[link](m, torch.full_like(m, k))
        assert torch.allclose(s + k * LINKS[link].slope(s), m, rtol=1e-12, atol=1e-12 * (1 + k))


@pytest.mark.parametrize(
    ("problem", "x", "j", "stepsize"),
    [
        (
            LinkSum("cosh", ((-179.6346381093621,), (0.005500904506027661,)), (88.8, -14.2)),
            (-0.8614105060546672,),
            (0, 1),
            1e7,
        ),
        (LinkSum("square", ((1e200,),)), (1e200,), (0,), 1.0),
        (QuadraticSum((((1e200,),), ((1e200,),)), ((1e200,), (1e200,))), (1e200,), (0, 1), 1e200),
    ],
    ids=repr,
)
def test_no_proximal_point_is_an_error(
    problem: Problem, x: tuple[float, ...], j: tuple[int, ...], stepsize: float
):
    """Finite points whose proximal point overflows: never nan or inf."""
    with pytest.raises(SolverError, match="batch_prox"):
        prox(problem, torch.tensor([x], dtype=torch.float64), torch.tensor([j]), stepsize)
