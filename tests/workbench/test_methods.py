"""Conformance of every method in the list, and known answers."""

import importlib
import math
import pkgutil
from dataclasses import fields
from inspect import isabstract, isclass
from types import SimpleNamespace

import pytest
import torch

import workbench.methods as room
from assumptions import Lp, Weighted
from problems import (
    INSTANCES,
    AbsAffine,
    Box,
    Composite,
    Constrained,
    CoupledQuadratic,
    Huber,
    Problem,
    Quadratic,
    QuadraticSum,
    SpectralQuadratic,
    WeightedL1,
)
from workbench import run
from workbench.compressors import COMPRESSORS
from workbench.draws import DrawStream
from workbench.layer_laws import LAYER_LAWS, Full
from workbench.methods import (
    BPM,
    METHODS,
    PAGE,
    SVRG,
    SVRP,
    AcceleratedProximalGradient,
    AdaptiveDropMuon,
    AdaptiveGluon,
    ConditionalGradient,
    ConstrainedScion,
    CoupledDropMuon,
    DropMuon,
    GradientDescent,
    InexactGluon,
    LooplessSVRG,
    Method,
    MultiProximal,
    Muon,
    Nesterov,
    NormalisedGradientDescent,
    NormalisedSGD,
    ProximalPoint,
    ProxSkip,
    RandProxMinibatch,
    Scion,
    Signum,
    Subgradient,
    TrustRegion,
)
from workbench.orthogonal import ORTHOGONALISERS
from workbench.quantities import COSTS, SHARED
from workbench.registry import Registry
from workbench.samplings import SAMPLINGS, AllOrNothing

NOTHING = SimpleNamespace()
LASSO = Composite(
    Quadratic((1.0, 4.0), center=(2.0, 0.125), seed=None),
    None,
    (WeightedL1((1.0, 1.0)),),
    (1.0, 0.0),
    ((1.0, 0.5),),
)
PROBLEMS = [
    Huber(L=2.0, delta=0.5, d=4),
    Quadratic((1.0, 2.0, 5.0), seed=1),
    WeightedL1((1.0, 0.1, 2.0)),
    QuadraticSum.isotropic(2.0, ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0))),
    LASSO,
    Constrained(Quadratic((1.0, 2.0), seed=None, center=(1.0, 2.0)), Box((-1.0, -1.0), (0.5, 0.5))),
    SpectralQuadratic(((2.0, 0.5), (0.5, 1.0)), 3),
    CoupledQuadratic(((1.0, 1.0), (1.0, 1.0)), (1, 1), start=(1.0, 1.0)),
]
PAIRS = [(m, p) for m in METHODS for p in PROBLEMS if all(p.offers(n) for n in m.needs) and not m.unfit(p)]
OTHERS = {
    SVRG: {"period": 3},
    LooplessSVRG: {"p": 0.5},
    Nesterov: {"beta": 0.5},
    AcceleratedProximalGradient: {"beta": 0.5},
    PAGE: {"p": 0.5},
    SVRP: {"p": 0.5},
    MultiProximal: {"dual_stepsize_j": 0.2, "sampling": AllOrNothing(0.7)},
    ProxSkip: {"p": 0.5},
    RandProxMinibatch: {"minibatch": 1},
    AdaptiveGluon: {"slope_i": 0.3},
    NormalisedSGD: {"beta": 0.5},
    Signum: {"beta": 0.5},
    InexactGluon: {"slope_i": 0.3},
    Muon: {"beta": 0.5},
    Scion: {"beta": 0.5},
    ConstrainedScion: {"weight": 0.5, "beta": 0.5},
    DropMuon: {"beta": 0.5, "law": Full()},
    AdaptiveDropMuon: {"slope_i": 0.3, "law": Full()},
    CoupledDropMuon: {"law": Full()},
}
"""Arguments beside the one that is varied, the first of each method."""
VALUES = (0.05, 0.3, 0.9)
NAMES = {k.__name__: k for k in (*SAMPLINGS, *LAYER_LAWS, *COMPRESSORS, *ORTHOGONALISERS)}
"""What else their calls say."""


def varied(kind):
    """The number that the tests vary; of methods without others all of them."""
    return kind.fields()[:1]


