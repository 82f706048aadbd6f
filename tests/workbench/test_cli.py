"""The command line: what it prints, how it ends, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

import workbench
from workbench.catalogue import CATALOGUE
from workbench.cli.app import app
from workbench.cli.dispatch import COMMANDS

ROOT = Path(workbench.__file__).parents[1]
HEAVY = ("numpy", "torch", "sympy", "cvxpy", "matplotlib", "xarray", "scipy", "sklearn")
WRONG = "bound=dist**2 - 2 * radius * gap / gradnorm + radius**2,\n    proof"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def process(*arguments: str, **options) -> subprocess.Popen:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, *arguments]
    return subprocess.Popen(command, stdout=-1, stderr=-1, text=True, env=env, **options)


@pytest.fixture
def false_claim(tmp_path) -> str:
    """The example file with a false bound."""
    cli("new", "theorem", "mine.py")
    path = tmp_path / "mine.py"
    text = path.read_text()
    assert text.count(WRONG) == 1
    path.write_text(text.replace(WRONG, WRONG.replace("- 2", "- 3")))
    return "mine.py"


# -- lists and help ---------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], *(["list", kind] for kind in CATALOGUE)])
def test_help_and_lists_load_no_numerical_library(arguments):
    code = f"""
import sys
from workbench.cli.app import app
try:
    app({arguments!r})
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""
    done = process("-c", code)
    out, err = done.communicate(timeout=60)
    assert done.returncode == 0, err
    assert out
    assert err == ""


def test_lists():
    for kind, entries in CATALOGUE.items():
        assert json.loads(cli("list", kind, "--json").stdout) == entries
        shown = cli("list", kind).stdout
        assert shown.isascii()
        assert all(len(line) <= 80 for line in shown.splitlines())
    assert "there are papers, theorems" in cli("list", "theorem", status=2).stderr


def test_every_command_has_a_module():
    assert {c.name for c in app.registered_commands} == set(COMMANDS)


def test_wrong_use():
    assert cli("nonsense", status=2).stdout == ""
    assert cli("verify", "--seed", "-1", status=2).stdout == ""
    assert cli(status=2).output.startswith("Usage")


# -- show -------------------------------------------------------------------------------------------


def test_show_a_theorem():
    shown = cli("show", "bpm/distance").stdout
    for part in (
        "dist_next**2 <= dist**2 - radius**2",
        r"\mathrm{dist}(x_{k+1}, X^\star)",
        "SOURCED",
        "mutants",
    ):
        assert part in shown
    data = json.loads(cli("show", "bpm/distance", "--json").stdout)
    assert "Huber()" in data["instances"]


@pytest.mark.parametrize("name", ["BPM", "Huber", "Smooth", CATALOGUE["papers"][0]["paper"]])
def test_show_other_objects(name):
    assert name in cli("show", name).stdout


def test_every_object_of_the_catalogue_can_be_shown():
    for kind, key in (("methods", "name"), ("assumptions", "name"), ("theorems", "id")):
        for entry in CATALOGUE[kind]:
            assert cli("show", entry[key], "--json").stdout


def test_show_an_instance_by_the_text_that_tables_print():
    shown = cli("show", "Huber(L=2.0, delta=0.5, d=4)").stdout
    assert "Smooth(L=2.0): " in shown
    assert "brox" in shown
    assert "unknown name '__import__'" in cli("show", "Huber(__import__('os'))", status=2).output


def test_show_an_unknown_name():
    assert "close: bpm/distance" in cli("show", "bpm/distence", status=2).stderr


def test_show_an_object_of_mine():
    cli("new", "theorem", "mine.py")
    assert "NormalisedSubgradient" in cli("show", "mine/one-step", "--file", "mine.py").stdout


# -- new --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["theorem", "problem", "method"])
def test_a_new_file_runs_as_it_is(kind):
    cli("new", kind)
    path = Path(f"my_{kind}.py")
    assert all(len(line) <= 110 for line in path.read_text().splitlines())
    mine = ("gd/*", "bpm/*") if kind == "problem" else ()  # of a problem some of the theorems
    result = cli("verify", *mine, "--file", str(path), "--quick")
    assert "0 not as expected" in result.stdout
    assert "not refuted" in result.stdout
    assert result.stderr == ""


def test_the_theorem_example_is_short():
    cli("new", "theorem", "mine")
    assert len(Path("mine.py").read_text().splitlines()) <= 60


