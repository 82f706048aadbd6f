"""``workbench run``: what it shows and writes, and what it refuses."""

import csv
import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from problems import Huber
from workbench.cli.app import app
from workbench.engine import run
from workbench.methods import BPM
from workbench.trace import Trace

BPM_HUBER = ("BPM(radius=0.5)", "Huber(L=2.0, d=4)")
DIVERGENT = ("Grow()", "Huber(L=2.0, d=2)", "--file", "mine.py", "--steps", "6")
MINE = """
from dataclasses import dataclass
from workbench import Method, Point
from workbench.draws import Gaussian
from workbench.methods.base import ones

@dataclass(frozen=True)
class Walk(Method):
    size: float = 0.1

    def draws(self, problem):
        return {"noise": Gaussian(problem.d)}

    def step(self, problem, state, draw):
        print("noise")
        return Point(state.x + self.size * draw.noise)

@dataclass(frozen=True)
class Grow(Method):
    def step(self, problem, state, draw):
        return Point(state.x * 1e100)

    def cost(self, problem, state, draw):
        return {"grad_calls": ones(state.x)}

@dataclass(frozen=True)
class Faulty(Method):
    def step(self, problem, state, draw):
        return Point(state.y)
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, ["run", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def table(shown: str, which: int = 0) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the which-th table: blocks of lines with two spaces between cells."""
    blocks = [b.splitlines() for b in shown.split("\n\n") if len(b.splitlines()) > 2 and "method" not in b]
    header, *rows = [line.split() for line in blocks[which]]
    return header, rows


# -- what is shown ----------------------------------------------------------------------------------


def test_the_table_shows_the_run_at_round_steps():
    shown = cli(*BPM_HUBER).stdout
    assert shown.isascii()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.startswith("method   BPM(radius=0.5)\nproblem  Huber(L=2.0, d=4)\n")
    header, rows = table(shown)
    assert header == ["k", "gap", "dist", "gradnorm", "prox_calls"]
    assert [row[0] for row in rows] == [str(k) for k in range(0, 101, 5)]
    # |x0| = 10, f = 2 (|x| - 1/2) outside the unit ball: 0.5 is walked in each step
    assert rows[1] == ["5", "14", "7.5", "2", "5"]
    assert rows[-1] == ["100", "0", "0", "0", "100"]
    assert "diverged" not in shown
    assert "median" not in shown


@pytest.mark.parametrize(
    ("arguments", "ks"),
    [
        (["--steps", "1"], [0, 1]),
        (["--steps", "20"], list(range(21))),
        (["--steps", "23"], [*range(0, 23, 2), 23]),
        (["--steps", "1000", "--every", "7"], [*range(0, 1000, 70), 1000]),
    ],
)
def test_few_rows_and_always_the_last(arguments, ks):
    _, rows = table(cli(*BPM_HUBER, *arguments).stdout)
    assert [int(row[0]) for row in rows] == ks


def test_record_start_and_norm_reach_the_run():
    method, problem = BPM(radius=0.5), Huber(L=2.0, d=2)
    arguments = ["--steps", "3", "--x0", "-3,4", "--record", "gap, gradnorm", "--norm", "Lp(p=1.0)"]
    shown = cli(repr(method), repr(problem), *arguments).stdout
    assert "norm     Lp(p=1.0)" in shown
    header, rows = table(shown)
    assert header == ["k", "gap", "gradnorm", "prox_calls"]
    # f = 2 (|x| - 1/2) and the gradient 2 x / |x|, whose largest entry is 2 * 4/5
    assert rows == [["0", "9", "1.6", "0"], *([str(k), f"{9 - k}", "1.6", f"{k}"] for k in (1, 2, 3))]


def test_a_method_is_measured_in_its_own_norm():
    shown = cli("BPM(radius=0.5, norm=Lp(p=1.0))", "Huber(L=2.0, start=(3.0,))", "--steps", "2")
    assert "norm     Lp(p=1.0)" in shown.stdout


def test_divergence_is_said_and_is_no_failure():
    shown = cli(*DIVERGENT, "--x0", "1,0").stdout
    assert shown.endswith("\n\ndiverged: the iterate was not finite at step 4\n")
    _, rows = table(shown)
    assert rows[3] == ["3", "2e+300", "1e+300", "2", "3"]
    assert rows[4] == ["4", "nan", "nan", "nan", "4"]
    assert rows[6] == ["6", "nan", "nan", "nan", "4"]


def test_several_replicates_show_medians_and_the_range():
    arguments = ("Walk()", "Huber(d=3)", "--file", "mine.py", "--replicates", "5", "--steps", "40")
    result = cli(*arguments, "--seed", "3", "--json", "run.json")
    assert "noise" in result.stderr
    assert "noise" not in result.stdout
    columns = json.loads(Path("run.json").read_text())["columns"]
    gaps = torch.tensor(columns["gap"], dtype=torch.float64)
    assert gaps.shape == (5, 41)
    assert len(set(gaps[:, -1].tolist())) == 5
    header, rows = table(result.stdout)
    assert [row[1] for row in rows] == [f"{v:.6g}" for v in gaps[:, ::2].median(0).values.tolist()]
    header, rows = table(result.stdout, 1)
    assert header == ["quantity", "smallest", "median", "largest"]
    last = gaps[:, -1].sort().values
    assert rows[0] == ["gap", *(f"{v:.6g}" for v in last[[0, 2, 4]].tolist())]
    assert "the same" not in result.stdout
    assert cli(*arguments, "--seed", "3", "--json", "-").stdout != cli(*arguments, "--json", "-").stdout