def made(kind, value):
    return kind(**{**dict.fromkeys(varied(kind), value), **OTHERS.get(kind, {})})


def points(problem, *batch):
    generator = torch.Generator().manual_seed(1)
    x = 3 * torch.randn(*batch, problem.d, dtype=torch.float64, generator=generator)
    return problem.into_domain(x)


def drawn(method, problem, *batch):
    """The draws of one step, the same for each row of a batch as for the row alone."""
    rows = math.prod(batch)
    spaces = method.draws(problem)
    draw = DrawStream(0, range(rows), spaces, "cpu").at(0, spaces)
    return SimpleNamespace(**{n: v.reshape(*batch, *v.shape[1:]) for n, v in vars(draw).items()})


def row_of(draw, i):
    return SimpleNamespace(**{n: v[i] for n, v in vars(draw).items()})


def start(method, problem, x0):
    return method.init(problem, x0, NOTHING)


def same(one, two):
    return all(torch.allclose(a, b, rtol=0, atol=0, equal_nan=True) for a, b in zip(one, two, strict=True))


def test_every_problem_of_the_conformance_suite_meets_every_method():
    assert {m for m, _ in PAIRS} == set(METHODS)


def test_the_list_names_every_method_of_the_room():
    found = set()
    for module in pkgutil.iter_modules(room.__path__):
        names = vars(importlib.import_module(f"workbench.methods.{module.name}"))
        found |= {
            c
            for c in names.values()
            if isclass(c) and issubclass(c, Method) and c.__module__.endswith(module.name)
        }
    assert {c for c in found if not isabstract(c)} == set(METHODS)
    assert len(set(METHODS)) == len(METHODS)


@pytest.mark.parametrize(("kind", "problem"), PAIRS, ids=str)
def test_steps_are_pure_and_repeat(kind, problem):
    column = torch.tensor([[v] for v in VALUES], dtype=torch.float64)
    method, x = made(kind, column), points(problem, 3)
    state, draw = start(method, problem, x), drawn(method, problem, 3)
    copies = [f.clone() for f in state], x.clone(), column.clone()
    one = method.step(problem, state, draw)
    cost = method.cost(problem, state, draw)
    two = method.step(problem, state, draw)
    assert same(one, two)
    assert same(state, copies[0])
    assert torch.equal(x, copies[1])
    assert torch.equal(column, copies[2])
    assert type(one) is type(state)
    assert [f.shape for f in one] == [f.shape for f in state]
    assert all(c.shape == (3,) and c.dtype == torch.float64 for c in cost.values())
    assert set(cost) <= set(COSTS)
    assert one.x.data_ptr() != state.x.data_ptr()


@pytest.mark.parametrize(("kind", "problem"), PAIRS, ids=str)
@pytest.mark.parametrize("batch", [(), (4,), (2, 3)])
def test_a_batch_equals_its_rows(kind, problem, batch):
    method, x = made(kind, 0.3), points(problem, *batch)
    draw = drawn(method, problem, *batch)
    found = method.step(problem, start(method, problem, x), draw).x
    assert found.shape == x.shape
    flat, whole = x.reshape(-1, problem.d), drawn(method, problem, math.prod(batch))
    rows = [
        method.step(problem, start(method, problem, row), row_of(whole, i)).x for i, row in enumerate(flat)
    ]
    torch.testing.assert_close(found, torch.stack(rows).reshape(x.shape), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("kind", "problem"), PAIRS, ids=str)
