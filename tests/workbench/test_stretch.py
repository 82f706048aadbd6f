"""Steps that are looked at together: the same run, whatever the number of steps, rows and records."""

from dataclasses import dataclass

import pytest
import torch

from problems import Quadratic
from problems.least_squares import LeastSquares
from tests.workbench.toys import Noisy, Overflow, Parabola
from workbench import run, stretch
from workbench.draws import DrawStream
from workbench.methods import GradientDescent, Method, Point
from workbench.walk import Memory, walk

QUADRATIC = Quadratic((1.0, 2.0, 5.0, 0.5, 0.1), seed=2)
LENGTHS = {"one": 0, "few": 7 * 70, "many": 2**20}


@pytest.fixture(params=LENGTHS)
def other_length(request, monkeypatch):
    """Stretches of one, of seven, of a hundred steps of 70 rows."""

    def use() -> None:
        monkeypatch.setattr(stretch, "MOST_ROWS", LENGTHS[request.param])

    return use


def same(one, two) -> None:
    """Bit by bit, nan where nan is; what oracles state is added in the same order."""
    assert one.quantities.keys() == two.quantities.keys()
    for group in ("quantities", "resolutions", "cancelled", "costs"):
        mine, theirs = getattr(one, group), getattr(two, group)
        assert mine.keys() == theirs.keys()
        for name in mine.keys() - {"seconds"}:
            assert torch.equal(mine[name].nan_to_num(-7.0), theirs[name].nan_to_num(-7.0)), (group, name)
    assert torch.equal(one.diverged_at, two.diverged_at)
    assert torch.equal(one.x.nan_to_num(-7.0), two.x.nan_to_num(-7.0))


@pytest.mark.parametrize("every", [1, 7, 1000])
@pytest.mark.parametrize("schedule", [None, {"p": lambda k: 1 / (k + 1)}], ids=["fixed", "scheduled"])
def test_the_length_of_a_stretch_changes_nothing(other_length, every, schedule):
    stepsize = torch.linspace(0.01, 0.1, 70, dtype=torch.float64)[:, None]
    arguments = {"steps": 250, "replicates": 70, "every": every, "schedule": schedule, "keep_state": True}
    expected = run(Noisy(stepsize), QUADRATIC, **arguments)
    other_length()
    same(run(Noisy(stepsize), QUADRATIC, **arguments), expected)


LIMITS = torch.tensor([[torch.nan], [1.0], [50.0], [99.0], [100.0], [101.0], [250.0]], dtype=torch.float64)


@pytest.mark.parametrize("every", [1, 7])
def test_divergence_is_at_its_step_wherever_a_stretch_ends(other_length, every):
    arguments = {"steps": 250, "replicates": 7, "every": every, "keep_state": True}
    expected = run(Overflow(LIMITS), QUADRATIC, **arguments)
    assert expected.diverged_at.tolist() == [-1, 1, 50, 99, 100, 101, 250]
    assert expected["grad_calls"][:, -1].tolist() == [250, 1, 50, 99, 100, 101, 250]
    other_length()
    same(run(Overflow(LIMITS), QUADRATIC, **arguments), expected)


@dataclass(frozen=True)
class Passing(Method):
    """1, 2, ..., 30, inf, 1, 2, ...: a number that is not finite only for a moment."""

    def step(self, problem, state, draw):
        after = torch.where(state.x >= 30, torch.inf, state.x + 1)
        return Point(torch.where(state.x.isinf(), 1.0, after))


def test_a_moment_that_is_not_finite_is_not_missed():
    x0 = torch.tensor([[1.0], [20.0], [-500.0]], dtype=torch.float64)
    trace = run(Passing(), Parabola(), x0, steps=100, keep_state=True)
    assert trace.diverged_at.tolist() == [30, 11, -1]
    assert trace.x[0, 29, 0] == 30
    assert trace.x[0, 30:].isnan().all()


@dataclass(frozen=True)
class Large(Method):
    """Finite numbers whose sum is not."""

    def step(self, problem, state, draw):
        return Point(torch.full_like(state.x, 1.5e308))


