"""``workbench probe``: what it shows and writes, how it goes on, what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from typer.testing import CliRunner

import workbench
from tests.workbench.probe_results import probe_result, straight
from workbench.cli.app import app
from workbench.cli.output import console
from workbench.cli.probe_fits import print_fits
from workbench.cli.probe_report import ROWS, joined
from workbench.probes.fits.findings import Finding
from workbench.probes.fits.fit import fit_smoothness
from workbench.probes.probe import SmoothnessProbe
from workbench.probes.result import load
from workbench.probes.training.checkpoint import read

ROOT = Path(workbench.__file__).parents[1]
MINE = ("mine.py:make", "--steps", "24", "--every", "3", "--out", "run")
TASK = """
import time
from pathlib import Path
import torch
from torch import nn
import torch.nn.functional as F

PAUSE = 0.03 if Path("slow").exists() else 0.0

def loss(model, batch):
    x, y = batch
    return F.cross_entropy(model(x), y)

def make(seed):
    print("noise")
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, 6, generator=generator)
    y = (x[:, 0] > 0).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, 2))

    def batch(step):
        if step == 2 and Path("faulty").exists():
            raise KeyError("mine")
        time.sleep(PAUSE)
        rows = torch.randint(64, (16,), generator=torch.Generator().manual_seed(100 * seed + step))
        return x[rows], y[rows]

    rates = {"scion": 0.02, "sgd": 0.1}
    return {"model": model, "loss": loss, "batch": batch, "fixed": (x, y), "rates": rates, "output": "3"}

def number(seed):
    return seed

def leaves(seed):
    raise SystemExit(3)

def lines(seed):
    raise RuntimeError("two" + chr(10) + "lines")

def judged(seed):
    return {**make(seed), "evaluate": lambda model: 3}

def modest(seed):
    return {**make(seed), "about": {"parameters": "few", "sha256": 7, "size": None, "data": object()}}

