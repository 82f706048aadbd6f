"""Ways to a wrong verdict that were found by trying; each is closed."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from assumptions import Ball, Certificate, Convex, Smooth, StronglyConvex
from problems import (
    AbsAffine,
    Box,
    Constrained,
    Distributed,
    LogisticRegression,
    Quadratic,
    SolverError,
    from_function,
)
from problems.well_formed import IllFormedError
from tests.workbench.toys import OURS, Parabola, gd, verdict
from workbench import Mutant, Quantity, Recurrence, Theorem, first, symbols, verify
from workbench.cli.app import app
from workbench.methods import BPM, GradientDescent, ProximalPoint, Subgradient
from workbench.verify import QUICK, Budget, Verdict, judge_unit
from workbench.verify.plan import Unit

gap, gap0, gap_next, dist, dist0, dist_next = symbols("gap gap0 gap_next dist dist0 dist_next")
L, mu, k, K, radius, stepsize, gradnorm = symbols("L mu k K radius stepsize gradnorm")
ROOT = Path(__file__).parents[2]
IN_BOX = Constrained(Quadratic((1.0, 2.0), center=(3.0, 1.0), seed=None), Box((-1.0, -1.0), (2.0, 2.0)))
APART = Distributed(LogisticRegression("breast_cancer", reg=0.1), clients=4)


def bpm(**fields):
    base = {"id": "t/bpm", "title": "t", "source": OURS, "method": BPM, "assumes": (Convex,)}
    return Theorem(**{**base, "parameters": {"radius": dist0 / 10}, **fields})


# -- false claims that got through ----------------------------------------------------------------


@pytest.mark.parametrize("problem", [AbsAffine((1.0,), start=(5.3,)), Quadratic((1.0, 2.0, 5.0), seed=1)])
def test_a_false_iteration_count_is_refuted(problem):
    claim = bpm(measured=first(dist <= 0), bound=2)
    assert verdict(claim, problem, Budget("t", 30, 8)).verdict == Verdict.REFUTED
    true = bpm(measured=first(gap <= gap0 / 2), bound=20)
    assert verdict(true, problem, Budget("t", 30, 8)).verdict == Verdict.NOT_REFUTED


def test_a_false_recurrence_is_refuted_far_below_its_start():
    B = symbols("B")
    claim = gd(measured=gap, bound=Recurrence(start={"B": 100 * gap0}, update={"B": B / 40}, value="B"))
    closed = gd(measured=gap, bound=100 * gap0 / 40**k)
    for false in (claim, closed):
        assert verdict(false, Parabola(), Budget("t", 40, 8)).verdict == Verdict.REFUTED


def test_an_infinite_bound_is_not_a_comparison():
    record = verdict(gd(measured=gap, bound=gap0 * 1e200 * 1e200), Parabola())
    assert record.checked == 0
    assert record.verdict != Verdict.NOT_REFUTED


def test_a_mutant_must_fail_by_a_number():
    only_nan = Mutant("nan", Parabola(nan_beyond=0.0), {"bound": dist0})
    theorem = gd(measured=gap, bound=gap0, mutants=(only_nan,))
    (record,) = judge_unit(Unit(theorem, only_nan.on, Budget("mutant", 5, 1), 0, "", only_nan))
    assert record.expected is False


def test_two_problems_that_print_alike_are_rejected():
    one = from_function(lambda x: x.square().sum(-1), 1, name="f", assume=(Smooth(2.0),), f_star=0.0)
    two = from_function(lambda x: 9 * x.square().sum(-1), 1, name="f", assume=(Smooth(2.0),), f_star=0.0)
    with pytest.raises(IllFormedError, match="two different problems print as"):
        verify([gd(measured=gap, bound=gap0)], [one, two], budget=QUICK)


def test_a_bound_that_falls_with_gap0_gets_no_lower_bound_of_f():
    f = from_function(lambda x: x.square().sum(-1), 1, assume=(Convex(), Smooth(2.0)), f_lower=-1.0)
    gradnorm = symbols("gradnorm")
    claim = gd(measured=gradnorm, bound=1e9 / gap0, when=k > 0)
    record = verdict(claim, f)
    assert record.verdict == Verdict.NOT_APPLICABLE
    assert "falls as gap0 grows" in record.reason


# -- true claims that were refuted ----------------------------------------------------------------


@pytest.mark.parametrize("problem", [IN_BOX, APART])
def test_a_run_that_leaves_the_domain_is_not_held_against_a_claim(problem):
    """Subgradients exist inside: the step from outside is none of the method's."""
    step = dist**2 - 2 * stepsize * gap + stepsize**2 * gradnorm**2
    claim = gd(assumes=(Convex,), parameters={"stepsize": 3.0}, measured=dist_next**2, bound=step)
    record = verdict(claim, problem, Budget("t", 10, 8))
    assert record.verdict == Verdict.NOT_REFUTED, record.reason
    # nor a bound that speaks of the gradient there
    says = gd(assumes=(), parameters={"stepsize": 3.0}, measured=dist, bound=1e6 * (dist0 + gradnorm))
    record = verdict(says, problem)
    assert record.verdict == Verdict.NOT_REFUTED, record.reason
    # but where it left to, f is infinite
    outside = gd(assumes=(), parameters={"stepsize": 3.0}, measured=gap, bound=1e6 * (1 + gap0))
    record = verdict(outside, problem)
    assert record.verdict == Verdict.REFUTED
    assert "measured inf" in record.reason