def test_several_starts_and_replicates_that_are_the_same():
    far = [*BPM_HUBER, "--x0", "1,0,0,0;3,0,0,0;9,0,0,0", "--steps", "1"]
    rows = table(cli(*far).stdout, 1)[1]
    assert rows[1] == ["dist", "0.5", "2.5", "8.5"]
    assert "all replicates are the same" in cli(*BPM_HUBER, "--replicates", "2").stdout


def test_some_replicates_diverge():
    shown = cli(*DIVERGENT, "--x0", "0,0;1,1;2,2").stdout
    assert "diverged: 2 of 3 replicates, the first at step 4" in shown
    assert table(shown, 1)[1][0] == ["gap", "0", "0", "0"]
    assert "all replicates are the same" not in shown


# -- what is written --------------------------------------------------------------------------------


def test_npz_and_csv_hold_the_whole_run():
    expected = run(BPM(radius=0.5), Huber(L=2.0, d=4), steps=30, every=4)
    for name in ("run.npz", "run.csv"):
        shown = cli(*BPM_HUBER, "--steps", "30", "--every", "4", "--out", name).stdout
        assert shown.endswith(f"wrote {name}\n")
    stored = Trace.load("run.npz")
    assert torch.equal(stored["gap"], expected["gap"])
    assert (stored.method, stored.problem) == BPM_HUBER
    with Path("run.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["replicate", "k", "gap", "dist", "gradnorm", "prox_calls", "seconds"]
    assert [int(line["k"]) for line in lines] == [0, 4, 8, 12, 16, 20, 24, 28, 30]
    assert [float(line["dist"]) for line in lines] == expected["dist"][0].tolist()


def test_csv_has_a_line_per_replicate_and_says_nan():
    cli(*DIVERGENT, "--x0", "0,0;1,0", "--out", "run.csv", "--every", "3")
    with Path("run.csv").open(newline="") as file:
        rows = [(line["replicate"], line["k"], line["dist"]) for line in csv.DictReader(file)]
    assert rows[:3] == [("0", "0", "0.0"), ("0", "3", "0.0"), ("0", "6", "0.0")]
    assert rows[3:] == [("1", "0", "1.0"), ("1", "3", "1e+300"), ("1", "6", "nan")]


def test_json_alone_on_stdout():
    arguments = (*DIVERGENT, "--x0", "3,4", "--every", "6", "--record", "gap", "--out", "run.npz")
    data = json.loads(cli(*arguments, "--json", "-").stdout)
    assert data["columns"]["gap"] == [[9.0, "nan"]]
    assert data["columns"]["grad_calls"] == [[0.0, 4.0]]
    assert (data["k"], data["diverged_at"], data["seed"]) == ([0, 6], [4], 0)
    assert (data["method"], data["problem"]) == DIVERGENT[:2]
    assert Path("run.npz").exists()
    assert json.loads(cli(*BPM_HUBER, "--json", "-").stdout)["diverged_at"] == [None]


def test_quantities_with_an_axis_are_columns_of_their_own():
    from workbench.cli.run import _columns

    trace = run(
        BPM(radius=0.5),
        Huber(d=2),
        steps=3,
        record=["both"],
        quantities={"both": lambda problem, method, state: state.x},
    )
    assert list(_columns(trace)) == ["both[0]", "both[1]", "prox_calls", "seconds"]
    assert torch.equal(_columns(trace)["both[1]"], trace["both"][..., 1])


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["BPM", "Huber()"], "BPM needs radius; for example BPM(radius=0.5)"),
        (["BMP(radius=1.0)", "Huber()"], "close: BPM"),
        (["BPM(radius=0.0)", "Huber()"], "radius must be finite and > 0, got 0.0"),
        (["BPM(radius=1.0, norm=Lp(p=0.9))", "Huber()"], "p must be >= 1"),
        (["BPM(radius=1.0, norm=Weighted(weights=(1.0, 2.0)))", "Huber()"], "dimension 1"),
        (["NeedsHvp()", "Huber()", "--file", "needs.py"], "needs no_such, which Huber() does not offer"),
        ([*BPM_HUBER, "--x0", "1,2,3"], "as many entries as the problem has variables, 4, got 3"),
        ([*BPM_HUBER, "--x0", "1,2,3,a"], "x0 must be numbers separated by commas"),
        ([*BPM_HUBER, "--x0", "1,2,3,nan"], "x0 must be finite"),
        (["BPM(radius=1.0)", "HalfLine()", "--file", "needs.py", "--x0", "-1"], "outside the domain"),
        ([*BPM_HUBER, "--x0", "1,2,3,4;1,2,3,4", "--replicates", "3"], "2 rows for 3 replicates"),
        ([*BPM_HUBER, "--record", "gapp"], "known quantities: "),
        ([*BPM_HUBER, "--norm", "Lp"], "one is Lp(p=2.0)"),
        ([*BPM_HUBER, "--out", "run.txt"], "--out must end in .npz or .csv"),
        ([*BPM_HUBER, "--out", "no/run.csv"], "cannot be written"),
        ([*BPM_HUBER, "--file", "none.py"], "does not exist"),
        (["Faulty()", "Huber()", "--file", "mine.py"], "line 29: AttributeError"),
        ([*BPM_HUBER, "--steps", "0"], "--steps"),
        (["BPM(radius=1.0)"], "PROBLEM"),
    ],
)
def test_wrong_use(arguments, message):
    Path("needs.py").write_text(
        "from dataclasses import dataclass\nfrom problems import Huber\nfrom workbench import Method\n"
        "@dataclass(frozen=True)\nclass NeedsHvp(Method):\n    needs = ('no_such',)\n"
        "    def step(self, problem, state, draw):\n        return state\n"
        "@dataclass(frozen=True)\nclass HalfLine(Huber):\n    def contains(self, x):\n"
        "        return (x > 0).all(-1)\n"
    )
    result = cli(*arguments, status=2)
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert {path.name for path in Path().iterdir()} == {"mine.py", "needs.py"}


