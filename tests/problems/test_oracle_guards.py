"""Arguments of the oracles of all families that do not fit: the error names them."""

import math
from typing import Any

import pytest
import torch

from assumptions import EUCLIDEAN, Lp
from assumptions.weighted import Weighted
from problems import (
    INSTANCES,
    AbsAffine,
    EuclideanNorm,
    GeneralQuadratic,
    Hinge,
    Huber,
    LInfNorm,
    LogSumExp,
    MaxAffine,
    Quadratic,
    WeightedL1,
)
from problems.ball_oracle import BallOracle
from problems.base import Problem
from problems.oracle_guards import positive_step

BALLS = tuple({type(p): p for p in INSTANCES if isinstance(p, BallOracle) and p.d < 20}.values())
families = pytest.mark.parametrize("problem", BALLS, ids=repr)
X = torch.zeros(3, 2, dtype=torch.float64)


@pytest.mark.parametrize("shape", [(5, 1), (3,), (3, 2), (1, 3), (0, 1), (4, 1, 3, 2)])
def test_steps_of_the_wrong_shape(shape: tuple[int, ...]):
    with pytest.raises(ValueError, match=r"radius must be .* x of shape \(3, 2\), got shape"):
        WeightedL1((1.0, 2.0)).brox(X, torch.ones(shape))
    with pytest.raises(ValueError, match=r"stepsize must be .* x of shape \(3, 2\), got shape"):
        WeightedL1((1.0, 2.0)).prox(X, torch.ones(shape))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (3, 1), (4, 1, 1), (4, 3, 1)])
def test_steps_that_broadcast(shape: tuple[int, ...]):
    t = positive_step(X, 2, radius=torch.ones(shape))
    assert (t.shape, t.dtype) == (shape, torch.float64)
    whole = torch.broadcast_shapes(shape, X.shape) if shape else X.shape
    assert WeightedL1((1.0, 2.0)).brox(X + 1, t).shape == whole


@families
def test_norms_of_another_space(problem: BallOracle):
    norm, x = Weighted((1.0,) * (problem.d + 1)), problem.x0
    assert not problem.offers_brox(norm)
    assert not problem.offers_dist(norm)
    with pytest.raises(ValueError, match=rf"norm must be one on R\^{problem.d}, .* got Weighted"):
        problem.brox_step(x, 1.0, norm)
    with pytest.raises(TypeError, match="norm must be a Norm"):
        problem.brox_step(x, 1.0, 3)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "problem",
    [
        AbsAffine((1.0, 2.0)),
        LInfNorm(2),
        WeightedL1((1.0, 2.0)),
        Quadratic((1.0, 2.0)),
        Huber(d=2),
        EuclideanNorm(2),
        MaxAffine(2),
    ],
    ids=repr,
)
def test_projections_in_norms_of_another_space(problem: Problem):
    nearest: Any = problem.nearest_star  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(ValueError, match=r"norm must be one on R\^2"):
        nearest(X, Weighted((1.0, 2.0, 3.0)))
    with pytest.raises(TypeError, match="norm must be a Norm"):
        nearest(X, 3)
    assert problem.offers_dist(EUCLIDEAN)
    assert problem.offers_dist(Lp(math.inf)) == problem.offers_dist(Weighted((1.0, 2.0), math.inf))


@pytest.mark.parametrize(
    ("make", "arguments", "name"),
    [
        (AbsAffine, {"a": (1.0,), "b": "x"}, "b"),
        (AbsAffine, {"a": (1.0,), "b": math.nan}, "b"),
        (AbsAffine, {"a": (1.0,), "b": 10**400}, "b"),
        (AbsAffine, {"a": ("1.0",)}, "a"),
        (Hinge, {"a": "12"}, "a"),
        (MaxAffine, {"f_star": "a"}, "f_star"),
        (LogSumExp, {"f_star": "a"}, "f_star"),
        (Quadratic, {"eigenvalues": (1.0,), "f_star": "a"}, "f_star"),
        (GeneralQuadratic, {"hessian": ((1.0,),), "f_star": "a"}, "f_star"),
        (Hinge, {"a": (10**400,)}, "a"),
        (Huber, {"start": ("a",)}, "start"),
        (Huber, {"start": 3.0}, "start"),
        (LInfNorm, {"d": 2, "center": "12"}, "center"),
        (Weighted, {"weights": "12"}, "weights"),
        (Weighted, {"weights": ("1", "2")}, "weights"),
    ],
)
def test_text_and_what_overflows_is_no_number(make: Any, arguments: dict[str, Any], name: str):
    with pytest.raises((TypeError, ValueError), match=f"^{name} must be"):
        make(**arguments)
