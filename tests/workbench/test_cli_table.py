"""``workbench table``: problems against assumptions, and the copy kept in the documentation."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assumptions import ASSUMPTIONS, Convex, PathLayerL0L1, Smooth, StronglyConvex, closure
from problems import INSTANCES, Cosine, Huber, LogLoss, Quadratic
from workbench.assumption_table import cell, trial
from workbench.cli.app import app
from workbench.cli.table import SYMBOLS, short

DOCS = Path(__file__).parents[2] / "docs" / "assumption_table.md"
KINDS = tuple(a for a in ASSUMPTIONS if a is not PathLayerL0L1)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, ["table", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def test_what_is_certified_is_searched_and_stands():
    found = cell(Quadratic((1.0, 10.0)), Smooth, budget=500)
    assert (found.status, found.statement) == ("proved", "Smooth(L=10.0)")  # by a member written as a formula
    assert 0.99 < found.ratio <= 1 + 1e-9
    assert cell(Huber(), Convex, budget=500).status == "certified"


def test_what_is_not_certified_is_tried():
    assert cell(Cosine(), Convex, budget=500).status == "refuted"
    found = cell(LogLoss((1.0,)), StronglyConvex, budget=2000)
    assert found.status == "refuted"
    assert len(found.witness) == 2


def test_what_a_problem_lacks_is_said():
    from assumptions import HessianL0L1

    found = cell(Huber(), HessianL0L1, budget=100)
    assert found.status == "lacking"
    assert "hvp" in found.why


def test_constants_that_are_tried_have_room():
    statement = trial(Cosine(), Smooth)
    assert isinstance(statement, Smooth)
    assert pytest.approx(2.0, rel=1e-2) == statement.L


DECLARED = """
from assumptions import Certificate, Smooth
from problems import Quadratic, from_function

class Wrong(Quadratic):
    @property
    def certified(self):
        return (Certificate(Smooth(5.0), proof="a slip"),)

slip = Wrong((1.0, 10.0))
hope = from_function(lambda x: (x**2).sum(-1), d=1, name="hope", assume=(Smooth(1.0),))
right = from_function(lambda x: (x**2).sum(-1), d=1, name="right", assume=(Smooth(2.0),))
"""


def test_a_false_certificate_is_a_failure_and_a_false_hope_is_refuted(tmp_path):
    mine = tmp_path / "mine.py"
    mine.write_text(DECLARED)
    smooth = ("--file", str(mine), "--assumption", "Smooth", "--budget", "1000")
    cells = json.loads(cli(*smooth, "--problem", "from_function*", "--json", "-").stdout)["cells"]
    assert {c["problem"]: c["status"] for c in cells} == {
        "from_function(hope, d=1)": "refuted",
        "from_function(right, d=1)": "declared",
    }
    assert "contradicted" in cli(*smooth, "--problem", "Wrong*", status=1).stdout
    assert "--jobs" in cli(*smooth, "--jobs", "2", status=2).stderr


def test_the_command_writes_what_it_found(tmp_path):
    out = tmp_path / "table.md"
    shown = cli(
        *("--problem", "Cosine", "--problem", "Huber()", "--assumption", "*mooth", "--budget", "200"),
        *("--out", str(out), "--json", str(tmp_path / "t.json")),
    ).stdout
    assert "certified" in shown
    cells = json.loads((tmp_path / "t.json").read_text())["cells"]
    assert {c["problem"] for c in cells} == {"Cosine()", "Cosine(d=2, start=(2.0, -1.0))", "Huber()"}
    assert {c["assumption"] for c in cells} >= {"Smooth", "LayerSmooth", "PhiSmooth"}
    assert "| `Huber()` |" in out.read_text()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--problem", "Cosin"), "no problem fits 'Cosin'"),
        (("--assumption", "Smoth"), "no assumption fits 'Smoth'"),
    ],
)
def test_wrong_use(arguments, says):
    assert says in cli(*arguments, status=2).stderr


def rows() -> dict[tuple[str, str], str]:
    """(problem as shown, assumption) -> symbol, of the copy in the documentation."""
    found, kinds = {}, []
    for line in DOCS.read_text().splitlines():
        entries = [entry.strip() for entry in line.strip("|").split(" | ")]
        if entries[0] == "problem":
            kinds = [entry.strip(" |") for entry in entries[1:]]
        elif match := re.match(r"\| `(.*)` \|", line):
            symbols = [s.strip() for s in line[match.end() :].strip("|").split("|")]
            found |= {(match.group(1), kind): s for kind, s in zip(kinds, symbols, strict=True)}
    return found


def test_the_documentation_has_every_family_and_every_assumption():
    first = {p.family: p for p in reversed(INSTANCES)}
    wanted = {(short(repr(p)), k.__name__) for p in first.values() for k in KINDS}
    assert wanted == set(rows())
    assert set(rows().values()) <= set(SYMBOLS.values()) - {SYMBOLS["contradicted"]}


def test_the_documentation_agrees_with_what_is_certified():
    """C and P stand where something is certified, and nowhere else."""
    shown = rows()
    for problem in {p.family: p for p in reversed(INSTANCES)}.values():
        certified = {type(c.assumption) for c in closure(problem.certified)}
        for kind in KINDS:
            symbol = shown[short(repr(problem)), kind.__name__]
            if symbol == SYMBOLS["lacking"]:
                assert kind.lacking(problem) or kind not in certified
            else:
                assert (symbol in ("C", "P")) == (kind in certified), (problem, kind)