@dataclass(frozen=True)
class Bumps(Parabola):
    """A parabola with narrow bumps that break the certified L = 1 in a few places only."""

    def value(self, x):
        return super().value(x) + sum(0.02 * torch.exp(-(((x - c) / 0.02) ** 2)).sum(-1) for c in (3.1, 7.7))

    def grad(self, x):
        bumps = [-2 * (x - c) / 0.02**2 * 0.02 * torch.exp(-(((x - c) / 0.02) ** 2)) for c in (3.1, 7.7)]
        return super().grad(x) + sum(bumps)


def test_a_constant_that_is_wrong_at_the_witness_alone_is_a_bad_certificate():
    claim = gd(parameters={"stepsize": 1 / L}, measured=gap_next, bound=gap)
    for start in (3.09, 3.11, 7.69, 7.71):
        record = verdict(claim, Bumps(start=(start,)))
        assert record.verdict in (Verdict.BAD_CERTIFICATE, Verdict.NOT_REFUTED), record.reason


@dataclass(frozen=True)
class StrongThere(Parabola):
    """f = x^2 / 2, certified strongly convex on a ball that does not hold the minimiser."""

    @property
    def certified(self):
        there = Ball((5.0,), 1.0)
        return (Certificate(StronglyConvex(1.0), "x", there), Certificate(Smooth(1.0), "x"))


def test_a_region_without_the_minimiser_says_nothing_about_distances():
    claim = gd(assumes=(StronglyConvex, Smooth), measured=dist_next, bound=dist / 100)
    assert verdict(claim, StrongThere(start=(5.0,))).verdict == Verdict.OUT_OF_DOMAIN


def test_gradients_that_cancel_along_the_diagonal():
    """f = (x1 - x2)^2 / 2 near (1000, 1001): the error of x shows only across the diagonal."""
    f = from_function(lambda x: (x[..., 0] - x[..., 1]).square() / 2, 2, assume=(Convex(), Smooth(2.0)),
                      f_star=0.0, x0=(1e3, 1e3 + 1))  # fmt: skip
    gradnorm, gradnorm_next = symbols("gradnorm gradnorm_next")
    claim = gd(assumes=(Convex, Smooth), measured=gradnorm_next, bound=gradnorm * abs(1 - L * stepsize))
    assert verdict(claim, f, Budget("t", 100, 8)).verdict == Verdict.NOT_REFUTED


def test_a_plain_function_as_quantity_knows_rounding():
    psi, psi_next = symbols("psi psi_next")
    rule = {"psi": lambda problem, method, state: (state.x - problem.x_star).square().sum(-1)}
    problem = Quadratic((1.0, 10.0), center=(3.0, -2.0), seed=None, start=(5.0, 5.0))
    claim = gd(quantities=rule, parameters={"stepsize": 1 / L}, measured=psi_next, bound=0.81 * psi)
    assert verdict(claim, problem, Budget("t", 300, 64)).verdict == Verdict.NOT_REFUTED
    too_good = gd(quantities=rule, parameters={"stepsize": 1 / L}, measured=psi_next, bound=0.80 * psi)
    assert verdict(too_good, problem, Budget("t", 300, 64)).verdict == Verdict.REFUTED


