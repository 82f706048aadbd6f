"""What does not imply what: each premise is certified, each conclusion refuted at the stated points."""

import math

import pytest
import torch

from assumptions import Convex, closure
from problems import Quadratic
from problems.counterexamples import COUNTEREXAMPLES, Counterexample

each = pytest.mark.parametrize("row", COUNTEREXAMPLES, ids=lambda row: row.name)


@each
def test_the_premises_are_certified(row: Counterexample):
    known = [c.assumption for c in closure(row.on.certified)]
    for premise in row.holds:
        assert any(premise.implied_by(k) for k in known), f"{premise} is not certified, known: {known}"


@each
def test_the_conclusion_is_refuted_at_the_points(row: Counterexample):
    found = row.fails.check(row.on, *row.tensors())
    assert found.verdict == "refuted"
    assert found.ratio >= row.ratio


@each
def test_the_conclusion_is_not_implied(row: Counterexample):
    assert not any(row.fails.implied_by(c.assumption) for c in closure(row.on.certified))


def test_names_are_unique():
    names = [row.name for row in COUNTEREXAMPLES]
    assert len(set(names)) == len(names)


def test_points_that_break_nothing_are_refused():
    fields = ("x", "claim", Quadratic((1.0, 10.0)), (), Convex(), ((0.0, 0.0), (1.0, 0.0)))
    found = Counterexample(*fields, ratio=2.0, lesson="")
    assert found.fails.check(found.on, *found.tensors()).verdict == "not refuted"
    for ratio in (1.0, math.nan):
        with pytest.raises(ValueError, match="ratio > 1"):
            Counterexample(*fields, ratio=ratio, lesson="")
    assert found.tensors()[0].dtype == torch.float64
