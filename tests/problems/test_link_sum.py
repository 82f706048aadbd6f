"""Finite sums of links: terms, certificates, what is known of the minimum."""

import math
from fractions import Fraction

import pytest
import torch
from torch import Tensor

from assumptions import PL, Assumption, Convex, Lipschitz, Smooth, StronglyConvex
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.interpolation import Interpolation
from assumptions.weakly_convex import WeaklyConvex
from problems import LeastSquares, LogisticRegression, LogLoss
from problems.gram import gram_bounds, row_rank
from problems.link_sum import LinkSum
from problems.links import LINKS
from problems.separator import inner_product, separator

ROWS = ((1.0, 0.5, 0.0), (0.5, -1.0, 0.25))
MANY = ((1.0, 0.5), (0.5, -1.0), (-2.0, 0.25), (0.3, 0.3))
SEPARATED = ((1.0, 0.5), (0.5, 1.0), (2.0, -0.25))
every = pytest.mark.parametrize("link", sorted(LINKS))


def facts(problem: LinkSum) -> dict[type, Assumption]:
    return {type(c.assumption): c.assumption for c in problem.certified}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@every
def test_terms_and_derivatives(link: str):
    problem = LinkSum(link, MANY, targets=(0.1, -0.2, 0.3, 1.0), center=(0.5, -1.0))
    x, v = noise(3, 5, 2), noise(3, 5, 2, seed=1)
    leaf = x.clone().requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(leaf).sum(), leaf)
    assert torch.allclose(problem.grad(x), expected, rtol=1e-11, atol=1e-14)
    _, expected = torch.autograd.functional.jvp(problem.grad, x, v)
    assert isinstance(expected, Tensor)
    assert torch.allclose(problem.hvp(x, v), expected, rtol=1e-11, atol=1e-13)
    assert problem.part_grads(x).shape == (3, 5, 4, 2)
    assert problem.part_values(x).shape == (3, 5, 4)
    for j in range(4):
        index = torch.full((3, 5), j)
        leaf = x.clone().requires_grad_(True)
        (expected,) = torch.autograd.grad(problem.part_value(leaf, index).sum(), leaf)
        assert torch.allclose(problem.part_grad(x, index), expected, rtol=1e-11, atol=1e-14)
        assert torch.allclose(problem.part_grads(x)[..., j, :], expected, rtol=1e-11, atol=1e-14)
        assert torch.allclose(problem.part_values(x)[..., j], problem.part_value(x, index), rtol=1e-13)
    assert torch.allclose(problem.part_grads(x).mean(-2), problem.grad(x), rtol=1e-13, atol=1e-15)
    assert torch.allclose(problem.part_value(x), problem.value(x))
    rows = torch.tensor([0, 3, 3]).expand(3, 5, 3)
    for some in (rows, rows.contiguous()):
        assert torch.allclose(
            problem.batch_values(x, some), problem.part_values(x)[..., [0, 3, 3]], rtol=1e-13
        )


@every
@pytest.mark.parametrize(
    ("rows", "size"),
    [(ROWS, 1.0), (MANY, 1e-4), (SEPARATED, 1.0)],
    ids=["wide", "tall and small", "separated"],
)
def test_certificates_are_not_refuted(link: str, rows: tuple, size: float):
    scaled = tuple(tuple(size * e for e in row) for row in rows)
    for targets in ((), tuple(0.3 * (j + 1) for j in range(len(rows)))):
        problem = LinkSum(link, scaled, targets=targets)
        assert problem.certified
        for certificate in problem.certified:
            found = certificate.assumption.refute(problem, budget=100)
            assert found.verdict == "not refuted", (certificate, found)


def test_smoothness_constants_are_tight():
    """All terms have their largest curvature at the center: infinitesimal steps attain every constant."""
    problem = LinkSum("robust", MANY, center=(1.0, -3.0))
    assert problem.x_star is not None
    x = problem.x_star.unsqueeze(0)
    angles = torch.linspace(0, torch.pi, 400, dtype=torch.float64)
    y = x + 1e-4 * torch.stack([angles.cos(), angles.sin()], dim=-1)
    known = facts(problem)
    for kind in (Smooth, ComponentSmooth, AverageSmooth):
        fact = known[kind]
        assert fact.check(problem, x, y).ratio == pytest.approx(1.0, abs=1e-3)
        (name,) = fact.constants()
        smaller = kind(**{name: 0.97 * getattr(fact, name)})
        assert smaller.check(problem, x, y).verdict == "refuted"


