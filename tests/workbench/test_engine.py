"""The loop: divergence, starts, schedules, thinning, costs, draws, and what is rejected before step 0."""

from collections import Counter
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from assumptions import EUCLIDEAN, Lp
from problems import INSTANCES, AbsAffine, LeastSquares, LogisticRegression, Problem, Quadratic, WeightedL1
from problems.function import from_function
from tests.workbench.toys import Noisy, Overflow, Parabola, gd, verdict
from workbench import run, symbols
from workbench.engine import BLOCK, RECORD
from workbench.methods import BPM, METHODS, SAGA, GradientDescent, Method, Point, ProximalPoint
from workbench.quantity import Quantity
from workbench.verify import Verdict

QUADRATIC = Quadratic((1.0, 2.0, 5.0), seed=1)
L1 = WeightedL1((1.0, 0.1, 2.0), start=(4.0, 1.0, -2.0))
LEAST_SQUARES = LeastSquares("breast_cancer")


def rows(n, d, seed=0):
    return torch.randn(n, d, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def made(kind: type[Method], value: float | Tensor = 0.1) -> Method:
    return kind(**dict.fromkeys((name for name in kind.fields() if name not in kind.options), value))


PLAIN = [
    m
    for m in METHODS
    if "parts" not in m.needs
    and not {"p", "minibatch", "law", "feedback"} & set(m.fields())
    and m is not SAGA
]
"""Methods without randomness and without parts; of the others the tests of their own count."""


def pairs():
    whole = [
        p for p in INSTANCES if p.family != "Distributed"
    ]  # its gradient is made of those of its clients
    connected = [p for p in whole if bool(p.contains(p.x0 + 1e-3))]
    return [(m, p) for m in PLAIN for p in connected if all(p.offers(n) for n in m.needs)]


# -- divergence -----------------------------------------------------------------------------------


def test_a_diverged_row_is_nan_from_its_step_and_leaves_the_others_alone():
    limit = torch.full((5, 1), torch.nan, dtype=torch.float64)
    calm = run(Overflow(limit.clone()), QUADRATIC, rows(5, 3), steps=6, keep_state=True)
    limit[2] = 4
    trace = run(Overflow(limit), QUADRATIC, rows(5, 3), steps=6, keep_state=True)
    assert trace.diverged_at.tolist() == [-1, -1, 4, -1, -1]
    others = [0, 1, 3, 4]
    assert torch.equal(trace.x[others], calm.x[others])
    assert torch.equal(trace.x[2, :4], calm.x[2, :4])
    assert trace.x[2, 4:].isnan().all()
    for name in RECORD:
        assert torch.equal(trace[name][others], calm[name][others])
        assert trace[name][2, :4].isfinite().all()
        assert trace[name][2, 4:].isnan().all()


def test_a_reader_that_swallows_nan_does_not_revive_a_diverged_row():
    """torch.sign(nan) is 0, so the subgradient of |x| at nan looks like that at a minimiser."""
    trace = run(Overflow(2.0), WeightedL1((1.0, 1.0)), steps=4, record=("gradnorm", "dist", "gap"))
    for name in ("gradnorm", "dist", "gap"):
        assert trace[name][0].isnan().tolist() == [False, False, True, True, True]


def test_the_step_that_overflows_is_paid_for_and_later_ones_are_not():
    trace = run(Overflow(torch.tensor([[3.0], [torch.nan]])), QUADRATIC, steps=6, replicates=2)
    assert trace["grad_calls"].tolist() == [[0, 1, 2, 3, 3, 3, 3], [0, 1, 2, 3, 4, 5, 6]]


def test_divergence_of_gradient_descent_is_at_the_first_overflow():
    trace = run(GradientDescent(1e150), Parabola(d=2), steps=5, keep_state=True)
    assert trace.diverged_at.tolist() == [3]  # 1, -1e150, 1e300, overflow
    assert trace.x[0, 2].isfinite().all()


@dataclass(frozen=True)
class Solver(Method):
    """Halves x; jumps to inf beyond 2, and stops, as a solver would, at a point that is not finite."""

    def step(self, problem, state, draw):
        if not bool(state.x.isfinite().all()):
            raise ArithmeticError("not finite")
        return Point(torch.where(state.x > 2, torch.inf, state.x / 2))


def test_a_step_never_sees_a_state_that_is_not_finite():
    x0 = torch.tensor([[1.0], [3.0]], dtype=torch.float64)
    trace = run(Solver(), Parabola(), x0, steps=3, keep_state=True)
    assert trace.x[0, :, 0].tolist() == [1, 0.5, 0.25, 0.125]
    assert trace.diverged_at.tolist() == [-1, 1]


@dataclass(frozen=True)
class BadStart(Method):
    def init(self, problem, x0, draw):
        return Point(torch.where(x0 > 2, torch.nan, x0))

    def step(self, problem, state, draw):
        return Point(state.x / 2)


def test_a_state_that_is_not_finite_at_the_start_diverges_at_zero():
    trace = run(BadStart(), QUADRATIC, torch.tensor([[1.0, 1, 1], [3.0, 1, 1]], dtype=torch.float64), steps=3)
    assert trace.diverged_at.tolist() == [-1, 0]
    assert trace["gap"][1].isnan().all()
    assert trace["gap"][0].isfinite().all()


# -- starts and replicates ------------------------------------------------------------------------


def test_one_start_serves_all_replicates():
    trace = run(GradientDescent(0.1), QUADRATIC, torch.ones(3, dtype=torch.float64), steps=4, replicates=7)
    alone = run(GradientDescent(0.1), QUADRATIC, torch.ones(3, dtype=torch.float64), steps=4)
    assert trace["gap"].shape == (7, 5)
    torch.testing.assert_close(trace["gap"], alone["gap"].expand(7, 5), rtol=1e-14, atol=0)


@pytest.mark.parametrize("kind", PLAIN)
def test_a_batch_equals_its_rows(kind):
    problem = L1 if all(L1.offers(n) for n in kind.needs) and kind is not GradientDescent else QUADRATIC
    x0 = rows(5, 3, seed=4)
    batch = run(made(kind), problem, x0, steps=10, keep_state=True)
    for i in range(5):
        alone = run(made(kind), problem, x0[i], steps=10, keep_state=True)
        torch.testing.assert_close(batch.x[i], alone.x[0], rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(batch["gap"][i], alone["gap"][0], rtol=1e-10, atol=1e-13)


def test_the_default_start_is_the_problems():
    trace = run(GradientDescent(0.1), QUADRATIC, steps=1, keep_state=True)
    assert torch.equal(trace.x[0, 0], QUADRATIC.x0)


def test_single_precision_starts_run_in_double_precision():
    x0 = rows(2, 3).float()
    trace = run(GradientDescent(0.1), QUADRATIC, x0, steps=3, keep_state=True)
    assert trace.x.dtype == torch.float64
    assert torch.equal(trace.x, run(GradientDescent(0.1), QUADRATIC, x0.double(), steps=3, keep_state=True).x)


def test_arguments_are_never_written_to():
    x0, stepsize = rows(70, 3), torch.full((70, 1), 0.1, dtype=torch.float64)
    table = torch.full((70, 6), 0.1, dtype=torch.float64)
    copies = [t.clone() for t in (x0, stepsize, table)]
    for method in (GradientDescent(stepsize), ProximalPoint(stepsize)):
        run(method, QUADRATIC, x0, steps=5, schedule={"stepsize": table})
    assert all(torch.equal(a, b) for a, b in zip((x0, stepsize, table), copies, strict=True))


@dataclass(frozen=True)
class Careless(Method):
    """Writes into its state, which no method may do."""

    def step(self, problem, state, draw):
        return Point(state.x.mul_(0.5))


def test_a_careless_method_spoils_its_own_run_alone():
    x0 = torch.ones(1, dtype=torch.float64)
    run(Careless(), Parabola(), x0, steps=3)
    assert x0.tolist() == [1.0]
    assert Parabola().x0.tolist() == [1.0]


def test_no_graph_is_kept():
    x0 = torch.ones(3, dtype=torch.float64, requires_grad=True)
    stepsize = torch.full((1, 1), 0.1, dtype=torch.float64, requires_grad=True)
    smooth = from_function(lambda x: x.pow(4).sum(-1), 3)
    for problem in (QUADRATIC, smooth):
        trace = run(GradientDescent(stepsize), problem, x0, steps=3, keep_state=True)
        tensors = [trace.x, *trace.quantities.values(), *trace.resolutions.values(), *trace.costs.values()]
        assert not any(t.requires_grad for t in tensors)


# -- schedules ------------------------------------------------------------------------------------


def scheduled(rule, steps=4, replicates=2, **extra):
    x0 = torch.tensor([[1.0], [2.0]], dtype=torch.float64)
    return run(GradientDescent(0.5), Parabola(), x0, steps=steps, schedule={"stepsize": rule}, **extra)


def test_a_schedule_gives_the_value_of_its_step():
    """x_{k+1} = (1 - s_k) x_k with s = 1/2, 1/3, 1/4, 1/5: products 1/2, 1/3, 1/4, 1/5."""
    table = torch.tensor([1 / (k + 2) for k in range(5)], dtype=torch.float64)
    for rule in (lambda k: 1 / (k + 2), table, table.expand(2, 5)):
        found = scheduled(rule)["dist"]
        assert found[0].tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4, 1 / 5])
        assert found[1].tolist() == pytest.approx([2, 1, 2 / 3, 1 / 2, 2 / 5])


