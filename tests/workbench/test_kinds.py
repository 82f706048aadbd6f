"""Claims about expectations, probabilities and rates: what they may say, and what refutes them."""

import dataclasses
import json
import math
from dataclasses import dataclass
from types import SimpleNamespace
from typing import ClassVar, NamedTuple

import pytest
import sympy as sp
import torch
from torch import Tensor

from assumptions import BoundedVariance, Convex, Smooth, StronglyConvex
from problems import INSTANCES, Noisy, ParetoNoise, Quadratic, QuadraticSum, SignNoise
from problems.base import Problem
from problems.well_formed import IllFormedError
from tests.workbench.toys import OURS, Parabola, gd, verdict
from workbench import Quantity, Recurrence, Tight, after, avg, first, symbols, total
from workbench.draws import Coin, Space
from workbench.match import match
from workbench.methods import Method
from workbench.methods.sgd import SGD
from workbench.statement import claim_latex, claim_text
from workbench.theorem import Theorem
from workbench.verify import QUICK, Budget, Verdict, judge_unit, replay
from workbench.verify.mean import process_of
from workbench.verify.plan import Unit

gap, gap0, gap_next, dist, dist0, dist_next, value = symbols("gap gap0 gap_next dist dist0 dist_next value")
L, mu, sigma, k, K, stepsize, p, count, grad_calls = symbols("L mu sigma k K stepsize p count grad_calls")

CENTRES = ((1.0, 0.0), (0.0, 3.0), (-1.0, -1.0))
ROUND = QuadraticSum.isotropic(2.0, CENTRES)
"""|x - c_j|^2: mu = 2."""
_C = torch.tensor(CENTRES, dtype=torch.float64)
SPREAD = float(4 * (_C - _C.mean(0)).square().sum(1).mean())
"""Mean squared gradient of a term at the minimiser."""
RATE = (1 - stepsize * mu) ** 2
EXACT = RATE**k * dist0**2 + (1 - RATE**k) / (1 - RATE) * stepsize**2 * SPREAD
SMALL = Budget("small", steps=30, starts=8, replicates=256, states=16, ascent=20, pairs=2**10)


def sgd(**fields):
    base = {
        "id": "t/sgd",
        "title": "t",
        "source": OURS,
        "method": SGD,
        "parameters": {"stepsize": 0.1, "minibatch": 1},
        "assumes": (StronglyConvex,),
    }
    return Theorem(**{**base, **fields})


# -- step -------------------------------------------------------------------------------------------


def test_a_step_claim_is_judged_exactly():
    bound = RATE * dist**2 + stepsize**2 * SPREAD
    claim = sgd(kind="step", measured=dist_next**2, bound=bound)
    record = verdict(claim, ROUND, SMALL)
    assert record.verdict == Verdict.NOT_REFUTED
    assert record.tightness == pytest.approx(1, rel=1e-12)
    for small in (0.999, 1 - 1e-9):
        record = verdict(sgd(kind="step", measured=dist_next**2, bound=small * bound), ROUND, SMALL)
        assert record.verdict == Verdict.REFUTED


def test_the_witness_of_a_step_claim_is_its_state():
    false = sgd(kind="step", measured=dist_next**2, bound=RATE * dist**2)
    record = verdict(false, ROUND, SMALL)
    witness = json.loads(json.dumps(record.witness))
    assert set(witness["state"]) == {"x", "k"}
    known = SimpleNamespace(theorem=lambda _: false, problem=lambda _: ROUND)
    again = replay(witness, known)
    assert again.reproduced
    x = torch.tensor(witness["state"]["x"], dtype=torch.float64)
    by_hand = (x - 0.1 * ROUND.part_grads(x) - ROUND.x_star).square().sum(-1).mean()
    assert again.measured == pytest.approx(float(by_hand), rel=1e-12)


class Doubling(NamedTuple):
    """x: (*batch, d); memory: (*batch, d)."""

    x: Tensor
    memory: Tensor