def test_weak_convexity_is_tight():
    """At s = 1 the curvature of the link is -1/2."""
    problem = LinkSum("robust", ((2.0, 0.0),))
    known = facts(problem)
    tau = known[WeaklyConvex].tau  # pyright: ignore[reportAttributeAccessIssue]
    assert 2.0 <= tau <= 2.0 * (1 + 1e-13)
    assert known[ComponentWeaklyConvex] == ComponentWeaklyConvex(2.0)
    x = torch.tensor([[0.5, 0.0]], dtype=torch.float64)
    y = x + torch.tensor([[1e-3, 0.0]], dtype=torch.float64)
    for kind in (WeaklyConvex, ComponentWeaklyConvex):
        assert kind(0.97 * 2.0).check(problem, x, y).verdict == "refuted"
        assert known[kind].check(problem, x, y).verdict == "not refuted"
    assert not any(kind in known for kind in (Convex, ComponentConvex))
    assert Convex().check(problem, x, y).verdict == "refuted"


def test_the_lipschitz_constant_is_tight():
    problem = LinkSum("log-cosh", ((1.0, 1.0), (2.0, 2.0)))
    fact = facts(problem)[Lipschitz]
    far = torch.tensor([[50.0, 50.0]], dtype=torch.float64)
    assert float(problem.grad(far).norm()) == pytest.approx(fact.G, rel=1e-12)  # pyright: ignore


def test_least_squares_without_a_direction_is_pl_and_not_strongly_convex():
    problem = LinkSum("square", ((1.0, 0.0, 0.0), (0.0, 2.0, 0.0)), center=(1.0, 2.0, 3.0))
    known = facts(problem)
    assert StronglyConvex not in known
    pl = known[PL]
    assert isinstance(pl, PL)
    assert pl.mu_pl == pytest.approx(0.5, rel=1e-13)
    assert PL(0.5 / 0.97).refute(problem, budget=2000).verdict == "refuted"
    assert not problem.unique_star
    x = 3 * noise(6, 3)
    nearest = problem.nearest_star(x)
    assert torch.allclose(nearest[:, :2], torch.tensor([1.0, 2.0], dtype=torch.float64).expand(6, 2))
    assert torch.allclose(nearest[:, 2], x[:, 2])
    strong = facts(LinkSum("cosh", MANY))[StronglyConvex]
    low = gram_bounds(torch.tensor(MANY, dtype=torch.float64), 4)[0]
    assert strong.mu == pytest.approx(low, rel=1e-12)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("link", ["square", "quartic", "cosh", "log-cosh", "cosine", "robust"])
def test_interpolation_without_targets(link: str):
    problem = LinkSum(link, MANY, center=(0.3, -0.7))
    assert problem.f_star == 0
    assert problem.x_star is not None
    assert not bool(problem.part_grads(problem.x_star).any())
    assert Interpolation in facts(problem)
    assert float(problem.gap(problem.x_star)) == 0
    near = problem.x_star + 1e-9 * noise(4, 2)
    assert (problem.gap(near) > 0).all()


def test_targets_take_the_known_minimum_away():
    problem = LinkSum("robust", MANY, targets=(1.0, 0.0, 0.0, 0.0))
    assert not any(problem.offers(name) for name in ("f_star", "x_star", "nearest_star"))
    assert problem.f_lower == 0
    assert Interpolation not in facts(problem)
    with pytest.raises(TypeError, match="f_star of LinkSum"):
        problem.gap(problem.x0)
    with pytest.raises(TypeError, match="solution set"):
        problem.nearest_star(problem.x0)


@pytest.mark.parametrize("link", ["logistic", "exp"])
def test_separated_rows_have_an_infimum_that_is_not_attained(link: str):
    problem = LinkSum(link, SEPARATED, targets=(1.0, -1.0, 0.5))
    u = separator(SEPARATED)
    assert u is not None
    assert all(inner_product(row, u) > Fraction(0) for row in SEPARATED)
    assert problem.f_star == 0
    assert not problem.offers("x_star")
    sign = 1.0 if link == "logistic" else -1.0
    far = sign * 1e3 * torch.tensor([u], dtype=torch.float64)
    assert float(problem.value(far)) < 1e-100
    mixed = LinkSum(link, ((1.0, 0.0), (-2.0, 0.0)))
    assert mixed.f_star is None
    assert HessianL0L1 not in facts(mixed)


