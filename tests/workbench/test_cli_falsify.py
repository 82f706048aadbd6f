"""``workbench falsify``: what it finds, writes and prints, and what it refuses."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbench.cli import falsify_search
from workbench.cli.app import app
from workbench.theorems import THEOREMS

MINE = """
from workbench import Source, Theorem, symbols
from workbench.methods import GradientDescent
from assumptions import Convex, Smooth
from dataclasses import dataclass
from problems import Problem

L, gap, gap0, k = symbols("L gap gap0 k")
OURS = Source("a test", "DERIVED")

TOO_GOOD = Theorem(
    id="mine/too-good", title="gaps halve", source=OURS, method=GradientDescent,
    parameters={"stepsize": 1 / L}, assumes=(Convex, Smooth), measured=gap, bound=gap0 / 2**k,
)
FROM_MEMORY = Theorem(
    id="mine/recalled", title="gaps halve", source=Source("a test", "RECALLED"), method=GradientDescent,
    parameters={"stepsize": 1 / L}, assumes=(Convex, Smooth), measured=gap, bound=gap0 / 2**k,
)
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)


def cli(*arguments: str, status: int = 0, command: str = "falsify"):
    result = CliRunner().invoke(app, [command, *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def lines(output: str) -> dict[str, str]:
    """First word of a line -> the rest."""
    parts = [line.split(maxsplit=1) for line in output.splitlines() if line.strip()]
    return {part[0]: part[1] for part in parts if len(part) == 2}


# -- what is found ----------------------------------------------------------------------------------


def test_a_true_claim_is_not_refuted():
    shown = lines(cli("gd/nonconvex", "--budget", "150").stdout)
    assert shown["verdict"].startswith("not refuted")
    assert "proved" not in shown["verdict"]
    assert "survived" in shown["smallest"]
    assert 0.5 < float(shown["ratio"]) <= 1 + 1e-9
    assert "seed 0" in shown["tried"]
    assert "problem" in shown


def test_a_false_claim_of_the_user_is_refuted_and_replayed():
    result = cli("mine/too-good", "--file", "mine.py", "--budget", "200", "--out", "found", status=1)
    shown = lines(result.stdout)
    assert shown["verdict"] == "refuted"
    assert "is false for every c below it" in shown["smallest"]
    path = shown["witness"].removeprefix("workbench replay ")
    replayed = cli(path, command="replay")
    assert "reproduced, digit by digit" in replayed.stdout
    data = json.loads(Path(path).read_text())
    assert data["file"].endswith("mine.py")
    assert data["problem"] == shown["problem"]
    document = json.loads(Path("found/falsified-mine-too-good.json").read_text())
    assert document["verdict"] == "refuted"
    assert document["witness"] == data
    Path("mine.py").write_text(MINE + "\n# edited\n")
    assert "has changed" in cli(path, command="replay", status=2).stderr


def test_what_is_recalled_is_never_counted():
    shown = cli("mine/recalled", "--file", "mine.py", "--budget", "200").stdout
    assert lines(shown)["verdict"] == "refuted"


def test_convexity_is_needed_for_the_ball_method():
    Path("bent.py").write_text("from problems import PiecewiseLinear\nBENT = PiecewiseLinear()\n")
    asked = ("bpm/distance", "--drop", "Convex", "--file", "bent.py", "--budget", "100", "--out", "found")
    result = cli(*asked, "--json")
    document = json.loads(result.stdout)
    assert document["verdict"] == "refuted"
    assert document["dropped"] == "Convex"
    assert document["witness"]["certificates"] == []
    replayed = cli("found/witness-bpm-distance-without-Convex.json", command="replay")
    assert "without      Convex" in replayed.stdout
    assert "reproduced, digit by digit" in replayed.stdout


def test_the_constant_of_the_dropped_assumption_is_said():
    result = cli("gd/strongly-convex", "--drop", "StronglyConvex", "--budget", "6000", "--out", "found")
    shown = lines(result.stdout)
    assert shown["verdict"].startswith("refuted without StronglyConvex: needed")
    assert shown["without"].startswith("StronglyConvex, with mu = L")
    replayed = cli("found/witness-gd-strongly-convex-without-StronglyConvex.json", command="replay")
    assert shown["without"] in replayed.stdout
    assert "digit by digit" in replayed.stdout


def test_mutants_are_found_without_their_instance():
    result = cli("bpm/line", "--mutants", "--budget", "300", "--out", "found")
    assert "mutants refuted" in result.stdout
    witnesses = sorted(Path("found").glob("witness-bpm-line-mutant-*.json"))
    assert witnesses
    for path in witnesses:
        assert json.loads(path.read_text())["mutant"]
        assert "digit by digit" in cli(str(path), command="replay").stdout


def test_mutants_as_json():
    document = json.loads(cli("page/nonconvex", "--mutants", "--budget", "50", "--json").stdout)
    (found,) = document["mutants"]
    assert found["verdict"] == "refuted"
    assert found["mutant"] == "half the constant"


def test_a_mean_replays_with_its_start():
    cli("page/pl", "--budget", "60", "--out", "found", "--steps", "4")
    data = json.loads(Path("found/witness-page-pl.json").read_text())
    assert data["horizon"] <= 4
    assert not data["refutes"]
    assert "digit by digit" in cli("found/witness-page-pl.json", command="replay").stdout


def test_the_same_seed_finds_the_same():
    runs = [cli("gd/pl", "--budget", "80", "--seed", "3", "--json").stdout for _ in range(2)]
    assert runs[0] == runs[1]


def test_a_slope_is_said_not_to_be_searched():
    slope = next(t.id for t in THEOREMS if t.kind == "slope")
    shown = cli(slope, "--budget", "10").stdout
    assert "nothing could be tried" in shown
    assert "not searched" in shown


# -- interrupted ------------------------------------------------------------------------------------


@pytest.mark.parametrize("drop", [None, "PL"], ids=["whole", "dropped"])
def test_an_interrupted_search_keeps_its_best(monkeypatch, drop):
    real = falsify_search.falsify

    def interrupted(*arguments, progress, **options):
        def tell(done, total, label):
            progress(done, total, label)
            if done > 60:
                raise KeyboardInterrupt

        return real(*arguments, progress=tell, **options)

    monkeypatch.setattr(falsify_search, "falsify", interrupted)
    asked = [] if drop is None else ["--drop", drop]
    result = cli("gd/pl", *asked, "--budget", "5000", "--out", "found", status=130)
    assert "interrupted; the best so far is kept" in result.stderr
    assert "verdict" in result.stdout
    name = "gd-pl" if drop is None else f"gd-pl-without-{drop}"
    document = json.loads(Path(f"found/falsified-{name}.json").read_text())
    assert document["interrupted"] is True
    assert document["best"]["ratio"] > 0
    assert 60 < document["evaluations"] < 5000
    if drop:
        assert set(document["values"]) == {"mu_pl"}
    assert "digit by digit" in cli(f"found/witness-{name}.json", command="replay").stdout


def test_interrupted_before_anything_was_tried(monkeypatch):
    def at_once(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("workbench.falsifier.search.sources", at_once)
    result = cli("gd/pl", "--out", "found", status=130)
    assert "nothing could be tried" in result.stdout
    assert not list(Path("found").glob("witness*"))
    without = cli("gd/pl", "--drop", "PL", status=130).stdout
    assert "no counterexample was found before the interruption, which proves nothing" in without


def test_a_witness_names_the_sources_that_the_search_ran_on(monkeypatch):
    """They may change during it, and an interruption while they are read costs nothing before it."""
    real, sources = falsify_search.falsify, ["before"]

    def changing(*arguments, **options):
        sources.append("after")
        return real(*arguments, **options)

    monkeypatch.setattr(falsify_search, "source_hash", lambda _: sources[-1])
    monkeypatch.setattr(falsify_search, "falsify", changing)
    cli("gd/pl", "--budget", "64", "--out", "found")
    assert json.loads(Path("found/witness-gd-pl.json").read_text())["code"] == "before"


# -- refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("gd/nonconvexx",), "close: gd/nonconvex"),
        (("gd/pl", "--budget", "0"), "--budget must be at least 1 evaluation, got 0"),
        (("gd/pl", "--budget", "-3"), "got -3"),
        (("gd/pl", "--steps", "0"), "--steps must be at least 1, got 0"),
        (("gd/pl", "--drop", "Convex"), "does not assume it; it assumes Smooth, PL"),
        (("gd/pl", "--drop", "Smoth"), "close: Smooth"),
        (("gd/pl", "--drop", ""), "it assumes Smooth, PL"),
        (("gd/pl", "--out", "mine.py"), "is a file"),
        (("gd/pl", "--exact", "--drop", "PL"), "--exact and --drop exclude each other"),
        (("gd/pl", "--exact", "--mutants"), "--exact and --mutants exclude each other"),
        (("gd/pl", "--mutants", "--drop", "PL"), "--mutants and --drop exclude each other"),
        (("mine/too-good", "--file", "mine.py", "--mutants"), "mine/too-good has no mutant"),
        (("mine/too-good",), "no theorem 'mine/too-good'"),
        (("mine/too-good", "--file", "none.py"), "none.py"),
        (("multi-proximal/smooth", "--drop", "SmoothTerms"), "says nothing without SmoothTerms"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_use_is_said_before_anything_is_computed(monkeypatch, arguments, said):
    def never(*arguments, **options):
        raise AssertionError("the search began")

    monkeypatch.setattr(falsify_search, "falsify", never)
    assert said in cli(*arguments, status=2).stderr


def test_nothing_to_try_is_said_with_reasons():
    Path("kink.py").write_text("from problems import AbsAffine\nKINK = AbsAffine(a=(1.0,))\n")
    error = cli("gd/pl", "--file", "kink.py", "--budget", "50", status=2).stderr
    assert "gd/pl: nothing to try on 1 problems" in error
    assert "Smooth is not certified" in error


def test_an_error_in_the_users_file_is_said_with_its_line():
    Path("mine.py").write_text(MINE + "\nWRONG = 1 / 0\n")
    assert "ZeroDivisionError" in cli("mine/too-good", "--file", "mine.py", status=2).stderr
