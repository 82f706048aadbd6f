import ast
import dataclasses
import importlib
import inspect
import math
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

import assumptions
from assumptions import (
    ASSUMPTIONS,
    PL,
    Assumption,
    Ball,
    BallConvex,
    ConstantPhi,
    Convex,
    CoupledSmooth,
    Inequality,
    LayerSmooth,
    LeftSmooth,
    Lipschitz,
    Lp,
    PhiSmooth,
    QuasiConvex,
    Smooth,
    SmoothTerms,
    StronglyConvex,
    StronglyConvexProxPart,
    StronglyConvexSmoothPart,
    parse_specification,
)
from assumptions.sampling import sample_points
from assumptions.search import ascend
from tests.assumptions import toys
from tests.assumptions.toys import Toy, quadratic, rotated, uneven

BUDGET = 20_000
NONCONVEX = quadratic(1.0, 2.0, -0.01)
FLAT = quadratic(1.0, 10.0, 0.0, offset=5.0)
CASES_THAT_HOLD = [
    (Convex(), quadratic(1.0, 10.0, 100.0, offset=1e3)),
    (Convex(), quadratic(1.0, 1e3, 1e6, shift=1 / 3)),
    (Convex(), rotated(1.0, 1e3, 1e6, seed=0)),
    (Convex(), uneven(1.0, 1e3, 1e6, seed=4)),
    (Convex(), FLAT),
    (Convex(), toys.LINEAR),
    (Convex(), toys.L1),
    (Convex(), toys.SOFTPLUS),
    (Convex(), toys.FOURTH_POWER),
    (StronglyConvex(1.0), quadratic(1.0, 10.0, 100.0, offset=1e3)),
    (StronglyConvex(1.0), quadratic(1.0, 1e3, 1e6, shift=1 / 3)),
    (StronglyConvex(1.0), rotated(1.0, 1e3, 1e6, seed=1)),
    (StronglyConvex(1.0), uneven(1.0, 1e3, 1e6, seed=4)),
    (StronglyConvex(6 / 11, Lp(1)), quadratic(1.0, 2.0, 3.0)),
    (StronglyConvex(1.0, Lp(math.inf)), quadratic(1.0, 2.0, 3.0)),
    (Smooth(100.0), quadratic(1.0, 10.0, 100.0, offset=1e3)),
    (Smooth(1e6), quadratic(1.0, 1e3, 1e6, shift=1 / 3)),
    (Smooth(1e6), rotated(1.0, 1e3, 1e6, seed=2)),
    (Smooth(3.0, Lp(1)), quadratic(1.0, 2.0, 3.0)),
    (Smooth(6.0, Lp(math.inf)), quadratic(1.0, 2.0, 3.0)),
    (Smooth(1.0), toys.SINE),
    (Smooth(1e-6), toys.LINEAR),
    (PL(1.0), quadratic(1.0, 10.0, 100.0, offset=1e3)),
    (PL(1.0), quadratic(1.0, 1e3, 1e6, shift=1 / 3)),
    (PL(1.0), rotated(1.0, 1e3, 1e6, seed=3)),
    (PL(1.0), uneven(1.0, 1e3, 1e6, seed=4)),
    (PL(1.0), FLAT),
    (PL(1 / 32), toys.SINE_SQUARED),
    (Lipschitz(math.sqrt(3)), toys.SINE),
    (Lipschitz(math.sqrt(3)), toys.L1),
    (Lipschitz(1.0, Lp(1)), toys.L1),
    (Lipschitz(3.0, Lp(math.inf)), toys.L1),
]
CASES_THAT_FAIL = [
    (Convex(), NONCONVEX),
    (Convex(), toys.SINE),
    (Convex(), toys.SINE_SQUARED),
    (StronglyConvex(1.01), quadratic(1.0, 10.0, 100.0)),
    (StronglyConvex(0.01), FLAT),
    (StronglyConvex(0.01), toys.LINEAR),
    (StronglyConvex(0.01), toys.SOFTPLUS),
    (StronglyConvex(0.6, Lp(1)), quadratic(1.0, 2.0, 3.0)),
    (Smooth(99.0), quadratic(1.0, 10.0, 100.0)),
    (Smooth(0.95), toys.SINE),
    (Smooth(100.0), toys.L1),
    (Smooth(100.0), toys.FOURTH_POWER),
    (Smooth(2.9, Lp(1)), quadratic(1.0, 2.0, 3.0)),
    (Smooth(5.5, Lp(math.inf)), quadratic(1.0, 2.0, 3.0)),
    (PL(1.01), quadratic(1.0, 10.0, 100.0)),
    (PL(0.01), toys.SINE),
    (PL(0.01), toys.FOURTH_POWER),
    (Lipschitz(1.7), toys.SINE),
    (Lipschitz(1e3), quadratic(1.0, 10.0, 100.0)),
    (Lipschitz(0.9, Lp(1)), toys.L1),
]