def test_hessian_l0l1_of_sums():
    """Orthogonal rows: l0 max |a|^2 / n and l1 max |a|, tight where one term dominates."""
    problem = LinkSum("cosh", ((2.0, 0.0), (0.0, 2.0)))
    fact = facts(problem)[HessianL0L1]
    assert isinstance(fact, HessianL0L1)
    assert fact.L0_hessian == pytest.approx(2.0, rel=1e-12)
    assert fact.L1_hessian == pytest.approx(2.0, rel=1e-12)
    x = torch.tensor([[0.0, 0.0], [15.0, 0.0]], dtype=torch.float64)
    y = x + torch.tensor([1.0, 0.0], dtype=torch.float64)
    assert fact.check(problem, x, y).ratio == pytest.approx(1.0, abs=1e-9)
    for wrong in (HessianL0L1(0.97 * 2, 2.0), HessianL0L1(2.0, 0.97 * 2)):
        assert wrong.check(problem, x, y).verdict == "refuted"
    single = facts(LinkSum("logistic", ((1.0, -2.0),)))[HessianL0L1]
    (ridge,) = [c.assumption for c in LogLoss((1.0, -2.0)).certified if isinstance(c.assumption, HessianL0L1)]
    assert single.L1_hessian == pytest.approx(ridge.L1_hessian, rel=1e-12)  # pyright: ignore


def test_the_constants_of_one_row_are_false_for_opposite_rows():
    """Gradients of terms cancel and their Hessians do not, so (max |a|^2, max |a|) does not carry over."""
    problem = LinkSum("quartic", ((1.0,), (-1.0,)), targets=(6.0, 6.0))
    assert HessianL0L1(4.0, 1.0).refute(problem, budget=400).verdict == "refuted"
    assert HessianL0L1 not in facts(problem)


@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_rank_is_exact(size: float):
    rows = tuple(tuple(size * e for e in row) for row in ((1.0, 2.0), (2.0, 4.0), (3.0, 6.0)))
    assert row_rank(rows[:2]) == 1
    assert row_rank((rows[0], (rows[0][0], math.nextafter(rows[0][1], math.inf)))) == 2


@pytest.mark.parametrize(
    "problem", [LeastSquares("breast_cancer"), LogisticRegression("breast_cancer", reg=0.01)]
)
def test_terms_of_real_data(problem: LeastSquares | LogisticRegression):
    x = 0.1 * noise(3, problem.d)
    assert torch.allclose(problem.part_grads(x).mean(-2), problem.grad(x), rtol=1e-10, atol=1e-13)
    assert torch.allclose(problem.part_values(x).mean(-1), problem.value(x), rtol=1e-12)
    index = torch.tensor([0, 5, 568])
    picked = torch.arange(3), index
    assert torch.allclose(problem.part_value(x, index), problem.part_values(x)[picked], rtol=1e-12)
    assert torch.allclose(
        problem.batch_values(x, index[:, None])[:, 0], problem.part_value(x, index), rtol=1e-12
    )
    assert torch.allclose(problem.part_grad(x, index), problem.part_grads(x)[picked], rtol=1e-11, atol=1e-14)
    known = {type(c.assumption): c.assumption for c in problem.certified}
    origin = torch.zeros(1, problem.d, dtype=torch.float64)
    rows = problem.part_grads(origin).squeeze(0)
    longest = rows[row_of_largest_norm(problem)]
    top = torch.linalg.eigh((rows.mT * rows.square().sum(-1)) @ rows)[1][:, -1]
    steps = 1e-5 * torch.stack([longest / longest.norm(), top])
    for kind in (ComponentSmooth, AverageSmooth):
        fact = known[kind]
        assert fact.check(problem, origin, steps).verdict == "not refuted"
        # at the origin all terms of the logistic loss have their largest curvature
        assert fact.check(problem, origin, steps).ratio == pytest.approx(1.0, abs=1e-2)
        (name,) = fact.constants()
        smaller = kind(**{name: 0.97 * getattr(fact, name)})
        assert smaller.check(problem, origin, steps).verdict == "refuted"


def row_of_largest_norm(problem: LeastSquares | LogisticRegression) -> int:
    rows = problem._z if isinstance(problem, LogisticRegression) else problem._data[0]
    return int(rows.norm(dim=-1).argmax())


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"link": "cube", "rows": ROWS}, "link must be one of"),
        ({"link": "cosh", "rows": ()}, "rows must have at least one row"),
        ({"link": "cosh", "rows": 3}, "rows must be a tuple of rows"),
        ({"link": "cosh", "rows": ((1.0, 2.0), (1.0,))}, "rows row 1 must have 2"),
        ({"link": "cosh", "rows": ((0.0, 0.0),)}, "rows must not be 0, got row 0"),
        ({"link": "cosh", "rows": ((1.0, float("inf")),)}, "rows row 0 must have finite"),
        ({"link": "cosh", "rows": ROWS, "targets": (1.0,)}, "targets must have 2"),
        ({"link": "cosh", "rows": ROWS, "center": (1.0,)}, "center must have 3"),
        ({"link": "cosh", "rows": ROWS, "start": (1.0,)}, "start must be empty or have 3"),
    ],
)
def test_wrong_arguments(arguments: dict, match: str):
    with pytest.raises(ValueError, match=match):
        LinkSum(**arguments)