three = 3
"""


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(TASK)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, ["probe", *arguments], catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def process(*arguments: str) -> subprocess.Popen:
    """In a process group of its own, in which Ctrl-C works."""
    return subprocess.Popen(
        [sys.executable, "-m", "workbench", "probe", *arguments],
        stdout=-1,
        stderr=-1,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": str(torch.get_num_threads())},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def steps_saved(folder: str = "run") -> int:
    found = read(Path(folder)) if Path(folder).exists() else None
    return found.step if found else -1


def wait_until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()


# -- what is shown ----------------------------------------------------------------------------------


def test_a_network_of_the_library_from_begin_to_end():
    arguments = ("mlp", "--steps", "30", "--every", "3", "--rows", "32", "--fixed-rows", "64")
    result = cli(*arguments, "--json", "run.json")
    shown = result.stdout
    assert shown.isascii()
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert shown.startswith("network    mlp, size 9k, 8,970 parameters\ndata       digits, sha256 ")
    for line in (
        "\noptimizer  Scion, lr 0.",
        "training   30 steps; seed 0, cpu\n",
        "probe      every 3 steps, level pair, radii, lmo, batch fixed\n",
        "a probe takes 6 gradients of 64 rows",
        "; 30 of 30 steps taken\n",
        "not trained on: loss ",
    ):
        assert line in shown
    tables = [block.splitlines() for block in shown.split("\n\n") if block.startswith("layer ")]
    assert [line.split() for line in tables[0]][:2] == [
        ["layer", "shape", "norm"],
        ["layers.0.weight", "64x64", "hidden"],
    ]
    assert "|G'|, at 10 probed steps\n" in shown
    heads = [line.split()[:2] for line in tables[1]]
    assert heads[0] == ["layer", "L0_seen"]
    layers = [f"{name}.{kind}" for name in ("layers.0", "layers.1", "head") for kind in ("weight", "bias")]
    assert [name for name, _ in heads[1:]] == layers
    assert shown.endswith("\nresults/probe-mlp-scion: probe.nc, manifest.json, training.csv, checkpoint.pt\n")
    assert result.stderr == ""
    document = json.loads(Path("run.json").read_text())
    assert document["folder"] == "results/probe-mlp-scion"
    assert [fit["layer"] for fit in document["fits"]] == layers
    for fit in document["fits"]:
        assert f"{fit['L0_seen']:.3g}" in shown
        assert fit["verdict"] in shown
        assert fit["reason"] not in shown
        for finding in fit["findings"]:
            assert f" {finding['kind']}: " in shown
    assert document["manifest"]["about"]["data"] == "digits"
    assert document["manifest"]["rows"] == 64
    again = cli("results/probe-mlp-scion").stdout
    begin, end = shown.split("\na probe takes", 1)
    assert again.startswith(begin)
    assert again.endswith(end.split("\n\n", 1)[1])
    assert json.loads(cli("results/probe-mlp-scion", "--json", "-").stdout) == document


def test_a_task_of_mine_and_json_alone():
    result = cli(*MINE, "--json", "-", "--level", "pair")
    assert "noise" in result.stderr
    document = json.loads(result.stdout)
    assert document["manifest"]["level"] == "pair"
    assert document["manifest"]["about"]["task"] == "mine.py:make"
    assert [fit["n"] for fit in document["fits"]] == [8] * 4
    whole = cli("mine.py:make", "--steps", "3", "--optimizer", "sgd", "--dtype", "float64", "--device", "cpu")
    assert "data       mine.py:make, sha256 " in whole.stdout
    assert "optimizer  SGD, lr 0.1" in whole.stdout
    assert load("results/probe-make-sgd").attrs["dtype"] == "float64"
    assert load("results/probe-make-sgd").attrs["every"] == 3


def test_the_same_command_again_shows_the_table_and_more_steps_go_on():
    first = cli(*MINE).stdout
    before = Path("run/training.csv").read_bytes()
    again = cli(*MINE).stdout
    assert "training   24 steps, all done before; seed 0, cpu" in again
    assert again.replace(", all done before", "") == first
    assert Path("run/training.csv").read_bytes() == before
    longer = cli(*MINE, "--steps", "30").stdout
    assert "training   30 steps, going on from step 24; seed 0, cpu" in longer
    assert Path("run/training.csv").read_bytes().startswith(before)
    cli(*MINE, "--steps", "30", "--out", "other")
    assert load("run").drop_vars("seconds").identical(load("other").drop_vars("seconds"))


def test_divergence_is_said_and_is_no_failure():
    shown = cli("mine.py:make", "--steps", "60", "--every", "1", "--optimizer", "sgd", "--lr", "1e38").stdout
    assert "\ndiverged: the loss was " in shown
    assert "steps taken" in shown
    saved = json.loads(cli("results/probe-make-sgd", "--json", "-").stdout)
    assert "diverged: the loss was " in cli("results/probe-make-sgd").stdout
    assert 0 < saved["manifest"]["steps_taken"] < 60
    assert saved["manifest"]["loss_last"] in ("nan", "inf")
    assert "the probe stopped: step " in shown


def test_different_batches_are_flagged():
    shown = cli(*MINE, "--batch", "different").stdout
    assert "level pair, batch different" in shown
    assert "NOISE" in shown


def test_the_result_of_another_program_is_shown():
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    rows = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    options = {"loss": lambda m, x: m(x).square().mean(), "batch": rows, "norms": "euclidean", "every": 1}
    with SmoothnessProbe(model, optimizer, announce=None, **options) as probe:
        for _ in range(3):
            optimizer.zero_grad()
            model(rows).square().mean().backward()
            optimizer.step()
    probe.save("own")
    shown = cli("own").stdout
    assert shown.startswith(
        "network    Linear, 8 parameters\nprobe      every 1 steps, level pair, batch fixed\n"
    )
    assert "not done" not in shown
    assert shown.endswith("\nown: probe.nc, manifest.json\n")


def test_reasons_in_sentences_and_a_table_as_wide_as_the_terminal(monkeypatch):
    cli(*MINE, "--json", "run.json")
    narrow = cli("run").stdout
    assert " ".join(cli("run", "--reasons").stdout.split()).count("the ratio goes like") > 0
    fits = json.loads(Path("run.json").read_text())["fits"]
    told = " ".join(cli("run", "--reasons").stdout.split())
    for fit in fits:
        assert f"{fit['verdict']}: {fit['reason']}" in told
        assert fit["reason"] not in " ".join(narrow.split())
    monkeypatch.setenv("COLUMNS", "200")
    wide = cli("run").stdout
    low, high = fits[0]["L1_interval"]
    assert f"({low:.3g}, {high:.3g})" in wide
    assert f"({low:.3g}, {high:.3g})" not in narrow
    row = next(line for line in wide.splitlines() if line.startswith(f"{fits[0]['layer']} ") and "(" in line)
    assert row.rstrip().endswith(", ".join(finding["kind"] for finding in fits[0]["findings"]))


def test_the_letters_of_the_table_are_explained(capsys):
    g, L = straight()
    rest = np.where(np.arange(40) < 3, np.nan, L)
    odd = xr.concat([probe_result(g, L, layer="a"), probe_result(g, rest, layer="b" * 40)], "layer")
    few = xr.concat([probe_result(g, np.where(g > 4.8, L, np.nan), layer=name) for name in "cd"], "layer")
    print_fits(console(), fit_smoothness(xr.concat([odd, few], "layer")), reasons=False)
    shown = capsys.readouterr().out
    lines = [line.split() for line in shown.splitlines()]
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert ["layer", "n", "L0_seen", "L1_seen", "radius", "used", "verdict", "why"] in lines
    assert "2 identified, 2 poorly identified\n" in shown
    rows = [line for line in lines if line[:1] in (["a"], ["c"], ["d"]) and len(line) > 6]
    assert [row[-1] for row in rows if row[0] in "cd"] == ["a", "a"]
    assert "a  few steps: moved in " in shown
    assert "  2" in next(line for line in shown.splitlines() if line.startswith("a  few steps"))


def test_a_name_of_22_characters_with_five_letters_stays_in_one_line(capsys):
    name = "h.0.attn.c_proj.weight"
    g = 1e-5 * straight()[0]
    (fit,) = fit_smoothness(probe_result(g, 1e-3 + 123.0 * g, layer=name))
    kinds = ("one step", "L0 or L1", "radius", "exceeded", "ascent")
    found = tuple(Finding(kind, 2.5, "") for kind in kinds)
    print_fits(console(), [replace(fit, verdict="poorly identified", findings=found)], reasons=False)
    shown = capsys.readouterr().out
    (row,) = [line for line in shown.splitlines() if line.startswith(f"{name} ")]
    assert row.split()[-2:] == ["poorly", "abcde"]
    assert "\n1 poorly identified\n" in shown


def test_many_layers_are_joined_by_the_numbers_in_their_names():
    few = [(f"h.{i}.w", "2x2", "hidden") for i in range(ROWS)]
    assert joined(few) == few
    rows = [*few, ("h.16.w", "2x3", "hidden"), ("head.w", "2x2", "output")]
    assert joined(rows) == [
        (f"h.*.w ({ROWS})", "2x2", "hidden"),
        ("h.16.w", "2x3", "hidden"),
        ("head.w", "2x2", "output"),
    ]


# -- stopped in the middle --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_run_goes_on_to_the_same_numbers(how):
    cli(*MINE, "--out", "whole")
    Path("slow").touch()
    run = process(*MINE, "--save-every", "0")
    wait_until(lambda: steps_saved() >= 7)
    os.killpg(run.pid, how)
    _, err = run.communicate(timeout=30)
    saved = steps_saved()
    assert 7 <= saved < 24
    assert "Traceback" not in err
    if how == signal.SIGINT:
        assert run.returncode == 130, err
        assert f"{saved} of 24 steps are saved in run; the same command goes on from there" in err
        assert "the training is not done: the command that began it goes on" in cli("run").stdout
    Path("slow").unlink()
    assert f"24 steps, going on from step {saved}; " in cli(*MINE).stdout
    assert load("run").drop_vars("seconds").identical(load("whole").drop_vars("seconds"))
    assert Path("run/training.csv").read_bytes() == Path("whole/training.csv").read_bytes()


# -- what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["resnet"], "network must be one of gpt, cnn, mlp, a task of yours as 'path.py:make'"),
        (["none/such"], "got 'none/such'"),
        (["none.py:make"], "none.py cannot be read: No such file"),
        (["mine.py"], "path.py:function"),
        (["mine.py:missing"], "expected a function 'missing'"),
        (["mine.py:three"], "expected a function 'three', got 3"),
        (["mine.py:number"], "must return a Task, a dict or the tuple"),
        (["mine.py:leaves"], "SystemExit: 3"),
        (["mine.py:lines"], "RuntimeError: two lines"),
        (["mine.py:make", "--optimizer", "adamw"], "lr must be given: task 'make' has no rate for 'adamw'"),
        (["mine.py:make", "--size", "1M", "--data", "x"], "--size, --data: a task of yours says itself"),
        (["mlp", "--tokens", "bytes"], "--tokens is for gpt"),
        (["gpt", "--tokens", "words"], "tokens must be one of chars, bytes"),
        (["mlp", "--size", "1T"], "size of a mlp must be one of 3k, 9k, 50k"),
        (["mlp", "--data", "none.npz"], "none.npz"),
        (["gpt", "--data", "none.txt"], "text must be 'king_james'"),
        (["mlp", "--rows", "100000"], "rows must be at most"),
        (["mlp", "--steps", "0"], "--steps"),
        (["mlp", "--every", "0"], "--every"),
        (["mlp", "--steps", "5", "--every", "6"], "every must be at most steps, 5, "),
        (
            ["mlp", "--level", "pair,radius"],
            "level must be among pair, radii, coupling, hvp, adversarial, lmo",
        ),
        (["mlp", "--batch", "different", "--level", "radii"], "level 'radii' needs one"),
        (
            ["mlp", "--optimizer", "adam"],
            "--optimizer must be one of scion, muon, gluon, drop-muon, adamw, sgd",
        ),
        (["mlp", "--optimizer", "sgd", "--norms", "optimizer"], "needs an optimizer of workbench.optim"),
        (["mlp", "--lr", "0"], "lr must be finite and > 0, got 0"),
        (["mlp", "--lr", "nan"], "lr must be finite and > 0, got nan"),
        (["mlp", "--batch", "mine"], "--batch must be one of fixed, training, different; got 'mine'"),
        (["mlp", "--norms", "l2"], "--norms must be one of scion, muon, euclidean, optimizer; got 'l2'"),
        (["mlp", "--dtype", "float16"], "--dtype must be one of float32, float64; got 'float16'"),
        (["mlp", "--device", "tpu"], "--device must be one of auto, cpu, cuda; got 'tpu'"),
        (["mlp", "--seed", "-1"], "--seed"),
        (["mlp", "--save-every", "-1"], "--save-every"),
        (["mlp", "--out", "mine.py"], "mine.py is or lies in a file"),
        (["mlp", "--json", "no/run.json"], "cannot be written"),
        ([".", "--steps", "5", "--fresh"], "--steps, --fresh cannot change it"),
        (["."], "manifest.json is not there"),
    ],
)
def test_wrong_use(arguments, message):
    result = cli(*arguments, status=2)
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert {path.name for path in Path().iterdir()} == {"mine.py"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_a_device_that_is_not_there():
    assert "torch finds no CUDA device here" in cli("mlp", "--device", "cuda", status=2).stderr


def test_an_error_in_my_file_comes_with_its_line():
    Path("faulty").touch()
    number = TASK.splitlines().index('            raise KeyError("mine")') + 1
    result = cli(*MINE, status=2)
    assert f"mine.py, line {number}: KeyError: 'mine'" in result.stderr
    assert steps_saved() == 0
    Path("faulty").unlink()
    assert "24 of 24 steps taken" in cli(*MINE).stdout


def test_an_evaluation_that_is_none_is_refused_after_all_is_saved():
    result = cli("mine.py:judged", *MINE[1:], status=2)
    assert "evaluate of a task must return a dict of numbers, got 3" in result.stderr
    assert steps_saved() == 24


def test_what_a_task_says_of_itself_may_be_of_any_type():
    shown = cli("mine.py:modest", *MINE[1:]).stdout
    assert shown.startswith("network    modest, few parameters\ndata       object, sha256 7\n")


def test_a_folder_of_another_run_is_refused_until_it_is_fresh():
    cli(*MINE)
    refused = cli(*MINE, "--lr", "0.5", "--seed", "1", status=2)
    assert "run holds a run with another setting: " in refused.stderr
    assert "lr is 0.02 there and 0.5 here" in refused.stderr
    assert refused.stdout == ""
    assert "holds 24 steps, and steps is 12" in cli(*MINE, "--steps", "12", status=2).stderr
    assert "training   24 steps; seed 1" in cli(*MINE, "--lr", "0.5", "--seed", "1", "--fresh").stdout
    assert "lr is 0.5 there and 0.02 here" in cli(*MINE, "--seed", "1", status=2).stderr


@pytest.mark.parametrize(
    ("file", "message"),
    [("checkpoint.pt", "checkpoint.pt cannot be read, it is damaged"), ("probe.nc", "it is damaged")],
)
def test_damaged_files_are_named_and_come_again(file, message):
    cli(*MINE)
    path = Path("run") / file
    content = path.read_bytes()
    path.write_bytes(content[:200])
    arguments = MINE if file == "checkpoint.pt" else ("run",)
    assert message in cli(*arguments, status=2).stderr
    cli(*MINE, *(["--fresh"] if file == "checkpoint.pt" else []))  # the result is made from the checkpoint
    assert "24 of 24 steps taken" in cli("run").stdout


def test_help_loads_no_numerical_library():
    code = """
import sys
from workbench.cli.app import app
try:
    app(["probe", "--help"])
except SystemExit as end:
    assert not end.code, end.code
loaded = [name for name in ("numpy", "torch", "xarray", "scipy", "sympy") if name in sys.modules]
assert not loaded, loaded
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "--save-every" in done.stdout