@dataclass(frozen=True)
class Forgetful(Method):
    """x_next = x / 2 + memory where heads, else x / 2; the memory is 0 in every run."""

    p: float | Tensor = 0.25
    free: ClassVar[tuple[str, ...]] = ("memory",)

    def draws(self, problem: Problem) -> dict[str, Space]:
        return {"coin": Coin(self.p)}

    def init(self, problem: Problem, x0: Tensor, draw: SimpleNamespace) -> Doubling:
        return Doubling(x0, torch.zeros_like(x0))

    def step(self, problem: Problem, state: Doubling, draw: SimpleNamespace) -> Doubling:
        new = torch.where(draw.coin, state.x / 2 + state.memory, state.x / 2)
        return Doubling(new, torch.zeros_like(state.memory))


def forgetful(p, bound):
    return Theorem(
        id="t/forgetful",
        title="t",
        source=OURS,
        method=Forgetful,
        parameters={"p": p},
        kind="step",
        measured=dist_next**2,
        bound=bound,
    )


def test_states_that_no_run_visits_are_tried():
    assert verdict(forgetful(0.25, dist**2 / 4), Parabola(d=2), SMALL).verdict == Verdict.REFUTED
    path = dataclasses.replace(forgetful(0.25, dist**2 / 4), kind="path")
    assert verdict(path, Parabola(d=2), SMALL).verdict == Verdict.NOT_REFUTED


def test_a_probability_that_changes_with_k_weighs_each_state_by_its_own():
    memory_free = dist**2 / 4
    claim = dataclasses.replace(forgetful(1 / (k + 2), memory_free), method=_Still)
    assert verdict(claim, Parabola(d=2), SMALL).verdict == Verdict.NOT_REFUTED
    assert verdict(claim, Parabola(d=2), SMALL).tightness == pytest.approx(1, rel=1e-12)


@dataclass(frozen=True)
class _Still(Forgetful):
    """Heads: x / 2; tails: x / 2. Written so that probabilities must add up to 1 in every state."""

    free: ClassVar[tuple[str, ...]] = ()


def test_ascent_finds_worse_states():
    """E dist_next^2 <= dist^2 - c |grad|^2 is tight along the longest axis alone."""
    problem = Quadratic(tuple(1.0 + 0.5 * i for i in range(12)), seed=3)
    fields = {"parameters": {"stepsize": 1 / L}, "assumes": (StronglyConvex, Smooth)}
    claim = gd(kind="step", measured=dist_next**2, bound=(1 - mu / L) ** 2 * dist**2, **fields)
    still = verdict(claim, problem, dataclasses.replace(SMALL, steps=1, ascent=1)).tightness
    climbed = verdict(claim, problem, dataclasses.replace(SMALL, steps=1, ascent=200)).tightness
    assert still < 0.95 < 0.999 < climbed <= 1 + 1e-12


def test_a_given_state_is_among_those_tried():
    bound = RATE * dist**2 + stepsize**2 * SPREAD
    claim = sgd(kind="step", measured=dist_next**2, bound=bound + dist**4)
    at_star = Tight(ROUND, 1.0, state={"x": tuple(ROUND.x_star.tolist())})
    unit = Unit(dataclasses.replace(claim, tight=(at_star,)), ROUND, SMALL, 0, "")
    (record,) = judge_unit(unit)
    assert record.tightness == pytest.approx(1, abs=1e-9)
    wrong = Tight(ROUND, 1.0, state={"speed": (1.0,)})
    (record,) = judge_unit(Unit(dataclasses.replace(claim, tight=(wrong,)), ROUND, SMALL, 0, ""))
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert "no field speed" in record.reason


def test_too_many_outcomes_are_said():
    claim = sgd(kind="step", measured=dist_next**2, bound=dist**2 + 10)
    record = verdict(claim, ROUND, dataclasses.replace(SMALL, pairs=11))
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert "3 outcomes" in record.reason
    noisy = Noisy(Quadratic((1.0,), seed=None, center=(0.0,)), ParetoNoise(3.0))
    assert "infinitely many outcomes" in verdict(claim, noisy, SMALL).reason


# -- mean -------------------------------------------------------------------------------------------


def test_a_mean_claim_is_exact_while_the_tree_is_small():
    record = verdict(sgd(kind="mean", measured=dist**2, bound=EXACT), ROUND, SMALL)
    assert record.verdict == Verdict.NOT_REFUTED
    assert record.statistics["exact_steps"] == 6  # 3^6 <= 1024
    assert record.tightness == pytest.approx(1, rel=1e-12)
    below = verdict(sgd(kind="mean", measured=dist**2, bound=(1 - 1e-6) * EXACT), ROUND, SMALL)
    assert below.verdict == Verdict.REFUTED


