"""Bounds of eigenvalues hold at every size of the rows, and so do the constants that rest on them."""

import random
from fractions import Fraction

import pytest
import torch
from mpmath import mp

from assumptions import PL, Smooth, StronglyConvex
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.outward import root_down, root_up
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.expected_similarity import ExpectedSimilarity
from problems import Huber, Problem
from problems.calculus.linear_map import LinearMap
from problems.calculus.scaled import Scaled
from problems.calculus.sum import Mean
from problems.cosh_ridge import CoshRidge
from problems.gram import gram_bounds, power_of_two
from problems.link_sum import LinkSum
from problems.quadratic_sum import QuadraticSum

SIZES = [5e-324, 3e-320, 1e-200, 3e-162, 1e-155, 1e-100, 1.0, 1e100, 1e160, 1e300]


def constant(problem: Problem, kind: type, name: str) -> float:
    """The Euclidean one."""
    found = [c.assumption for c in problem.certified if type(c.assumption) is kind]
    return getattr(found[0], name)


@pytest.mark.parametrize("size", SIZES, ids=repr)
@pytest.mark.parametrize("seed", range(3))
def test_eigenvalues_are_between_the_bounds(size: float, seed: int):
    rng = random.Random(seed)
    rows = [[rng.uniform(-1, 1) * size for _ in range(3)] for _ in range(5)]
    with mp.workdps(60):
        a = mp.matrix(rows)
        low, _, high = sorted(mp.eigsy(a.T * a / 5, eigvals_only=True))
        bounds = gram_bounds(torch.tensor(rows, dtype=torch.float64), 5)
        stated_low, stated_high = (mp.mpf(b.numerator) / b.denominator for b in bounds)
        room = mp.mpf(10) ** -50 * high
        assert stated_low <= low + room
        assert high <= stated_high + room
        assert stated_high <= high * (1 + mp.mpf(10) ** -12)
        assert stated_low >= low - high * mp.mpf(10) ** -12


