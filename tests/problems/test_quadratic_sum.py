"""Finite sums of quadratics: exact constants, interpolation, certified minimisers."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from assumptions import PL, Assumption, Convex, Smooth, StronglyConvex
from assumptions.sums.average_smooth import AverageSmooth
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.component_weakly_convex import ComponentWeaklyConvex
from assumptions.sums.expected_similarity import ExpectedSimilarity
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_similarity import StarSimilarity
from assumptions.sums.uniform_similarity import UniformSimilarity
from problems.quadratic_sum import QuadraticSum

TERMS = (ComponentSmooth, AverageSmooth, UniformSimilarity, ExpectedSimilarity, StarSimilarity)


def facts(problem: QuadraticSum) -> dict[type, Assumption]:
    return {type(c.assumption): c.assumption for c in problem.certified}


def constant(problem: QuadraticSum, kind: type) -> float:
    fact = facts(problem)[kind]
    return getattr(fact, fact.constants()[0])


def drawn(seed: int, n: int = 4, d: int = 3, size: float = 1.0) -> QuadraticSum:
    """Indefinite terms around a positive definite mean, linear parts without a pattern."""
    rng = np.random.default_rng(seed)
    g = rng.standard_normal((n, d, d)) * size
    a = (g + g.transpose(0, 2, 1)) / 2 + 2 * size * np.eye(d)
    b = rng.standard_normal((n, d)) * size
    hessians = tuple(tuple(tuple(map(float, row)) for row in matrix) for matrix in a)
    return QuadraticSum(hessians, tuple(tuple(map(float, row)) for row in b))


def stacked(problem: QuadraticSum) -> Tensor:
    return torch.tensor(problem.hessians, dtype=torch.float64)


@pytest.mark.parametrize("seed", [0, 1])
def test_terms_and_derivatives(seed: int):
    problem = drawn(seed)
    x = torch.randn(2, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    for j in range(4):
        index = torch.full((2, 5), j)
        leaf = x.clone().requires_grad_(True)
        value = problem.part_value(leaf, index)
        (expected,) = torch.autograd.grad(value.sum(), leaf)
        assert torch.allclose(problem.part_grad(x, index), expected, rtol=1e-12)
        assert torch.allclose(problem.part_grads(x)[..., j, :], expected, rtol=1e-12)
        assert torch.allclose(problem.part_values(x)[..., j], value, rtol=1e-12)
    assert torch.allclose(problem.part_grads(x).mean(-2), problem.grad(x), rtol=1e-11, atol=1e-13)
    assert torch.allclose(problem.part_values(x).mean(-1), problem.value(x), rtol=1e-11, atol=1e-13)
    assert torch.allclose(problem.hvp(x, x), x @ stacked(problem).mean(0), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e6])
def test_constants_are_those_of_the_matrices(seed: int, size: float):
    problem = drawn(seed, size=size)
    a = stacked(problem).numpy()
    mean = a.mean(0)
    exact = {
        Smooth: np.abs(np.linalg.eigvalsh(mean)).max(),
        StronglyConvex: np.linalg.eigvalsh(mean).min(),
        PL: np.linalg.eigvalsh(mean).min(),
        ComponentSmooth: max(np.linalg.norm(m, 2) for m in a),
        AverageSmooth: math.sqrt(np.linalg.eigvalsh((a @ a).mean(0)).max()),
        UniformSimilarity: max(np.linalg.norm(m - mean, 2) for m in a),
        ExpectedSimilarity: math.sqrt(np.linalg.eigvalsh(((a - mean) @ (a - mean)).mean(0)).max()),
        ComponentWeaklyConvex: -min(np.linalg.eigvalsh(m).min() for m in a),
    }
    exact[StarSimilarity] = exact[ExpectedSimilarity]
    if exact[ComponentWeaklyConvex] < 0:
        exact.pop(ComponentWeaklyConvex)
    for kind, value in exact.items():
        assert constant(problem, kind) == pytest.approx(value, rel=1e-12), kind
    for certificate in problem.certified:
        assert certificate.assumption.refute(problem, budget=200).verdict == "not refuted", certificate


@pytest.mark.parametrize("kind", [Smooth, *TERMS], ids=lambda k: k.__name__)
def test_constants_are_tight(kind: type):
    """A short search refutes 0.97 of each: every one is attained along an eigenvector."""
    problem = drawn(1, n=3, d=2)
    value = constant(problem, kind)
    fact = facts(problem)[kind]
    (name,) = fact.constants()
    assert kind(**{name: 0.97 * value}).refute(problem, budget=3000).verdict == "refuted"


@pytest.mark.parametrize(("seed", "size"), [(0, 1.0), (1, 1e-6), (2, 1e6)])
def test_minimisers_are_certified(seed: int, size: float):
    problem = drawn(seed, size=size)
    mean = stacked(problem).mean(0)
    b = torch.tensor(problem.linear, dtype=torch.float64).mean(0)
    solved = torch.linalg.solve(mean, b)
    assert torch.allclose(problem.x_star, solved, rtol=1e-10)
    assert problem.x_star_error <= 1e-14
    assert problem.f_star == pytest.approx(float(-b @ solved / 2), rel=1e-12)
    assert 0 <= problem.f_star_error <= 1e-14 * size
    assert Interpolation not in facts(problem)
    assert problem.unique_star


def test_the_opposite_pair():
    problem = QuadraticSum.opposite_pair(50.0, 1.0)
    assert problem.hessians == (((51.0,),), ((-49.0,),))
    assert constant(problem, ComponentSmooth) == pytest.approx(51, rel=1e-13)
    assert constant(problem, AverageSmooth) == pytest.approx(math.sqrt(2501), rel=1e-13)
    assert constant(problem, Smooth) == pytest.approx(1, rel=1e-13)
    assert constant(problem, UniformSimilarity) == pytest.approx(50, rel=1e-13)
    assert constant(problem, ComponentWeaklyConvex) == pytest.approx(49, rel=1e-13)
    known = facts(problem)
    assert ComponentConvex not in known
    assert Convex in known
    assert ComponentConvex().refute(problem, budget=200).verdict == "refuted"
    assert Interpolation in known


def test_the_coordinates():
    problem = QuadraticSum.coordinates(4)
    assert constant(problem, ComponentSmooth) == pytest.approx(1, rel=1e-13)
    assert constant(problem, AverageSmooth) == pytest.approx(0.5, rel=1e-13)
    assert constant(problem, Smooth) == pytest.approx(0.25, rel=1e-13)
    assert constant(problem, StronglyConvex) == pytest.approx(0.25, rel=1e-13)
    assert constant(problem, UniformSimilarity) == pytest.approx(0.75, rel=1e-13)
    assert {ComponentConvex, Interpolation} <= set(facts(problem))
    assert ComponentStronglyConvex not in facts(problem)


def test_rank_one_terms_with_a_null_direction():
    problem = QuadraticSum.rank_one(((1.0, 2.0, 0.0), (0.0, 1.0, 0.0)), (1.0, 2.0))
    known = facts(problem)
    assert StronglyConvex not in known
    assert not problem.unique_star
    assert {Convex, PL, ComponentConvex, Interpolation} <= set(known)
    assert problem.x_star.tolist() == [-3.0, 2.0, 0.0]
    # f_star is less by mean b_j^2 / 2
    assert problem.f_star == -(1 + 4) / 4
    assert problem.f_star_error == problem.x_star_error == 0
    x = torch.tensor([[1.0, 1.0, 7.0]], dtype=torch.float64)
    assert torch.allclose(problem.nearest_star(x), torch.tensor([[-3.0, 2.0, 7.0]], dtype=torch.float64))


def test_interpolation_needs_the_kernel_of_the_mean_in_every_kernel():
    """The mean of the matrices vanishes on e_2, the matrices do not: e_2 is a minimiser, not of the terms."""
    first, second = ((1.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, -1.0))
    problem = QuadraticSum((first, second))
    known = facts(problem)
    assert Interpolation not in known
    assert StronglyConvex not in known
    assert Interpolation().refute(problem, budget=200).verdict == "refuted"


def test_isotropic_terms_differ_by_linear_functions():
    problem = QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0)))
    assert problem.x_star.tolist() == [0.5, 1.5]
    known = facts(problem)
    # a constant that vanishes is left out
    assert not {UniformSimilarity, ExpectedSimilarity, StarSimilarity, Interpolation} & set(known)
    assert constant(problem, ComponentStronglyConvex) == pytest.approx(2, rel=1e-12)
    assert UniformSimilarity(1e-9).refute(problem, budget=200).verdict == "not refuted"


IDENTITY = ((1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"hessians": ()}, "hessians must be a tuple of matrices"),
        ({"hessians": 3}, "hessians must be a tuple of matrices"),
        ({"hessians": (((1.0, 2.0), (3.0, 1.0)),)}, r"hessians\[0\] must be symmetric"),
        ({"hessians": (IDENTITY, ((1.0,),))}, "hessians must have one size"),
        ({"hessians": (((1.0, 0.0), (0.0, -1.0)),)}, "must be positive semidefinite and not 0"),
        ({"hessians": (((0.0,),),)}, "must be positive semidefinite and not 0"),
        ({"hessians": (((1.0, 0.0), (0.0, 1e-17)),)}, "nonzero eigenvalues above rounding"),
        ({"hessians": (IDENTITY,), "linear": ((1.0,),)}, r"linear must be empty or have shape \(1, 2\)"),
        (
            {"hessians": (((1.0, 1.0), (1.0, 1.0)),), "linear": ((1.0, 0.0),)},
            "in the range of the mean of hessians",
        ),
        ({"hessians": (IDENTITY,), "start": (1.0,)}, "start must be empty or have 2"),
    ],
)
def test_wrong_arguments(arguments: dict, match: str):
    with pytest.raises(ValueError, match=match):
        QuadraticSum(**arguments)


def test_constructors_refuse_what_is_no_float():
    with pytest.raises(ValueError, match=r"products of entries must be floats, got 0.1 \* 0.1"):
        QuadraticSum.rank_one(((0.1, 1.0),))
    with pytest.raises(ValueError, match=r"products of entries must be floats"):
        QuadraticSum.isotropic(0.1, ((0.3,),))
    with pytest.raises(ValueError, match="targets must have 1 entries"):
        QuadraticSum.rank_one(((1.0, 1.0),), (1.0, 2.0))
    with pytest.raises(ValueError, match="m must be finite and > 0"):
        QuadraticSum.opposite_pair(1.0, 0.0)
