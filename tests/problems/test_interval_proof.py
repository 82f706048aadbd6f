"""Branch and bound: enclosures hold, tight constants are proved, better ones disproved."""

import itertools
import math
from fractions import Fraction
from typing import Any

import pytest
import sympy as sp
import torch
from flint import arb

from assumptions import (
    EUCLIDEAN,
    PL,
    AffineGradient,
    Assumption,
    Convex,
    Lipschitz,
    Lp,
    Smooth,
    StronglyConvex,
    Weighted,
)
from assumptions.hessian_lipschitz import HessianLipschitz
from assumptions.l0l1.hessian import HessianL0L1
from assumptions.weakly_convex import WeaklyConvex
from problems.symbolic.ball_arithmetic import BALLS, above, ball, below
from problems.symbolic.bounds import Curvature, Excess, GapExcess, Quantity, TensorNorm, Value, bound
from problems.symbolic.derivatives import derivatives_of
from problems.symbolic.problem import SymbolicProblem
from problems.symbolic.sign import is_positive_semidefinite, sign_on
from problems.symbolic.tensor_norms import tensor_norm
from problems.symbolic.twins import TWINS, Twin, stronger

LINE, SQUARE = ((-3.0, 3.0),), ((-2.0, 2.0), (-1.0, 2.0))
BOX, CROSS = Lp(math.inf), Lp(1.0)
twins = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: repr(twin.formula))


@twins
def test_certified_constants_are_proved_for_the_twin(twin: Twin):
    claims = twin.certified(*twin.tight, *twin.loose)
    assert len(claims) == len(twin.tight) + len(twin.loose)
    for assumption in claims:
        proof = twin.formula.certify(assumption)
        assert proof.proved, str(proof)
        assert assumption.implied_by(assumption)
        assert proof.proved_assumption.implied_by(assumption)
        assert proof.certificate.region == twin.formula.domain


@twins
def test_better_constants_than_the_tight_ones_are_disproved(twin: Twin):
    for assumption in twin.certified(*twin.tight):
        proof = twin.formula.certify(stronger(assumption, 0.97))
        assert proof.outcome == "disproved", str(proof)
        assert bool(twin.formula.contains(torch.tensor(proof.where, dtype=torch.float64)))
        with pytest.raises(ValueError, match="no certificate"):
            _ = proof.certificate


FORMULAS = (
    ("x**2 + 3*sin(x)**2", 1),
    ("exp(x)/(1 + x**2)", 1),
    ("x**3/3 - x", 1),
    ("log(1 + exp(-x - 2*y)) + x*y/5", 2),
    ("tanh(x - y)**2 + atan(x*y)", 2),
    ("sqrt(1 + x**2 + y**2) + cos(3*x)*sin(y)", 2),
    ("(x + y)**4/4 - cosh(y)/(2 + x**2)", 2),
)
QUANTITIES: tuple[Quantity, ...] = (
    Value(1),
    Value(-1),
    *(TensorNorm(order, norm) for order in (1, 2, 3) for norm in (EUCLIDEAN, BOX, CROSS, Lp(2.0, scale=3.0))),
    Curvature(1),
    Curvature(-1, scale=2.0),
    Excess(EUCLIDEAN, 1.0),
    Excess(BOX, 0.5),
    Excess(CROSS, 2.0),
    GapExcess(EUCLIDEAN, 0.5, -3.0),
    GapExcess(BOX, 0.5, -3.0),
)