def test_a_schedule_may_differ_by_replicate_and_across_blocks():
    table = (torch.arange(1, 71, dtype=torch.float64) / 100)[:, None].expand(70, 4)
    trace = run(GradientDescent(9.0), Parabola(), steps=3, replicates=70, schedule={"stepsize": table})
    assert trace["dist"][:, 1].tolist() == pytest.approx([1 - i / 100 for i in range(1, 71)])


@dataclass(frozen=True)
class Weighted(Method):
    """x_next = x - w_i g_i with a weight per layer."""

    w_i: float | Tensor = 1.0
    quantities: ClassVar = {"w_seen": lambda problem, method, state: (method.w_i + 0 * state.x).sum(-1)}

    def step(self, problem, state, draw):
        return Point(state.x - self.w_i * problem.grad(state.x))


def test_schedules_of_layered_hyperparameters_keep_their_axis():
    """Parabola(d=2) as two layers of one entry: each shrinks by its own factor."""
    table = torch.tensor([[0.5, 0.25]] * 4, dtype=torch.float64)
    for rule in (table, table[None], lambda k: table):
        trace = run(
            Weighted(), Parabola(d=2), steps=3, record=("w_seen",), schedule={"w_i": rule}, keep_state=True
        )
        assert trace.x[0, 1:].tolist() == [[0.5, 0.75], [0.25, 0.5625], [0.125, 0.421875]]
        assert trace["w_seen"][0].tolist() == [0.75] * 4