def test_a_column_of_hyperparameters_equals_floats(kind, problem):
    x = points(problem, 3)
    column = made(kind, torch.tensor([[v] for v in VALUES], dtype=torch.float64))
    draw = drawn(column, problem, 3)
    found = column.step(problem, start(column, problem, x), draw).x
    for i, value in enumerate(VALUES):
        alone = made(kind, value)
        one = SimpleNamespace(**{n: v[i : i + 1] for n, v in vars(draw).items()})
        expected = alone.step(problem, start(alone, problem, x[i : i + 1]), one).x[0]
        torch.testing.assert_close(found[i], expected, rtol=1e-12, atol=1e-13)
    assert not torch.equal(found[0] - x[0], found[1] - x[1])


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("value", [0, 0.0, -1.0, math.nan, math.inf, -math.inf, torch.tensor([[0.1], [0.0]])])
def test_hyperparameters_must_be_positive_and_finite(kind, value):
    for name in varied(kind):
        if name == "offset_i" and bool((torch.as_tensor(value) == 0).any()):
            continue  # 0 is right where the slopes are not 0
        with pytest.raises(ValueError, match=rf"^{name} must be .*got"):
            kind(**{**dict.fromkeys(varied(kind), 0.1), **OTHERS.get(kind, {}), name: value})


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("value", ["0.1", None, [0.1], True, (0.1,)])
def test_hyperparameters_must_be_numbers(kind, value):
    for name in varied(kind):
        with pytest.raises(TypeError, match=rf"^{name} must be a number or a tensor, got"):
            kind(**{**dict.fromkeys(varied(kind), 0.1), **OTHERS.get(kind, {}), name: value})


COLUMNS = [m for m in METHODS if not varied(m)[0].endswith("_i")]
"""Their first hyperparameter is one number; others have one for each layer."""


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_hyperparameters_must_be_columns(kind, shape):
    for name in varied(kind):
        with pytest.raises(ValueError, match=rf"{kind.__name__}.{name} must be a float or have shape"):
            kind(**{**OTHERS.get(kind, {}), name: torch.full(shape, 0.1)})


CHANCES = [(m, "p") for m in METHODS if "p" in m.fields()] + [(ConditionalGradient, "weight")]


@pytest.mark.parametrize(("kind", "name"), CHANCES, ids=str)
@pytest.mark.parametrize("value", [0.0, -0.1, 1.1, math.nan])
def test_probabilities_are_in_the_unit_interval(kind, name, value):
    with pytest.raises(ValueError, match=rf"^{name} must .*got"):
        kind(**{**dict.fromkeys(varied(kind), 0.1), **OTHERS.get(kind, {}), name: value})


COUNTS = [(m, n) for m in METHODS for n in ("minibatch", "period") if n in m.fields()]


@pytest.mark.parametrize(("kind", "name"), COUNTS, ids=str)
@pytest.mark.parametrize("value", [0, -1, 1.5, 2.0, True, "2"])
def test_counts_are_integers(kind, name, value):
    with pytest.raises((ValueError, TypeError), match=rf"^{name} must be .*got"):
        kind(**{**dict.fromkeys(varied(kind), 0.1), **OTHERS.get(kind, {}), name: value})


@pytest.mark.parametrize("kind", [m for m, name in COUNTS if name == "minibatch"])
def test_a_minibatch_has_no_more_terms_than_the_sum(kind):
    problem = next(p for m, p in PAIRS if m is kind)
    others = {**OTHERS.get(kind, {}), "minibatch": 9}
    with pytest.raises((ValueError, TypeError), match=r"minibatch|9"):
        run(kind(**dict.fromkeys(varied(kind), 0.1), **others), problem, steps=1)


@pytest.mark.parametrize("kind", METHODS)
def test_a_method_prints_as_the_call_that_makes_it(kind):
    method = made(kind, 0.25)
    assert repr(method).startswith(f"{kind.__name__}({varied(kind)[0]}=0.25")
    assert eval(repr(method), NAMES | {kind.__name__: kind}) == method
    assert Registry().method(repr(method)) == method


@pytest.mark.parametrize("kind", METHODS)
def test_a_method_is_frozen_and_says_where_it_comes_from(kind):
    method = made(kind, 0.25)
    with pytest.raises(AttributeError):
        setattr(method, kind.fields()[0], 1.0)
    assert kind.source
    assert set(kind.fields()) == {f.name for f in fields(kind)} - {"norm"}
    assert set(kind.options) <= set(kind.fields())
    assert not set(kind.quantities) & set(SHARED)


