"""``workbench falsify --exact``, and the page about the command."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assumptions import parse_specification
from problems.interpolant import Interpolant
from workbench.cli.app import app
from workbench.engine import run
from workbench.methods import ProximalPoint


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, ["falsify", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def test_the_exact_worst_case_of_a_class():
    result = cli("gd/nonconvex", "--exact", "--steps", "2", "--out", "found")
    assert result.stdout.count("certified") >= 3
    document = json.loads(Path("found/exact-gd-nonconvex.json").read_text())
    for case in document["worst_cases"]:
        assert case["verdict"] == "certified"
        assert case["lower"] <= case["upper"] * (1 + 1e-9)
        assert case["upper"] <= case["bound"]


def test_the_worst_function_is_a_problem_on_which_the_method_attains_it():
    document = json.loads(cli("ppm/convex", "--exact", "--steps", "2", "--json").stdout)
    worst = document["worst_cases"][0]
    problem = parse_specification(worst["worst_functions"]["f"], {"Interpolant": Interpolant})
    trace = run(ProximalPoint(worst["values"]["stepsize"]), problem, steps=2, record=("gap",))
    assert float(trace["gap"][0, -1]) == pytest.approx(worst["upper"], rel=1e-6)


def test_a_step_over_a_ball_is_tight():
    document = json.loads(cli("bpm/line", "--exact", "--json").stdout)
    assert {case["verdict"] for case in document["worst_cases"]} == {"certified"}
    assert all(case["ratio"] == pytest.approx(1.0) for case in document["worst_cases"])


def test_outside_every_class_a_search_is_offered():
    error = cli("gd/pl", "--exact", status=2).stderr
    assert "gd/pl" in error
    assert "falsify" in error or "search" in error


# -- the page ---------------------------------------------------------------------------------------

PAGE = (Path(__file__).parents[2] / "docs/falsify.md").read_text()
BLOCKS = re.findall(r"```\n\$ workbench (falsify [^\n]*)\n(.*?)```", PAGE, flags=re.DOTALL)
STABLE = ("theorem", "without", "claim", "when", "requires", "verdict", "workbench")
"""First words of lines that do not change as families are added to the library."""


@pytest.mark.slow
@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_the_page_shows_what_happens(command, shown):
    result = CliRunner().invoke(app, command.split(), catch_exceptions=False)
    said = [line.rstrip() for line in result.output.splitlines()]
    listed = [line.rstrip() for line in shown.splitlines() if line.strip() not in ("", "...")]
    kept = listed if "--exact" in command else [x for x in listed if x.split()[0] in STABLE]
    assert kept or "--mutants" in command
    for line in kept:
        assert line in said