@pytest.mark.parametrize("every", [1, 2])
def test_quantities_see_the_hyperparameters_of_their_step(every):
    @dataclass(frozen=True)
    class Shown(GradientDescent):
        quantities: ClassVar = {
            "shown": lambda problem, method, state: method.stepsize[..., 0] + 0 * state.x[..., 0]
        }

    trace = run(
        Shown(1.0),
        Parabola(),
        steps=4,
        replicates=3,
        record=("shown",),
        every=every,
        schedule={"stepsize": lambda k: 1 / (k + 2)},
    )
    expected = [1 / (k + 2) for k in range(0, 5, every)]
    assert trace["shown"].tolist() == [expected] * 3
    column = torch.tensor([[0.1], [0.2], [0.3]], dtype=torch.float64)
    trace = run(Shown(column), Parabola(), steps=4, replicates=3, record=("shown",), every=every)
    assert torch.equal(trace["shown"], column.expand(3, len(expected)))


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (torch.ones(4, dtype=torch.float64), r"stepsize must have shape \(5,\) or \(2, 5\).*got \(4,\)"),
        (torch.ones(3, 5, dtype=torch.float64), r"got \(3, 5\)"),
        (torch.ones(2, 5, 1, dtype=torch.float64), r"got \(2, 5, 1\)"),
        (lambda k: -k, "stepsize must be finite and > 0"),
        (lambda k: 1 / (3 - k), "stepsize must be finite and > 0"),  # inf at the last step
        (lambda k: k * torch.nan, "stepsize must be finite and > 0"),
    ],
)
def test_bad_schedules_fail_before_the_first_step(rule, message, monkeypatch):
    monkeypatch.setattr(GradientDescent, "step", lambda *a: pytest.fail("a step was made"))
    with pytest.raises(ValueError, match=message):
        scheduled(rule)