def direction(n: int, d: int, seed: int) -> Tensor:
    z = torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return z / z.norm(dim=-1, keepdim=True)


def close_points(problem: Toy, arity: int, distance: float, seed: int = 0) -> tuple[Tensor, ...]:
    """Points ``distance`` from a special point (the start, the minimiser, 0), and from each other."""
    centres = [problem.x0, torch.zeros_like(problem.x0)]
    centres += [] if problem.x_star is None else [problem.x_star]
    tuples = [
        tuple(c + distance * direction(100, problem.d, seed + i) for i in range(arity)) for c in centres
    ]
    exact = [(c.expand(100, -1), *t[1:]) for c, t in zip(centres, tuples, strict=True)]
    return tuple(torch.cat(column) for column in zip(*tuples, *exact, strict=True))


@pytest.mark.parametrize(("assumption", "problem"), CASES_THAT_HOLD)
def test_what_holds_is_not_refuted(assumption: Inequality, problem: Toy):
    points = sample_points(problem, 2000, assumption.arity, seed=1)
    check = assumption.check(problem, *points)
    assert check.verdict == "not refuted", check
    assert check.points == 2000
    assert assumption.refute(problem, BUDGET).verdict == "not refuted"


@pytest.mark.parametrize("distance", [1e-16, 1e-14, 1e-12, 1e-9, 1e-6, 1e-3])
@pytest.mark.parametrize(("assumption", "problem"), CASES_THAT_HOLD)
def test_what_holds_is_not_refuted_by_rounding(assumption: Inequality, problem: Toy, distance: float):
    check = assumption.check(problem, *close_points(problem, assumption.arity, distance))
    assert check.verdict == "not refuted", check


@pytest.mark.parametrize("assumption", [Convex(), StronglyConvex(1.5), Smooth(1.5), PL(1.5)])
def test_a_gradient_that_rounds_to_zero_too_early_refutes_nothing(assumption: Inequality):
    """1.5 x rounds to numbers twice as far apart as x near 0.7, so 1.5 x - 1.5 x_star may vanish."""
    problem = quadratic(1.5, shift=0.7)
    x = 0.7 + 2.0**-53 * torch.arange(-8, 9, dtype=torch.float64).unsqueeze(-1)
    assert bool(((problem.grad(x) == 0).squeeze(-1) & (problem.value(x) > 0)).any())
    points = (x.repeat(17, 1), x.repeat_interleave(17, 0))[: assumption.arity]
    assert assumption.check(problem, *points).verdict == "not refuted"


@pytest.mark.parametrize(("assumption", "problem"), CASES_THAT_HOLD)
def test_one_point_twice_says_nothing(assumption: Inequality, problem: Toy):
    check = assumption.check(problem, *([problem.x0] * assumption.arity))
    assert check.verdict == "not refuted"


@pytest.mark.parametrize(("assumption", "problem"), CASES_THAT_FAIL)
def test_what_fails_is_refuted(assumption: Inequality, problem: Toy):
    found = assumption.refute(problem, BUDGET)
    assert found.verdict == "refuted", found
    assert found.ratio > 1
    again = assumption.check(problem, *found.witness)
    assert (again.verdict, again.ratio) == ("refuted", pytest.approx(found.ratio, rel=1e-6))


