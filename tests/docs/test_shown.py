"""Numbers, names and commands that pages show are those of the code."""

import re
from pathlib import Path

from typer.testing import CliRunner

from workbench import DEFAULT, FULL, QUICK
from workbench.cli.app import app

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    """A page of the documentation, as it is written."""
    return (ROOT / f"docs/{name}.md").read_text()


def rows(name: str, first: str) -> dict[str, list[str]]:
    """First cell -> the others, of the table whose head begins with ``first``."""
    table = page(name).split(first, 1)[1].split("\n\n", 1)[0]
    cells = [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in cells}


def test_what_verify_costs_is_what_the_budgets_say():
    budgets = (QUICK, DEFAULT, FULL)
    shown = rows("verdicts", "| | `--quick` | default | `--full` |")
    for field, said in {
        "steps": "steps of a run",
        "starts": "starts, of a claim about every run",
        "replicates": "replicates, of a claim about a mean, at most",
        "states": "states, of a claim about one step",
        "ascent": "steps of the ascent to worse states",
    }.items():
        assert [int(n.replace(",", "")) for n in shown[said]] == [getattr(b, field) for b in budgets]
    assert shown["pairs of state and outcome, at most"] == [f"2^{b.pairs.bit_length() - 1}" for b in budgets]
    assert [b.first_only for b in budgets] == [
        n == "the first" for n in shown["values of a swept hyperparameter"]
    ]


def test_the_table_of_the_quick_start_is_printed(tmp_path):
    shown = re.search(r"```text\n(theorem / problem.*?)```", page("quickstart"), re.S)
    assert shown is not None
    command = ["verify", "gd/convex", "--quick", "--out", str(tmp_path)]
    said = [line.rstrip() for line in CliRunner().invoke(app, command).stdout.splitlines()]
    assert set(shown[1].splitlines()) <= set(said)


def test_a_search_from_python_gives_what_its_comment_says(capsys):
    block = re.search(r"```python\n(.*?)```", page("falsify"), re.S)
    assert block is not None
    exec(block[1], {})
    printed, instance = capsys.readouterr().out.splitlines()
    assert f"# {printed}\n" in block[1]
    assert instance.endswith(")")


def test_what_the_page_about_the_checker_names_is_there():
    names = re.findall(r"`(test_\w+\.py)`", page("checker"))
    assert len(names) >= 8
    assert set(names) <= {path.name for path in (ROOT / "tests").rglob("test_*.py")}


def test_every_comparison_has_its_command_and_its_numbers():
    shown = page("comparison").split("## Numbers")[1].split("\n## ")[0]
    commands = re.findall(r"`python -m benchmarks\.(\w+)`|, `\.(\w+)`", shown)
    assert len(commands) == 11
    assert all((ROOT / f"benchmarks/{a or b}.py").is_file() for a, b in commands)
    headings = set(re.findall(r"^## (.+)$", page("benchmarks"), re.M))
    assert set(re.findall(r"benchmarks\.md#([\w-]+)", shown + page("checker") + page("verdicts"))) <= headings
