"""The multi-proximal method and its special cases: draws, costs, equal iterates, worst states."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from problems import AbsAffine, Huber, Quadratic, QuadraticSum
from problems.abs_sum import AbsSum
from problems.composite.composite import Composite
from problems.composite.flat_sets import Consensus
from problems.composite.indicator import Indicator
from workbench import run
from workbench.methods import ProximalPoint
from workbench.methods.multi_proximal import MultiProximal
from workbench.methods.point_saga import PointSAGA, table_star, table_star_error
from workbench.methods.proxskip import ProxSkip
from workbench.methods.randprox_minibatch import RandProxMinibatch
from workbench.samplings import AllOrNothing, Independent, Nice, Single
from workbench.theorems import multi_proximal, multi_proximal_cases
from workbench.verify import Budget, Verdict, judge_unit
from workbench.verify.plan import Unit

NOTHING = SimpleNamespace()
MIXED = Composite.around(
    (0.5, -0.25),
    ((0.5, 0.0), (0.0, -0.25), (1.0, 1.0), (0.5, -0.25)),
    smooth=Quadratic((1.0, 3.0), (1.0, 0.0), seed=None),
    terms=(
        AbsAffine((1.0, 0.0), 0.5),
        AbsAffine((0.0, 1.0), -0.25),
        Quadratic((2.0, 2.0), (0.0, -0.75), seed=None),
        Huber(L=1.0, delta=1.0, d=2),
    ),
    mu_g=0.25,
)
AGREEING = Composite(
    smooth=Quadratic((1.0, 2.0, 4.0), (1.0, 2.0, -1.25), seed=None),
    terms=(Indicator(Consensus(3, 1)),),
    minimiser=(0.0, 0.0, 0.0),
    duals=((1.0, 4.0, -5.0),),
)
SHRUNK = multi_proximal_cases.SHRUNK
SMOOTH_SUM = QuadraticSum(
    (((1.0, 0.0), (0.0, 4.0)), ((2.0, 1.0), (1.0, 3.0)), ((4.0, 0.0), (0.0, 0.5)), ((1.0, 0.0), (0.0, 1.0))),
    linear=((1.0, -2.0), (0.5, 3.0), (0.0, 0.0), (1.0, 1.0)),
)
KINKED_SUM = AbsSum(
    rows=((1.0, 0.5), (-0.5, 1.0), (0.25, -1.0), (2.0, 1.0)),
    signs=(0.5, -0.25, 1.0, 0.125),
    mu=0.25,
    center=(0.5, -0.25),
)
SAMPLINGS = (
    Single(),
    Single((1.0, 2.0, 3.0, 4.0)),
    Nice(2),
    Nice(4),
    Independent(0.5),
    Independent((0.1, 0.3, 0.5, 1.0)),
    AllOrNothing(0.3),
)


def random(seed, *shape):
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def multi(problem, sampling, stepsize=0.5):
    v = torch.tensor(sampling.eso(problem.parts.n), dtype=torch.float64)
    return MultiProximal(stepsize, 1 / (stepsize * v)[None], sampling)


def state_of(method, problem, rows, seed=0):
    """A state that no run need reach."""
    state = method.init(problem, random(seed, rows, problem.d), NOTHING)
    return state._replace(**{name: random(seed + 1, *getattr(state, name).shape) for name in method.free})


def draws_of(method, problem, rows):
    """Every outcome for each row: (draw, probability)."""
    ((name, space),) = method.draws(problem).items()
    values, chances = space.outcomes()
    return [
        (SimpleNamespace(**{name: value.expand(rows, *value.shape)}), float(chance))
        for value, chance in zip(values, chances, strict=True)
    ]


def mean_over_draws(method, problem, state, read):
    rows = state.x.shape[0]
    return sum(
        chance * read(method.step(problem, state, draw)) for draw, chance in draws_of(method, problem, rows)
    )


# -- the multi-proximal method -----------------------------------------------------------------------


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_the_mean_of_a_step_uses_every_term_and_its_variance_obeys_the_constants(sampling):
    method = multi(MIXED, sampling)
    state = state_of(method, MIXED, 5)
    everyone = SimpleNamespace(sample=torch.ones(5, 4, dtype=torch.bool))
    nobody = SimpleNamespace(sample=torch.zeros(5, 4, dtype=torch.bool))
    change = method.step(MIXED, state, everyone).u - state.u
    z = method.step(MIXED, state, nobody).x
    centre = z - 0.5 * change.sum(dim=-2)
    mean = mean_over_draws(method, MIXED, state, lambda s: s.x)
    torch.testing.assert_close(mean, centre, rtol=1e-12, atol=1e-12)
    around = mean_over_draws(method, MIXED, state, lambda s: (s.x - z).square().sum(-1))
    v = torch.tensor(sampling.eso(4), dtype=torch.float64)
    assert bool((around <= 0.25 * (v * change.square().sum(-1)).sum(-1) * (1 + 1e-12)).all())


def test_an_empty_draw_moves_only_the_iterate_and_calls_no_proximal_step_of_a_term():
    method = multi(MIXED, Independent(0.5))
    state = state_of(method, MIXED, 3)
    nobody = SimpleNamespace(sample=torch.zeros(3, 4, dtype=torch.bool))
    found, cost = method.step(MIXED, state, nobody), method.cost(MIXED, state, nobody)
    assert torch.equal(found.u, state.u)
    point = state.x - 0.5 * (state.u.sum(-2) + MIXED.parts.smooth_grad(state.x))
    torch.testing.assert_close(found.x, MIXED.parts.prox(point, 0.5))
    assert {unit: c.tolist() for unit, c in cost.items()} == {
        "prox_calls": [0.0] * 3,
        "grad_calls": [1.0] * 3,
        "communications": [0.0] * 3,
    }


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_the_solution_does_not_move_whatever_is_drawn(sampling):
    method = multi(MIXED, sampling)
    problem: Any = MIXED
    state = method.init(MIXED, problem.x_star[None], NOTHING)._replace(u=problem.parts.dual_star[None])
    for draw, _ in draws_of(method, MIXED, 1):
        found = method.step(MIXED, state, draw)
        torch.testing.assert_close(found.x, state.x, rtol=0, atol=1e-14)
        torch.testing.assert_close(found.u, state.u, rtol=0, atol=1e-14)


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
def test_it_converges_and_counts_what_it_spends(sampling):
    method = multi(MIXED, sampling, 0.3)
    trace = run(method, MIXED, steps=400, record=("dist", "prox_calls", "communications"), replicates=4)
    assert float(trace["dist"][:, -1].max()) < 0.02
    expected = 400 * sum(sampling.probabilities(4))
    assert trace["prox_calls"][:, -1].mean() == pytest.approx(expected, rel=0.05)
    assert bool((trace["communications"][:, -1] <= trace["prox_calls"][:, -1]).all())


def test_what_it_knows_of_itself():
    known: Any = MultiProximal.known(MIXED, {"sampling": Single((1.0, 2.0, 1.0, 4.0))})
    assert known["p_j"].tolist() == [0.125, 0.25, 0.125, 0.5]
    assert known["v_j"].tolist() == [8.0, 4.0, 8.0, 2.0]
    assert known["n_parts"] == 4


def test_dual_quantities_by_hand():
    problem = multi_proximal.KINKS  # |x| twice and x^2 / 2, duals 1/2 and -1/2
    method = MultiProximal(1.0, 0.5, Single())
    trace = run(
        method, problem, steps=1, record=("dual_error_j", "bregman_j"), x0=torch.tensor([4.0]).double()
    )
    assert trace["dual_error_j"][0, 0].tolist() == [0.5, 0.5]
    # z = 2, y = 0 by the prox of 2 |.|, dual 1: B = |0| - 0 - 0
    drawn = trace["dual_error_j"][0, 1]
    assert sorted(drawn.tolist()) in ([0.5, 0.5], [0.5, 1.5])
    trace = run(method, problem, steps=1, record=("bregman_j",), x0=torch.tensor([8.0]).double())
    # z = 4, y = 2: |2| - 2/2 for the first term, |2| + 2/2 for the second
    assert trace["bregman_j"][0, 0].tolist() == [0.0, 0.0]
    assert sorted(trace["bregman_j"][0, 1].tolist()) in ([0.0, 1.0], [0.0, 3.0])


# -- special cases, from any duals ---------------------------------------------------------------------


@pytest.mark.parametrize("s", [1, 2, 4])
@pytest.mark.parametrize("problem", [SMOOTH_SUM, KINKED_SUM], ids=["quadratics", "kinks"])
@pytest.mark.parametrize("stepsize", [0.1, 20.0])
def test_point_saga_is_the_method_on_a_finite_sum(problem, s, stepsize):
    one, two = multi(problem, Nice(s), stepsize), PointSAGA(stepsize, s)
    state = state_of(one, problem, 6)
    table = two.init(problem, state.x, NOTHING)._replace(G=4 * state.u)
    for (a, _), (b, _) in zip(draws_of(one, problem, 6), draws_of(two, problem, 6), strict=True):
        found, other = one.step(problem, state, a), two.step(problem, table, b)
        torch.testing.assert_close(found.x, other.x, rtol=1e-10, atol=1e-11)
        torch.testing.assert_close(4 * found.u, other.G, rtol=1e-10, atol=1e-11)
        assert torch.equal(found.picked, other.picked)
        assert torch.equal(
            one.cost(problem, state, a)["prox_calls"], two.cost(problem, table, b)["prox_calls"]
        )


@pytest.mark.parametrize("p", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("problem", [AGREEING, SHRUNK], ids=["consensus", "ridge"])
def test_proxskip_is_the_method_with_one_term(problem, p):
    one = MultiProximal(0.4, p / 0.4, AllOrNothing(p))
    two = ProxSkip(0.4, p)
    state = state_of(one, problem, 6)
    other = two.init(problem, state.x, NOTHING)._replace(h=-state.u[:, 0])
    for (a, _), (b, _) in zip(draws_of(one, problem, 6), draws_of(two, problem, 6), strict=True):
        found, twin = one.step(problem, state, a), two.step(problem, other, b)
        torch.testing.assert_close(found.x, twin.x, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.u[:, 0], -twin.h, rtol=1e-12, atol=1e-12)
        spent, also = one.cost(problem, state, a), two.cost(problem, other, b)
        assert spent.keys() == also.keys()
        assert all(torch.equal(spent[unit], also[unit]) for unit in spent)


@pytest.mark.parametrize("s", [1, 3, 4])
def test_randprox_with_a_minibatch_is_the_method_with_sets_of_one_size(s):
    one, two = multi(MIXED, Nice(s)), RandProxMinibatch(0.5, s)
    state = state_of(one, MIXED, 6)
    other = two.init(MIXED, state.x, NOTHING)._replace(u=state.u)
    for (a, _), (b, _) in zip(draws_of(one, MIXED, 6), draws_of(two, MIXED, 6), strict=True):
        found, twin = one.step(MIXED, state, a), two.step(MIXED, other, b)
        torch.testing.assert_close(found.x, twin.x, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(found.u, twin.u, rtol=1e-12, atol=1e-12)


def test_the_proximal_point_method_is_the_method_with_one_term_and_nothing_else():
    problem = Huber(L=2.0, delta=0.5, d=3)
    one, two = MultiProximal(0.7, 1 / 0.7, Nice(1)), ProximalPoint(0.7)
    x = problem.x0
    traces = [run(m, problem, x, steps=20, record=("dist",), keep_state=True) for m in (one, two)]
    torch.testing.assert_close(traces[0].x, traces[1].x, rtol=1e-12, atol=1e-14)


BUDGET = Budget("few", steps=20, starts=8)


@pytest.mark.parametrize(
    ("theorem", "problem"),
    [
        (multi_proximal_cases.AS_POINT_SAGA, SMOOTH_SUM),
        (multi_proximal_cases.AS_POINT_SAGA, KINKED_SUM),
        (multi_proximal_cases.AS_PROXSKIP, AGREEING),
        (multi_proximal_cases.AS_PROXSKIP, SHRUNK),
        (multi_proximal_cases.AS_RANDPROX, MIXED),
        (multi_proximal_cases.AS_PROXIMAL_POINT, AbsAffine((1.0, 2.0))),
    ],
    ids=lambda x: getattr(x, "id", type(x).__name__),
)
def test_the_special_cases_are_verified_on_the_same_draws(theorem, problem):
    records = judge_unit(Unit(theorem, problem, BUDGET, 0, ""))
    assert {r.verdict for r in records} == {Verdict.NOT_REFUTED}, [r.reason for r in records]
    assert all(r.checked == 160 for r in records)


# -- worst states ------------------------------------------------------------------------------------


UNWEIGHTED = next(m for m in multi_proximal.SMOOTH_STEP.mutants if "method" in m.change)


def worst_ratio(kind, factor):
    """Largest E Psi_next / Psi over all states of a linear step; dual stepsizes times ``factor``."""
    problem, tau = multi_proximal.FLAT, factor / 4
    method = kind(1.0, torch.full((1, 4), tau, dtype=torch.float64), Single())
    basis = torch.eye(5, dtype=torch.float64)
    state = method.init(problem, basis[:, :1], NOTHING)._replace(u=basis[:, 1:, None])
    weights = torch.tensor([1.0] + [4 * (1 / tau + 0.04)] * 4, dtype=torch.float64)

    def quadratic(s):
        images = torch.cat([s.x, s.u.squeeze(-1)], -1)
        return images @ torch.diag(weights) @ images.T

    root = weights.rsqrt()
    mean = mean_over_draws(method, problem, state, quadratic)
    return float(torch.linalg.eigvalsh(root[:, None] * mean * root)[-1])


@pytest.mark.parametrize(
    ("kind", "factor", "expected"),
    [
        (MultiProximal, 1, 0.997525),
        (MultiProximal, 2, 3.70687),
        (MultiProximal, 4, 22.8008),
        (UNWEIGHTED.change["method"], 1, 1.63133),
    ],
    ids=["as stated", "tau doubled", "v forgotten", "1/p forgotten"],
)
def test_the_worst_one_step_ratio_is_the_rate_and_wrong_constants_exceed_one(kind, factor, expected):
    assert worst_ratio(kind, factor) == pytest.approx(expected, rel=1e-5)
    rate = 1 - 0.25 * 0.01 / 1.01
    assert (worst_ratio(kind, factor) <= rate * (1 + 1e-12)) == (kind is MultiProximal and factor == 1)


def test_a_method_without_the_correction_is_refuted_where_the_method_itself_is_not():
    theorem, few = multi_proximal.SMOOTH_STEP, Budget("few", steps=1, starts=1)
    (record,) = judge_unit(Unit(theorem, UNWEIGHTED.on, few, 0, "", UNWEIGHTED))
    assert record.verdict == Verdict.REFUTED
    assert record.witness is not None
    right = dataclasses.replace(UNWEIGHTED, change={**UNWEIGHTED.change, "method": MultiProximal})
    (record,) = judge_unit(Unit(theorem, UNWEIGHTED.on, few, 0, "", right))
    assert record.verdict == Verdict.NOT_REFUTED


# -- every method: batches, columns, purity ------------------------------------------------------------

METHODS = [
    (multi(MIXED, Independent(0.5)), MIXED),
    (RandProxMinibatch(0.5, 2), MIXED),
    (ProxSkip(0.4, 0.5), AGREEING),
    (PointSAGA(0.5, 2), SMOOTH_SUM),
    (PointSAGA(2.0, 3), KINKED_SUM),
]


def drawn(method, problem, *batch):
    """Draws of a batch, from uniforms."""
    ((name, space),) = method.draws(problem).items()
    u = torch.rand(*batch, space.width, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return SimpleNamespace(**{name: space.value(u)})


@pytest.mark.parametrize(("method", "problem"), METHODS, ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("batch", [(6,), (2, 3)])
def test_a_batch_equals_its_rows_and_nothing_is_written_into(method, problem, batch):
    state = state_of(method, problem, 6)
    draw = drawn(method, problem, *batch)
    ((name, value),) = vars(draw).items()
    shaped = type(state)(*(f.reshape(*batch, *f.shape[1:]) for f in state))
    copies = [f.clone() for f in shaped]
    found = method.step(problem, shaped, draw)
    assert all(torch.equal(a, b) for a, b in zip(shaped, copies, strict=True))
    assert [f.shape for f in found] == [f.shape for f in shaped]
    flat = value.reshape(6, *value.shape[len(batch) :])
    rows = []
    for i in range(6):
        alone = type(state)(*(f[i : i + 1] for f in state))
        rows.append(method.step(problem, alone, SimpleNamespace(**{name: flat[i : i + 1]})))
    for field, parts in zip(found, zip(*rows, strict=True), strict=True):
        torch.testing.assert_close(field.reshape(6, *field.shape[len(batch) :]), torch.cat(parts))
    error = method.x_error(problem, shaped, found)
    assert error.shape == batch
    assert bool((error < 1e-10).all())
    assert all(c.shape == batch for c in method.cost(problem, shaped, draw).values())


@pytest.mark.parametrize(("method", "problem"), METHODS, ids=lambda x: type(x).__name__)
def test_a_column_of_stepsizes_equals_floats(method, problem):
    values = (0.1, 0.3, 0.6)
    column = method.with_values({"stepsize": torch.tensor([[s] for s in values], dtype=torch.float64)})
    state, draw = state_of(method, problem, 3), drawn(method, problem, 3)
    found = column.step(problem, state, draw)
    error = column.x_error(problem, state, found)
    for i, value in enumerate(values):
        alone = method.with_values({"stepsize": value})
        row = type(state)(*(f[i : i + 1] for f in state))
        one = alone.step(problem, row, SimpleNamespace(**{n: d[i : i + 1] for n, d in vars(draw).items()}))
        for a, b in zip(found, one, strict=True):
            torch.testing.assert_close(a[i : i + 1], b)
        torch.testing.assert_close(error[i : i + 1], alone.x_error(problem, row, one))


@pytest.mark.parametrize(("method", "problem"), METHODS, ids=lambda x: type(x).__name__)
def test_a_lost_row_stays_alone(method, problem):
    state, draw = state_of(method, problem, 3), drawn(method, problem, 3)
    kept = method.step(problem, state, draw)
    x = state.x.clone()
    x[1] = torch.nan
    found = method.step(problem, state._replace(x=x), draw)
    assert bool(found.x[1].isnan().all())
    assert torch.equal(found.x[[0, 2]], kept.x[[0, 2]])


def test_the_table_of_a_sum_with_kinks_is_the_one_that_the_problem_names():
    assert torch.equal(table_star(KINKED_SUM), KINKED_SUM.star_grads)
    assert float(table_star(KINKED_SUM).mean(0).norm()) < 1e-15
    assert table_star_error(KINKED_SUM) < 1e-14
    assert float(table_star(SMOOTH_SUM).mean(0).norm()) < 1e-14
    trace = run(PointSAGA(1.0), SMOOTH_SUM, steps=400, record=("dist", "table_error"), replicates=3)
    assert float(trace["table_error"][:, -1].max()) < 1e-6
    assert float(trace["table_error"][0, 0]) == pytest.approx(
        float(table_star(SMOOTH_SUM).square().sum(-1).mean().sqrt())
    )


# -- wrong input ---------------------------------------------------------------------------------------


def test_wrong_hyperparameters_are_named():
    with pytest.raises(TypeError, match=r"sampling must be a Sampling such as Nice\(2\), got 2"):
        MultiProximal(0.5, 1.0, 2)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="dual_stepsize_j must be finite and > 0"):
        MultiProximal(0.5, 0.0, Nice(1))
    with pytest.raises(ValueError, match=r"p must be in \(0, 1\], got 1.5"):
        ProxSkip(0.5, 1.5)
    with pytest.raises(ValueError, match=r"p must be in \(0, 1\], got 0.0"):
        ProxSkip(0.5, 0.0)
    with pytest.raises(ValueError, match="minibatch"):
        PointSAGA(0.5, 1.5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="minibatch"):
        RandProxMinibatch(0.5, 0)


def test_a_minibatch_larger_than_the_sum_is_named():
    for method, problem in ((PointSAGA(0.5, 5), SMOOTH_SUM), (RandProxMinibatch(0.5, 5), MIXED)):
        with pytest.raises(ValueError, match=r"minibatch must be an integer in 1\.\.4, the terms .*, got 5"):
            run(method, problem, steps=1)
    with pytest.raises(ValueError, match="s must be at most the number of clients, 4, got 5"):
        run(MultiProximal(0.5, 1.0, Nice(5)), MIXED, steps=1)


@pytest.mark.parametrize("entries", [2, 3, 5])
def test_dual_stepsizes_for_another_number_of_terms_are_named_before_the_first_step(entries):
    said = f"dual_stepsize_j must have one entry, or one for each of the 4 terms, got {entries}"
    for tau in (torch.full((entries,), 0.1), torch.full((3, entries), 0.1)):
        method = MultiProximal(0.5, tau.double(), Nice(1))
        with pytest.raises(ValueError, match=said):
            run(method, MIXED, steps=1, replicates=3)


def test_one_dual_stepsize_and_one_for_each_term_and_replicate_are_the_same():
    shapes = [(), (1,), (4,), (1, 1), (1, 4), (3, 1), (3, 4)]
    found = [
        run(MultiProximal(0.5, torch.full(s, 0.1).double(), Nice(2)), MIXED, steps=3, replicates=3)["dist"]
        for s in shapes
    ]
    assert all(torch.equal(each, found[0]) for each in found)


def test_problems_that_do_not_fit_are_named():
    with pytest.raises(TypeError, match="it has 4 terms h_j, one is accepted"):
        run(ProxSkip(0.5, 0.5), MIXED, steps=1)
    with_g = Composite.around((0.0,), terms=(Quadratic((1.0,), (0.0,), seed=None),), mu_g=1.0)
    with pytest.raises(TypeError, match="it has a proximal part g"):
        run(ProxSkip(0.5, 0.5), with_g, steps=1)
    without = Composite(smooth=Quadratic((1.0,), (0.0,), seed=None))
    for method in (MultiProximal(0.5, 1.0, Nice(1)), RandProxMinibatch(0.5, 1)):
        with pytest.raises(TypeError, match="it has no terms h_j"):
            run(method, without, steps=1)