def test_a_formula_that_cancels_inside_is_not_a_bad_certificate():
    c = 1e4
    f = from_function(lambda x: (x * x - 2 * c * x + c * c).sum(-1), 1, assume=(Convex(), Smooth(2.0)),
                      f_star=0.0, x_star=(c,), unique_star=True, x0=(c + 1,))  # fmt: skip
    claim = gd(parameters={"stepsize": 1 / L}, assumes=(Convex, Smooth), measured=gap_next, bound=gap)
    record = verdict(claim, f, Budget("t", 20, 8))
    assert record.verdict in (Verdict.NOT_REFUTED, Verdict.ROUNDING), record.reason


def test_overflow_is_not_a_violation_of_a_claim_about_divergence():
    claim = gd(parameters={"stepsize": 50 / L}, measured=dist0, bound=dist)
    assert verdict(claim, Parabola(), Budget("t", 400, 8)).verdict == Verdict.NOT_REFUTED
    decrease = gd(parameters={"stepsize": 50 / L}, measured=dist_next, bound=dist)
    assert verdict(decrease, Parabola(), Budget("t", 400, 8)).verdict == Verdict.REFUTED


def test_starts_of_a_function_lie_in_its_domain():
    f = from_function(lambda x: (x - x.log()).sum(-1), 1, assume=(Convex(),), f_star=1.0, x_star=(1.0,),
                      unique_star=True, x0=(3.0,))  # fmt: skip
    claim = gd(method=Subgradient, parameters={"stepsize": 1e-3}, assumes=(Convex,), measured=gap, bound=gap0)
    assert verdict(claim, f).verdict == Verdict.NOT_REFUTED


def test_a_schedule_may_end_at_zero():
    claim = gd(parameters={"stepsize": (1 - k / K) / L}, measured=gap, bound=gap0)
    assert verdict(claim, Parabola()).verdict == Verdict.NOT_REFUTED


def test_one_start_at_the_solution_does_not_disqualify_the_others():
    problem = AbsAffine((1.0,), start=(0.0,))
    claim = bpm(when=(radius <= dist) & (dist > 0), measured=gap_next, bound=(1 - radius / dist) * gap)
    record = verdict(claim, problem, Budget("t", 20, 64))
    assert record.verdict == Verdict.NOT_REFUTED
    assert record.checked > 0


def test_equality_of_methods_is_asked_in_the_domain_only():
    pair = {"method": (GradientDescent, ProximalPoint), "kind": "equal", "parameters": {"stepsize": 1 / L}}
    ellipse = Quadratic((1.0, 10.0), center=(0.0, 0.0), seed=None, start=(1.0, 1.0))
    assert verdict(gd(**pair), ellipse).verdict == Verdict.REFUTED
    assert verdict(gd(**pair, when=k < 1), ellipse).verdict == Verdict.REFUTED  # the step from x_0
    assert verdict(gd(**pair, when=k < 0), ellipse).verdict == Verdict.OUT_OF_DOMAIN


def test_a_step_claim_with_a_horizon_is_asked_at_the_last_step():
    claim = gd(parameters={"stepsize": 1 / (L * K)}, measured=gap_next, bound=gap)
    assert verdict(claim, Parabola()).verdict == Verdict.NOT_REFUTED


def test_squares_that_underflow_are_no_violation():
    claim = gd(measured=dist_next, bound=dist)
    assert (
        verdict(claim, Quadratic((1.0,), start=(1e-8,)), Budget("t", 500, 64)).verdict == Verdict.NOT_REFUTED
    )


# -- rejected at construction ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bound": gap / 0}, "not a real number"),
        ({"bound": gap * (-1) ** 0.5}, "not a real number|not an expression"),
        ({"requires": symbols("mine0") > 0}, "needs the method to be known already"),
    ],
)
def test_claims_that_cannot_be_read_fail_at_construction(change, message):
    mine = {"mine": Quantity("mine", "m", lambda r: r.x[..., 0])}
    with pytest.raises(ValueError, match=message):
        gd(**{"measured": gap, "bound": gap0, "quantities": mine, **change})


def test_two_assumptions_with_one_name_for_a_constant_are_rejected():
    @dataclass(frozen=True)
    class Other(Smooth):
        pass

    with pytest.raises(ValueError, match="two of the assumed classes call a constant L"):
        gd(assumes=(Smooth, Other), measured=gap, bound=gap0)


