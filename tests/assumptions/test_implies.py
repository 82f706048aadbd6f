import itertools
import math
from dataclasses import replace
from fractions import Fraction

import pytest
import torch

from assumptions import (
    EUCLIDEAN,
    EVERYWHERE,
    IMPLICATIONS,
    PL,
    Assumption,
    Ball,
    BlockDescent,
    Certificate,
    ConstantPhi,
    Continuous,
    Convex,
    CoupledSmooth,
    ErrorBound,
    ExponentialL0L1,
    ExponentialPhi,
    HessianL0L1,
    Implies,
    Lipschitz,
    LiteralL0L1,
    LiteralLayerL0L1,
    LocalL0L1,
    Lp,
    PathLayerL0L1,
    PhiSmooth,
    QuadraticGrowth,
    QuasiConvex,
    Region,
    SegmentL0L1,
    Smooth,
    StronglyConvex,
    WeaklyConvex,
    closure,
    sample_points,
)
from assumptions.implications.implies import rounded
from problems import INSTANCES, IntegerJump, Problem
from tests.assumptions.toys import Toy, rotated

NEAR, FAR = Ball((0.0, 0.0), 1.0), Ball((5.0, 0.0), 1.0)


def witness(seed: int) -> tuple[Toy, Certificate]:
    """A random quadratic, and its modulus in a random norm of lower bounds |x|_2 >= c |x|."""
    generator = torch.Generator().manual_seed(seed)
    d = int(torch.randint(1, 5, (), generator=generator))
    eigenvalues = (10 ** (4 * torch.rand(d, dtype=torch.float64, generator=generator) - 2)).tolist()
    p = (1.0, 1.5, 2.0, 5.0, math.inf)[seed % 5]
    # |x|_p <= d^(1/p - 1/2) |x|_2 for p < 2, and <= |x|_2 for p >= 2
    largest = max(1.0, d ** (1 / p - 0.5))
    strong = StronglyConvex(min(eigenvalues) / largest**2, Lp(p))
    toy = rotated(*eigenvalues, seed=seed)
    only = replace(toy, nearest_star=lambda x, norm=EUCLIDEAN: toy.x_star.expand_as(x))
    return only, Certificate(strong, "smallest eigenvalue")


def holds(row: Implies, seed: int) -> bool:
    """Whether the conclusion of a row survives on a random function that has its premise."""
    problem, certificate = witness(seed)
    conclusion = row.rule(certificate.assumption)
    points = sample_points(problem, 500, conclusion.arity, seed=seed)
    assert certificate.assumption.check(problem, *sample_points(problem, 500, 2)).verdict == "not refuted"
    return (
        conclusion.check(problem, *points).verdict == "not refuted"
        and conclusion.refute(problem, 3000, seed=seed).verdict == "not refuted"
    )


STRONG = tuple(
    row
    for row in IMPLICATIONS
    if row.premises == (StronglyConvex,) and isinstance(row.rule(StronglyConvex(1.0)), Convex | PL)
)
"""The rows that the tests of the closure use, whatever else is known."""


@pytest.mark.parametrize(
    "row", [row for row in IMPLICATIONS if row.premises == (StronglyConvex,)], ids=lambda row: row.proof
)
def test_every_row_of_strong_convexity_holds_on_witnesses(row: Implies):
    assert all(holds(row, seed) for seed in range(20))


MOST = 3
"""Witnesses of a row, at most; the families are taken in turn."""


def witnesses(row: Implies) -> list[tuple[Problem, Assumption, Region]]:
    """Problems of the library with the premises, what the row concludes of them, and where."""
    found: dict[str, tuple[Problem, Assumption, Region]] = {}
    for problem in INSTANCES:
        known = [
            [c for c in closure(problem.certified) if type(c.assumption) is premise]
            for premise in row.premises
        ]
        for chosen in itertools.product(*known):
            regions = {c.region for c in chosen if c.region != EVERYWHERE}
            conclusion = row.rule(*(c.assumption for c in chosen))
            if conclusion is None or len(regions) > 1 or (regions and not row.local):
                continue
            if isinstance(conclusion, PathLayerL0L1):  # a statement about paths: nothing to search
                continue
            region = regions.pop() if regions else EVERYWHERE
            found.setdefault(problem.family, (problem, conclusion, region))
    return list(found.values())[:MOST]


@pytest.mark.parametrize(
    "row", IMPLICATIONS, ids=lambda row: f"{[p.__name__ for p in row.premises]} {row.proof}"
)
def test_every_row_holds_on_the_librarys_problems(row: Implies):
    tried = witnesses(row)
    about_paths = row.premises == (LiteralLayerL0L1,) and "all pairs" in row.proof
    assert tried or about_paths
    for problem, conclusion, region in tried:
        assert type(conclusion) is row.gives
        if conclusion.lacking(problem):
            continue
        found = conclusion.refute(problem, 1000, seed=1, region=region)
        assert found.verdict == "not refuted", f"{problem}: {found}"