def test_a_schedule_of_an_unknown_field_lists_the_fields():
    with pytest.raises(ValueError, match="schedule names 'radius', fields of GradientDescent: stepsize"):
        run(GradientDescent(0.1), QUADRATIC, steps=2, schedule={"radius": lambda k: k})


# -- thinning -------------------------------------------------------------------------------------

EVERYTHING = ("value", "gap", "dist", "gradnorm", "moved")


@pytest.mark.parametrize(
    ("every", "kept"), [(1, list(range(8))), (3, [0, 3, 6, 7]), (7, [0, 7]), (50, [0, 7])]
)
def test_a_thinned_record_has_the_numbers_of_the_full_one(every, kept):
    x0 = rows(4, 3)
    method = GradientDescent(torch.tensor([[0.1], [0.2], [0.05], [0.15]], dtype=torch.float64))
    whole = run(method, QUADRATIC, x0, steps=7, record=EVERYTHING, keep_state=True)
    thin = run(method, QUADRATIC, x0, steps=7, record=EVERYTHING, every=every, keep_state=True)
    assert thin.k.tolist() == kept
    assert torch.equal(thin.x, whole.x[:, kept])
    assert torch.equal(thin["grad_calls"], whole["grad_calls"][:, kept])
    for name in EVERYTHING:
        torch.testing.assert_close(thin[name], whole[name][:, kept], rtol=1e-12, atol=1e-15)
        for group in ("resolutions", "cancelled"):
            found, full = getattr(thin, group)[name], getattr(whole, group)[name][:, kept]
            torch.testing.assert_close(found, full, rtol=1e-3, atol=1e-18)


def test_moved_is_the_length_of_one_step_whatever_the_thinning():
    problem = AbsAffine((1.0,), start=(10.0,))
    trace = run(ProximalPoint(0.5), problem, steps=9, record=("moved",), every=4)
    assert trace["moved"][0].tolist() == pytest.approx([0, 0.5, 0.5, 0.5])


def test_moved_is_measured_in_the_norm_of_the_run():
    x0 = torch.full((3,), 10.0, dtype=torch.float64)
    problem = WeightedL1((1.0, 1.0, 1.0))
    for norm, length in ((EUCLIDEAN, 3**0.5), (Lp(1.0), 3.0), (Lp(float("inf")), 1.0)):
        trace = run(ProximalPoint(1.0), problem, x0, steps=2, record=("moved",), norm=norm)
        assert trace["moved"][0].tolist() == pytest.approx([0, length, length])


# -- costs ----------------------------------------------------------------------------------------


class Counting:
    """A problem seen through a counter of rows per oracle call."""

    ORACLES = ("value", "grad", "part_grad", "prox", "brox", "brox_step", "hvp", "gap", "nearest_star")

    def __init__(self, problem: Problem) -> None:
        self.problem, self.rows = problem, Counter()

    def __getattr__(self, name):
        found = getattr(self.problem, name)
        if name not in self.ORACLES:
            return found

        def counted(x, *others):
            self.rows[name] += x.shape[:-1].numel()
            return found(x, *others)

        return counted


SEARCHES = ("AdaptiveProximalPoint",)
"""Methods whose step is one call by definition, found by a search that calls the oracle more often."""