# -- resumption -----------------------------------------------------------------------------------


def test_results_are_not_taken_over_when_a_module_of_the_user_changes(tmp_path, monkeypatch):
    (tmp_path / "helper.py").write_text("FACTOR = 1.0\n")
    (tmp_path / "mine.py").write_text(
        "from helper import FACTOR\n"
        "from assumptions import Smooth\nfrom workbench import Source, Theorem, symbols\n"
        "from workbench.methods import GradientDescent\n"
        'gap, gap_next, L = symbols("gap gap_next L")\n'
        'T = Theorem(id="mine/x", title="x", source=Source("me", "DERIVED"), method=GradientDescent,\n'
        '            parameters={"stepsize": 1 / (2 * L)}, assumes=(Smooth,), measured=gap_next,\n'
        "            bound=FACTOR * gap)\n"
    )

    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    command = ["verify", "--file", "mine.py", "--quick"]
    try:
        assert CliRunner().invoke(app, command, catch_exceptions=False).exit_code == 0
    finally:
        sys.modules.pop("helper", None)
    (tmp_path / "helper.py").write_text("FACTOR = 0.01\n")
    another = [sys.executable, "-m", "workbench", *command]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run(another, env=env, capture_output=True, check=False).returncode == 1


# -- facts and oracles of a problem ---------------------------------------------------------------


@dataclass(frozen=True)
class Wrong(Parabola):
    """A parabola with one wrong fact."""

    def brox(self, x, radius):
        return x * (1 - radius / 2 / x.norm(dim=-1, keepdim=True)).clamp(min=0)


@dataclass(frozen=True)
class Far(Parabola):
    """A parabola that thinks its minimiser is 1."""

    @property
    def x_star(self):
        return torch.ones(self.d, dtype=torch.float64)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (Wrong(), r"brox\(x0, 0.1\) is not a minimiser"),
        (Far(), r"f\(x_star\) must be f_star = 0.0, got 0.5"),
    ],
)
def test_wrong_facts_are_found_before_any_verdict(problem, message):
    with pytest.raises(IllFormedError, match=message):
        verify([gd(measured=gap, bound=gap0)], [problem], budget=QUICK)


def test_an_f_star_that_a_run_falls_below_is_not_a_refutation():
    f = from_function(lambda x: x.square().sum(-1), 1, assume=(Convex(), Smooth(2.0)), f_star=0.5, x0=(2.0,))
    record = verdict(gd(measured=gap_next, bound=gap / 2), f)
    assert record.verdict == Verdict.BAD_CERTIFICATE
    assert "f_star = 0.5 is not the infimum" in record.reason


def test_data_that_cannot_be_read_is_the_users_mistake(tmp_path):
    (tmp_path / "bad.svm").write_text("1 1:2\n-1 2:x\n")
    problem = LogisticRegression(data=str(tmp_path / "bad.svm"), reg=0.1)
    with pytest.raises(IllFormedError, match=r"bad.svm, line 2: value of index 2"):
        verify([gd(measured=gap, bound=gap0)], [problem], budget=QUICK)


@pytest.mark.parametrize("theorems", ["gd/pl", gd(measured=gap, bound=gap0), ["gd/pl"]])
def test_verify_takes_a_list_of_theorems(theorems):
    with pytest.raises(TypeError, match="must be a list of Theorem objects"):
        verify(theorems, [Parabola()])


def test_an_untested_theorem_says_why():
    claim = gd(parameters={"stepsize": -1 / L}, measured=gap, bound=gap0)
    *_, record = verify([claim], [Parabola()], budget=QUICK)
    assert record.verdict == Verdict.UNTESTED
    assert "stepsize must be finite and > 0" in record.reason


@dataclass(frozen=True)
class Stops(Parabola):
    """A parabola whose solver never finishes."""

    def brox(self, x, radius):
        raise SolverError("residual 1 above the tolerance 1e-12 on 64 of 64 rows")


def test_a_solver_that_stops_is_said_and_never_expected():
    record = verdict(bpm(measured=gap_next, bound=gap), Stops())
    assert record.verdict == Verdict.STOPPED
    assert record.expected is False
    assert "residual 1 above the tolerance" in record.reason
