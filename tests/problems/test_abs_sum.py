"""Means of absolute values: the minimiser built in, constants, arguments."""

from typing import Any

import pytest
import torch
from torch import Tensor

from assumptions import Assumption, Convex, Lipschitz, StronglyConvex
from assumptions.specification import parse_specification
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from problems.abs_sum import AbsSum
from problems.abs_sum_facts import kink_modulus, largest_slope
from tests.problems.abs_toys import CURVED, FLAT, OPEN, PARALLEL, indices, members, normal, tensor


def facts(problem: AbsSum) -> dict[type, Assumption]:
    return {type(c.assumption): c.assumption for c in problem.certified}


def written_out(problem: AbsSum, x: Tensor) -> Tensor:
    """Mean |<a_j, x> - b_j| + mu/2 |x - c - g / mu|^2 - |g|^2 / (2 mu), b_j = <a_j, c> - r_j."""
    a, c = tensor(problem.rows), problem.x_star
    r = tensor(problem.residuals or (0.0,) * problem.n_terms)
    value = (x @ a.mT - (a @ c - r)).abs().mean(dim=-1)
    if problem.mu == 0:
        return value
    g = tensor(problem.signs) @ a / problem.n_terms
    square = (x - c - g / problem.mu).square().sum(dim=-1) - (g / problem.mu).square().sum()
    return value + problem.mu / 2 * square


@members
def test_value_is_the_formula(problem: AbsSum):
    x = problem.x_star + 2 * normal(3, 5, problem.d)
    assert torch.allclose(problem.value(x), written_out(problem, x), rtol=1e-13, atol=1e-14)
    assert float(problem.value(problem.x_star)) == problem.f_star
    assert problem.f_star == pytest.approx(float(written_out(problem, problem.x_star)), abs=1e-15)
    assert (problem.gap(problem.x_star + 1e-9 * normal(200, problem.d)) >= 0).all()
    assert torch.allclose(problem.part_values(x).mean(-1), problem.value(x), rtol=1e-13, atol=1e-13)
    j = indices(problem.n_terms, 3, 5)
    assert torch.equal(problem.part_value(x, j), problem.part_values(x).gather(-1, j[..., None])[..., 0])


@members
def test_gradients_are_those_of_the_values(problem: AbsSum):
    x = (problem.x_star + 2 * normal(3, 5, problem.d)).requires_grad_(True)
    (expected,) = torch.autograd.grad(problem.value(x).sum(), x)
    x = x.detach()
    assert torch.allclose(problem.grad(x), expected, rtol=1e-12, atol=1e-14)
    assert torch.allclose(problem.part_grads(x).mean(-2), expected, rtol=1e-12, atol=1e-14)
    j = indices(problem.n_terms, 3, 5, 3)
    every = problem.part_grads(x)
    rows = j.unsqueeze(-1).expand(3, 5, 3, problem.d)
    assert torch.allclose(problem.batch_grad(x, j), every.gather(-2, rows).mean(-2), rtol=1e-12, atol=1e-14)
    assert problem.grad(torch.full((problem.d,), torch.nan, dtype=torch.float64)).isnan().all()


@members
def test_subgradients_at_the_minimiser(problem: AbsSum):
    """Mean 0, and each supports its term everywhere."""
    u, star = problem.star_grads, problem.x_star
    assert u.shape == (problem.n_terms, problem.d)
    assert torch.allclose(u.mean(0), torch.zeros(problem.d).double(), atol=1e-16)
    assert (problem.grad(star) == 0).all()
    x = star + normal(300, problem.d) * tensor([1e-6, 1.0, 1e3]).repeat(100)[:, None]
    line = problem.part_values(star) + (x - star) @ u.mT + problem.mu / 2 * (x - star).square().sum(-1, True)
    scale = 1e-14 * (1 + problem.part_values(x).abs() + line.abs())
    assert (problem.part_values(x) >= line - scale).all()