@pytest.mark.parametrize(("text", "d"), FORMULAS)
def test_bounds_hold_on_boxes_of_all_sizes(text: str, d: int):
    """At points of the box no quantity exceeds its bound; and the bounds close as the square of the side."""
    f = derivatives_of(text, d)
    generator = torch.Generator().manual_seed(1)
    for size, q in itertools.product((2.0, 0.3, 1e-2, 1e-5), QUANTITIES):
        centre = 2 * torch.rand(d, dtype=torch.float64, generator=generator) - 1
        cell = tuple((float(c) - size / 2, float(c) + size / 3) for c in centre)
        found = bound(f, q, cell)
        values = []
        for shares in torch.rand(6, d, dtype=torch.float64, generator=generator).tolist():
            point = [low + s * (high - low) for s, (low, high) in zip(shares, cell, strict=True)]
            values.append(below(q.value(f.at(point, q.orders))))
        assert max(values) <= found.upper
        assert found.lower <= found.upper
        at_point = q.value(f.at(found.point, q.orders))
        assert found.lower <= above(at_point)
        if size == 1e-2:
            assert found.upper - found.lower <= 2e-2 * (1 + abs(found.upper))
        if size == 1e-5:
            assert found.upper - found.lower <= 1e-4 * (1 + abs(found.upper))


