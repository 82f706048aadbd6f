"""Formulas as problems: oracles, boxes, minima, certificates."""

import math

import pytest
import sympy as sp
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, PL, Convex, Lp, Smooth, StronglyConvex
from assumptions.specification import parse_specification
from problems.sets import Box
from problems.symbolic.problem import SymbolicProblem
from problems.symbolic.twins import TWINS, Twin

LINE, SQUARE = ((-2.0, 2.0),), ((-2.0, 2.0), (-1.0, 2.0))
twins = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: repr(twin.formula))


def inside(problem: SymbolicProblem, *shape: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    low, high = (torch.tensor(side, dtype=torch.float64) for side in zip(*problem.box, strict=True))
    return low + (high - low) * torch.rand(*shape, problem.d, dtype=torch.float64, generator=generator)


@twins
def test_twins_agree(twin: Twin):
    x = inside(twin.formula, 200)
    v = inside(twin.formula, 200).flip(0)
    value, grad = twin.formula.value(x), twin.formula.grad(x)
    assert torch.allclose(value, twin.problem.value(x), rtol=1e-12, atol=1e-13)
    assert torch.allclose(grad, twin.problem.grad(x), rtol=1e-12, atol=1e-13)
    if twin.problem.offers("hvp"):
        expected = twin.problem.hvp(x, v)  # pyright: ignore[reportAttributeAccessIssue]
        assert torch.allclose(twin.formula.hvp(x, v), expected, rtol=1e-11, atol=1e-12)


@twins
def test_twins_agree_on_the_minimum(twin: Twin):
    if twin.formula.minimum is not None and twin.problem.offers("f_star"):
        assert twin.formula.f_star == pytest.approx(twin.problem.f_star, abs=1e-15)  # pyright: ignore


@twins
def test_derivatives_against_automatic_ones(twin: Twin):
    problem = twin.formula
    x, v = inside(problem, 5).requires_grad_(), inside(problem, 5)
    (g,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x), g, rtol=1e-12, atol=1e-13)
    _, product = torch.autograd.functional.jvp(problem.grad, x, v)
    assert torch.allclose(problem.hvp(x, v), product, rtol=1e-11, atol=1e-12)
    assert torch.allclose(problem.hessian(x), problem.hessian(x).mT)