class Only:
    """A problem that offers value, grad and the named oracles; all else is missing."""

    def __init__(self, problem: Problem, *oracles: str) -> None:
        self.problem = problem
        self.open = {"d", "certified", "x0", "value", "grad", "contains", "layers", "n_terms", *oracles}
        self.open |= {"oracle_error", "oracle_errors", "n_clients", "part_grad", "part_grads"}
        self.open |= {"batch_grad", "batch_change"}

    def __getattr__(self, name):
        if name in {"problem", "open"} or name not in self.open:
            raise AttributeError(name)
        return getattr(self.problem, name)

    def offers(self, name: str) -> bool:
        return name in self.open

    def offers_dist(self, norm) -> bool:
        return False

    def offers_brox(self, norm) -> bool:
        return "brox" in self.open


@pytest.mark.parametrize(("kind", "problem"), PAIRS, ids=str)
def test_a_method_uses_nothing_beyond_its_needs(kind, problem):
    found = run(made(kind, 0.1), Only(problem, *kind.needs), steps=5, keep_state=True)
    expected = run(made(kind, 0.1), problem, steps=5, keep_state=True)
    torch.testing.assert_close(found.x, expected.x, rtol=0, atol=0, equal_nan=True)
    for i in range(len(kind.needs)):
        fewer = kind.needs[:i] + kind.needs[i + 1 :]
        with pytest.raises(TypeError, match=f"{kind.__name__} needs {kind.needs[i]}"):
            run(made(kind, 0.1), Only(problem, *fewer), steps=1)


# -- known answers --------------------------------------------------------------------------------


def one_step(method, problem, *x):
    return (
        run(method, problem, torch.tensor(x, dtype=torch.float64), steps=1, keep_state=True).x[0, 1].tolist()
    )


def test_gradient_descent_on_a_quadratic():
    """f = (x1^2 + 4 x2^2) / 2 from (2, -1) with step 1/8: (2 - 2/8, -1 + 4/8)."""
    problem = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None)
    assert one_step(GradientDescent(0.125), problem, 2.0, -1.0) == [1.75, -0.5]


def test_the_subgradient_method_steps_over_a_kink():
    assert one_step(Subgradient(2.0), AbsAffine((1.0,)), 0.5) == [-1.5]


def test_a_proximal_step_moves_by_stepsize_times_slope_and_stops_at_the_kink():
    assert one_step(ProximalPoint(0.5), AbsAffine((3.0,)), 4.0) == pytest.approx([2.5])
    assert one_step(ProximalPoint(0.5), AbsAffine((3.0,)), 1.0) == pytest.approx([0.0], abs=1e-15)
    assert one_step(ProximalPoint(0.5), WeightedL1((1.0, 2.0, 0.0)), 4.0, -0.9, 7.0) == pytest.approx(
        [3.5, 0, 7]
    )


def test_a_proximal_step_on_a_quadratic_shrinks_every_eigendirection():
    problem = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None)
    assert one_step(ProximalPoint(0.5), problem, 3.0, 3.0) == pytest.approx([2.0, 1.0])


def test_a_ball_step_is_as_long_as_the_radius_until_the_minimiser_is_within():
    trace = run(BPM(0.75), AbsAffine((1.0,), start=(5.3,)), steps=9, record=("moved", "dist"))
    assert trace["moved"][0].tolist() == pytest.approx([0, *[0.75] * 7, 0.05, 0.0], abs=1e-12)
    assert trace["dist"][0, -1] == pytest.approx(0, abs=1e-12)


def test_a_ball_step_on_the_absolute_value_contracts_by_exactly_one_minus_radius_over_distance():
    for start_at in (0.7, 1.0, 5.3, 1e4):
        gap = run(BPM(0.5), AbsAffine((2.0,), start=(start_at,)), steps=1)["gap"][0]
        assert float(gap[1] / gap[0]) == pytest.approx(1 - 0.5 / start_at, rel=1e-14)


def test_ball_steps_on_the_ladder_spend_one_radius_per_coordinate():
    """Weights 1, 1e-4, ..., 1e-20 from 1.01 in six coordinates: six steps of length 1, one of the rest."""
    ladder = next(p for p in INSTANCES if isinstance(p, WeightedL1) and p.d == 6)
    trace = run(BPM(1.0), ladder, steps=9, record=("dist", "gap", "moved"))
    dist, moved = trace["dist"][0], trace["moved"][0]
    assert int((dist > 1e-12).sum()) == 7  # k = 0, ..., 6: the seventh step arrives
    assert moved[1:7].tolist() == pytest.approx([1.0] * 6)
    assert 0 < float(moved[7]) < 1
    assert moved[8:].tolist() == pytest.approx([0.0] * 2, abs=1e-12)