@pytest.mark.parametrize(
    ("kind", "problem"), [(m, p) for m, p in pairs() if m.__name__ not in SEARCHES], ids=str
)
def test_costs_are_what_a_counting_problem_sees(kind, problem, monkeypatch):
    monkeypatch.setattr(kind, "x_error", lambda *_: 0.0)  # a bound on errors is not the method's work
    counting = Counting(problem)
    short = (
        1e4 if "slope_i" in kind.fields() else 1e-4
    )  # of these the step is the shorter the larger they are
    trace = run(made(kind, short), counting, steps=3, replicates=5, record=())
    seen = counting.rows
    oracles = trace.costs.keys() - {"seconds", "lmo_calls"}
    found = {unit: trace.costs[unit][:, -1].sum().item() for unit in oracles}
    gradients = (seen["grad"] + seen["hvp"]) * problem.n_terms + seen["part_grad"]
    expected = {"grad_calls": gradients, "prox_calls": seen["prox"] + seen["brox"] + seen["brox_step"]}
    assert found == {unit: n for unit, n in expected.items() if n}
    assert sum(found.values()) > 0
    assert set(seen) <= {"grad", "part_grad", "prox", "brox", "brox_step", "hvp"}
    for unit in found:
        increments = trace[unit].diff(dim=1)
        assert trace[unit][:, 0].tolist() == [0] * 5
        assert (increments == increments[:, :1]).all()


def test_least_squares_costs_one_gradient_per_term():
    trace = run(GradientDescent(1e-3), LEAST_SQUARES, steps=3, record=())
    assert trace["grad_calls"][0].tolist() == [569 * k for k in range(4)]


def test_seconds_grow():
    seconds = run(GradientDescent(0.1), QUADRATIC, steps=50)["seconds"]
    assert seconds[0, 0] == 0
    assert (seconds.diff(dim=1) >= 0).all()
    assert seconds[0, -1] > 0


@dataclass(frozen=True)
class SometimesCostly(Method):
    """Rows beyond 1 cost bits; where no row does, the unit is not mentioned."""

    def step(self, problem, state, draw):
        return Point(state.x / 2)

    def cost(self, problem, state, draw):
        far = state.x.norm(dim=-1) > 1
        return {"bits": far.double()} if bool(far.any()) else {}


@pytest.mark.parametrize("costly", [0, BLOCK])
def test_a_unit_spent_in_one_block_only_is_kept(costly):
    x0 = torch.full((BLOCK + 6, 1), 0.5, dtype=torch.float64)
    x0[costly] = 3.0
    trace = run(SometimesCostly(), Parabola(), x0, steps=3)
    assert trace["bits"].shape == (BLOCK + 6, 4)
    assert trace["bits"][costly].tolist() == [0, 1, 2, 2]
    assert trace["bits"].sum() == 5


# -- draws ----------------------------------------------------------------------------------------


def noisy(replicates, steps=120, **extra):
    problem = Quadratic((1.0, 2.0, 5.0, 0.5, 0.1), seed=2)
    return run(
        Noisy(**extra), problem, steps=steps, replicates=replicates, seed=5, record=(), keep_state=True
    )


def test_draws_do_not_depend_on_the_batch():
    one, block, many = noisy(1), noisy(64), noisy(100)
    assert torch.equal(many.x[:64], block.x)
    torch.testing.assert_close(block.x[:1], one.x, rtol=1e-11, atol=1e-12)
    assert torch.equal(many["grad_calls"][:1], one["grad_calls"])
    assert len({tuple(row) for row in many["grad_calls"].tolist()}) > 90  # replicates differ


def test_a_shorter_run_is_the_beginning_of_a_longer_one():
    assert torch.equal(noisy(3, steps=30).x, noisy(3, steps=120).x[:, :31])


def test_probabilities_may_differ_by_replicate_beyond_one_block():
    p = torch.zeros(100, 1, dtype=torch.float64)
    p[70:] = 1.0
    heads = noisy(100, steps=10, p=p)["grad_calls"][:, -1]
    assert heads.tolist() == [0.0] * 70 + [10.0] * 30


def test_probabilities_may_be_scheduled():
    problem = Quadratic((1.0, 2.0), seed=2)
    trace = run(
        Noisy(), problem, steps=6, replicates=4, record=(), schedule={"p": lambda k: (k < 3).double()}
    )
    assert trace["grad_calls"].tolist() == [[0, 1, 2, 3, 3, 3, 3]] * 4


