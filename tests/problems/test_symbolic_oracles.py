"""Oracles of formulas: right where floats cancel, overflow or are short."""

import math

import pytest
import sympy as sp
import torch
from torch import Tensor

from assumptions import Assumption, Convex, Lipschitz, Smooth
from problems.symbolic import evaluation
from problems.symbolic.derivatives import Derivatives
from problems.symbolic.evaluation import nearest_floats
from problems.symbolic.problem import SymbolicProblem
from problems.symbolic.twins import TWINS, Twin

LINE, SQUARE = ((-2.0, 2.0),), ((-2.0, 2.0), (-1.0, 2.0))
twins = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: repr(twin.formula))


def inside(problem: SymbolicProblem, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    low, high = (torch.tensor(side, dtype=torch.float64) for side in zip(*problem.box, strict=True))
    return low + (high - low) * torch.rand(*shape, problem.d, dtype=torch.float64, generator=generator)


CANCELLING = (
    ("1/(1 + exp(1000*x))", ((-1.0, 1.0),)),
    ("x*exp(x)/(1 + exp(x))", ((-1.0, 800.0),)),
    ("exp(x)**2/(1 + exp(x)**2)", ((0.0, 400.0),)),
    ("(exp(x) - 1 - x)/x**2", ((1e-6, 1e-3),)),
    ("(1 - cos(x))/x**2", ((1e-8, 1e-7),)),
    ("(exp(x - 1/3) - x - 2/3)/((x - 1/3)**2 + 1e-6)", ((-1.0, 1.0),)),
    ("(x - 1)**7 - (x**7 - 7*x**6 + 21*x**5 - 35*x**4 + 35*x**3 - 21*x**2 + 7*x - 1) + x**2/9", LINE),
    ("sin(x)**2 + cos(x)**2 - 1 + exp(x + y)", SQUARE),
    ("cos(x)*exp(-800)*exp(790)", LINE),
    ("sin(1000000*x)", LINE),
)


@pytest.mark.parametrize(("text", "box"), CANCELLING)
def test_oracles_are_right_where_floats_cancel_or_overflow(text: str, box: tuple):
    """Against sympy's numbers of 60 digits, at generic points and close to an end of the box."""
    problem = SymbolicProblem(text, box)
    low, high = (torch.tensor(side, dtype=torch.float64) for side in zip(*box, strict=True))
    points = torch.cat(
        [inside(problem, 6), low + (high - low) * 1e-3 * inside(problem, 3).abs().clamp(max=1)]
    )
    f = problem.derivatives
    for order, found in ((0, problem.value(points).unsqueeze(-1)), (1, problem.grad(points))):
        for point, row in zip(points.tolist(), found.tolist(), strict=True):
            at = {s: sp.Rational(p) for s, p in zip(f.symbols, point, strict=True)}
            exact = [float(sp.N(e.xreplace(at), 60, maxn=3000)) for e in f.expressions(order)]
            assert row == pytest.approx(exact, rel=600 * 2.3e-16, abs=1e-300)


@pytest.mark.parametrize(
    ("text", "box", "assumption"),
    [
        ("1/(1 + exp(1000*x))", ((-1.0, 1.0),), Lipschitz(251.0)),
        ("x*exp(x)/(1 + exp(x))", ((-1.0, 800.0),), Smooth(1.0)),
        ("(exp(x) - 1 - x)/x**2", ((1e-6, 1e-3),), Convex()),
        ("(exp(x) - 1 - x)/x**2", ((1e-6, 1e-3),), Smooth(1.0)),
        ("(1 - cos(x))/x**2", ((1e-8, 1e-7),), Smooth(1.0)),
    ],
)
def test_true_statements_of_cancelling_formulas_are_not_refuted(
    text: str, box: tuple, assumption: Assumption
):
    assert assumption.refute(SymbolicProblem(text, box), budget=1500).verdict == "not refuted"


def test_false_statements_of_cancelling_formulas_are_refuted():
    """(1 - cos x)/x^2 = 1/2 - x^2/24 + ... is concave, with curvature 1/12 at 0."""
    problem = SymbolicProblem("(1 - cos(x))/x**2", ((1e-8, 1e-3),))
    assert Convex().refute(problem, budget=1500).verdict == "refuted"
    assert Smooth(0.97 / 12).refute(problem, budget=1500).verdict == "refuted"


def test_what_is_infinite_among_floats_is_infinite_and_other_rows_are_not_touched():
    problem = SymbolicProblem("exp(x)", ((0.0, 800.0),))
    x = torch.tensor([[1.0], [799.0], [math.nan], [900.0]], dtype=torch.float64)
    assert problem.value(x).tolist()[:2] == [pytest.approx(math.e, rel=1e-15), math.inf]
    assert problem.value(x)[2].isnan()
    assert problem.value(x[1]).shape == ()


@twins
def test_floats_are_trusted_on_ordinary_formulas(twin: Twin, monkeypatch: pytest.MonkeyPatch):
    """Few of 3000 generic rows need balls: the slow path is the exception."""
    asked: list[int] = []

    def counted(f: Derivatives, order: int, point: list[float]) -> list[float]:
        asked.append(order)
        return nearest_floats(f, order, point)

    monkeypatch.setattr(evaluation, "nearest_floats", counted)
    x = inside(twin.formula, 1000)
    for oracle in (twin.formula.value, twin.formula.grad, twin.formula.hessian):
        oracle(x)
    assert len(asked) <= 600


def test_single_precision_is_judged_by_its_own_roundings():
    problem = SymbolicProblem("log(1 + exp(x))", LINE)
    x = inside(problem, 100).float()
    assert problem.value(x).dtype == torch.float32
    assert torch.allclose(problem.value(x).double(), problem.value(x.double()), rtol=1e-5)
