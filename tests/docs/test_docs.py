"""What the documentation shows is what happens."""

import contextlib
import json
import math
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assumptions import Lp, Weighted
from problems import (
    INSTANCES,
    AbsAffine,
    Constrained,
    DistanceTo,
    EuclideanNorm,
    GeneralQuadratic,
    Hinge,
    Huber,
    LeastSquares,
    Linear,
    LInfNorm,
    LogisticRegression,
    LogLoss,
    LogSumExp,
    MaxAffine,
    Quadratic,
    QuarticRidge,
    SquaredHinge,
    WeightedL1,
)
from workbench.cli.app import app

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs/examples/my_theorem.py"


def workbench(*arguments, cwd=ROOT):
    """Exit status, stdout, stderr of a command, in this process: a new one would load everything again."""
    with contextlib.chdir(cwd):
        done = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture(scope="module")
def verified(tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    status, stdout, _ = workbench(
        "verify", "--file", EXAMPLE, "--quick", "--out", out, "--json", out / "r.json"
    )
    return status, stdout, json.loads((out / "r.json").read_text())["records"]


def test_the_users_file_is_short_and_stands_in_the_page():
    text = EXAMPLE.read_text()
    assert len(text.splitlines()) <= 60
    assert text.rstrip() in (ROOT / "docs/your_own_theorem.md").read_text()


def test_the_true_claim_is_not_refuted_on_the_users_problem_and_on_the_librarys(verified):
    _, _, records = verified
    own = [r for r in records if r["theorem"] == "mine/polyak" and r["mutant"] is None]
    assert {"LogCosh()", "LeastSquares(data='iris')"} <= {r["problem"] for r in own}
    assert {r["verdict"] for r in own} == {"not refuted", "not applicable", "out of domain"}
    assert sum(r["verdict"] == "not refuted" for r in own) >= 15
    (mutant,) = [r for r in records if r["mutant"]]
    assert mutant["verdict"] == "refuted"


def test_the_false_claim_is_refuted_and_replayed_digit_by_digit(verified):
    status, stdout, records = verified
    assert status == 1
    assert any(
        r["verdict"] == "refuted" and r["problem"] == "LogCosh()" and r["theorem"] == "mine/too-good"
        for r in records
    )
    witnesses = re.findall(r"workbench replay (\S+)", stdout)
    assert witnesses
    for witness in witnesses[:3]:
        status, shown, _ = workbench("replay", witness)
        assert status == 0
        assert "reproduced, digit by digit" in shown


def test_the_tour_runs_and_stands_in_the_readme():
    text = (ROOT / "docs/examples/tour.py").read_text()
    code = text.split('"""\n\n', 1)[1].rstrip()
    assert code in (ROOT / "README.md").read_text()
    done = subprocess.run(
        [sys.executable, ROOT / "docs/examples/tour.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "not refuted 1.000000"


def test_the_example_of_the_assumptions_runs_and_stands_in_its_page():
    text = (ROOT / "docs/examples/checking.py").read_text()
    assert text.split('"""\n\n', 1)[1].rstrip() in (ROOT / "docs/assumptions.md").read_text()
    done = subprocess.run(
        [sys.executable, ROOT / "docs/examples/checking.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert not done.stderr
    checked, estimated, refuted, *implied, front, literal, coupled, proof, disproof = done.stdout.splitlines()
    assert "not refuted" in checked
    assert estimated.startswith("{'L_seen': 9.9")
    assert "Smooth(L=9.0): refuted" in refuted
    assert len(implied) == 4
    assert front == "[4.0, 4.0, 4.0]"
    assert literal == "refuted"
    assert coupled == "[CoupledSmooth(h=((1.0, 1.0), (1.0, 1.0)))]"
    assert "proved as Smooth(L=8.008)" in proof
    assert disproof == "False"


def test_the_assumption_of_the_page_works(tmp_path):
    page = (ROOT / "docs/assumptions.md").read_text().split("## An assumption of your own")[1]
    (tmp_path / "mine.py").write_text(re.findall(r"```python\n(.*?)```", page, re.S)[0])
    command = re.findall(r"`workbench (check .*?)`", page, re.S)[0]
    arguments = shlex.split(command)
    status, stdout, stderr = workbench(*arguments, cwd=tmp_path)
    assert status == 0, stderr
    assert "not refuted" in stdout
    status, stdout, _ = workbench(
        "check", "BoundedSlope", "Huber()", "--file", "mine.py", "--estimate", cwd=tmp_path
    )
    assert "G_all_seen = 1" in stdout


def test_every_check_of_the_page_runs(tmp_path):
    page = (ROOT / "docs/assumptions.md").read_text()
    block = page.split("The same from a shell:")[1].split("```")[1]
    commands = [
        line.partition("  #")[0].strip() for line in block.splitlines() if line.startswith("workbench")
    ]
    assert len(commands) == 9
    for command in commands:
        status, stdout, stderr = workbench(*shlex.split(command)[1:], cwd=tmp_path)
        refuted = "L=9.0" in command or "Convex()" in command
        assert status == int(refuted), f"{command}\n{stdout}{stderr}"
        assert "nan" not in stdout, command


def test_the_example_of_the_balls_runs_and_stands_in_its_page():
    text = (ROOT / "docs/examples/balls.py").read_text()
    assert text.split('"""\n\n', 1)[1].rstrip() in (ROOT / "docs/balls.md").read_text()
    done = subprocess.run(
        [sys.executable, ROOT / "docs/examples/balls.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    length, supports, exact, conic, semigroup, slopes, ball_convex = done.stdout.splitlines()
    assert length == "length 0.500000000000000, residual 0.0e+00"
    assert (supports, semigroup) == ("supports f from below: True", "semigroup: True")
    assert exact == "exact: True True False"
    assert float(conic.split()[2]) < 1e-8
    assert slopes.startswith("[0.562, 0.075")
    assert ball_convex == "not refuted, refuted"


def test_the_table_of_balls_is_what_the_problems_say():
    """One member of each family, in the norms that its row names and in the others."""
    l1, l2, box, cubes = (Lp(p) for p in (1.0, 2.0, math.inf, 3.0))
    weighted = {p: lambda d, p=p: Weighted((1.5,) * d, p) for p in (1.0, 2.0, math.inf)}
    rows = {
        (AbsAffine, Hinge, SquaredHinge, LogLoss, QuarticRidge, Linear): (l1, l2, box, cubes),
        (WeightedL1, LInfNorm): (l1, l2, box, cubes),
        (Quadratic, GeneralQuadratic, LeastSquares): (l2, box),
        (EuclideanNorm, Huber): (l1, l2, box),
        (MaxAffine, DistanceTo, LogSumExp, LogisticRegression): (l2,),
        (Constrained,): (l2, box),
    }
    for families, norms in rows.items():
        for family in families:
            problem = next(p for p in INSTANCES if isinstance(p, family) and p.d > 1)
            assert {n for n in (l1, l2, box, cubes) if problem.offers_brox(n)} == set(norms), problem
    for family in (WeightedL1, Quadratic, LeastSquares, MaxAffine):
        problem = next(p for p in INSTANCES if isinstance(p, family))
        assert problem.offers_brox(weighted[2.0](problem.d))
        assert problem.offers_brox(weighted[math.inf](problem.d)) == (family is not MaxAffine)


def test_the_table_of_the_readme_is_what_the_command_prints(tmp_path):
    readme = (ROOT / "README.md").read_text()
    command, shown = re.findall(r"\$ \.venv/bin/workbench (verify .*?)\n(.*?)```", readme, re.S)[0]
    arguments = [word.strip('"') for word in command.split()]
    status, stdout, _ = workbench(*arguments, "--out", tmp_path)
    assert status == 0
    assert [line.rstrip() for line in stdout.strip().splitlines()] == shown.strip().splitlines()


def test_every_command_of_the_readme_exists():
    commands = re.findall(
        r"^workbench (\w+) +[\w\"#-]", (ROOT / "README.md").read_text().split("## A quick tour")[1], re.M
    )
    _, shown, _ = workbench("--help")
    assert set(commands) <= set(re.findall(r"\w+", shown))


def test_the_stochastic_example_stands_in_its_page_and_says_what_is_true(tmp_path):
    file, page = ROOT / "docs/examples/stochastic.py", (ROOT / "docs/stochastic.md").read_text()
    assert file.read_text().rstrip() in page
    out = tmp_path / "r.json"
    status, _, _ = workbench("verify", "--file", file, "--quick", "--out", tmp_path, "--json", out)
    records = json.loads(out.read_text())["records"]
    assert status == 1
    assert {r["theorem"] for r in records if r["expected"] is False} == {"mine/too-good"}
    caught = [r for r in records if r["mutant"] is not None]
    assert len(caught) == 4
    assert {r["verdict"] for r in caught} <= {"refuted", "inconsistent"}


def test_every_run_and_block_of_the_stochastic_page_works():
    page = (ROOT / "docs/stochastic.md").read_text().replace("\\\n", "")
    for command in re.findall(r"^workbench (run .*)$", page, re.MULTILINE):
        status, stdout, _ = workbench(*shlex.split(command))
        assert status == 0
        assert "spent before it" in stdout
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1:]:
        exec(block, {})


def test_the_costs_that_the_complexity_example_shows():
    done = subprocess.run(
        [sys.executable, ROOT / "docs/examples/complexity.py"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "page/convex-pl" in done.stdout
    assert "page/pl" in done.stdout
