"""What is known of f is known of its only term."""

import pytest
import torch

from assumptions import IMPLICATIONS, closure
from assumptions.base import EVERYWHERE
from assumptions.implications.one_term import ONE_TERM
from assumptions.sums.component_convex import ComponentConvex
from assumptions.sums.component_l0l1 import ComponentL0L1
from assumptions.sums.component_lipschitz import ComponentLipschitz
from assumptions.sums.component_smooth import ComponentSmooth
from assumptions.sums.component_strongly_convex import ComponentStronglyConvex
from assumptions.sums.interpolation import Interpolation
from assumptions.sums.star_variance import StarVariance
from problems import INSTANCES, AbsAffine, CoshRidge, Huber, LogCoshRidge, LogSumExp, Quadratic

SAID = (*{row.gives for row in ONE_TERM}, StarVariance)
ALONE = [p for p in INSTANCES if p.n_terms == 1 and p.d <= 6]


def said_of_the_term(problem):
    found = closure(problem.certified, (*IMPLICATIONS, *ONE_TERM))
    return [c.assumption for c in found if isinstance(c.assumption, SAID) and c.region == EVERYWHERE]


@pytest.mark.parametrize(
    "problem", [LogCoshRidge((1.0, -0.5)), LogSumExp(4, 3, seed=2)], ids=["ridge", "lse"]
)
def test_a_projection_from_far_away_refutes_nothing(problem):
    """What x - y rounds away is of the size of x, not of y."""
    rng = torch.Generator().manual_seed(0)
    towards = problem.grad(problem.x0 + 10)
    near = problem.x_star + torch.randn(200, problem.d, dtype=torch.float64, generator=rng)
    x = near - 1e6 * towards / towards.norm()
    for statement in (Interpolation(), StarVariance(0.0)):
        assert statement.check(problem, x).verdict == "not refuted"


def test_known_answers():
    assert set(map(repr, said_of_the_term(Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None)))) >= {
        "ComponentStronglyConvex(mu_component=1.0)",
        "ComponentSmooth(L_max=4.0)",
        "Interpolation()",
        "StarVariance(sigma_star=0.0)",
    }
    assert ComponentL0L1(1.0, 1.0) in said_of_the_term(CoshRidge((1.0,)))
    # a kink: the subgradient at the minimiser need not be 0
    assert {type(a) for a in said_of_the_term(AbsAffine((1.0,)))} == {ComponentConvex, ComponentLipschitz}
    assert {type(a) for a in said_of_the_term(Huber())} >= {
        ComponentSmooth,
        Interpolation,
        ComponentLipschitz,
    }
    assert not any(isinstance(a, ComponentStronglyConvex) for a in said_of_the_term(Huber()))


@pytest.mark.parametrize("problem", ALONE, ids=lambda p: repr(p)[:40])
def test_nothing_that_follows_is_refuted(problem):
    for statement in said_of_the_term(problem):
        if not type(statement).lacking(problem):
            assert statement.refute(problem, 200).verdict == "not refuted", statement