@pytest.mark.parametrize(("assumption", "problem"), CASES_THAT_FAIL)
def test_what_fails_is_refuted_by_enough_samples(assumption: Inequality, problem: Toy):
    check = assumption.check(problem, *sample_points(problem, 50_000, assumption.arity, seed=2))
    assert check.verdict == "refuted", check


HERE = {Convex, StronglyConvex, Smooth, PL, Lipschitz}
"""Every other class has its cases in a file of its own."""


def test_every_class_has_a_function_with_it_and_one_without():
    for cases in (CASES_THAT_HOLD, CASES_THAT_FAIL):
        assert {type(assumption) for assumption, _ in cases} == HERE
    others = "".join(
        p.read_text() for p in Path(__file__).parent.glob("test_*.py") if p.name != Path(__file__).name
    )
    for cls in set(ASSUMPTIONS) - HERE:
        assert f"{cls.__name__}(" in others, cls


# Smooth and Lipschitz speak of the gradient alone, so a nan value is not theirs to see
@pytest.mark.parametrize(
    ("assumption", "problem"),
    [
        (assumption, problem)
        for problem in (toys.NAN_GRADIENT, toys.NAN_VALUE, toys.INFINITE)
        for assumption in (Convex(), StronglyConvex(0.1), Smooth(10.0), PL(0.1), Lipschitz(1e9))
        if problem is not toys.NAN_VALUE or not isinstance(assumption, Smooth | Lipschitz)
    ],
)
def test_what_is_not_finite_never_passes(assumption: Inequality, problem: Toy):
    points = sample_points(problem, 500, assumption.arity)
    assert assumption.check(problem, *points).verdict in ("refuted", "undefined")
    if problem is toys.INFINITE:  # nowhere finite: there is nothing to search
        with pytest.raises(ValueError, match="none of the points"):
            assumption.refute(problem, 500)
        return
    assert assumption.refute(problem, 500).verdict in ("refuted", "undefined")


def test_an_infinite_value_satisfies_convexity():
    half_line = Toy(lambda x: torch.where(x[..., 0] > 1, torch.inf, x.square().sum(-1)), lambda x: 2 * x, d=1)
    x, y = (torch.tensor([[v]], dtype=torch.float64) for v in (0.5, 2.0))
    assert Convex().check(half_line, x, y).verdict == "not refuted"
    assert StronglyConvex(1.0).check(half_line, x, y).verdict == "not refuted"
    assert Convex().check(half_line, y, x).verdict == "undefined"


@pytest.mark.parametrize("batch", [(), (3,), (2, 3)])
@pytest.mark.parametrize("assumption", [Convex(), StronglyConvex(1.0), Smooth(1.0), PL(1.0), Lipschitz(1.0)])
def test_batches_lead(assumption: Inequality, batch: tuple[int, ...]):
    problem = quadratic(1.0, 2.0, 3.0)
    points = [
        problem.x0 + direction(6, 3, i)[: math.prod(batch)].reshape(*batch, 3)
        for i in range(assumption.arity)
    ]
    before = [p.clone() for p in points]
    sides = assumption.sides(problem, *points)
    assert all(side.shape == batch for side in sides)
    assert assumption.ratio(problem, *points).shape == batch
    assert assumption.check(problem, *points).points == math.prod(batch)
    assert all(torch.equal(p, b) for p, b in zip(points, before, strict=True))


def test_estimates_of_a_quadratic():
    problem = quadratic(1.0, 10.0, 100.0, offset=3.0)
    x, y = sample_points(problem, 20_000, 2)
    assert Smooth.estimate(problem, x, y)["L_seen"] == pytest.approx(100, rel=1e-6)
    assert StronglyConvex.estimate(problem, x, y)["mu_seen"] == pytest.approx(1, rel=0.01)
    assert PL.estimate(problem, problem.x0 * torch.eye(3, dtype=torch.float64))[
        "mu_pl_seen"
    ] == pytest.approx(1)
    assert Lipschitz.estimate(problem, torch.eye(3, dtype=torch.float64))["G_seen"] == pytest.approx(100)
    assert Convex.estimate(problem, x, y) == {}