def test_a_false_mean_is_refuted_by_bets_where_no_tree_is_small():
    noisy = Noisy(Quadratic((1.0, 1.0), seed=None, center=(0.0, 0.0), start=(1.0, 0.0)), SignNoise(1.0))
    many = dataclasses.replace(SMALL, pairs=1)
    bound = RATE**k * dist0**2 + (1 - RATE**k) / (1 - RATE) * stepsize**2 * sigma**2
    assumes = (StronglyConvex, BoundedVariance)
    for scale, wanted in ((1.0, Verdict.NOT_REFUTED), (0.6, Verdict.REFUTED)):
        claim = sgd(kind="mean", measured=dist**2, bound=scale * bound, assumes=assumes)
        record = verdict(claim, noisy, many)
        assert record.verdict == wanted, record.reason
        assert record.statistics["exact_steps"] == 0
        assert (record.e_value >= 1e6) == (wanted == Verdict.REFUTED)
        assert record.lower <= record.statistics["ratio"] == pytest.approx(1 / scale, rel=0.1)
    known = SimpleNamespace(theorem=lambda _: claim, problem=lambda _: noisy)
    again = replay(json.loads(json.dumps(record.witness)), known)
    assert again.reproduced
    assert again.identical
    assert "replicates" in again.place


def test_more_replicates_continue_the_same_process():
    (case,) = match(sgd(kind="mean", measured=dist**2, bound=EXACT), ROUND)
    short, long = (process_of(case, n, 10, seed=3).ratios for n in (100, 200))
    assert torch.equal(short, long[:100])
    assert not torch.equal(process_of(case, 100, 10, seed=4).ratios, short)


def test_deterministic_bounds_and_nonnegative_measurements_are_asked_for():
    for fields, message in (
        ({"measured": dist**2, "bound": dist}, "'dist' is random"),
        ({"measured": gap - dist, "bound": dist0}, "must be nonnegative"),
        ({"measured": value, "bound": dist0}, "must be nonnegative"),
        ({"measured": gap, "bound": dist0, "when": gap > 0}, "'gap' is random"),
    ):
        with pytest.raises(ValueError, match=message):
            sgd(kind="mean", **fields)
    sgd(kind="mean", measured=avg(gap) + gap_next * dist**2, bound=total(stepsize) * dist0 / k)


def test_infinite_variance_is_refused_where_a_variance_is_assumed():
    noisy = Noisy(Quadratic((1.0,), seed=None, center=(0.0,)), ParetoNoise(1.5))
    claim = sgd(kind="mean", measured=dist**2, bound=dist0**2 + sigma**2, assumes=(BoundedVariance,))
    record = verdict(claim, noisy, SMALL)
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert record.reason == "BoundedVariance is not certified"


def test_a_stepsize_beyond_the_condition_is_said():
    claim = sgd(kind="mean", measured=dist**2, bound=EXACT, parameters={"stepsize": 2.0, "minibatch": 1})
    claim = dataclasses.replace(claim, requires=stepsize < 1 / mu)
    record = verdict(claim, ROUND, SMALL)
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert record.reason == "requires stepsize < 1/mu"


def test_a_minibatch_that_is_too_large_is_said():
    record = verdict(sgd(measured=gap, bound=gap0, parameters={"stepsize": 0.1, "minibatch": 4}), ROUND)
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert "minibatch must be an integer in 1..3, the terms of the sum, got 4" in record.reason


def test_divergence_refutes_a_mean_and_says_the_step():
    claim = sgd(
        kind="mean", measured=dist**2, bound=dist0**2 + 1e300, parameters={"stepsize": 1e80, "minibatch": 1}
    )
    record = verdict(claim, ROUND, dataclasses.replace(SMALL, pairs=1))
    assert record.verdict == Verdict.REFUTED
    assert "diverged at step" in record.reason


def test_costs_are_quantities():
    claim = sgd(kind="mean", measured=grad_calls, bound=k)
    assert verdict(claim, ROUND, SMALL).tightness == pytest.approx(1)
    assert (
        verdict(sgd(kind="mean", measured=grad_calls, bound=0.9 * k), ROUND, SMALL).verdict == Verdict.REFUTED
    )
    per_step = sgd(kind="step", measured=symbols("grad_calls_next"), bound=1)
    assert verdict(per_step, ROUND, SMALL).tightness == pytest.approx(1)


