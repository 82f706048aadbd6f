"""The room's lists, bad arguments of its families, and known answers."""

import importlib
import inspect
import pkgutil
from typing import Any

import pytest
import torch

import problems
from problems import (
    FULL_INSTANCES,
    INSTANCES,
    PROBLEMS,
    AbsAffine,
    FunctionProblem,
    Huber,
    LeastSquares,
    LogisticRegression,
    Problem,
    Quadratic,
    WeightedL1,
)


def test_every_family_is_on_the_list():
    found = set()
    for info in pkgutil.walk_packages(problems.__path__, "problems."):
        module = importlib.import_module(info.name)
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Problem) and value.__module__ == module.__name__:
                found.add(value)
    assert {c for c in found if not inspect.isabstract(c)} == {*PROBLEMS, FunctionProblem}


def test_every_family_has_instances():
    assert {type(p) for p in INSTANCES} == set(PROBLEMS)
    assert FULL_INSTANCES[: len(INSTANCES)] == INSTANCES
    assert len({repr(p) for p in FULL_INSTANCES}) == len(FULL_INSTANCES)


@pytest.mark.parametrize(
    ("family", "arguments", "message"),
    [
        (Quadratic, {"eigenvalues": ()}, "eigenvalues must have at least one"),
        (Quadratic, {"eigenvalues": (0.0, 0.0)}, "one of them > 0"),
        (Quadratic, {"eigenvalues": (1.0, -1.0)}, "must be >= 0"),
        (Quadratic, {"eigenvalues": (1.0, float("nan"))}, "finite"),
        (Quadratic, {"eigenvalues": 1.0}, "tuple of numbers"),
        (Quadratic, {"eigenvalues": (1.0,), "center": (1.0, 2.0)}, "center must have 1"),
        (Quadratic, {"eigenvalues": (1.0,), "f_star": float("nan")}, "f_star"),
        (Quadratic, {"eigenvalues": (1.0,), "seed": -1}, "seed"),
        (Quadratic, {"eigenvalues": (1.0,), "seed": 1.5}, "seed"),
        (Quadratic, {"eigenvalues": (1.0,), "start": (1.0, 2.0)}, "start"),
        (WeightedL1, {"weights": (0.0,)}, "one of them > 0"),
        (WeightedL1, {"weights": (-1.0, 2.0)}, "must be >= 0"),
        (WeightedL1, {"weights": (1.0, 2.0), "center": (1.0,)}, "center must have 2"),
        (WeightedL1, {"weights": (1.0,), "start": (float("nan"),)}, "start"),
        (AbsAffine, {"a": (0.0, 0.0)}, "a must not be 0"),
        (AbsAffine, {"a": ("x",)}, "tuple of numbers"),
        (AbsAffine, {"a": (1.0,), "b": float("inf")}, "b must be finite"),
        (AbsAffine, {"a": (1.0,), "start": (1.0, 2.0)}, "start"),
        (Huber, {"L": 0.0}, "L must be"),
        (Huber, {"delta": float("nan")}, "delta must be"),
        (Huber, {"d": 0}, "d must be"),
        (Huber, {"d": 2, "start": (1.0,)}, "start"),
        (LeastSquares, {"data": ""}, "data must be"),
        (LogisticRegression, {"data": 3, "reg": 1.0}, "data must be"),
        (LogisticRegression, {"data": "digits", "reg": 0.0}, "reg must be"),
        (LogisticRegression, {"data": "digits", "reg": float("nan")}, "reg must be"),
    ],
)
def test_bad_arguments_are_named(family: type[Problem], arguments: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        family(**arguments)


def test_a_start_of_the_wrong_length_is_named_once_the_data_are_read():
    with pytest.raises(ValueError, match="start must be empty or have 31"):
        _ = LeastSquares("breast_cancer", start=(1.0,)).x0


def test_weighted_l1_attains_the_step_count():
    """ceil(dist^2 / radius^2) = ceil(6 * 1.01^2) = 7 steps reach the minimiser, 6 do not."""
    problem = INSTANCES[2]
    assert isinstance(problem, WeightedL1)
    x, steps = problem.x0, 0
    while not torch.equal(x, problem.x_star):
        x, steps = problem.brox(x, 1.0), steps + 1
        assert steps <= 7
    assert steps == 7


def test_the_absolute_value_is_walked_to_zero():
    problem = INSTANCES[0]
    x = problem.x0
    for expected in (4.3, 3.3, 2.3, 1.3, 0.3, 0.0, 0.0):
        x = problem.brox(x, 1.0)
        assert x.item() == pytest.approx(expected, abs=1e-14)
    assert x.item() == 0


def test_small_gaps_are_seen():
    """A gap of 1e-24 of the start is far below the rounding of value - f_star."""
    for problem in (LeastSquares("breast_cancer"), LogisticRegression("breast_cancer", reg=0.1)):
        direction = torch.linspace(-1, 1, problem.d, dtype=torch.float64)
        far, near = (problem.gap(problem.x_star + h * direction) for h in (1e-3, 1e-11))
        assert float(near / far) == pytest.approx(1e-16, rel=1e-2)


@pytest.mark.gpu
@pytest.mark.parametrize("problem", INSTANCES, ids=repr)
def test_oracles_follow_the_device(problem: Problem):
    x = (problem.x0 + 1).cuda()
    for result in (
        problem.value(x),
        problem.grad(x),
        problem.gap(x),
        problem.brox(x, 0.1),
        problem.prox(x, 0.1),
    ):
        assert result.is_cuda


def test_subgradients_at_kinks_are_zero():
    assert torch.equal(INSTANCES[0].grad(torch.zeros(1).double()), torch.zeros(1).double())
    assert torch.equal(INSTANCES[2].grad(torch.zeros(6).double()), torch.zeros(6).double())
    assert torch.equal(Huber(d=3).grad(torch.zeros(3).double()), torch.zeros(3).double())