def test_seeds_matter_and_repeat():
    def x(seed):
        return run(Noisy(), QUADRATIC, steps=3, seed=seed, keep_state=True).x

    assert torch.equal(x(3), x(3))
    assert not torch.equal(x(3), x(4))
    x(2**63 - 1)


@pytest.mark.parametrize("seed", [-1, 2**63, 2**64, 1.0, True, "0", None])
def test_bad_seeds_are_named(seed):
    with pytest.raises(ValueError, match=r"seed must be an integer in \[0, 2\*\*63\), got"):
        run(GradientDescent(0.1), QUADRATIC, steps=1, seed=seed)


# -- what is rejected, before step 0 --------------------------------------------------------------


class Bare(Problem):
    """|x|^2 / 2 with nothing but the required parts."""

    d = 2  # pyright: ignore[reportAssignmentType]
    x0 = torch.ones(2, dtype=torch.float64)  # pyright: ignore[reportAssignmentType]
    certified = ()  # pyright: ignore[reportAssignmentType]

    def __init__(self):
        self.calls = 0

    def value(self, x):
        self.calls += 1
        return x.square().sum(-1) / 2

    def grad(self, x):
        self.calls += 1
        return x

    def __repr__(self):
        return "Bare()"


@pytest.mark.parametrize(("method", "oracle"), [(BPM(0.1), "brox"), (ProximalPoint(0.1), "prox")])
def test_a_missing_oracle_is_named_with_method_and_problem(method, oracle):
    bare = Bare()
    with pytest.raises(TypeError, match=rf"{type(method).__name__} needs {oracle}, which Bare\(\) does not"):
        run(method, bare, steps=1)
    assert bare.calls == 0


def test_missing_facts_shorten_the_default_record_and_are_an_error_when_asked_for():
    assert set(run(GradientDescent(0.1), Bare(), steps=1).quantities) == {"gradnorm"}
    bare = Bare()
    for name, fact in (("gap", "f_star"), ("dist", "nearest_star")):
        with pytest.raises(ValueError, match=rf"{name} needs {fact}, which Bare\(\) does not offer"):
            run(GradientDescent(0.1), bare, steps=1, record=("value", name))
    with pytest.raises(ValueError, match="gap needs f_star"):
        run(GradientDescent(0.1), bare, steps=1, record=("gap", "dist", "gradnorm"))
    assert bare.calls == 0


def test_dist_in_another_norm_is_an_error_unless_the_minimiser_is_unique():
    singular = Quadratic((1.0, 0.0), center=(0.0, 0.0), seed=None, start=(0.5, 10.0))
    with pytest.raises(ValueError, match="dist needs nearest_star"):
        run(GradientDescent(0.1), singular, steps=1, record=("dist",), norm=Lp(1.0))
    assert "dist" not in run(GradientDescent(0.1), singular, steps=1, norm=Lp(1.0)).quantities


def test_unknown_quantities_list_the_known_ones():
    known = (
        "bits, communications, dist, gap, grad_calls, gradnorm, gradnorm_i, lmo_calls, moved, passes, "
        "prox_calls, value"
    )
    with pytest.raises(ValueError, match=f"record names 'gaps', known quantities: {known}"):
        run(GradientDescent(0.1), QUADRATIC, steps=1, record=("gaps",))


@pytest.mark.parametrize(
    ("x0", "message"),
    [
        (torch.zeros(2, dtype=torch.float64), r"x0 must have shape \(\*batch, 3\), got \(2,\)"),
        (torch.zeros(4, 2, dtype=torch.float64), r"x0 must have shape"),
        (
            torch.zeros(2, 4, 3, dtype=torch.float64),
            r"x0 must be \(d,\) or \(replicates, d\), got \(2, 4, 3\)",
        ),
        (torch.tensor(1.0, dtype=torch.float64), "x0 must have shape"),
        (torch.zeros(0, 3, dtype=torch.float64), "replicates must be an integer >= 1, got 0"),
        (torch.zeros(3, dtype=torch.int64), "x0 must be a floating point tensor"),
        ([0.0, 0.0, 0.0], "x0 must be a floating point tensor"),
        (torch.tensor([0.0, torch.nan, 0.0], dtype=torch.float64), "x0 must be finite"),
        (torch.tensor([0.0, torch.inf, 0.0], dtype=torch.float64), "x0 must be finite"),
    ],
)
def test_bad_starts_are_rejected(x0, message):
    with pytest.raises(ValueError, match=message):
        run(GradientDescent(0.1), QUADRATIC, x0, steps=1)


