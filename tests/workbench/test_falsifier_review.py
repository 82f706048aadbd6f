"""What a search may not say: a counterexample that is none, a constant that something exceeded."""

import dataclasses
import json
from pathlib import Path

import pytest
import sympy as sp
import torch
from typer.testing import CliRunner

from assumptions import BoundedVariance, Convex, Lipschitz, Smooth
from problems import INSTANCES, AbsAffine, Huber, Quadratic, QuadraticSum
from tests.workbench.falsifier_toys import case_of, claim
from workbench import symbols
from workbench.cli import falsify_search
from workbench.cli.app import app
from workbench.cli.falsify_report import _ratio
from workbench.falsifier import search
from workbench.falsifier.attempts import Attempts
from workbench.falsifier.evaluate import evaluate, started
from workbench.falsifier.free import free_fields, moved
from workbench.falsifier.search import NothingToTryError, falsify
from workbench.falsifier.shrink import alike, shrink
from workbench.falsifier.simpler import simpler
from workbench.registry import Registry
from workbench.verify.weaken import satisfies

stepsize, L, dist0, gap, k = symbols("stepsize L dist0 gap k")
REGISTRY = Registry()
NOISY = tuple(p for p in INSTANCES if p.family == "Noisy")

ODD = """
from dataclasses import dataclass
import torch
from assumptions import Certificate, Convex, Smooth
from problems import Problem

class Drawn:
    width = 1
    def draw(self, rng):
        return 2.0

@dataclass(frozen=True)
class Square(Problem):
    slope: float = 2.0
    space = {"slope": Drawn()}
    d = 1
    x0 = torch.ones(1, dtype=torch.float64)
    x_star = torch.zeros(1, dtype=torch.float64)
    f_star = 0.0
    def nearest_star(self, x, norm=None):
        return torch.zeros_like(x)
    def value(self, x):
        return self.slope / 2 * x.square().sum(-1)
    def grad(self, x):
        return self.slope * x
    @property
    def certified(self):
        return (Certificate(Convex(), "a square"), Certificate(Smooth(L=self.slope), "a square"))

MINE = Square()
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rate(**changes):
    """Gradient descent, true for the stepsize that it states."""
    return claim(**{"measured": gap, "bound": L * dist0**2 / (2 * k), "when": k >= 1, **changes})


def cli(*arguments, status=0, command="falsify"):
    result = CliRunner().invoke(app, [command, *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


# -- without an assumption ----------------------------------------------------------------------------


def test_what_has_the_dropped_assumption_is_no_counterexample():
    """|2 x| is Lipschitz: that G = 1 is wrong for it says nothing about functions that are not Lipschitz."""
    theorem = REGISTRY.theorem("subgradient/horizon")
    few = [p for p in INSTANCES if p.family in {"AbsAffine", "EuclideanNorm"}]
    found = falsify(theorem, few, budget=400, drop="Lipschitz")
    assert found.refuted
    for tried in (found.best, found.shrunk):
        assert not satisfies(tried.candidate.case, Lipschitz)
    with pytest.raises(NothingToTryError, match="on 1 problems: Lipschitz is certified: not outside it"):
        falsify(theorem, [AbsAffine((2.0,))], budget=100, drop=Lipschitz)


def test_satisfies_speaks_of_the_norm_of_the_case():
    case = case_of(REGISTRY.theorem("subgradient/horizon"), AbsAffine((2.0,)))
    assert satisfies(case, Lipschitz)
    assert satisfies(case, Convex)
    assert not satisfies(case, Smooth)


def test_noise_cannot_be_had_without_its_variance():
    with pytest.raises(NothingToTryError, match="BoundedVariance is certified"):
        falsify(REGISTRY.theorem("sgd/nonconvex"), NOISY, budget=60, drop=BoundedVariance)


def test_the_report_names_constants_and_what_is_left():
    few = "from problems import CosineRidge\nBENT = CosineRidge((-2.0,))\n"
    Path("bent.py").write_text(few)
    asked = ("gd/strongly-convex", "--drop", "StronglyConvex", "--file", "bent.py", "--budget", "400")
    out = cli(*asked).stdout
    assert "refuted without StronglyConvex" in out
    assert "\ncertified    Smooth(L=" in out
    assert "\noutside      StronglyConvex is not certified on it" in out
    assert "\nconstant     mu = L" in out


# -- free hyperparameters -----------------------------------------------------------------------------


def test_a_hyperparameter_of_which_the_bound_does_not_speak_stays():
    """True for 1/L, which is all that it states: with 5/L gradient descent diverges."""
    theorem = rate(requires=stepsize > 0)
    assert free_fields(case_of(theorem, Huber())) == ()
    assert not falsify(theorem, [Huber()], budget=600, simplify=False).refuted
    spoken = rate(requires=stepsize > 0, bound=dist0**2 / (2 * stepsize * k))
    assert free_fields(case_of(spoken, Huber())) == ("stepsize",)


def test_whole_numbers_are_not_multiplied():
    case = case_of(REGISTRY.theorem("sgd/strongly-convex"), QuadraticSum((((2.0,),), ((1.0,),))))
    assert free_fields(case) == ("stepsize",)
    small = moved(case, 0.1)
    assert small.rules["minibatch"] == case.rules["minibatch"]
    assert evaluate(small, case.problem.x0[None], 2)[0].ratio > 0


def test_a_rule_is_made_rounder_in_its_factor_alone():
    """9.3/L may become 9/L, never 9 L."""
    spoken = rate(requires=stepsize > 0, bound=dist0**2 / (2 * stepsize * k))
    case = case_of(spoken, Huber())
    case = dataclasses.replace(case, rules={"stepsize": sp.Rational(93, 10) / L})
    tried = evaluate(case, torch.tensor([[3.0]], dtype=torch.float64), 3)[0]
    rules = set()
    for change in simpler(tried):
        try:
            rules.add(change().case.rules["stepsize"])
        except Exception:
            continue
    assert 9 / L in rules
    assert all((rule * L).is_number for rule in rules)
    assert shrink(tried, falsify_search_one, alike(tried)).candidate.case.rules["stepsize"] * L > 2


def falsify_search_one(candidate):
    """One candidate, judged."""
    return evaluate(candidate.case, candidate.x0[None], candidate.horizon)[0]


# -- means --------------------------------------------------------------------------------------------


def test_a_sample_just_above_the_bound_is_judged_in_the_end():
    """Neither the best unjudged nor forgotten."""
    theorem = REGISTRY.theorem("sgd/nonconvex")
    attempts = Attempts(theorem, 1000, 0)
    problem = next(p for p in NOISY if attempts.cases(p))
    tried = evaluate(attempts.cases(problem)[0], problem.x0[None], 5)[0]
    assert tried.how == "replicates"
    attempts.offer(dataclasses.replace(tried, ratio=0.2))
    attempts.offer(dataclasses.replace(tried, ratio=1.05))
    assert attempts.best.ratio == 0.2
    assert attempts.doubtful.ratio == 1.05
    attempts.conclude(256)
    assert attempts.best.candidate.seed not in (0, 2**32)
    assert attempts.best.ratio not in (0.2, 1.05)


def test_a_mean_that_is_slightly_too_small_is_refuted():
    """The noise alone reaches the bound after one step from the minimiser; 5 % less of it is false."""
    theorem = REGISTRY.theorem("sgd/nonconvex")
    attempts = Attempts(theorem, 1000, 0)
    problem = next(p for p in NOISY if attempts.cases(p))
    tried = evaluate(attempts.cases(problem)[0], problem.x0[None], 1)[0]
    false = dataclasses.replace(
        theorem, bound=sp.Rational(95, 100) * tried.ratio * theorem.bound, mutants=(), tight=()
    )
    found = falsify(false, [problem], budget=20_000, steps=1, simplify=False)
    assert found.refuted


def test_another_start_keeps_the_case_where_certificates_are_the_same():
    theorem = REGISTRY.theorem("sgd/interpolation")
    case = case_of(theorem, Quadratic((1.0, 2.0), seed=None))
    other = started(case, torch.tensor([3.0, 1.0], dtype=torch.float64))
    assert other.problem.start == (3.0, 1.0)
    assert other.certificates == case.certificates
    assert other.rules == case.rules


# -- what is said -------------------------------------------------------------------------------------


def test_nothing_that_is_shown_exceeds_the_smallest_constant():
    found = falsify(REGISTRY.theorem("sgd/interpolation"), INSTANCES, budget=300)
    assert found.smallest_c >= found.shrunk.ratio
    assert found.smallest_c >= found.best.ratio


def test_a_ratio_that_rounding_takes_beyond_one_prints_as_one():
    case = case_of(REGISTRY.theorem("gd/convex"), Huber())
    tried = evaluate(case, case.problem.x0[None], 3)[0]
    assert _ratio(dataclasses.replace(tried, measured=1.0000005, bound=1.0)) == "1"
    assert _ratio(dataclasses.replace(tried, measured=1.5, bound=1.0, excess=1e9)) == "1.5"


def test_a_budget_of_one_tries_something():
    found = falsify(REGISTRY.theorem("gd/convex"), [Huber()], budget=1, simplify=False)
    assert found.best is not None
    assert found.families == {"Huber": 1}


def test_the_smallest_constant_says_on_how_many_evaluations():
    out = cli("gd/convex", "--budget", "64").stdout
    (line,) = (x for x in out.splitlines() if x.startswith("smallest c"))
    assert line.endswith("evaluations")


def test_a_family_that_can_only_be_drawn_from_is_named():
    Path("odd.py").write_text(ODD)
    result = cli("gd/convex", "--file", "odd.py", "--budget", "50", status=2)
    assert "Square.space: the range of 'slope' has no at(u)" in result.stderr


@pytest.mark.parametrize("name", ["gd/convex", "sgd/nonconvex"], ids=["run", "mean"])
def test_an_interruption_of_the_last_judgement_keeps_what_there_is(monkeypatch, name):
    def stopped(tried, seed):
        raise KeyboardInterrupt

    for judge in (search, falsify_search):
        monkeypatch.setattr(judge, "confirmed", stopped)
    result = cli(name, "--budget", "64", "--out", "found", status=130)
    document = json.loads(Path(f"found/falsified-{name.replace('/', '-')}.json").read_text())
    assert "was not judged once more" in result.stderr
    assert "not refuted before the interruption" in result.stdout
    assert document["interrupted"] is True
    assert document["witness"]["problem"]


def test_an_interruption_while_it_is_simplified_keeps_the_best(monkeypatch):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.falsifier.search.shrink", stopped)
    cli("gd/convex", "--budget", "64", "--out", "found", status=130)
    shown = cli("found/witness-gd-convex.json", command="replay").stdout
    assert "reproduced, digit by digit" in shown