def test_uniqueness_is_proved():
    assert CURVED.unique_star
    assert FLAT.unique_star
    assert not OPEN.unique_star
    assert not OPEN.offers("nearest_star")
    assert OPEN.gap(tensor([0.9])) == 0
    with pytest.raises(TypeError, match="solution set"):
        OPEN.nearest_star(tensor([0.0]))
    # 0.5 |y_1| / 4 twice and 0.5 |2 y_2| / 4; the other sign is 1
    assert PARALLEL.unique_star
    assert (CURVED.nearest_star(normal(3, 2)) == CURVED.x_star).all()


@members
def test_certificates_are_not_refuted(problem: AbsSum):
    found = facts(problem)
    assert {Convex, ComponentConvex} <= set(found)
    for assumption in found.values():
        assert assumption.refute(problem, budget=300).verdict == "not refuted"


def test_constants_are_tight():
    assert facts(CURVED)[StronglyConvex] == StronglyConvex(0.5)
    assert StronglyConvex(0.5 / 0.97).refute(CURVED, budget=3000).verdict == "refuted"
    assert ComponentStronglyConvex(0.5 / 0.97).refute(CURVED, budget=3000).verdict == "refuted"
    # signs (1, -1, 1, 1, 1) give (3, -1, 2) / 5, (1, 1, 1, 1, 0) give (2, 2, 2) / 5 and +-(1, -1, 0) / 5
    assert largest_slope(FLAT.rows) == pytest.approx(14**0.5 / 5, rel=1e-15)
    assert facts(FLAT)[Lipschitz] == Lipschitz(largest_slope(FLAT.rows))
    assert Lipschitz(0.97 * largest_slope(FLAT.rows)).refute(FLAT, budget=3000).verdict == "refuted"
    longest = 3**0.5
    component = facts(FLAT)[ComponentLipschitz]
    assert isinstance(component, ComponentLipschitz)
    assert component.G_max == pytest.approx(longest, rel=1e-15)
    assert ComponentLipschitz(0.97 * longest).refute(FLAT, budget=3000).verdict == "refuted"
    many = ((1.0, 0.0), (0.0, 1.0)) * 10
    assert largest_slope(many) == 1.0


def test_modulus_of_the_kinks():
    # the smallest singular value of ((1, 0), (1, 1))
    assert kink_modulus(((1.0, 0.0), (1.0, 1.0))) == pytest.approx(2 / (5**0.5 - 1), rel=1e-13)
    assert kink_modulus(((2.0, 0.0), (2.0, 0.0))) == pytest.approx(0.5, rel=1e-13)
    assert kink_modulus(((1.0,) * 8,) * 30) == float("inf")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rows": ()}, "rows must have at least one"),
        ({"rows": ((0.0, 0.0),)}, "rows must not be 0"),
        ({"signs": (0.5,)}, "signs must have 2"),
        ({"signs": (0.5, 1.5)}, r"signs must be in \[-1, 1\]"),
        ({"mu": -1.0}, "mu must be finite and >= 0"),
        ({"mu": 0.0}, "mu must be > 0 where the mean"),
        ({"residuals": (1.0, 0.0)}, "residuals must be 0 or of sign"),
        ({"residuals": (0.0, -1.0)}, "residuals must be 0 or of sign"),
        ({"residuals": (0.0,)}, "residuals must have 2"),
        ({"center": (0.0,)}, "center must have 1|center must have 2"),
        ({"start": (0.0, 1.0, 2.0)}, "start must be empty"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str):
    good: dict[str, Any] = {"rows": ((1.0, 2.0), (0.5, 0.0)), "signs": (0.5, 1.0), "mu": 0.1}
    assert AbsSum(**good, residuals=(0.0, 2.0)).f_star == 1.0
    with pytest.raises(ValueError, match=message):
        AbsSum(**{**good, **arguments})


@members
def test_repr_is_the_call(problem: AbsSum):
    assert parse_specification(repr(problem), {"AbsSum": AbsSum}) == problem