@pytest.mark.parametrize("text", ["x + 3", "2", "x**2/2 + x*y", "y"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_constants_follow_the_batch_and_nan_stays_in_its_row(text: str, shape: tuple[int, ...]):
    problem = SymbolicProblem(text, SQUARE)
    x = inside(problem, *shape)
    assert problem.value(x).shape == shape
    assert problem.grad(x).shape == problem.hvp(x, x).shape == (*shape, 2)
    assert problem.hessian(x).shape == (*shape, 2, 2)
    if shape:
        clean = problem.grad(x)
        x[0] = torch.nan
        assert problem.value(x)[0].isnan().all()
        assert problem.grad(x)[0].isnan().all()
        assert torch.equal(problem.grad(x)[1:], clean[1:])
    with pytest.raises(ValueError, match="must have shape"):
        problem.value(torch.zeros(2, 3, dtype=torch.float64))


def test_every_function_in_tensors():
    text = "exp(x) + log(x) + sqrt(x) + sin(x) + cos(x) + tan(x) + cot(x) + sinh(x) + cosh(x)"
    text += " + tanh(x) + atan(x) + x**(1/3) + x**-2 + pi*x + E + x**(-1/2)"
    problem = SymbolicProblem(text, ((0.5, 1.5),))
    exact = sum(
        (math.exp(1.0), 0, 1, math.sin(1), math.cos(1), math.tan(1), 1 / math.tan(1), math.sinh(1))
    ) + sum((math.cosh(1), math.tanh(1), math.pi / 4, 1, 1, math.pi, math.e, 1))
    assert float(problem.value(torch.ones(1, dtype=torch.float64))) == pytest.approx(exact, rel=1e-14)
    x = inside(problem, 5).requires_grad_()
    (g,) = torch.autograd.grad(problem.value(x).sum(), x)
    assert torch.allclose(problem.grad(x), g, rtol=1e-12)
    assert problem.f_lower <= float(problem.value(x).detach().min())


def test_the_problem_lives_on_its_box():
    problem = SymbolicProblem("x*y", SQUARE)
    points = torch.tensor([[-2.0, 2.0], [0.0, -1.1], [2.1, 0.0]], dtype=torch.float64)
    assert problem.contains(points).tolist() == [True, False, False]
    assert problem.x0.tolist() == [0.0, 0.5]
    assert SymbolicProblem("x*y", SQUARE, start=(1, 1)).x0.tolist() == [1.0, 1.0]
    assert problem.latex == "x y"
    assert not problem.offers("f_star")
    assert not problem.offers("x_star")
    assert problem.certified == ()


@pytest.mark.parametrize(
    ("text", "box", "message"),
    [
        ("1/x", LINE, r"'1/x' is not seen to be finite on the part \(\(.*, .*e-1"),
        ("log(x)", ((0.0, 1.0),), "not seen to be finite"),
        ("sqrt(x)", ((0.0, 1.0),), "not seen to be finite"),
        ("sqrt(x)", ((-1.0, -0.5),), "not seen to be finite"),
        ("tan(x)", ((0.0, 2.0),), r"the part \(\(1.5707963267"),
        ("log(x + y)", SQUARE, "not seen to be finite"),
        ("atan(1/x)", LINE, "not seen to be finite"),
        ("x", ((1.0, 1.0),), "low < high"),
        ("x", ((1.0, 0.0),), "low < high"),
        ("x", ((0.0, math.inf),), "finite numbers"),
        ("x", ((math.nan, 1.0),), "finite numbers"),
        ("x", (0.0, 1.0), "one or two pairs"),
        ("x", ((0.0, 1.0),) * 3, "one or two pairs"),
        ("x", (), "one or two pairs"),
        ("x + z", LINE, "unknown symbols z"),
    ],
)
def test_bad_formulas_and_boxes_are_named(text: str, box: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        SymbolicProblem(text, box)


def test_steep_but_finite_formulas_are_accepted():
    assert SymbolicProblem("1/(x**2 + 0.0001)", LINE).d == 1
    assert SymbolicProblem("log(x)", ((1e-9, 1.0),)).d == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start": (3.0,)}, "start must be in the box"),
        ({"start": (1.0, 1.0)}, "start"),
        ({"minimiser": (3.0,)}, "minimiser must be in the box"),
        ({"minimiser": (0.9,)}, "could not be proved|within 1e-06"),
        ({"prove": (Smooth(10.0),)}, r"could not be proved: Smooth\(L=10.0\).*disproved at"),
        ({"prove": (Convex(),)}, "disproved"),
        ({"prove": Smooth(1.0)}, "tuple of assumptions"),
    ],
)
def test_bad_arguments_are_named(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        SymbolicProblem("(x**2 - 1)**2/4", LINE, **arguments)


def test_two_equal_minimisers_are_proved_by_the_form():
    problem = SymbolicProblem("(x**2 - 1)**2/4", LINE, minimiser=(1.0,))
    assert (problem.f_star, problem.f_star_error, problem.x_star_error) == (0.0, 0.0, 0.0)
    assert not problem.unique_star
    assert not problem.offers("nearest_star")


def test_a_minimiser_that_is_no_float_is_proved_to_its_error():
    """The minimum of exp(x) - 2 x is at log 2, of value 2 - 2 log 2."""
    star = math.log(2)
    problem = SymbolicProblem("exp(x) - 2*x", LINE, minimiser=(star,))
    assert problem.unique_star
    assert 0 < problem.x_star_error < 1e-14
    assert problem.f_star is not None
    exact = 2 - 2 * sp.log(2)
    assert sp.N(exact - sp.Float(problem.f_star, 60), 40) <= 0
    assert sp.N(exact - sp.Float(problem.f_lower, 60), 40) >= 0
    assert problem.f_star - problem.f_lower < 1e-14
    assert bool((problem.gap(torch.tensor([[star], [1.0]], dtype=torch.float64)) >= 0).all())
    x = inside(problem, 4)
    assert problem.nearest_star is not None
    assert torch.equal(problem.nearest_star(x), torch.full_like(x, star))
    assert torch.equal(problem.nearest_star(x, Lp(1.0)), torch.full_like(x, star))


def test_a_local_minimum_is_refused():
    with pytest.raises(ValueError, match=r"must minimise f on the box.*f is at most"):
        SymbolicProblem("(x**2 - 1)**2/4 + x/10", LINE, minimiser=(0.9456492739235915,))
    assert SymbolicProblem("(x**2 - 1)**2/4 + x/10", LINE, minimiser=(-1.0466805318046022,)).unique_star


def test_minimisers_at_the_border_are_refused():
    with pytest.raises(ValueError, match="could not be proved"):
        SymbolicProblem("exp(x)", LINE, minimiser=(-2.0,))


def test_lower_bounds_are_close():
    problem = SymbolicProblem("exp(x)", LINE)
    assert math.exp(-2) * (1 - 1e-5) <= problem.f_lower <= math.exp(-2)
    tilted = SymbolicProblem("sqrt(1 + x**2 + y**2) - 1 + exp(x)/5", SQUARE)
    least = float(tilted.value(inside(tilted, 100_000)).min())
    assert least - 1e-3 <= tilted.f_lower <= least


def test_what_is_proved_is_certified_on_the_box():
    problem = SymbolicProblem(
        "x**2 + 3*sin(x)**2", ((-4, 5),), prove=(Smooth(8.0), PL(1 / 32)), minimiser=(0.0,)
    )
    smooth, pl = problem.certified
    assert smooth.assumption == Smooth(8.0 * 1.001)
    assert smooth.region == pl.region == Box((-4.0,), (5.0,))
    assert smooth.status == "certified"
    assert smooth.proof.startswith("interval branch and bound over")
    assert isinstance(pl.assumption, PL)
    assert pl.assumption.mu_pl == pytest.approx(1 / 32 / 1.001)
    for certificate in problem.certified:
        checked = certificate.assumption.refute(problem, budget=2000, region=certificate.region)
        assert checked.verdict == "not refuted"
    assert Smooth(7.7).refute(problem, budget=5000, region=smooth.region).verdict == "refuted"
    assert PL(0.25).refute(problem, budget=5000, region=smooth.region).verdict == "refuted"


def test_prints_as_the_call_that_makes_it():
    problem = SymbolicProblem(
        sp.Symbol("x") ** 2 + sp.Rational(1, 3),  # pyright: ignore[reportArgumentType]
        ((-1, 2),),  # pyright: ignore[reportArgumentType]
        prove=(StronglyConvex(2.0, EUCLIDEAN),),
        minimiser=(0.0,),
    )
    text = repr(problem)
    assert text == (
        "SymbolicProblem(expr='x**2 + 1/3', box=((-1.0, 2.0),), prove=(StronglyConvex(mu=2.0),), "
        "minimiser=(0.0,))"
    )
    names = {"SymbolicProblem": SymbolicProblem, "StronglyConvex": StronglyConvex}
    assert parse_specification(text, names) == problem
    assert 0 <= problem.f_star_error < 1e-16


@pytest.mark.parametrize(
    ("text", "box", "message"),
    [
        ("x", ((0, 10**400),), "one or two pairs"),
        ("sin(exp(exp(exp(10))))*x", LINE, "too large to be told"),
        ("x**2 + x*sin(exp(exp(10)))", LINE, "2048 bits"),
        ("*".join(f"(x + {i})" for i in range(2, 120)), LINE, "27611 operations, accepted are 3000"),
        ("*".join(f"(x + {i})" for i in range(2, 42)), LINE, "too long to be differentiated"),
    ],
)
def test_what_cannot_be_computed_is_refused(text: str, box: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        SymbolicProblem(text, box)


def test_gap_says_that_the_minimum_is_not_known():
    with pytest.raises(TypeError, match=r"f_star of .* is not known"):
        SymbolicProblem("x**2", LINE).gap(torch.zeros(1, 1, dtype=torch.float64))
