"""``workbench check``: what it says of an assumption on a problem, and what it refuses."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli.app import app

QUADRATIC = "Quadratic(eigenvalues=(1.0, 10.0))"
MINE = """
from dataclasses import dataclass
import torch
from assumptions import Inequality, Sides
from problems import from_function

@dataclass(frozen=True)
class BelowOne(Inequality):
    arity = 1

    def sides(self, problem, *points):
        (x,) = points
        value = problem.value(x).abs()
        return Sides(value, torch.ones_like(value), 1e-12 * value)

bump = from_function(lambda x: 1 / (1 + x.square().sum(-1)), d=1, name="bump")
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cli(*arguments: str, status: int = 0, command: str = "check"):
    result = CliRunner().invoke(app, [command, *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def asked(*arguments: str, status: int = 0) -> dict:
    return json.loads(cli(*arguments, "--json", "-", status=status).stdout)


def refused(*arguments: str) -> str:
    return cli(*arguments, status=2).stderr


def test_check_judges_a_statement_on_a_sample():
    document = asked("Smooth(L=9.0)", QUADRATIC, status=1)
    (result,) = document["results"]
    assert result["verdict"] == "refuted"
    assert result["points"] == 10_000
    assert result["ratio"] == pytest.approx(10 / 9, rel=1e-4)
    assert [len(point) for point in result["witness"]] == [2, 2]
    assert document["certified"][0]["assumption"] == "Smooth(L=10.0)"


def test_a_class_alone_means_what_is_certified():
    (result,) = asked("Smooth", QUADRATIC)["results"]
    assert (result["assumption"], result["verdict"]) == ("Smooth(L=10.0)", "not refuted")
    implied = asked("PL", QUADRATIC)["results"]
    assert [r["assumption"] for r in implied] == ["PL(mu_pl=1.0)", "PL(mu_pl=1.0, norm=Lp(p=inf))"]
    assert {r["verdict"] for r in implied} == {"not refuted"}
    (plain,) = asked("Convex", "Cosine()", status=1)["results"]
    assert plain["verdict"] == "refuted"


def test_refute_climbs_to_the_worst_pair():
    (result,) = asked("Smooth(L=9.0)", QUADRATIC, "--refute", status=1)["results"]
    assert result["ratio"] == pytest.approx(10 / 9, rel=1e-7)
    shown = cli("Smooth(L=9.0)", QUADRATIC, "--refute", status=1).stdout
    assert "refuted" in shown
    assert "x = (" in shown


def test_estimate_shows_what_the_points_need():
    (result,) = asked("Smooth", QUADRATIC, "--estimate")["results"]
    assert 9.9 < result["seen"]["L_seen"] <= 10 * (1 + 1e-9)
    (other,) = asked("Smooth(norm=Lp(p=1.0))", QUADRATIC, "--estimate")["results"]
    (same,) = asked("Smooth", QUADRATIC, "--estimate", "--norm", "Lp(p=1.0)")["results"]
    assert other == same != result
    assert "L_seen" in cli("Smooth(L=3.0)", QUADRATIC, "--estimate").stdout


@pytest.mark.parametrize(
    ("problem", "threshold"),
    [
        ("Cosine()", math.pi),
        ("Cosine(d=2)", math.pi * math.sqrt(2)),
        ("Cosine(d=3)", math.pi * math.sqrt(3)),
        ("SphereDistance(d=2, a=0.5)", 0.5),
        ("DoubleWell(d=2)", 1.0),
        ("LatticeAbs()", 1.0),
        ("IntegerJump()", 1.0),
    ],
)
def test_estimate_brackets_the_radius_of_ball_convexity(problem: str, threshold: float):
    (result,) = asked("BallConvex", problem, "--estimate", "--points", "60")["results"]
    seen = result["seen"]
    assert 0.998 * threshold < seen["t_ball_seen"] < threshold * (1 + 1e-9)
    assert threshold * (1 - 1e-9) < seen["t_ball_next_seen"] < 1.002 * threshold


def test_a_grid_is_even_and_says_where_it_ends():
    (result,) = asked("Convex", "Cosine()", "--grid", "21", status=1)["results"]
    assert result["points"] == 21**2
    message = refused("Convex", "Cosine(d=3)", "--grid", "30")
    assert "30^6" in message
    assert "at most 10 fit" in message


def test_a_region_restricts_the_points():
    inside = ("Convex()", "Cosine()", "--refute", "--region", "Ball(center=(9.0,), radius={})")
    assert asked(*(a.format(0.4) for a in inside), status=1)["results"][0]["verdict"] == "refuted"
    bottom = "Ball(center=(0.0,), radius=1.5)"  # x0 = 9 is not in it
    assert (
        asked("Convex()", "Cosine()", "--refute", "--region", bottom)["results"][0]["verdict"]
        == "not refuted"
    )
    assert asked("Convex()", "Cosine()", "--region", bottom)["results"][0]["verdict"] == "not refuted"
    assert "does not fit dimension 2" in refused("Convex()", "Cosine(d=2)", "--region", bottom)


def test_the_norm_of_the_command_line_is_that_of_the_statement():
    flat = "GeneralQuadratic(hessian=((1.0, 1.0), (1.0, 1.0)))"
    (result,) = asked("Smooth(L=1.0)", flat, "--norm", "Lp(p=1.0)")["results"]
    assert (result["assumption"], result["verdict"]) == ("Smooth(L=1.0, norm=Lp(p=1.0))", "not refuted")
    assert asked("Smooth(L=1.0)", flat, status=1)["results"][0]["verdict"] == "refuted"
    assert "--norm is" in refused("Smooth(L=1.0, norm=Lp(p=inf))", flat, "--norm", "Lp(p=1.0)")
    assert "has no norm" in refused("Convex()", flat, "--norm", "Lp(p=1.0)")
    assert "there are Lp" in refused("Smooth(L=1.0)", flat, "--norm", "L1")


def test_along_a_run_what_is_outside_says_nothing():
    box = "SymbolicProblem('x**4', box=((-1.0, 1.0),), prove=(Smooth(L=12.0),))"
    wide = "SymbolicProblem('x**4', box=((-9.0, 9.0),))"
    run = (
        "GradientDescent(stepsize=0.01)",
        wide,
        "--x0",
        "5",
        "--steps",
        "40",
        "--out",
        "r.npz",
        "--iterates",
    )
    cli(*run, command="run")
    document = asked("Smooth", box, "--along", "r.npz")
    (result,) = document["results"]
    assert result["verdict"] == "not refuted"
    assert result["left_out"] > 0
    assert result["steps"] + result["left_out"] == 40
    assert "another problem" in result["note"]
    far = ("--along", "r.npz", "--region", "Ball(center=(0.5,), radius=1e-9)")
    assert "no step" in refused("Smooth(L=1.0)", wide, *far)


def test_each_step_says_what_it_needs():
    run = ("GradientDescent(stepsize=0.1)", QUADRATIC, "--steps", "5", "--out", "r.npz", "--iterates")
    cli(*run, command="run")
    (result,) = asked("Smooth", QUADRATIC, "--along", "r.npz", "--estimate")["results"]
    needs = [step[0] for step in result["needed"][0]]
    assert max(needs) == pytest.approx(result["seen"]["L_seen"])
    assert needs[0] > needs[-1] >= 1.0 - 1e-9
    assert "needs" in cli("Smooth", QUADRATIC, "--along", "r.npz", "--estimate").stdout


def test_the_best_constant_is_enclosed():
    (result,) = asked("Smooth", "SymbolicProblem('x**2 + 3*sin(x)**2', ((-4.0, 4.0),))", "--certify")[
        "results"
    ]
    assert result["low"] <= 8.0 <= result["high"] <= 8.01


UNTOLD = """
from dataclasses import dataclass
import torch
from assumptions import Inequality, Sides

@dataclass(frozen=True)
class Untold(Inequality):
    arity = 1

    def sides(self, problem, *points):
        (x,) = points
        value = problem.value(x)
        return Sides(torch.where(x[..., 0] > 9, torch.nan, value), 10 + value, 0 * value)

@dataclass(frozen=True)
class Pair(Untold):
    def sides(self, problem, *points):
        return super().sides(problem, *points)[:2]
"""


def test_what_is_undefined_is_no_success_and_a_plain_pair_is_refused():
    Path("mine.py").write_text(UNTOLD)
    shown = cli("Untold()", "Cosine()", "--file", "mine.py", status=1).stdout
    assert "undefined" in shown
    assert "nan or infinite" in shown
    for verb in ((), ("--refute",)):
        assert "Pair.sides must return Sides(" in refused("Pair()", "Cosine()", "--file", "mine.py", *verb)


def test_samples_of_terms_are_smaller():
    (result,) = asked("AverageSmooth", "LeastSquares(data='breast_cancer')")["results"]
    assert result["points"] < 1000
    assert "at most 1,000,000" in refused("Convex", "Cosine()", "--points", "100000000")


def test_along_a_run_step_by_step():
    run = ("GradientDescent(stepsize=0.1)", QUADRATIC, "--steps", "30")
    cli(*run, "--out", "run.npz", "--iterates", command="run")
    document = asked("Smooth(L=5.0)", QUADRATIC, "--along", "run.npz", status=1)
    (result,) = document["results"]
    assert len(result["k"]) == 30
    ratios = [row[0] for row in result["along"][0]]
    assert ratios[0] > 1 > ratios[-1] > 0.19  # the steep direction is left at once
    (seen,) = asked("Smooth", QUADRATIC, "--along", "run.npz", "--estimate")["results"]
    assert 5.0 < seen["seen"]["L_seen"] < 10.0
    assert "ratio" in cli("Smooth(L=5.0)", QUADRATIC, "--along", "run.npz", status=1).stdout


def test_along_a_run_layer_by_layer():
    network = "LinearNetwork(target=((1.0, 0.0), (0.0, -1.0)), width=2)"
    cli(
        "GradientDescent(stepsize=0.1)",
        network,
        "--steps",
        "8",
        "--out",
        "net.npz",
        "--iterates",
        command="run",
    )
    (result,) = asked("CoupledSmooth", network, "--along", "net.npz")["results"]
    assert [len(step) for step in result["along"][0]] == [2] * 8
    assert result["verdict"] == "not refuted"
    path = "PathLayerL0L1(L0_path_i=(0.5, 0.5), L1_path_i=(0.0, 0.0))"
    shown = cli(path, network, "--along", "net.npz", status=1).stdout
    assert "ratio[0]  ratio[1]" in shown
    (seen,) = asked("PathLayerL0L1", network, "--along", "net.npz", "--estimate")["results"]
    assert len(seen["seen"]["L0_path_i_seen"]) == len(seen["seen"]["front"]) == 2
    assert "trajectory" in refused(path, network)


def test_a_pair_is_shown_with_its_front():
    (result,) = asked("HessianL0L1", "Power(p=4.0)", "--estimate")["results"]
    seen = result["seen"]
    assert seen["outside"] < 0.01
    at_one = min(max(L0 for L0, L1 in seen["front"] if L1 >= 1.0), max(L0 for L0, L1 in seen["front"]))
    assert at_one <= 4.0 * 1.01
    shown = cli("HessianL0L1", "Power(p=4.0)", "--estimate").stdout
    assert "front: " in shown
    assert "is at least" not in shown  # one trades for the other
    assert "L is at least" in cli("Smooth", "Power(p=4.0)", "--estimate").stdout
    assert "mu_pl is at most" in cli("PL", "Cosine()", "--estimate").stdout
    literal = "LiteralL0L1(L0_literal=4.0, L1_literal=1.0)"
    (refuted,) = asked(literal, "Power(p=4.0)", "--refute", status=1)["results"]
    assert refuted["ratio"] >= 9.0


def test_certify_proves_or_disproves_on_the_box():
    wavy = "SymbolicProblem('x**2 + 3*sin(x)**2', box=((-4.0, 4.0),))"
    (proof,) = asked("Smooth(L=8.0)", wavy, "--certify")["results"]
    assert (proof["verdict"], proof["proved"]) == ("proved", "Smooth(L=8.008)")
    (disproof,) = asked("Smooth(L=7.9)", wavy, "--certify", status=1)["results"]
    assert disproof["verdict"] == "refuted"
    (twin,) = asked("Smooth", "Cosine()", "--certify")["results"]
    assert twin["verdict"] == "proved"
    assert "unknown symbols q" in refused("Smooth(L=1.0)", "SymbolicProblem('q*x', box=((-1.0, 1.0),))")
    assert "'1/x' is not seen to be finite" in refused(
        "Smooth(L=1.0)", "SymbolicProblem('1/x', ((-1.0, 1.0),))"
    )


def test_along_needs_iterates_of_the_right_dimension():
    run = ("GradientDescent(stepsize=0.1)", QUADRATIC, "--steps", "3", "--out", "run.npz")
    cli(*run, command="run")
    assert "--iterates" in refused("Smooth(L=5.0)", QUADRATIC, "--along", "run.npz")
    cli(*run, "--iterates", command="run")
    assert "dimension 2" in refused("Smooth(L=5.0)", "Cosine()", "--along", "run.npz")
    assert "not a saved trace" in refused("Smooth(L=5.0)", QUADRATIC, "--along", "none.npz")
    assert "--out RUN.npz" in cli(*run[:-2], "--iterates", command="run", status=2).stderr


def test_assumptions_and_functions_of_a_user():
    Path("mine.py").write_text(MINE)
    mine = ("BelowOne()", "from_function(bump, d=1)", "--file", "mine.py")
    (result,) = asked(*mine, "--refute")["results"]
    assert result["verdict"] == "not refuted"
    assert result["ratio"] == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("Smoth", "Cosine()"), "close: Smooth"),
        (("Smooth(L=-1.0)", "Cosine()"), "L must be finite and > 0, got -1.0"),
        (("Smooth(L=nan)", "Cosine()"), "L must be finite and > 0, got nan"),
        (("Smooth(K=1.0)", "Cosine()"), "K"),
        (("Smooth(K=1.0)", "Cosine()", "--estimate"), "no field 'K'; its fields: L, norm"),
        (("Smooth(2.0)", "Cosine()", "--estimate"), "name its fields"),
        (("Smooth(L=2.0)", "Cosin()"), "close: Cosine"),
        (("PL", "Cosine()"), "PL(mu_pl=1.0)"),
        (
            ("LayerSmooth", "CoupledQuadratic(((0.0, 1.0), (1.0, 0.0)), (1, 1))"),
            "LayerSmooth(L_i=(1.0, 1.0))",
        ),
        (("PhiSmooth", "Cosine()", "--estimate"), "phi=ExponentialPhi(a=1.0, b=1.0)"),
        (("Smooth", "Cosine()", "--norm", "Lp(p=1.0)"), "certified is Smooth(L=1.0)"),
        (("Smooth(L=1.0)", "Cosine()", "--certify", "--region", "Ball((0.0,), 1.0)"), "leave out --region"),
        (("Convex()", "Cosine()", "--grid", "1"), "must be >= 2"),
        (("PL(mu_pl=1.0)", "Linear(a=(1.0,))"), "needs f_star"),
        (("HessianLipschitz(L_h=1.0)", "Huber()"), "Smooth speaks of gradients alone"),
        (
            ("HessianL0L1(L0_hessian=1.0, L1_hessian=1.0)", "Huber()"),
            "SegmentL0L1, with the same constants, needs gradients alone",
        ),
        (("Smooth(L=1.0)", "Cosine()", "--refute", "--estimate"), "--estimate, --refute"),
        (("Smooth(L=1.0)", "Huber()", "--certify"), "SymbolicProblem"),
        (("Smooth(L=1.0)", "Cosine()", "--region", "Convex()"), "is not a region"),
        (("Smooth(L=1.0)", "Cosine()", "--norm", "Lp(p=0.5)"), "p must be >= 1"),
        (
            ("BallConvex(t_ball=1.0)", "Cosine()", "--region", "Ball(center=(9.0,), radius=1.0)"),
            "whole space",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_use_names_what_is_accepted(arguments: tuple[str, ...], says: str):
    assert says in refused(*arguments)


def test_a_sampled_moment_bounds_nothing():
    noisy = "Noisy(problem=Quadratic(eigenvalues=(1.0,)), noise=ParetoNoise(tail=1.7))"
    shown = cli("BoundedMoment(p=1.5)", noisy, "--estimate").stdout
    assert "sigma_p_seen" in shown
    assert "at least" not in shown
    assert "P(R > r)" in cli("ParetoNoise", command="show").stdout