def test_gradient_descent_with_step_one_over_l_solves_an_isotropic_quadratic_at_once():
    problem = Quadratic((2.0, 2.0, 2.0), seed=None, start=(3.0, -4.0, 1.0))
    assert run(GradientDescent(0.5), problem, steps=1)["dist"][0, 1] == pytest.approx(0, abs=1e-14)


def test_normalised_gradient_descent_moves_by_the_radius_in_its_norm():
    problem = Quadratic((1.0, 4.0), center=(0.0, 0.0), seed=None)
    assert one_step(NormalisedGradientDescent(5.0), problem, 3.0, 1.0) == pytest.approx([0.0, -3.0])
    assert one_step(NormalisedGradientDescent(0.5, Lp(math.inf)), problem, 3.0, -1.0) == [2.5, -0.5]
    assert one_step(NormalisedGradientDescent(0.5, Lp(1.0)), problem, 3.0, -1.0) == [3.0, -0.5]
    assert one_step(NormalisedGradientDescent(0.5), problem, 0.0, 0.0) == [0.0, 0.0]


class Saddle(Quadratic):
    """(x_1^2 - x_2^2) / 2: only what a trust-region step needs."""

    def grad(self, x):
        return x * x.new_tensor([1.0, -1.0])

    def hvp(self, x, v):
        return v * v.new_tensor([1.0, -1.0])


def test_a_trust_region_step_solves_the_hard_case():
    """From (1, 0) the gradient is orthogonal to the negative curvature: s = (-1/2, +-sqrt(t^2 - 1/4))."""
    saddle = Saddle((1.0, 1.0), center=(0.0, 0.0), seed=None)
    u = one_step(TrustRegion(2.0), saddle, 1.0, 0.0)
    assert u[0] == pytest.approx(0.5)
    assert abs(u[1]) == pytest.approx(math.sqrt(4 - 0.25))


def test_bpm_runs_in_the_norm_that_it_is_given():
    """|x_1| + 0.3 |x_2| over the box: both coordinates move by the radius."""
    problem = WeightedL1((1.0, 0.3))
    assert one_step(BPM(0.5, Lp(math.inf)), problem, 3.0, -1.0) == [2.5, -0.5]
    assert one_step(BPM(0.5, Lp(1.0)), problem, 3.0, -1.0) == [2.5, -1.0]
    trace = run(BPM(0.5, Lp(1.0)), problem, steps=3, record=("moved", "slope"))
    assert trace.norm == Lp(1.0)
    assert trace["moved"][0].tolist() == pytest.approx([0, 0.5, 0.5, 0.5])


@pytest.mark.parametrize("kind", [PAGE, ProxSkip, SVRP, LooplessSVRG])
def test_probabilities_are_guarded_alike(kind):
    for bad in (0, 0.0, -0.5, 1 + 1e-12, 1.5, 2, math.inf, math.nan):
        with pytest.raises(ValueError, match=rf"^p must be in \(0, 1\], got {bad!r}$"):
            kind(0.5, bad)
    for bad in (torch.tensor([[0.5], [0.0]]), torch.tensor([[math.nan]])):
        with pytest.raises(ValueError, match=r"^p must be in \(0, 1\], got tensor"):
            kind(0.5, bad)
    for bad in ("0.5", True, None):
        with pytest.raises(TypeError, match=r"^p must be a number, got"):
            kind(0.5, bad)
    assert (kind(0.5, 1).p, kind(0.5, 1e-50).p) == (1, 1e-50)
    assert kind(0.5, torch.tensor([[0.5], [1.0]])).p.shape == (2, 1)


def test_a_norm_of_another_dimension_is_rejected():
    with pytest.raises(ValueError, match="norm must be a norm in dimension 2"):
        run(BPM(0.5, Weighted((1.0, 2.0, 3.0))), WeightedL1((1.0, 0.3)), steps=1)
    with pytest.raises(TypeError, match="norm must be a Norm"):
        BPM(0.5, "l1")  # pyright: ignore[reportArgumentType]