# -- the first step at a goal -----------------------------------------------------------------------


def test_until_shows_the_first_step_and_its_costs():
    """f = 2 (|x| - 1/2) from |x| = 10, 0.5 a step: gap 14 at k = 5."""
    shown = cli(*BPM_HUBER, "--until", "gap<=14").stdout
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "first recorded step with gap <= 14, spent before it:" in shown
    header, rows = table(shown, 1)
    assert header == ["at"]
    assert rows[0] == ["k", "5"]
    assert rows[1] == ["prox_calls", "5"]
    assert rows[2][0] == "seconds"
    assert "never" not in shown


def test_until_over_replicates_counts_those_that_never_reach_it():
    starts = ["--x0", "3,0;6,0;100,0", "--steps", "20"]
    shown = cli("BPM(radius=0.5)", "Huber(L=2.0, d=2)", *starts, "--until", " gap <= 1e-9 ").stdout
    assert "gap <= 1e-09 was never reached by 1 of 3 replicates in 20 steps" in shown
    assert "first recorded step with gap <= 1e-09, of 3 replicates; spent before it:" in shown
    header, rows = table(shown, 2)
    assert header == ["smallest", "median", "largest"]
    assert rows[0] == ["k", "6", "12", "never"]
    assert rows[1] == ["prox_calls", "6", "12", "never"]


def test_until_says_when_it_was_never_reached():
    shown = cli(*BPM_HUBER, "--until", "gap<=-1").stdout
    assert shown.endswith("\ngap <= -1 was never reached in 100 steps\n")
    assert "spent" not in shown


def test_until_counts_passes_over_a_sum():
    arguments = [
        "GradientDescent(stepsize=0.001)",
        "LeastSquares(data='breast_cancer')",
        "--until",
        "dist<=1e9",
    ]
    found = json.loads(cli(*arguments, "--json", "-", "--record", "value").stdout)
    assert found["until"]["k"] == [0]
    assert list(found["until"]["costs"]) == ["grad_calls", "passes", "seconds"]
    assert list(found["columns"])[:2] == ["value", "dist"]
    late = json.loads(cli(*arguments[:3], "grad_calls<=0", "--json", "-").stdout)
    assert late["until"]["costs"]["passes"] == [0.0]
    assert {"gap", "dist", "gradnorm"} <= set(late["columns"])


def test_until_is_in_the_json():
    starts = ["--x0", "3,0;100,0", "--steps", "20", "--json", "-"]
    found = json.loads(cli("BPM(radius=0.5)", "Huber(L=2.0, d=2)", *starts, "--until", "gap<=1e-9").stdout)
    until = found["until"]
    assert (until["quantity"], until["below"], until["k"]) == ("gap", 1e-9, [6, None])
    assert until["costs"]["prox_calls"] == [6.0, None]
    assert "until" not in json.loads(cli(*BPM_HUBER, "--json", "-").stdout)


@pytest.mark.parametrize(
    "text", ["gap", "gap<1e-6", "<=1", "gap<=", "gap<=x", "gap<=nan", "gap<=inf", "gap>=1"]
)
def test_a_goal_that_is_none_is_named(text):
    result = cli(*BPM_HUBER, "--until", text, status=2)
    assert f"until must be a quantity and a finite number such as 'gap<=1e-6', got {text!r}" in result.output


def test_a_goal_for_an_unknown_quantity_lists_the_known():
    result = cli(*BPM_HUBER, "--until", "gaps<=1", status=2)
    assert "record names 'gaps', known quantities: " in result.output