def test_new_never_overwrites():
    Path("mine.py").write_text("precious")
    assert "exists already" in cli("new", "theorem", "mine.py", status=2).stderr
    assert Path("mine.py").read_text() == "precious"
    assert "theorem, problem, method" in cli("new", "lemma", status=2).stderr
    assert "cannot be written" in cli("new", "theorem", "no/such/folder.py", status=2).stderr


# -- verify -----------------------------------------------------------------------------------------


def test_verify_and_find_it_done():
    first = cli("verify", "bpm/line", "--quick", "--json", "-")
    schema = json.loads((ROOT / "workbench" / "record.schema.json").read_text())
    document = json.loads(first.stdout)
    jsonschema.validate(document, schema)
    assert {r["theorem"] for r in document["records"]} == {"bpm/line"}
    lines = Path("results/records-0.jsonl").read_bytes()
    assert cli("verify", "bpm/line", "--quick", "--json", "-").stdout == first.stdout
    assert Path("results/records-0.jsonl").read_bytes() == lines
    cli("verify", "bpm/line", "--quick", "--fresh")
    assert len(Path("results/records-0.jsonl").read_bytes()) > len(lines)


def test_the_table_fits_80_columns_and_is_plain():
    shown = cli("verify", "bpm/line", "--quick").stdout
    table, _, count = shown.rstrip().rpartition("\n\n")
    assert all(len(line) <= 80 for line in table.splitlines())
    assert shown.isascii()
    assert "mutants caught" in table
    assert "as expected" in count


def test_a_false_claim_is_refuted_and_replayed(false_claim):
    result = cli("verify", "--file", false_claim, "--quick", "--json", "all.json", status=1)
    command = next(line for line in result.stdout.splitlines() if "workbench replay" in line).split()
    replayed = cli("replay", command[-1])
    assert "reproduced, digit by digit" in replayed.stdout
    assert "excess" in replayed.stdout
    assert json.loads(cli("replay", command[-1], "--json").stdout)["reproduced"] is True
    # the same from a record, once it is alone
    records = json.loads(Path("all.json").read_text())["records"]
    refuted = [r for r in records if r["verdict"] == "refuted"]
    assert "records with a witness" in cli("replay", "all.json", status=2).stderr
    Path("one.json").write_text(json.dumps(refuted[0]))
    assert "reproduced" in cli("replay", "one.json").stdout
    Path("good.json").write_text(json.dumps(next(r for r in records if r["verdict"] != "refuted")))
    assert "without a witness" in cli("replay", "good.json", status=2).stderr
    # the file as it was is part of the witness
    Path(false_claim).write_text(Path(false_claim).read_text() + "\n# edited\n")
    assert "has changed" in cli("replay", command[-1], status=2).stderr
    Path(false_claim).unlink()
    assert "not there any more" in cli("replay", command[-1], status=2).stderr


def test_a_witness_that_does_not_refute(false_claim):
    cli("verify", "--file", false_claim, "--quick", status=1)
    path = next(Path("results/witnesses").glob("*.json"))
    data = json.loads(path.read_text())
    Path("moved.json").write_text(json.dumps({**data, "k": data["horizon"]}))
    assert cli("replay", "moved.json", status=1).stdout.rstrip().endswith("not reproduced")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json", "is not JSON"),
        ("[]", "is not a witness"),
        ('{"theorem": "bpm/line", "problem": "Huber()"}', "not a witness"),
        ('{"theorem": "no/such", "problem": "Huber()"}', "no theorem 'no/such'"),
        ('{"theorem": "bpm/line", "problem": "Huber()", "file": "gone.py"}', "gone.py, which is not there"),
    ],
)
def test_a_bad_witness(text, message):
    Path("w.json").write_text(text)
    assert message in cli("replay", "w.json", status=2).stderr


def test_only_mutants():
    document = json.loads(cli("verify", "bpm/*", "--mutants", "--json", "-").stdout)
    assert document["records"]
    assert all(r["mutant"] and r["verdict"] == "refuted" for r in document["records"])


def test_dry_run_writes_nothing():
    result = cli("verify", "bpm/line", "--quick", "--dry-run", "--not-applicable")
    assert "bpm/line on Huber()" in result.stdout
    assert "to run" in result.stdout
    assert not Path("results").exists()


def test_not_applicable_is_counted_and_listed_on_request():
    result = cli("verify", "gd/convex", "--quick")
    assert "not applicable" in result.stdout
    assert "AbsAffine" not in result.stdout
    listed = cli("verify", "gd/convex", "--quick", "--not-applicable").stdout
    assert "AbsAffine" in listed
    assert "Smooth is not" in listed