@dataclass(frozen=True)
class RandomStart(Forgetful):
    """The memory is 2 or 0 with probability 1/2 each, for ever; x stays."""

    free: ClassVar[tuple[str, ...]] = ()

    def init(self, problem, x0, draw):
        return Doubling(x0, torch.where(draw.coin, 2.0, 0.0).expand_as(x0))

    def step(self, problem, state, draw):
        return Doubling(state.x, state.memory.clone())


MEMORY = Quantity("memory", "m", lambda r: r.state.memory.norm(dim=-1), nonnegative=True)


def test_a_random_first_state_is_no_tree():
    memory = symbols("memory")
    claim = Theorem(
        id="t/random", title="t", source=OURS, method=RandomStart, parameters={"p": 0.5},
        kind="mean", measured=memory, bound=1, quantities={"memory": MEMORY},
    )  # fmt: skip
    record = verdict(claim, Parabola(), SMALL)
    assert record.verdict != Verdict.REFUTED
    assert record.statistics["exact_steps"] == 0
    half = dataclasses.replace(claim, bound=0.5)
    assert verdict(half, Parabola(), SMALL).verdict == Verdict.REFUTED


class Cached(NamedTuple):
    """x and the gradient there, (*batch, d)."""

    x: Tensor
    g: Tensor


@dataclass(frozen=True)
class CachedDescent(Method):
    """Gradient descent that keeps the gradient in its state."""

    stepsize: float | Tensor

    def init(self, problem, x0, draw):
        return Cached(x0, problem.grad(x0))

    def step(self, problem, state, draw):
        x = state.x - self.stepsize * state.g
        return Cached(x, problem.grad(x))


def test_the_search_stays_where_fields_hang_together():
    claim = Theorem(
        id="t/cached", title="t", source=OURS, method=CachedDescent, parameters={"stepsize": 1 / (2 * L)},
        assumes=(StronglyConvex, Smooth), kind="step", measured=dist_next**2,
        bound=(1 - stepsize * mu) ** 2 * dist**2,
    )  # fmt: skip
    assert verdict(claim, Quadratic((1.0, 5.0), seed=1), SMALL).verdict == Verdict.NOT_REFUTED


def test_a_search_that_leads_out_of_the_rules_loses_nothing():
    claim = sgd(kind="step", measured=dist_next**2, bound=dist**2 / 100, requires=dist0 <= 2)
    assert verdict(claim, ROUND, SMALL).verdict == Verdict.REFUTED


@pytest.mark.parametrize("pairs", [2**10, 1], ids=["tree", "bets"])
def test_a_bound_below_zero_is_refuted(pairs):
    budget = dataclasses.replace(SMALL, pairs=pairs)
    claim = sgd(kind="mean", measured=dist**2, bound=dist0**2 * (1 - 2 * k))
    assert verdict(claim, ROUND, budget).verdict == Verdict.REFUTED


def test_hp_with_an_undefined_bound_is_undefined():
    claim = unlucky(0.1, bound=sp.log(dist - 100))
    assert verdict(claim, Parabola(), Budget("hp", 5, 1)).verdict == Verdict.UNDEFINED


# -- methods of a user ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unbatched(SGD):
    def step(self, problem, state, draw):
        j = draw.j.flatten()[:1].expand(state.x.shape[:-1])
        return type(state)(state.x - self.stepsize * problem.part_grad(state.x, j))


@dataclass(frozen=True)
class Impure(SGD):
    def step(self, problem, state, draw):
        return type(state)(state.x + torch.randn_like(state.x))


@dataclass(frozen=True)
class WrongName(SGD):
    def step(self, problem, state, draw):
        return type(state)(state.x * draw.index)


@dataclass(frozen=True)
class FloatCost(SGD):
    def cost(self, problem, state, draw):
        return {"grad_calls": 1.0}


@dataclass(frozen=True)
class OtherUnit(SGD):
    def cost(self, problem, state, draw):
        return {"gradients": torch.ones(state.x.shape[:-1])}


@dataclass(frozen=True)
class BareTensor(SGD):
    def step(self, problem, state, draw):
        return state.x