def test_starts_and_replicates_must_agree():
    with pytest.raises(ValueError, match="x0 has 4 rows for 5 replicates"):
        run(GradientDescent(0.1), QUADRATIC, rows(4, 3), steps=1, replicates=5)


def test_a_start_outside_the_domain_is_rejected():
    class Half(Bare):
        def contains(self, x: Tensor) -> Tensor:
            return x[..., 0] > 0

    x0 = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], dtype=torch.float64)
    run(GradientDescent(0.1), Half(), x0[:1], steps=1)
    with pytest.raises(ValueError, match="x0 is outside the domain"):
        run(GradientDescent(0.1), Half(), x0, steps=1)


@pytest.mark.parametrize("name", ["steps", "every", "replicates"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True])
def test_counts_are_positive_integers(name, value):
    arguments = {"steps": 1, name: value}
    with pytest.raises(ValueError, match=f"{name} must be an integer >= 1, got"):
        run(GradientDescent(0.1), QUADRATIC, **arguments)


@pytest.mark.parametrize("shape", [(3, 1), (2, 2, 1)])
def test_hyperparameters_for_another_number_of_replicates_are_rejected(shape):
    method = GradientDescent(torch.full(shape, 0.1, dtype=torch.float64))
    with pytest.raises(ValueError, match=r"stepsize has shape .* for 2 replicates"):
        run(method, QUADRATIC, steps=1, replicates=2)


def test_a_method_that_forgets_to_check_shapes_is_checked():
    """(2,) against x: (2, 2) would broadcast over coordinates instead of rows."""

    @dataclass(frozen=True)
    class Unchecked(Method):
        stepsize: float | Tensor

        def step(self, problem: Problem, state: Point, draw: SimpleNamespace) -> Point:
            return Point(state.x - self.stepsize * problem.grad(state.x))

    with pytest.raises(ValueError, match=r"Unchecked.stepsize must be a float or have shape \(\*batch, 1\)"):
        run(Unchecked(torch.tensor([0.1, 0.2], dtype=torch.float64)), Parabola(d=2), steps=1, replicates=2)


# -- quantities -----------------------------------------------------------------------------------


def test_quantities_may_be_given_to_a_run():
    """Read with the method's hyperparameters of each step, and blank where the run is lost."""
    extra = {
        "ratio": lambda problem, method, state: method.stepsize[..., 0] * state.x[..., 0],
        "sign": lambda problem, method, state: state.x[..., 0].sign(),
    }
    column = torch.tensor([[1.0], [2.5], [1e160]], dtype=torch.float64)
    arguments = {"steps": 3, "replicates": 3, "quantities": extra, "record": ("ratio", "sign", "gap")}
    trace = run(GradientDescent(column), Parabola(), **arguments)
    assert trace["ratio"][:2].tolist() == [[1, 0, 0, 0], [2.5, -3.75, 5.625, -8.4375]]
    assert trace["sign"][1].tolist() == [1, -1, 1, -1]
    assert trace["sign"][2].isnan().tolist() == [False, False, True, True]
    thin = run(GradientDescent(column), Parabola(), every=2, **arguments)
    assert torch.equal(thin["ratio"][:2], trace["ratio"][:2, [0, 2, 3]])


def test_a_plain_function_may_be_negative():
    """A value that is moved by its resolution must not be cut off at 0."""
    below = gd(
        quantities={"below": lambda problem, method, state: -state.x.norm(dim=-1)},
        measured=symbols("below"),
        bound=2 * symbols("below"),
    )
    assert verdict(below, Parabola()).verdict == Verdict.REFUTED