def test_bounded_subgradients_alone_do_not_make_a_function_continuous():
    """|x| + 1 off the integers has slopes of at most 1 where it has any, and jumps."""
    jump = IntegerJump()
    x = 3 * torch.randn(100, 1, generator=torch.Generator().manual_seed(0)).double()
    assert (jump.grad(x).abs() <= 1).all()
    assert Continuous().refute(jump, 2000).verdict == "refuted"


@pytest.mark.parametrize(
    "rule",
    [
        lambda strong: PL(mu_pl=1.1 * strong.mu, norm=EUCLIDEAN),
        lambda strong: Smooth(L=strong.mu, norm=strong.norm),
        lambda strong: Lipschitz(G=strong.mu, norm=strong.norm),
    ],
)
def test_a_wrong_row_is_caught(rule):
    row = Implies((StronglyConvex,), rule, proof="wishful")
    assert not all(holds(row, seed) for seed in range(2, 20, 5))  # the Euclidean witnesses


def test_closure_of_strong_convexity():
    norm = Lp(3)
    known = closure([Certificate(StronglyConvex(2.0, norm), "given")], STRONG)
    assert [c.assumption for c in known] == [StronglyConvex(2.0, norm), Convex(), PL(2.0, norm)]
    assert known[0].steps == ()
    assert known[1].steps == ("StronglyConvex(mu=2.0, norm=Lp(p=3.0)) => Convex(): mu/2 |x - y|^2 >= 0",)
    assert all(c.status == "certified" for c in known)


def test_smoothness_adds_nothing():
    assert (
        len(
            closure(
                [Certificate(Convex(), "a"), Certificate(Smooth(1.0), "b"), Certificate(Lipschitz(1.0), "c")],
                STRONG,
            )
        )
        == 3
    )


def test_closure_is_idempotent_and_keeps_the_strongest():
    known = closure(
        [
            Certificate(Smooth(3.0), "crude"),
            Certificate(Smooth(2.0), "fine"),
            Certificate(Smooth(2.5), "middling"),
            Certificate(Smooth(1.0, Lp(1)), "another geometry"),
            Certificate(StronglyConvex(0.5), "given"),
            Certificate(PL(1.0), "better than implied"),
        ],
        STRONG,
    )
    assert {repr(c.assumption) for c in known} == {
        "Smooth(L=2.0)",
        "Smooth(L=1.0, norm=Lp(p=1.0))",
        "StronglyConvex(mu=0.5)",
        "PL(mu_pl=1.0)",
        "Convex()",
    }
    assert closure(known, STRONG) == known


def test_a_declared_premise_gives_a_declared_conclusion():
    known = closure(
        [Certificate(StronglyConvex(2.0), "user", status="declared"), Certificate(Convex(), "proved")], STRONG
    )
    statuses = {c.assumption: c.status for c in known}
    assert statuses == {StronglyConvex(2.0): "declared", PL(2.0): "declared", Convex(): "certified"}


def test_a_declared_constant_does_not_hide_a_certified_one():
    declared, certified = (
        Certificate(Smooth(1.0), "user", status="declared"),
        Certificate(Smooth(2.0), "proved"),
    )
    assert set(closure([declared, certified], STRONG)) == {declared, certified}
    assert closure([Certificate(Smooth(2.0), "user", status="declared"), certified], STRONG) == (certified,)


def test_on_a_ball_only_local_rows_apply():
    known = {
        c.assumption: c.region for c in closure([Certificate(StronglyConvex(2.0), "given", region=NEAR)])
    }
    assert known == dict.fromkeys((StronglyConvex(2.0), Convex(), WeaklyConvex(0.0), QuasiConvex()), NEAR)


def test_regions_order_certificates():
    everywhere, near = Certificate(Smooth(2.0), "a"), Certificate(Smooth(1.0), "b", region=NEAR)
    assert set(closure([everywhere, near], STRONG)) == {everywhere, near}
    assert closure([Certificate(Smooth(2.0), "b", region=NEAR), everywhere], STRONG) == (everywhere,)
    larger = Certificate(Smooth(1.0), "c", region=Ball((0.0, 0.0), 2.0))
    assert closure([near, larger], STRONG) == (larger,)
    assert len(closure([near, Certificate(Smooth(1.0), "d", region=FAR)], STRONG)) == 2


PAIR = Implies(
    (Convex, Smooth),
    lambda convex, smooth: Lipschitz(smooth.L) if smooth.L > 1 else None,
    "made up",
    local=True,
)


def test_rows_with_two_premises():
    rows = (*STRONG, PAIR)
    convex, smooth = Certificate(Convex(), "a"), Certificate(Smooth(2.0), "b", status="declared")
    *_, last = closure([convex, smooth], rows)
    assert (last.assumption, last.status, last.proof) == (Lipschitz(2.0), "declared", "made up")
    assert last.steps == ("with Smooth(L=2.0): b", "Convex() => Lipschitz(G=2.0): made up")
    assert len(closure([convex, Certificate(Smooth(0.5), "b")], rows)) == 2