def test_estimates_in_another_norm():
    problem = quadratic(1.0, 2.0, 3.0)
    x = torch.zeros(1, 3, dtype=torch.float64)
    ones, one = torch.ones(1, 3, dtype=torch.float64), torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
    assert Smooth.estimate(problem, x, ones, norm=Lp(math.inf)) == {"L_seen": pytest.approx(6.0)}
    assert Smooth.estimate(problem, x, one, norm=Lp(1)) == {"L_seen": pytest.approx(3.0)}
    assert StronglyConvex.estimate(problem, x, ones, norm=Lp(1)) == {"mu_seen": pytest.approx(6 / 9)}
    assert PL.estimate(problem, ones, norm=Lp(1)) == {"mu_pl_seen": pytest.approx(9 / 6)}
    assert Lipschitz.estimate(problem, ones, norm=Lp(1)) == {"G_seen": pytest.approx(3.0)}
    for cls in (Smooth, StronglyConvex, PL, Lipschitz):
        with pytest.raises(TypeError, match="the only option is norm, got nrom"):
            cls.estimate(problem, *[ones] * cls.arity, nrom=Lp(1))


def test_estimates_where_there_is_little_to_see():
    points = sample_points(toys.LINEAR, 1000, 2)
    assert Smooth.estimate(toys.LINEAR, *points) == {"L_seen": 0.0}
    assert StronglyConvex.estimate(toys.LINEAR, *points) == {"mu_seen": 0.0}
    assert StronglyConvex.estimate(FLAT, *sample_points(FLAT, 1000, 2))["mu_seen"] <= 0
    assert StronglyConvex.estimate(NONCONVEX, *points)["mu_seen"] == pytest.approx(-0.01, rel=0.1)
    same = points[:1] * 2
    assert StronglyConvex.estimate(FLAT, *same) == {"mu_seen": math.inf}
    assert PL.estimate(FLAT, torch.zeros(1, 3, dtype=torch.float64)) == {"mu_pl_seen": math.inf}


@pytest.mark.parametrize("cls", [Smooth, StronglyConvex, PL, Lipschitz])
def test_estimates_do_not_hide_nan(cls: type[Inequality]):
    points = sample_points(toys.NAN_GRADIENT, 500, cls.arity)
    (seen,) = cls.estimate(toys.NAN_GRADIENT, *points).values()
    assert math.isnan(seen)


def test_pl_needs_the_infimum():
    for use in (PL(1.0).refute, lambda p: PL(1.0).check(p, p.x0), lambda p: PL.estimate(p, p.x0)):
        with pytest.raises(TypeError, match=r"PL needs f_star, which .* does not offer"):
            use(toys.LINEAR)


def test_an_uncertain_infimum_excuses_no_more_than_itself():
    problem = dataclasses.replace(quadratic(1.0, 1.0, 1.0), f_star=-1e-6)  # too low: the true one is 0
    x = 1e-4 * direction(10, 3, 0)
    assert PL(1.0).check(problem, x).verdict == "refuted"
    assert PL(1.0).check(dataclasses.replace(problem, f_star_error=1.1e-6), x).verdict == "not refuted"
    assert PL(1.0).check(dataclasses.replace(problem, f_star_error=0.9e-6), x).verdict == "refuted"


FIELDS: dict[type[Assumption], dict] = {
    PhiSmooth: {"phi": ConstantPhi()},
    LeftSmooth: {"left": (((1.0,),),)},
}
"""Fields without a default that are no constants."""


def constant(cls: type[Assumption], value: object) -> object:
    """A value in the shape that the constants of the class have: a number, an entry of a tuple, a matrix."""
    if cls is CoupledSmooth:
        return ((value,),)
    return (value,) if cls.constants()[0].endswith(("_i", "_j")) else value


