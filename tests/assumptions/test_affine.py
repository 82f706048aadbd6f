"""Affine functions and quadratics are told from others."""

import pytest
import torch

from assumptions import Affine, AffineGradient
from assumptions.sampling import sample_points
from problems import Huber, LogisticRegression, Quadratic, from_function


def linear():
    slope = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    return from_function(lambda x: x @ slope + 3, 3, name="linear")


def cubic():
    return from_function(lambda x: (x**2).sum(-1) + 1e-3 * x[..., 0] ** 3, 2, name="cubic")


@pytest.mark.parametrize(
    ("assumption", "problem", "verdict"),
    [
        (Affine(), linear(), "not refuted"),
        (Affine(), Quadratic((1e-3,), seed=None), "refuted"),
        (AffineGradient(), linear(), "not refuted"),
        (AffineGradient(), Quadratic((1e-3, 1.0, 50.0), f_star=7.0), "not refuted"),
        (AffineGradient(), cubic(), "refuted"),
        (AffineGradient(), Huber(d=2), "refuted"),
        (AffineGradient(), LogisticRegression("breast_cancer", reg=0.01), "refuted"),
    ],
    ids=str,
)
def test_sampling_and_search_agree(assumption, problem, verdict):
    points = sample_points(problem, 400, 2, seed=1)
    assert assumption.check(problem, *points).verdict == verdict
    assert assumption.refute(problem, budget=2000).verdict == verdict