def test_premises_meet_on_one_region():
    near, far = Certificate(Smooth(2.0), "b", region=NEAR), Certificate(Convex(), "a", region=FAR)
    assert closure([near, far], (PAIR,)) == (near, far)
    *_, last = closure([near, Certificate(Convex(), "a")], (PAIR,))
    assert (last.assumption, last.region) == (Lipschitz(2.0), NEAR)


def test_rows_chain():
    rows = (Implies((PL,), lambda pl: Lipschitz(pl.mu_pl), "made up"), *STRONG)
    *_, last = closure([Certificate(StronglyConvex(3.0), "given")], rows)
    assert last.assumption == Lipschitz(3.0)
    assert len(last.steps) == 2


def test_a_row_that_strengthens_itself_is_an_error():
    row = Implies((Smooth,), lambda smooth: Smooth(smooth.L / 2), "nonsense")
    with pytest.raises(ValueError, match="keep producing new certificates"):
        closure([Certificate(Smooth(1.0), "given")], (row,))


@pytest.mark.parametrize(("premises", "proof"), [((), "a proof"), ((Convex,), "  ")])
def test_bad_rows_are_rejected(premises, proof):
    with pytest.raises(ValueError, match=r"premises|proof"):
        Implies(premises, lambda *a: None, proof)


def concluded(*assumptions: Assumption) -> list[Assumption]:
    return [c.assumption for c in closure([Certificate(a, "given") for a in assumptions])]


@pytest.mark.parametrize(
    ("premises", "absent"),
    [
        ((StronglyConvex(1e-309),), ErrorBound),
        ((ErrorBound(1e160), Smooth(1e10)), PL),
        ((Convex(), QuadraticGrowth(5e-324)), ErrorBound),
        ((Convex(), QuadraticGrowth(5e-324)), PL),
        ((ExponentialL0L1(1.5e308, 1.0),), LocalL0L1),
        ((CoupledSmooth(((1e308, 1e308), (1e308, 1e308))),), BlockDescent),
    ],
)
def test_a_constant_beyond_the_floats_gives_no_conclusion(premises, absent):
    assert not [a for a in concluded(*premises) if isinstance(a, absent)]


def test_constants_are_rounded_to_the_weaker_side():
    third = Fraction(1, 3)
    mu, eb = rounded(PL, mu_pl=third), rounded(ErrorBound, 1.0, Lp(1.0), eb=third)
    assert isinstance(mu, PL)
    assert isinstance(eb, ErrorBound)
    assert Fraction(mu.mu_pl) < third < Fraction(eb.eb)
    assert eb.norm == Lp(1.0)
    assert rounded(LocalL0L1, L0=Fraction(0), L1=Fraction(0)) == LocalL0L1(0.0, 0.0)
    # 3/4 of the smallest float is below it
    assert rounded(PL, mu_pl=3 * Fraction(5e-324) / 4) is None
    assert rounded(LocalL0L1, L0=Fraction(5e-324) / 2, L1=Fraction(0)) == LocalL0L1(5e-324, 0.0)


@pytest.mark.parametrize("mu", [2.0, 1.0000001, 1e300])
def test_pl_and_smoothness_that_contradict_each_other_do_not_climb(mu: float):
    moduli = [a.mu_pl for a in concluded(PL(mu), Smooth(1.0)) if isinstance(a, PL)]
    assert moduli == [mu]


@pytest.mark.parametrize("norm", [EUCLIDEAN, Lp(1.0)])
@pytest.mark.parametrize(
    "form",
    [
        lambda L, norm: LiteralL0L1(L, 0.0, norm),
        lambda L, norm: LocalL0L1(L, 0.0, norm),
        lambda L, norm: SegmentL0L1(L, 0.0, norm),
        lambda L, norm: ExponentialL0L1(L, 0.0, norm),
        lambda L, norm: HessianL0L1(L, 0.0, norm),
        lambda L, norm: PhiSmooth(ConstantPhi(), L, norm),
    ],
)
def test_forms_without_growth_are_smoothness(form, norm):
    assert Smooth(3.0, norm) in concluded(form(3.0, norm))


@pytest.mark.parametrize(
    "form",
    [
        LocalL0L1(3.0, 1e-9),
        SegmentL0L1(3.0, 1e-9),
        ExponentialL0L1(3.0, 1e-9),
        PhiSmooth(ExponentialPhi(3.0, 1.0), 3.0),
        LocalL0L1(0.0, 0.0),
        SegmentL0L1(0.0, 0.0),
    ],
)
def test_forms_with_growth_are_not(form):
    assert not [a for a in concluded(form) if isinstance(a, Smooth)]
