"""Properties that hold for all arguments: of proximal and ball steps, of gradients, of implications."""

import dataclasses
import math

import numpy as np
import pytest
import sympy as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from assumptions import IMPLICATIONS, Assumption, ConstantPhi, Implies, PhiSmooth
from problems import INSTANCES, Problem
from problems.symbolic.twins import TWINS, Twin

EPS = torch.finfo(torch.float64).eps
few = settings(max_examples=30, deadline=None, derandomize=True)
numbers = st.floats(-1e3, 1e3, allow_nan=False)
scales = st.floats(-3, 2).map(lambda e: 10.0**e)


def holds(problem: Problem, name: str) -> bool:
    return any(type(c.assumption).__name__ == name for c in problem.certified)


def exact(problem: Problem, oracle: str) -> bool:
    """Offered, and exact up to rounding."""
    return (
        problem.offers(oracle)
        and oracle not in problem.oracle_errors
        and bool(problem.contains(problem.x0 * 1e3))
    )


CONVEX_PROX = [p for p in INSTANCES if exact(p, "prox") and holds(p, "Convex") and p.d <= 4]
WITH_BROX = [p for p in INSTANCES if exact(p, "brox") and p.offers_brox() and p.d <= 4]


def point(data: st.DataObject, problem: Problem) -> Tensor:
    entries = data.draw(st.lists(st.floats(-30, 30), min_size=problem.d, max_size=problem.d))
    return problem.into_domain(torch.tensor(entries, dtype=torch.float64))


@pytest.mark.parametrize("problem", CONVEX_PROX, ids=repr)
@few
@given(st.data(), scales)
def test_proximal_steps_are_firmly_nonexpansive(problem: Problem, data: st.DataObject, stepsize: float):
    """|p - q|^2 <= <p - q, x - y> for p = prox(x), q = prox(y): what monotone subgradients amount to."""
    x, y = point(data, problem), point(data, problem)
    p, q = problem.prox(x, stepsize), problem.prox(y, stepsize)
    size = 1 + float(x.norm() + y.norm() + p.norm() + q.norm())
    assert float((p - q) @ (p - q) - (p - q) @ (x - y)) <= 256 * EPS * size * (1 + float((x - y).norm()))


@pytest.mark.parametrize("problem", WITH_BROX, ids=repr)
@few
@given(st.data(), scales, st.floats(1.0, 3.0))
def test_ball_steps_stay_in_the_ball_and_larger_balls_are_better(
    problem: Problem, data: st.DataObject, radius: float, factor: float
):
    x = point(data, problem)
    small, large = problem.brox(x, radius), problem.brox(x, factor * radius)
    room = 64 * EPS * (1 + float(x.norm()) + radius)
    assert float((small - x).norm()) <= radius + room
    value = problem.value(torch.stack([x, small, large]))
    slack = 64 * EPS * (1 + float(value.abs().max())) + room * float(problem.grad(small).norm())
    assert value[1] <= value[0] + slack
    assert value[2] <= value[1] + slack
    share = torch.rand(50, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    direction = torch.randn(50, problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inside = x + share * radius * direction / direction.norm(dim=-1, keepdim=True)
    assert (value[1] <= problem.value(inside) + slack).all()


# -- gradients by a complex step --------------------------------------------------------------------

STEP = 1e-30


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: repr(twin.problem))
def test_gradient_by_a_complex_step(twin: Twin):
    """Im f(x + i h e_j) / h of the formula, which cancels nothing, is the gradient of the problem."""
    names = ("x1", "x2") if "x1" in twin.formula.expr else ("x", "y")
    formula = sp.lambdify(names[: twin.problem.d], sp.sympify(twin.formula.expr), "numpy")
    low, high = (torch.tensor(side, dtype=torch.float64) for side in zip(*twin.formula.box, strict=True))
    share = torch.rand(20, twin.problem.d, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    for x in low + share * (high - low):
        moved = x.numpy() + 1j * STEP * np.eye(twin.problem.d)
        expected = torch.tensor([complex(formula(*row)).imag / STEP for row in moved], dtype=torch.float64)
        grad = twin.problem.grad(x)
        assert torch.allclose(grad, expected, rtol=1e-10, atol=1e-13 * (1 + float(grad.abs().max())))


# -- implications -----------------------------------------------------------------------------------

PLAIN = [
    row
    for row in IMPLICATIONS
    if len(row.premises) == 1 and row.premises[0].sense and row.premises[0].constants()[0] != "h"
    if row.proof != "the same inequality"  # its conclusion holds the constants in a function
]


def made(kind: type[Assumption], values: list[float]) -> Assumption:
    """The assumption with these constants, one entry for each where there is one per layer."""
    fields = {"phi": ConstantPhi()} if kind is PhiSmooth else {}
    named = zip(kind.constants(), values, strict=True)
    return kind(**fields, **{n: (v, 2 * v) if n.endswith("_i") else v for n, v in named})


@pytest.mark.parametrize("row", PLAIN, ids=lambda row: f"{row.premises[0].__name__} {row.proof}")
@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_a_stronger_premise_gives_a_conclusion_as_strong(row: Implies, data: st.DataObject):
    (kind,) = row.premises
    positive = st.floats(1e-6, 1e6)
    weak = made(kind, [data.draw(positive) for _ in kind.constants()])
    factors = [data.draw(st.floats(1.0, 10.0)) ** kind.sense[name] for name in kind.constants()]

    def better(value, factor):
        return tuple(v * factor for v in value) if isinstance(value, tuple) else value * factor

    names = dict(zip(kind.constants(), factors, strict=True))
    strong = dataclasses.replace(weak, **{n: better(getattr(weak, n), f) for n, f in names.items()})
    assert weak.implied_by(strong)
    from_weak, from_strong = row.rule(weak), row.rule(strong)
    if from_weak is not None:
        assert from_strong is not None
        assert from_weak.implied_by(from_strong)


def test_the_factor_of_the_local_form_is_rounded_outward():
    from assumptions import ExponentialL0L1, LocalL0L1

    (row,) = [r for r in IMPLICATIONS if r.premises == (ExponentialL0L1,) and "ln 2" in r.proof]
    local = row.rule(ExponentialL0L1(1.0, 1.0))
    assert isinstance(local, LocalL0L1)
    assert 1 / math.log(2) < local.L0 < 1 / math.log(2) * (1 + 1e-15)
