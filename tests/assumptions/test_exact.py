"""A function taken exactly is that function without noise; no other is."""

import copy
import gc
import pickle
import weakref
from dataclasses import dataclass

import torch

from assumptions import Smooth
from assumptions.exact import is_exact, taken_exactly
from assumptions.rounding import _AT_START, gradient_noise, gradient_rounding, value_noise, value_scale
from assumptions.sums.terms import Terms
from problems import LogLoss, Quadratic, QuadraticSum

X = torch.tensor([[1.5, -0.5], [3.0, 1.0]], dtype=torch.float64)
PROBLEM = LogLoss((1.0, -2.0))


def test_it_has_no_noise_and_the_same_numbers():
    exact = taken_exactly(PROBLEM)
    for noise in (value_noise, gradient_noise, gradient_rounding):
        assert (noise(PROBLEM, X) > 0).all()
        assert (noise(exact, X) == 0).all()
    assert torch.equal(exact.grad(X), PROBLEM.grad(X))
    assert repr(exact) == repr(PROBLEM)
    sides = Smooth(5.0).sides(exact, X[:1], X[1:])
    assert torch.equal(sides.lhs, Smooth(5.0).sides(PROBLEM, X[:1], X[1:]).lhs)
    terms = QuadraticSum((((2.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 3.0))))
    assert (gradient_noise(Terms(taken_exactly(terms)), X.unsqueeze(-2)) == 0).all()  # pyright: ignore


def test_it_is_of_the_class_of_the_function():
    assert isinstance(taken_exactly(PROBLEM), LogLoss)
    assert is_exact(taken_exactly(PROBLEM))
    assert not is_exact(PROBLEM)


@dataclass(frozen=True)
class Exactly(LogLoss):
    """A problem with a field of that name."""

    exact: bool = True


def test_a_field_named_exact_says_nothing_of_rounding():
    assert torch.equal(value_noise(Exactly((1.0, -2.0)), X), value_noise(PROBLEM, X))
    assert (value_noise(Exactly((1.0, -2.0)), X) > 0).all()


def test_copies_and_pickles_are_taken_exactly_too():
    exact = taken_exactly(PROBLEM)
    for other in (copy.copy(exact), copy.deepcopy(exact), pickle.loads(pickle.dumps(exact))):
        assert is_exact(other)
        assert torch.equal(other.grad(X), PROBLEM.grad(X))


def test_what_is_seen_at_a_start_is_kept_for_each_object_and_goes_with_it():
    near, far = Quadratic((1.0, 2.0), start=(1.0, 0.0)), Quadratic((1.0, 2.0), start=(100.0, 0.0))
    assert value_scale(near) < value_scale(far)
    assert value_scale(near) == value_scale(Quadratic((1.0, 2.0), start=(1.0, 0.0)))
    before, gone = len(_AT_START), weakref.ref(near)
    gradient_noise(near, X)
    gradient_noise(near, X.float())
    assert len(_AT_START) == before
    del near
    gc.collect()
    assert gone() is None
    assert len(_AT_START) == before - 1