@dataclass(frozen=True)
class NoSpace(SGD):
    def draws(self, problem):
        return {"j": 3}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (Unbatched, "gives row 1 another x alone than among 3 rows"),
        (Impure, "differs between two calls with the same draw"),
        (WrongName, "draw has no 'index'; draws.* gave: j"),
        (FloatCost, "grad_calls must be a tensor .*got 1.0"),
        (OtherUnit, "names 'gradients'; units are grad_calls"),
        (BareTensor, "must return a NamedTuple whose first field is x, got Tensor"),
        (NoSpace, "must map names to spaces"),
    ],
)
def test_a_method_that_breaks_its_contract_is_told_before_any_verdict(method, message):
    claim = sgd(kind="step", method=method, measured=dist_next**2, bound=dist**2)
    with pytest.raises(IllFormedError, match=message):
        verdict(claim, ROUND, SMALL)


# -- hp ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unlucky(Method):
    """x stays, but for a jump to 10 x with probability p at each step."""

    p: float | Tensor

    def draws(self, problem: Problem) -> dict[str, Space]:
        return {"coin": Coin(self.p)}

    def step(self, problem: Problem, state, draw):
        return type(state)(torch.where(draw.coin, 10 * state.x, state.x))


def unlucky(chance, **fields):
    """Each of 10 steps fails with probability 1/20: 40.1 % of the runs fail somewhere."""
    base = {"id": "t/hp", "title": "t", "source": OURS, "method": Unlucky, "parameters": {"p": 1 / 20}}
    return Theorem(**{**base, "kind": "hp", "measured": dist, "bound": dist0, "failure": chance, **fields})


@pytest.mark.parametrize("pairs", [2**12, 1], ids=["tree", "bets"])
def test_a_probability_of_failure_is_judged(pairs):
    budget = Budget("hp", steps=10, starts=1, replicates=1024, pairs=pairs)
    exact = 1 - 0.95**10
    true, false = (verdict(unlucky(c), Parabola(), budget) for c in (1.001 * exact, 0.5 * exact))
    assert true.verdict == Verdict.NOT_REFUTED
    assert false.verdict == Verdict.REFUTED
    if pairs > 1:
        assert true.tightness == pytest.approx(1 / 1.001, rel=1e-9)


@pytest.mark.parametrize("chance", [None, 0, 1, 1.5, -0.1])
def test_the_probability_of_failure_is_one(chance):
    with pytest.raises(ValueError, match="failure"):
        unlucky(chance)


# -- slope ------------------------------------------------------------------------------------------


def test_a_rate_is_consistent_and_a_faster_one_is_not():
    schedule = {"stepsize": 1 / (mu * (k + 1)), "minibatch": 1}
    fields = {"kind": "slope", "measured": dist**2, "bound": 100 / k, "parameters": schedule}
    budget = Budget("slope", steps=300, starts=1, replicates=256)
    good = verdict(sgd(exponent=-1.0, **fields), ROUND, budget)
    assert good.verdict == Verdict.CONSISTENT
    assert good.statistics["whole"] == pytest.approx(-1, abs=0.1)
    assert good.statistics["bound"] == pytest.approx(-1)
    fast = verdict(sgd(exponent=-1.5, **{**fields, "bound": 10 / k**1.5}), ROUND, budget)
    assert fast.verdict == Verdict.INCONSISTENT
    assert "inconsistent on [30, 300]" in fast.reason


def test_a_mean_that_stays_is_inconsistent_whatever_it_did_before():
    """A constant stepsize falls quickly, then not at all."""
    fields = {"kind": "slope", "measured": dist**2, "bound": 10 / k, "exponent": -1.0}
    record = verdict(sgd(**fields), ROUND, Budget("slope", steps=300, starts=1, replicates=256))
    assert record.verdict == Verdict.INCONSISTENT
    assert record.statistics["first"] < -0.3 < -0.1 < record.statistics["second"]


def test_an_exponent_that_the_bound_has_not_is_inconsistent():
    schedule = {"stepsize": 1 / (mu * (k + 1)), "minibatch": 1}
    claim = sgd(kind="slope", measured=dist**2, bound=100 / k, exponent=-2.0, parameters=schedule)
    record = verdict(claim, ROUND, Budget("slope", steps=300, starts=1, replicates=256))
    assert (record.verdict, "the bound itself" in record.reason) == (Verdict.INCONSISTENT, True)