def made(cls: type[Assumption], value: object = 1.0, **fields) -> Assumption:
    given = {name: constant(cls, value) for name in cls.constants()}
    return cls(**{**FIELDS.get(cls, {}), **given, **fields})


WITH_CONSTANTS = pytest.mark.parametrize("cls", [c for c in ASSUMPTIONS if c.sense])


@WITH_CONSTANTS
@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "1", None, True, (1.0,)])
def test_bad_constants_are_named(cls: type[Assumption], value: object):
    for name in cls.constants():
        if value is True and constant(cls, value) != value:
            continue  # entries of a tuple are turned into floats
        if value == math.inf and cls is SmoothTerms:
            continue  # a term that is not smooth
        with pytest.raises((ValueError, TypeError), match=f"^{name} must "):
            made(cls, **{name: constant(cls, value)})


@WITH_CONSTANTS
def test_zero_is_accepted_where_it_says_something(cls: type[Assumption]):
    """A modulus of 0 says nothing and is refused; an upper bound of 0 may be the strongest statement.

    A part of a sum that is convex at least has a modulus, which may be 0.
    """
    for name in cls.constants():
        try:
            accepted = getattr(made(cls, **{name: constant(cls, 0.0)}), name) == constant(cls, 0.0)
        except ValueError as error:
            assert re.match(f"{name} must ", str(error))  # noqa: PT017
        else:
            assert accepted
            assert cls.sense[name] < 0 or cls in (StronglyConvexSmoothPart, StronglyConvexProxPart)


@pytest.mark.parametrize("cls", [c for c in ASSUMPTIONS if "norm" in {f.name for f in dataclasses.fields(c)}])
def test_bad_norms_are_named(cls: type[Assumption]):
    with pytest.raises(TypeError, match="norm must be a Norm"):
        made(cls, norm=2)


@WITH_CONSTANTS
def test_constants_are_floats_and_larger_says_more_or_less(cls: type[Assumption]):
    assert made(cls, 1) == made(cls, 1.0)
    for name in cls.constants():
        half, whole = (made(cls, **{name: constant(cls, v)}) for v in (0.5, 1.0))
        weak, strong = (half, whole) if cls.sense[name] > 0 else (whole, half)
        assert weak.implied_by(strong)
        assert not strong.implied_by(weak)
        assert weak.implied_by(weak)
    assert not made(cls).implied_by(Convex())
    if "norm" in {f.name for f in dataclasses.fields(cls)}:
        assert not made(cls, norm=Lp(1)).implied_by(made(cls))


@pytest.mark.parametrize("cls", ASSUMPTIONS)
def test_they_print_as_the_call_that_makes_them(cls: type[Assumption]):
    names = {c.__name__: c for c in (cls, ConstantPhi)}
    assert parse_specification(repr(made(cls)), names) == made(cls)


def test_constants_for_another_number_of_layers_imply_nothing():
    assert not LayerSmooth((1.0,)).implied_by(LayerSmooth((1.0, 1.0)))


def test_wrong_numbers_of_points_are_rejected():
    x = toys.SINE.x0
    with pytest.raises(ValueError, match="Smooth speaks of 2 points, got 1"):
        Smooth(1.0).check(toys.SINE, x)
    with pytest.raises(ValueError, match="PL speaks of 1 points, got 2"):
        PL(1.0).check(toys.SINE, x, x)
    with pytest.raises(ValueError, match="needs at least one point"):
        Lipschitz(1.0).check(toys.SINE, x.new_zeros(0, 3))


@pytest.mark.parametrize(("n", "arity"), [(0, 2), (5, 0), (-1, 1), (2.0, 1)])
def test_bad_sample_sizes_are_rejected(n, arity):
    with pytest.raises(ValueError, match="must be an integer >= 1"):
        sample_points(toys.SINE, n, arity)