class Inexact(Parabola):
    oracle_errors: ClassVar = {"prox": 1e-6}  # pyright: ignore[reportAssignmentType]

    def prox(self, x, stepsize):
        return x / (1 + stepsize) + 1e-6

    def brox(self, x, radius):
        return x * (1 - radius / x.norm(dim=-1, keepdim=True)).clamp(min=0)


def test_the_stated_error_of_an_oracle_adds_up_over_the_steps():
    """A tiny proximal step keeps every error: after k steps x is k errors away from the exact one."""
    trace = run(ProximalPoint(1e-12), Inexact(), steps=100, record=("dist",), keep_state=True)
    error = (trace.x[0, :, 0] - (1 + 1e-12) ** -torch.arange(101, dtype=torch.float64)).abs()
    assert error[-1] == pytest.approx(1e-4)
    assert (error <= trace.resolutions["dist"][0]).all()
    assert trace.resolutions["dist"][0, 0] < 1e-12
    other = run(BPM(0.01), Inexact(), steps=20, record=("dist",))
    assert other.resolutions["dist"].max() < 1e-12  # the error of an oracle that is not used


def test_the_resolution_of_gradnorm_is_in_its_norm():
    """In the dual of the largest entry a gradient's error is a sum over coordinates."""
    errors = {}
    for norm in (EUCLIDEAN, Lp(float("inf"))):
        trace = run(ProximalPoint(1e-12), Inexact(d=100), steps=3, record=("gradnorm",), norm=norm)
        errors[norm] = float(trace.resolutions["gradnorm"][0, -1])
    assert errors[Lp(float("inf"))] == pytest.approx(10 * errors[EUCLIDEAN], rel=1e-3)


def test_quantities_of_a_method_may_have_axes_and_override_nothing():
    @dataclass(frozen=True)
    class Rich(GradientDescent):
        quantities: ClassVar = {
            "x_i": lambda problem, method, state: state.x,
            "half": Quantity("half", "h", lambda r: r.x[..., 0] / 2),
        }

    trace = run(Rich(0.1), QUADRATIC, steps=3, replicates=2, record=("x_i", "half"), keep_state=True)
    assert torch.equal(trace["x_i"], trace.x)
    assert torch.equal(trace["half"], trace.x[..., 0] / 2)
    assert trace.resolutions["x_i"].shape == (2, 4, 3)


@pytest.mark.parametrize("problem", [Parabola(d=2, shift=7.0), LogisticRegression("breast_cancer", reg=0.01)])
def test_the_resolution_covers_the_distance_to_an_exact_run(problem):
    """Rounding is made visible: the same run from a start one rounding away differs by less."""
    x0 = problem.x0 + 1.0
    near = x0 * (1 + torch.finfo(torch.float64).eps)
    one = run(GradientDescent(0.01), problem, x0, steps=20, record=("value", "gradnorm"))
    two = run(GradientDescent(0.01), problem, near, steps=20, record=("value", "gradnorm"))
    for name in ("value", "gradnorm"):
        assert ((one[name] - two[name]).abs() <= one.resolutions[name]).all()
        assert (one.resolutions[name] <= 1e-9 * (1 + one[name].abs())).all()


def test_cpu_is_a_device():
    here = run(Noisy(), QUADRATIC, steps=3, device="cpu", keep_state=True)
    assert torch.equal(here.x, run(Noisy(), QUADRATIC, steps=3, keep_state=True).x)


@pytest.mark.gpu
def test_a_gpu_sees_the_same_draws():
    stepsize = torch.full((70, 1), 0.1, dtype=torch.float64)
    arguments = {"steps": 12, "replicates": 70, "schedule": {"p": lambda k: 1 / (k + 1)}, "keep_state": True}
    here = run(Noisy(stepsize), QUADRATIC, **arguments)
    there = run(Noisy(stepsize), QUADRATIC, device="cuda", **arguments)
    torch.testing.assert_close(there.x, here.x, rtol=1e-10, atol=1e-12)
    assert torch.equal(there["grad_calls"], here["grad_calls"])