def test_schedules_are_rebuilt_for_each_horizon():
    """GD with step c/K contracts by (1 - c L / K)^(2K): not at all with K."""
    claim = gd(kind="slope", exponent=0.0, measured=gap, bound=gap0, parameters={"stepsize": 1 / (2 * L * K)})
    record = verdict(claim, Parabola(), Budget("slope", steps=100, starts=1))
    assert record.verdict == Verdict.CONSISTENT
    assert record.statistics["whole"] == pytest.approx(0, abs=0.2)


def test_a_slope_within_rounding_is_not_told():
    record = verdict(
        gd(kind="slope", exponent=-1.0, measured=gap, bound=gap0 / k), Parabola(), Budget("s", 300, 1)
    )
    assert record.verdict == Verdict.INCONCLUSIVE
    assert "beyond rounding" in record.reason


# -- all kinds --------------------------------------------------------------------------------------


def test_what_a_step_claim_may_not_say():
    for fields, message in (
        ({"measured": gap_next, "bound": gap_next}, "may not speak of the next state"),
        ({"measured": gap, "bound": gap}, "must speak of the next state"),
        ({"measured": gap_next, "bound": avg(gap)}, "speaks of one step"),
        ({"measured": first(gap <= 1), "bound": 1}, "speaks of one step"),
        ({"measured": gap_next, "bound": gap / K}, "may not mention the horizon"),
        ({"measured": gap_next, "bound": gap, "when": gap_next > 0}, "when of a step claim"),
        ({"measured": gap_next, "bound": Recurrence({"B": gap0}, {"B": symbols("B")}, "B")}, "one step"),
        ({"measured": gap_next, "bound": gap, "failure": 0.1}, "failure belongs to kind hp"),
        ({"measured": gap_next, "bound": gap, "exponent": -1.0}, "exponent belongs to kind slope"),
    ):
        with pytest.raises(ValueError, match=message):
            sgd(kind="step", **fields)


def test_claims_are_written_out():
    lyapunov = dist**2 + stepsize * gap
    step = sgd(kind="step", measured=after(lyapunov), bound=lyapunov)
    assert claim_text(step) == "E[dist_next**2 + gap_next*stepsize | state] <= dist**2 + gap*stepsize"
    assert r"\mid \text{state}" in claim_latex(step)
    mean = sgd(kind="mean", measured=gap, bound=gap0)
    assert claim_text(mean) == "E[gap] <= gap0"
    assert claim_latex(mean).startswith(r"\mathbb{E}\left[")
    assert claim_text(unlucky(0.25)) == "dist <= dist0 at every k, with probability at least 0.75"
    slope = sgd(kind="slope", measured=gap, bound=gap0 / k, exponent=-1.0)
    assert claim_text(slope) == "E[gap] = O(K^-1), by gap0/k"
    assert claim_latex(slope).endswith("= O(K^{-1})")


def test_a_mutant_of_a_slope_claim_must_be_inconsistent():
    from workbench import Mutant

    fields = {"kind": "slope", "measured": dist**2, "bound": 100 / k, "exponent": -1.0}
    schedule = {"stepsize": 1 / (mu * (k + 1)), "minibatch": 1}
    mutant = Mutant("too fast", ROUND, {"exponent": -2.0, "bound": 100 / k**2}, steps=200)
    theorem = sgd(**fields, parameters=schedule, mutants=(mutant,))
    (record,) = judge_unit(Unit(theorem, ROUND, Budget("mutant", 200, 1), 0, "", mutant))
    assert (record.verdict, record.expected) == (Verdict.INCONSISTENT, True)


def test_deterministic_claims_stay_what_they_are_as_step_claims():
    bound = (1 - mu / L) ** 2 * dist**2
    fields = {"parameters": {"stepsize": 1 / L}, "assumes": (StronglyConvex, Smooth)}
    claim = gd(kind="step", measured=dist_next**2, bound=bound, **fields)
    found = [verdict(claim, q, QUICK) for q in INSTANCES[:40] if not isinstance(match(claim, q), str)]
    assert len(found) > 3
    assert {r.verdict for r in found} == {Verdict.NOT_REFUTED}
    assert all(math.isfinite(r.tightness) for r in found if r.tightness is not None)
    assert Convex in (type(c.assumption) for c in Parabola().certified)
