"""Softplus and its divergence against exact rational-precision evaluation."""

import math

import pytest
import sympy
import torch

from problems.softplus import softplus, softplus_divergence


def exact(m: float, delta: float) -> float:
    a, b = sympy.Rational(m), sympy.Rational(delta)
    one = sympy.Integer(1)
    value = sympy.log(1 + sympy.exp(a + b)) - sympy.log(1 + sympy.exp(a)) - b / (one + sympy.exp(-a))
    return float(value.evalf(40, maxn=400))


@pytest.mark.parametrize("m", [-60.0, -5.0, -0.3, 0.0, 2.0, 30.0])
@pytest.mark.parametrize("delta", [-90.0, -3.0, -1.0, -1e-2, -1e-9, 1e-12, 0.7, 1.0, 1.5, 70.0])
def test_divergence_has_full_relative_accuracy(m: float, delta: float):
    found = softplus_divergence(*torch.tensor([m, delta], dtype=torch.float64))
    assert float(found) == pytest.approx(exact(m, delta), rel=2e-14, abs=0)


def test_softplus_does_not_round_at_twenty():
    assert float(softplus(torch.tensor(21.0).double())) - 21.0 == pytest.approx(math.exp(-21.0), rel=1e-5)
    assert float(softplus(torch.tensor(-700.0).double())) == pytest.approx(math.exp(-700.0), rel=1e-13, abs=0)
    assert float(softplus(torch.tensor(1e4).double())) == 1e4