def test_declared_constants_are_said_to_be_so():
    Path("mine.py").write_text(
        "from assumptions import Convex, Smooth\nfrom problems import from_function\n"
        "P = from_function(lambda x: x.square().sum(-1), d=2, name='square', f_star=0.0, x_star=[0.0, 0.0],\n"
        "                  assume=(Convex(), Smooth(2.0)))\n"
    )
    arguments = ("verify", "gd/nonconvex", "--file", "mine.py", "--quick")
    records = json.loads(cli(*arguments, "--json", "-").stdout)["records"]
    own = [r for r in records if "square" in r["problem"]]
    assert [r["reason"] for r in own] == ["if the declared constants hold"]
    assert "declared" in cli(*arguments).stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--quick", "--full"], "--quick and --full"),
        (["no/such"], "no theorem 'no/such'"),
        (["zz*"], "no theorem fits"),
        (["--file", "none.py"], "does not exist"),
        (["--file", "."], "is a folder"),
        (["--file", "broken.py"], "broken.py, line 1"),
        (["--file", "methods.py"], "nothing to verify"),
        (["--out", "broken.py"], "is a file"),
        (["--json", "no/such/folder.json"], "cannot be written"),
    ],
)
def test_wrong_use_of_verify(arguments, message):
    Path("broken.py").write_text("x = (")
    Path("methods.py").write_text("from workbench.methods import BPM\nclass Mine(BPM):\n    pass\n")
    result = cli("verify", *arguments, status=2)
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert result.stdout == ""
    assert not Path("results").exists()


def test_an_error_in_my_method_is_said_with_its_line(false_claim):
    text = Path(false_claim).read_text()
    Path(false_claim).write_text(
        text.replace("g = problem.grad(state.x)", "print('noise'); g = problem.nothing")
    )
    result = cli("verify", "--file", false_claim, "--quick", "--json", "-", status=2)
    assert "line 22: AttributeError" in result.stderr
    assert "noise" in result.stderr
    assert result.stdout == ""


def test_an_interrupted_run_goes_on_where_it_was():
    arguments = ("-m", "workbench", "verify", "--full", "--out", "results")
    # a shell ignores SIGINT for what it starts in the background, and children inherit that
    done = process(*arguments, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    file = Path("results/records-0.jsonl")
    end = time.monotonic() + 60
    while not (file.exists() and file.stat().st_size) and time.monotonic() < end:
        time.sleep(0.05)
    done.send_signal(signal.SIGINT)
    try:
        out, err = done.communicate(timeout=60)
    finally:
        done.kill()
    assert done.returncode == 130, err
    assert "saved in results; the same command goes on" in err
    assert "Traceback" not in err
    assert out == ""
    assert file.read_bytes().endswith(b"\n")


def test_a_killed_run_resumes_to_the_records_of_an_uninterrupted_one():
    def command(out):
        return ("verify", "bpm/l*", "gd/*", "--quick", "--out", out, "--json", f"{out}.json")

    killed = process("-m", "workbench", *command("cut"))
    file = Path("cut/records-0.jsonl")
    end = time.monotonic() + 60
    while not (file.exists() and file.read_bytes().count(b"\n") > 3) and time.monotonic() < end:
        time.sleep(0.02)
    killed.kill()
    killed.communicate()
    before = file.read_bytes()
    assert not Path("cut.json").exists()
    file.write_bytes(before + b'{"theorem": "gd/co')  # a line torn by the kill
    for out in ("cut", "whole"):
        cli(*command(out))
    assert file.read_bytes().startswith(before)

    def records(out):
        found = json.loads(Path(f"{out}.json").read_text())["records"]
        return [{name: value for name, value in r.items() if name != "seconds"} for r in found]

    assert records("cut") == records("whole")


def test_a_reader_that_stops_early():
    pipe = f"{sys.executable} -m workbench list theorems | head -n 1; echo ${{PIPESTATUS[0]}}"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", pipe], capture_output=True, text=True, env=env, check=True)
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


# -- info -------------------------------------------------------------------------------------------


def test_info():
    data = json.loads(cli("info", "--json").stdout)
    assert data["workbench"] == workbench.__version__
    assert set(data["extras"]) == {"figures", "store", "pep", "data"}
    assert data["data"]["breast_cancer"] == "found"
    assert all(text == "found" or "install" in text for text in data["data"].values())
    assert "torch" in cli("info").stdout