def test_samples_spread_over_scales_and_repeat():
    problem = quadratic(1.0, 2.0, 3.0, shift=5.0)
    state = torch.random.get_rng_state()
    x, y = sample_points(problem, 4000, 2, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(
        torch.equal(a, b) for a, b in zip((x, y), sample_points(problem, 4000, 2, seed=3), strict=True)
    )
    assert not torch.equal(x, sample_points(problem, 4000, 2, seed=4)[0])
    assert x.shape == y.shape == (4000, 3)
    separation = (x - y).norm(dim=-1).log10()
    counts = torch.histc(separation, bins=5, min=-3.0, max=2.0)
    assert (counts > 400).all()
    along_axis = ((x - y).abs() > 1e-9).sum(-1) == 1
    assert 0.4 < along_axis.to(torch.float64).mean() < 0.6
    assert (x - problem.x0).norm(dim=-1).min() < 1e-2
    assert (x - problem.x_star).norm(dim=-1).min() < 1e-2


class Counting(Smooth):
    """Smooth that counts evaluations: of its ratio, by rows."""

    rows = 0

    def sides(self, problem, *points):
        type(self).rows += points[0].shape[0]
        return super().sides(problem, *points)


@pytest.mark.parametrize("budget", [1, 2, 63, 64, 200, 2561, 6000])
def test_search_keeps_to_its_budget(budget: int):
    Counting.rows = 0
    check = ascend(Counting(L=2.0), toys.SINE, budget=budget)
    restarts = budget // (64 * 40) + 6
    assert Counting.rows - check.points - restarts <= budget


@pytest.mark.parametrize("budget", [0, -5, 2.5])
def test_bad_budgets_are_rejected(budget):
    with pytest.raises(ValueError, match="budget must be an integer >= 1"):
        Smooth(2.0).refute(toys.SINE, budget)


def test_search_repeats_and_climbs():
    assumption = Smooth(1e3)
    found, again = (assumption.refute(toys.SINE_SQUARED, 10_000, seed=5) for _ in range(2))
    assert found.ratio == again.ratio
    assert all(torch.equal(a, b) for a, b in zip(found.witness, again.witness, strict=True))
    sampled = assumption.check(toys.SINE_SQUARED, *sample_points(toys.SINE_SQUARED, 300, 2))
    assert found.ratio > sampled.ratio
    assert found.ratio == pytest.approx(8e-3, rel=0.01)  # f'' <= 8


def test_search_works_on_oracles_outside_torch():
    sine = Toy(
        lambda x: torch.from_numpy(x.numpy().copy()).sin().sum(-1),
        lambda x: torch.from_numpy(x.numpy().copy()).cos(),
    )
    assert Smooth(0.95).refute(sine, BUDGET).verdict == "refuted"
    assert Smooth(1.0).refute(sine, BUDGET).verdict == "not refuted"


@dataclasses.dataclass(frozen=True)
class Domained(Toy):
    """-log x, defined for x > 0; its formula goes on, concave, on the other side."""

    def contains(self, x: Tensor) -> Tensor:
        return (x > 0).all(-1)


def test_search_stays_in_the_domain():
    problem = Domained(lambda x: torch.where(x > 0, -x.log(), -x.square()).sum(-1), lambda x: -1 / x)
    found = Convex().refute(problem, 10_000)
    assert found.verdict == "not refuted", found
    assert all(bool(problem.contains(p)) for p in found.witness)


def test_balls():
    ball = Ball((1.0, 0.0), 2.0)
    x = torch.tensor([[1.0, 2.0], [3.1, 0.0], [1.0, math.nan]], dtype=torch.float64)
    assert ball.contains(x).tolist() == [True, False, False]
    with pytest.raises(ValueError, match=r"x must have shape \(\*batch, 2\)"):
        ball.contains(x[:, :1])


@pytest.mark.parametrize(
    ("center", "radius", "message"),
    [
        ((0.0,), 0.0, "radius must be finite and > 0"),
        ((0.0,), math.nan, "radius must be finite and > 0"),
        ((), 1.0, "center must be a non-empty tuple"),
        ([0.0], 1.0, "center must be a non-empty tuple"),
        ((math.nan,), 1.0, "center must have finite entries"),
    ],
)
def test_bad_balls_are_rejected(center, radius, message):
    with pytest.raises(ValueError, match=message):
        Ball(center, radius)


def test_every_assumption_is_listed():
    room = Path(inspect.getfile(assumptions)).parent
    defined = set()
    for path in (p for p in room.rglob("*.py") if p.stem != "__init__"):
        parts = path.relative_to(room).with_suffix("").parts
        module = importlib.import_module(".".join(("assumptions", *parts)))
        for node in ast.parse(path.read_text()).body:
            cls = getattr(module, getattr(node, "name", ""), None)
            if isinstance(cls, type) and issubclass(cls, Assumption) and not inspect.isabstract(cls):
                defined.add(cls)
    assert defined == set(ASSUMPTIONS)
    assert len(ASSUMPTIONS) == len(defined)
    assert all(getattr(assumptions, cls.__name__) is cls for cls in ASSUMPTIONS)


def test_each_constant_name_has_one_meaning():
    names = [name for cls in ASSUMPTIONS for name in cls.constants()]
    assert len(names) == len(set(names))


OTHER_FIELDS = {"norm", "order", "phi", "p", "left"}
"""The geometry, and what says which statement of a kind it is."""


@pytest.mark.parametrize("cls", ASSUMPTIONS)
def test_constants_are_the_other_fields(cls: type[Assumption]):
    fields = {f.name for f in dataclasses.fields(cls)}
    assert fields - OTHER_FIELDS == set(cls.constants())
    assert set(cls.sense.values()) <= {-1, 1}


def test_the_witness_is_the_worst_violation_not_the_first():
    f = quadratic(1.0, 10.0)
    zero = torch.zeros(3, 2, dtype=torch.float64)
    away = torch.tensor([[0.6, 0.8], [0.0, 1.0], [0.8, 0.6]], dtype=torch.float64)
    found = Smooth(5.0).check(f, zero, away)
    assert found.ratio == pytest.approx(2.0, rel=1e-12)
    assert torch.equal(found.witness[1], away[1])


def test_a_search_finds_the_worst_direction():
    assert Smooth(9.0).refute(rotated(1.0, 10.0, 3.0, seed=5)).ratio == pytest.approx(10 / 9, rel=1e-6)


GROWS = Toy(lambda x: x.exp().sum(-1), Tensor.exp, d=1)
OVERFLOWS = Toy(lambda x: (x**4).sum(-1), lambda x: torch.where(x.abs() > 1e3, torch.inf, 4 * x**3), d=1)


def test_an_overflow_hides_no_violation_and_is_none():
    near, far = torch.tensor([[10.0], [2000.0]]), torch.tensor([[0.0], [3000.0]])
    both = near.double(), far.double()
    assert Smooth(1.0).check(OVERFLOWS, *both).verdict == "refuted"
    assert Smooth(1.0).check(OVERFLOWS, *both).ratio == pytest.approx(400.0)
    assert Smooth(1.0).check(OVERFLOWS, *(p[1:] for p in both)).verdict == "undefined"


@pytest.mark.parametrize("statement", [Convex(), QuasiConvex()])
def test_a_search_leaves_out_where_values_overflow(statement: Inequality):
    found = statement.refute(GROWS, 4000)
    assert found.verdict == "not refuted"
    assert all(float(p) < 400 for p in found.witness)


def test_balls_that_reach_an_overflow_say_nothing():
    steep = Toy(lambda x: (30 * x).cosh().sum(-1), lambda x: 30 * (30 * x).sinh(), d=1)
    centers = torch.tensor([[23.6], [23.68], [0.1]], dtype=torch.float64)
    assert BallConvex(0.0).check(steep, centers).verdict == "not refuted"


@pytest.mark.parametrize("wrong", [torch.zeros(4, 2).double(), torch.zeros(4, 3, dtype=torch.int64), [1.0]])
def test_points_of_another_shape_or_kind_are_refused(wrong):
    x = torch.zeros(4, 3, dtype=torch.float64)
    for use in (lambda: Smooth(1.0).check(toys.SINE, x, wrong), lambda: Smooth(1.0).along(toys.SINE, wrong)):
        with pytest.raises(ValueError, match="must"):
            use()
