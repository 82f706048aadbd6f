"""Numbers of figures, checkpoints, saved runs that were cut or damaged: refused by name; none runs code."""

import json
import os

import numpy as np
import pytest
import torch

from figures import Numbers, NumbersError
from problems import Huber
from tests.robustness.world import contents
from workbench import run
from workbench.methods import BPM
from workbench.probes.training.checkpoint import Checkpoint, CheckpointError, read, write
from workbench.trace import Trace

NUMBERS = Numbers("bpm-gap", {"gap": np.array([1.0, np.nan])}, {"note": "x"}, seed=3)


def test_numbers_of_a_figure_cut_anywhere_are_refused(tmp_path):
    path = NUMBERS.save(tmp_path / "bpm-gap.json")
    content = path.read_bytes()
    for end in range(0, len(content) - 2, 3):  # without the last newline it is still whole
        path.write_bytes(content[:end])
        with pytest.raises(NumbersError, match=r"bpm-gap.json"):
            Numbers.load(path, "bpm-gap")


@pytest.mark.parametrize(
    "change",
    [{"format": "workbench-figure-0"}, {"tables": []}, {"tables": {"gap": "x"}}, {"facts": 3}, {"seed": []}],
    ids=str,
)
def test_numbers_of_another_kind_are_refused(tmp_path, change):
    path = NUMBERS.save(tmp_path / "bpm-gap.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(NumbersError, match=r"bpm-gap.json"):
        Numbers.load(path, "bpm-gap")


def checkpoint() -> Checkpoint:
    weights = {"w": torch.arange(40.0)}
    return Checkpoint({"lr": "1"}, 3, torch.ones(3), weights, {}, {}, {}, {}, ["cpu"])


def test_a_checkpoint_cut_anywhere_is_refused(tmp_path):
    write(tmp_path, checkpoint())
    path = tmp_path / "checkpoint.pt"
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 12)):
        path.write_bytes(content[:end])
        with pytest.raises(CheckpointError, match=r"(?s)checkpoint.pt .*--fresh"):
            read(tmp_path)
    path.write_bytes(content)
    found = read(tmp_path)
    assert found is not None
    assert found.step == 3


def test_a_checkpoint_runs_no_code(tmp_path):
    class Planted:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "planted"),)

    torch.save({"format": "workbench-checkpoint-1", "step": Planted()}, tmp_path / "checkpoint.pt")
    before = contents(tmp_path)
    with pytest.raises(CheckpointError, match="damaged"):
        read(tmp_path)
    assert contents(tmp_path) == before


def test_a_saved_run_cut_anywhere_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    run(BPM(0.5), Huber(), steps=3).save(path)
    content = path.read_bytes()
    for end in range(0, len(content), max(1, len(content) // 12)):
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match=r"run.npz is not a saved trace"):
            Trace.load(path)
    path.write_bytes(content)
    assert Trace.load(path).steps == 3