def test_the_rank_counts_from_the_largest():
    rows = torch.tensor([[3.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=torch.float64)
    assert gram_bounds(rows, 1).low == 0
    assert float(gram_bounds(rows, 1, rank=2).low) == pytest.approx(1, rel=1e-12)
    assert float(gram_bounds(rows, 1, rank=1).low) == pytest.approx(9, rel=1e-12)
    assert gram_bounds(0 * rows, 1) == (0, 0)


def test_powers_of_two():
    sizes = torch.tensor([5e-324, 1e-310, 0.0, 1.0, 3.0, 4.0, 1.7e308], dtype=torch.float64)
    powers = power_of_two(sizes)
    assert powers[[0, 2, 3, 4, 5]].tolist() == [5e-324, 1.0, 1.0, 2.0, 4.0]
    assert all(abs(torch.frexp(p).mantissa) == 0.5 for p in powers)
    share = sizes / powers
    assert ((share >= 1) & (share < 2))[sizes > 0].all()


@pytest.mark.parametrize("size", [Fraction(1), Fraction(10) ** 600, Fraction(1, 10**640)])
def test_roots_are_on_their_sides(size: Fraction):
    for exact in (2 * size, Fraction(2, 3) * size, size * 5**21):
        low, high = root_down(exact), root_up(exact)
        assert low**2 < exact < high**2
        assert high / low - 1 <= Fraction(1, 2**59)
    for exact in (Fraction(x) for x in (0.0, 5e-324, 0.1, 3.0, 1.7e308)):
        assert root_down(exact**2) == root_up(exact**2) == exact


@pytest.mark.parametrize("size", [1e-300, 1e-200, 1.0, 1e200], ids=repr)
def test_root_mean_squares_of_quadratics(size: float):
    """sqrt((1 + 9) / 2) and, of the differences from the mean, 1."""
    problem = QuadraticSum((((size,),), ((3 * size,),)))
    L_avg, delta = (
        constant(problem, AverageSmooth, "L_avg"),
        constant(problem, ExpectedSimilarity, "delta_avg"),
    )
    exact = (Fraction(size) ** 2 + Fraction(3 * size) ** 2) / 2
    assert exact <= Fraction(L_avg) ** 2 <= exact * (1 + Fraction(1, 10**12))
    assert size <= delta * (1 + 1e-15)
    assert delta <= size * (1 + 1e-12)


def test_tiny_matrices_have_a_margin():
    """The Frobenius norm of entries of 1e-200 is not 0."""
    rng = random.Random(0)
    for _ in range(20):
        a, b, c = (rng.uniform(0.5, 1) * 1e-200 for _ in range(3))
        problem = QuadraticSum((((a + c, b), (b, a + c + 1e-200)),))
        matrix = [[Fraction(e) for e in row] for row in problem.hessians[0]]
        L = Fraction(constant(problem, ComponentSmooth, "L_max"))
        # L I - A is positive semidefinite
        (p, q), (_, s) = matrix
        assert p <= L
        assert (L - p) * (L - s) >= q * q


@pytest.mark.parametrize("size", [1e-155, 1e-100, 1.0, 1e70], ids=repr)
def test_sums_of_squares(size: float):
    """Rows (a) and (2a): L = mu = 5 a^2 / 2, L_avg = a^2 sqrt(17 / 2)."""
    problem = LinkSum("square", ((size,), (2 * size,)))
    exact = Fraction(size) ** 2
    L, mu = constant(problem, Smooth, "L"), constant(problem, StronglyConvex, "mu")
    pl, L_avg = constant(problem, PL, "mu_pl"), constant(problem, AverageSmooth, "L_avg")
    assert Fraction(mu) == Fraction(pl) <= exact * 5 / 2 <= Fraction(L)
    assert Fraction(L_avg) ** 2 >= exact**2 * Fraction(17, 2)
    assert Fraction(L) / Fraction(mu) <= 1 + Fraction(1, 10**12)
    assert Fraction(L_avg) ** 2 <= exact**2 * Fraction(17, 2) * (1 + Fraction(1, 10**12))


@pytest.mark.parametrize(
    "problem",
    [
        LinkSum("square", ((1e160,), (2e160,))),
        LinearMap(Huber(), ((1e160,),)),
        LinkSum("square", ((1e-170,), (2e-170,))),
        LinkSum("log-cosh", ((5e-324, 5e-324), (0.0, 5e-324))),
        LinkSum("logistic", ((5e-324, 5e-324), (0.0, 5e-324))),
    ],
    ids=repr,
)
def test_constants_beyond_the_floats_are_left_out(problem: Problem):
    assert problem.certified
    assert not any(isinstance(c.assumption, StronglyConvex) for c in problem.certified)


def test_a_map_with_tiny_entries():
    """cosh(a x): mu <= a^2 <= L0, and L1 = |a|."""
    problem = LinearMap(CoshRidge((1.0,)), ((3e-162,),))
    square = Fraction(3e-162) ** 2
    assert Fraction(constant(problem, StronglyConvex, "mu")) <= square
    assert Fraction(constant(problem, HessianL0L1, "L0_hessian")) >= square
    assert constant(problem, HessianL0L1, "L1_hessian") == pytest.approx(3e-162, rel=1e-13)
    assert problem.x_star_error < 1e-10


@pytest.mark.parametrize("height", [2.7e-162, 1e-200, 1.0, 1e200], ids=repr)
def test_root_mean_squares_of_sums(height: float):
    problem = Mean((Scaled(Huber(), height), Scaled(Huber(), 2 * height)))
    L_avg = constant(problem, AverageSmooth, "L_avg")
    exact = Fraction(height) ** 2 * Fraction(5, 2)
    assert exact <= Fraction(L_avg) ** 2 <= exact * (1 + Fraction(1, 10**14))
    same = Mean((Scaled(Huber(), height),) * 2)
    assert constant(same, AverageSmooth, "L_avg") == height
    mixed = Mean((Scaled(Huber(), height), Huber()))
    assert Fraction(constant(mixed, AverageSmooth, "L_avg")) ** 2 >= (Fraction(height) ** 2 + 1) / 2