def test_a_sum_that_overflows_is_no_divergence():
    assert run(Large(), QUADRATIC, steps=5, replicates=3, record=()).diverged_at.tolist() == [-1, -1, -1]


CALLS: list[float] = []


@dataclass(frozen=True)
class Faulty(Method):
    def step(self, problem, state, draw):
        CALLS.append(float(state.x[0, 0]))
        if len(CALLS) == 6:
            raise ArithmeticError("step 5")
        return Point(state.x / 2)


def test_an_error_of_a_step_is_raised_at_once():
    CALLS.clear()
    with pytest.raises(ArithmeticError, match="step 5"):
        run(Faulty(), Parabola(), steps=50)
    assert [2.0**-k for k in range(6)] == CALLS


def walked(every: int, steps: int = 23):
    stepsize = torch.full((4, 1), 0.1, dtype=torch.float64)
    method = Noisy(stepsize)
    draws = DrawStream(3, range(4), method.draws(QUADRATIC), "cpu")
    with torch.no_grad():
        return walk(method, QUADRATIC, QUADRATIC.x0.expand(4, -1).clone(), steps, draws, {}, every)


def test_a_thin_record_holds_the_steps_and_those_before():
    whole, thin = walked(1), walked(5)
    assert whole.kept == list(range(24))
    assert thin.kept == [0, 5, 10, 15, 20, 23]
    assert whole.before is None
    assert thin.before is not None
    assert len(thin.states) == len(thin.before) == 6
    for place, k in enumerate(thin.kept):
        assert torch.equal(thin.states[place].x, whole.states[k].x)
        assert torch.equal(thin.before[place], whole.states[max(k - 1, 0)].x)
        for name in ("stated", "reach"):
            assert torch.equal(getattr(thin, name)[:, place], getattr(whole, name)[:, k])
        assert torch.equal(thin.costs["grad_calls"][:, place], whole.costs["grad_calls"][:, k])
    assert (thin.seconds.diff() > 0).all()


def test_states_of_a_thin_record_hold_no_more_than_themselves():
    for state in walked(5, steps=60).states:
        assert state.x.untyped_storage().nbytes() == state.x.nbytes


@dataclass(frozen=True)
class Stated(GradientDescent):
    """States an error that depends on row, step and hyperparameter."""

    def x_error(self, problem, state, new):
        return self.stepsize[..., 0] * (state.x - new.x).norm(dim=-1)


def test_stated_errors_are_those_of_each_step():
    table = torch.rand(3, 41, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 10
    x0 = torch.tensor([[1.0], [2.0], [3.0]], dtype=torch.float64)
    arguments = {"steps": 40, "schedule": {"stepsize": table}, "record": ("dist",), "keep_state": True}
    trace = run(Stated(0.5), Parabola(), x0, **arguments)
    plain = run(GradientDescent(0.5), Parabola(), x0, **arguments)
    moves = trace.x.diff(dim=1).norm(dim=-1) * table[:, :-1]
    stated = (trace.resolutions["dist"] - plain.resolutions["dist"])[:, 1:]
    assert torch.equal(trace.x, plain.x)
    torch.testing.assert_close(stated, moves.cumsum(1), rtol=1e-12, atol=1e-15)


def test_a_memory_keeps_records_apart():
    memory = Memory()
    whole = run(GradientDescent(0.1), QUADRATIC, steps=6, memory=memory)
    thin = run(GradientDescent(0.1), QUADRATIC, steps=6, every=2, memory=memory)
    assert torch.equal(thin["gap"], whole["gap"][:, ::2])


def test_passes_and_costs_can_be_recorded():
    """A full gradient of 569 terms is one pass; of one term that is one gradient."""
    names = ("grad_calls", "passes", "bits")
    trace = run(GradientDescent(1e-3), LeastSquares("breast_cancer"), steps=4, every=2, record=names)
    assert trace.quantities["grad_calls"].tolist() == [[0, 2 * 569, 4 * 569]]
    assert trace["passes"].tolist() == [[0, 2, 4]]
    assert trace["bits"].tolist() == [[0, 0, 0]]
    assert (trace.resolutions["grad_calls"] == 0).all()
