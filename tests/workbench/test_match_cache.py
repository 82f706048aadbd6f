"""Certificates are asked of each problem once, and of no other in its place."""

import gc
import weakref
from dataclasses import dataclass, field

import pytest

from assumptions import Certificate, Convex, Smooth
from problems import LogLoss
from workbench.match import _PROVED, match
from workbench.theorems import THEOREMS

SMOOTH = next(t for t in THEOREMS if set(t.assumes) == {Smooth} and not isinstance(t.norm, tuple))


@dataclass(frozen=True)
class Loss(LogLoss):
    """Equal to others of its kind whatever constant it proves."""

    L: float = field(default=5.0, compare=False, repr=False)
    asked: list[None] = field(default_factory=list, compare=False, repr=False)

    @property
    def certified(self):
        self.asked.append(None)
        if self.L < 0:
            raise ArithmeticError("no constant")
        return (Certificate(Convex(), "toy"), Certificate(Smooth(self.L), "toy"))


def constants(problem):
    found = match(SMOOTH, problem)
    assert not isinstance(found, str), found
    return {case.constants["L"] for case in found}


def test_equal_problems_keep_constants_of_their_own():
    five, six = Loss((1.0, -2.0), L=5.0), Loss((1.0, -2.0), L=6.0)
    assert five == six
    assert constants(five) == {5.0}
    assert constants(six) == {6.0}
    often = len(five.asked)
    assert constants(five) == {5.0}
    assert len(five.asked) == often


def test_an_entry_goes_with_its_problem_and_its_number_is_free_again():
    for L in (5.0, 6.0, 7.0, 8.0):  # made where the one before was
        problem = Loss((1.0, -2.0), L=L)
        assert constants(problem) == {L}
        key, gone = id(problem), weakref.ref(problem)
        assert key in _PROVED
        del problem
        gc.collect()
        assert gone() is None
        assert key not in _PROVED


def test_what_raises_is_asked_again():
    problem = Loss((1.0, -2.0), L=-1.0)
    for _ in range(2):
        with pytest.raises(ArithmeticError, match="no constant"):
            match(SMOOTH, problem)
    assert id(problem) not in _PROVED