@pytest.mark.parametrize("norm", [EUCLIDEAN, BOX, CROSS], ids=repr)
@pytest.mark.parametrize("order", [1, 2, 3])
def test_tensor_norms_against_vectors_of_norm_one(order: int, norm: Lp):
    generator = torch.Generator().manual_seed(order)
    for _ in range(4):
        a = torch.randn(order + 1, dtype=torch.float64, generator=generator)
        index = torch.tensor(list(itertools.product((0, 1), repeat=order))).sum(-1)
        full = a[index].reshape((2,) * order)
        angle = torch.linspace(0, 2 * math.pi, 97, dtype=torch.float64)
        u = torch.stack([angle.cos(), angle.sin()], dim=-1)
        u = torch.cat(
            [u, torch.tensor([[1.0, 1.0], [1.0, -1.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)]
        )
        u = u / norm.norm(u).unsqueeze(-1)
        letters = "abc"[:order]
        form = (
            f"{letters},{','.join(f'{x}{y}' for x, y in zip('ijk', letters, strict=False))}->{'ijk'[:order]}"
        )
        seen = float(torch.einsum(form, full, *[u] * order).abs().max())
        found = tensor_norm([arb(float(c)) for c in a], order, norm)
        assert seen * (1 - 1e-12) <= above(found) <= seen * (1 + 6e-3)
        assert below(found) <= above(found)


def test_balls_that_are_not_finite_prove_nothing():
    pole = 1 / ball(-1.0, 1.0)
    for name in ("atan", "tanh", "sin"):
        assert not BALLS.apply(name, arb(0, math.inf)).is_finite()
        assert above(BALLS.apply(name, pole)) == math.inf
    assert not BALLS.power(arb(0, math.inf), -2).is_finite()
    assert above(pole) == math.inf
    assert below(pole) == -math.inf
    assert above(arb(3)) == below(arb(3)) == 3.0
    third = arb(1) / 3
    assert below(third) < above(third)
    assert Fraction(below(third)) < Fraction(1, 3) < Fraction(above(third))
    assert above(BALLS.power(ball(-1.0, 2.0), 2)) == pytest.approx(4.0)
    assert below(BALLS.power(ball(-1.0, 2.0), 2)) == pytest.approx(0.0, abs=1e-8)


WAVE = SymbolicProblem("x**2 + 3*sin(x)**2", ((-4.0, 5.0),), minimiser=(0.0,))
WELL = SymbolicProblem("(x**2 - 1)**2/4", ((-2.0, 2.0),), minimiser=(1.0,))


@pytest.mark.parametrize(
    ("problem", "assumption", "outcome"),
    [
        (WAVE, PL(1 / 32), "proved"),
        (WAVE, PL(0.25), "disproved"),
        (WAVE, PL(1 / 16, Lp(2.0, scale=2.0)), "disproved"),
        (WAVE, PL(1 / 128, Lp(2.0, scale=2.0)), "proved"),
        (WAVE, Convex(), "disproved"),
        (WAVE, StronglyConvex(0.1), "disproved"),
        (WAVE, Smooth(8.0), "proved"),
        (WAVE, Smooth(2.0, Lp(3.0, scale=2.0)), "proved"),
        (WAVE, Smooth(1.94, Lp(3.0, scale=2.0)), "disproved"),
        (WAVE, WeaklyConvex(4.0), "proved"),
        (WAVE, WeaklyConvex(3.88), "disproved"),
        (WAVE, HessianLipschitz(12.0), "proved"),
        (WAVE, HessianLipschitz(11.64), "disproved"),
        (WELL, WeaklyConvex(1.0), "proved"),
        (WELL, WeaklyConvex(0.97), "disproved"),
        (WELL, WeaklyConvex(0.0), "disproved"),
        (WELL, Smooth(11.0), "proved"),
        (WELL, Smooth(10.67), "disproved"),
        (WELL, Lipschitz(6.0), "proved"),
        (WELL, Lipschitz(5.82), "disproved"),
        (WELL, PL(0.01), "disproved"),
    ],
    ids=repr,
)
def test_known_functions(problem: SymbolicProblem, assumption: Assumption, outcome: str):
    proof = problem.certify(assumption)
    assert proof.outcome == outcome, str(proof)
    if proof.outcome == "disproved":
        assert len(proof.where) == 1
    assert repr(assumption) in str(proof)
    assert outcome in str(proof)


@pytest.mark.parametrize(
    ("norm", "L"),
    # H = [[2, 1], [1, -3]]: eigenvalues -0.5 +- 2.69; signs (1, -1): |2 - 1| + |1 + 3| = 5
    [(EUCLIDEAN, 0.5 + math.sqrt(29) / 2), (BOX, 5.0), (CROSS, 3.0), (Lp(math.inf, scale=2.0), 1.25)],
    ids=repr,
)
def test_smoothness_in_other_norms(norm: Lp, L: float):
    problem = SymbolicProblem("x**2 + x*y - 3*y**2/2", SQUARE)
    assert problem.certify(Smooth(L, norm)).proved
    assert problem.certify(Smooth(0.97 * L, norm)).outcome == "disproved"
    low, high = problem.enclose(Smooth, norm=norm)
    assert low <= L * (1 + 1e-15)
    assert high >= L * (1 - 1e-15)
    assert high - low <= 1e-3 * L


def test_lipschitz_constants_in_other_norms():
    problem = SymbolicProblem("3*x - 4*y", SQUARE)
    for norm, G in ((EUCLIDEAN, 5.0), (BOX, 7.0), (CROSS, 4.0)):
        assert problem.certify(Lipschitz(G, norm)).proved
        assert problem.certify(Lipschitz(0.999 * G, norm)).outcome == "disproved"


def test_convexity_by_the_form_and_by_the_search():
    touching = SymbolicProblem("x**4/4", LINE).certify(Convex())
    assert touching.proved
    assert touching.boxes == 0
    assert "by their form" in touching.certificate.proof
    assert SymbolicProblem("exp(x) - 3*x + cosh(x)**2", LINE).certify(Convex()).proved
    assert SymbolicProblem("x*y", SQUARE).certify(Convex()).outcome == "disproved"
    assert SymbolicProblem("x + 2*y", SQUARE).certify(Convex()).proved
    # f'' = 12 (1 - cos x) touches 0, and its form does not show it
    hidden = SymbolicProblem("6*x**2 + 12*cos(x)", LINE).certify(Convex(), budget=2000)
    assert hidden.outcome == "undecided"
    assert "worst on" in str(hidden)
    ((low, high),) = hidden.where  # pyright: ignore[reportGeneralTypeIssues]
    assert abs(low) < 0.1
    assert abs(high) < 0.1


def test_signs_from_the_form():
    def sign(text: str) -> int:
        f = derivatives_of(text, 2)
        return sign_on(f.tree, f.symbols, SQUARE)

    assert sign("x**2*exp(y) + (x - y)**2") == 1
    assert sign("-x**2") == -1
    assert sign("x**3") == sign("x**2 - y**2") == sign("x") == 0
    assert sign("y + 1.5") == 1
    assert sign("(y - 3)*x**2") == -1
    assert sign("(y - 3)**3*x**2") == -1
    assert not is_positive_semidefinite(derivatives_of("x**2*y**2", 2), SQUARE)
    assert is_positive_semidefinite(derivatives_of("(x - 2*y)**4 + x**2", 2), SQUARE)


def test_the_budget_is_kept():
    proof = SymbolicProblem("1 - cos(x + 2*y)", SQUARE).certify(Smooth(5.0), slack=1e-6, budget=101)
    assert proof.outcome == "undecided"
    assert 99 <= proof.boxes <= 101
    with pytest.raises(ValueError, match="slack"):
        WAVE.certify(Smooth(1.0), slack=0.0)
    with pytest.raises(ValueError, match="budget"):
        WAVE.certify(Smooth(1.0), budget=0)


def test_what_cannot_be_proved_is_named():
    with pytest.raises(TypeError, match=r"branch and bound proves Smooth, .*PL, got AffineGradient\(\)"):
        WAVE.certify(AffineGradient())
    plane = SymbolicProblem("x**2 + y**2", SQUARE)
    with pytest.raises(TypeError, match="minimiser"):
        plane.certify(PL(1.0))
    with pytest.raises(TypeError, match="Lp"):
        plane.certify(Smooth(1.0, Lp(3.0)))
    with pytest.raises(TypeError, match="Lp"):
        plane.certify(Smooth(1.0, Weighted((1.0, 2.0))))
    with pytest.raises(TypeError, match="Euclidean norm"):
        plane.certify(StronglyConvex(1.0, BOX))
    with pytest.raises(TypeError, match="enclosed for"):
        plane.enclose(Convex)
    with pytest.raises(TypeError, match="options"):
        plane.enclose(Smooth, radius=1.0)


@pytest.mark.parametrize(
    ("text", "box", "kind", "options", "exact"),
    [
        ("exp(x)", LINE, Smooth, {}, sp.exp(3)),
        ("exp(x)", LINE, StronglyConvex, {}, sp.exp(-3)),
        ("exp(x)", LINE, Lipschitz, {}, sp.exp(3)),
        ("sin(x)", LINE, HessianLipschitz, {}, 1),
        ("sin(x)", LINE, StronglyConvex, {}, -1),
        ("x**3/6", LINE, WeaklyConvex, {}, 3),
        ("exp(x)", LINE, WeaklyConvex, {}, 0),
        ("x**4/4", ((-9.0, 9.0),), HessianL0L1, {"L1_hessian": 0.5}, 16),
        ("x**4/4", ((-9.0, 9.0),), HessianL0L1, {"L1_hessian": 1.0}, 4),
        ("(x**2 + y**2)**2/4", ((-0.5, 1.5), (-0.5, 1.0)), HessianL0L1, {"L1_hessian": 2.0}, 1),
        ("x**3/6 + x*y**2/2", SQUARE, HessianLipschitz, {}, sp.sqrt(2)),
        ("x**2*y/2", SQUARE, HessianLipschitz, {}, 2 / sp.sqrt(3)),
        ("x**2*y/2", SQUARE, HessianLipschitz, {"norm": CROSS}, 1),
        ("x**2*y/2", SQUARE, HessianLipschitz, {"norm": BOX}, 3),
        ("x + 2*y", SQUARE, HessianLipschitz, {}, 0),
    ],
)
def test_best_constants_are_enclosed(
    text: str, box: Any, kind: type[Assumption], options: dict[str, Any], exact: Any
):
    low, high = SymbolicProblem(text, box).enclose(kind, **options)
    exact = sp.Float(sp.sympify(exact).evalf(40), 40)
    assert sp.Float(low, 40) <= exact <= sp.Float(high, 40)
    assert high - low <= 1.1e-3 * max(abs(high), abs(low))


def test_pl_with_many_minimisers_is_not_proved():
    """(x + y)^2 is PL, but its minimisers are a line: none has a strongly convex neighbourhood."""
    problem = SymbolicProblem("(x + y)**2", SQUARE, minimiser=(0.0, 0.0))
    proof = problem.certify(PL(4.0), budget=2000)
    assert proof.outcome == "undecided"
