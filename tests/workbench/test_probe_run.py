"""Trainings with a probe: what they change, what they keep, how they go on."""

import os
import random
import re
import signal
import threading
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from workbench.probes.batches import fingerprint
from workbench.probes.probe import ProbeStoppedWarning
from workbench.probes.result import load, load_manifest
from workbench.probes.tasks import Task
from workbench.probes.training.checkpoint import KINDS, Checkpoint, CheckpointError, alone, read
from workbench.probes.training.interrupts import InterruptedTrainingError, patient
from workbench.probes.training.optimizers import make_optimizer
from workbench.probes.training.train import Trained, Training, train_with_probe

FILES = {"probe.nc", "manifest.json", "training.csv", "checkpoint.pt", ".lock"}


def loss(model: nn.Module, batch: Any) -> torch.Tensor:
    """Draws from all generators that a loss may draw from."""
    x, y = batch
    scale = 1 + 0.01 * random.random() + 0.01 * float(np.random.rand())
    return scale * nn.functional.cross_entropy(model(x), y)


def task(seed: int = 0, width: int = 8) -> Task:
    """Six numbers to two classes, with dropout and batch norm."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(96, 6, generator=generator)
    y = (x[:, 0] + x[:, 1] ** 2 > 1).long()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        hidden = [nn.Linear(6, width), nn.BatchNorm1d(width), nn.Tanh(), nn.Dropout(0.2)]
        model = nn.Sequential(*hidden, nn.Linear(width, 2))

    def batch(step: int):
        rows = torch.randint(64, (16,), generator=torch.Generator().manual_seed(1000 * seed + step))
        return x[rows], y[rows]

    def evaluate(model: nn.Module) -> dict[str, float]:
        model.eval()
        with torch.no_grad():
            right = float((model(x[64:]).argmax(-1) == y[64:]).double().mean())
        model.train()
        return {"accuracy": right}

    rates = {"scion": 0.02, "drop-muon": 0.02, "adamw": 0.01, "sgd": 0.1}
    about = {"width": width}
    return Task("toy", model, loss, batch, (x[:64], y[:64]), "4", rates, evaluate, about)


def training(
    optimizer: str = "scion", lr: float | None = None, made: Task | None = None, **options
) -> Training:
    made = task() if made is None else made
    moving = make_optimizer(optimizer, made, lr)
    norms = "scion" if optimizer in ("adamw", "sgd") else "optimizer"
    return Training(made, moving, **{"steps": 12, "every": 3, "norms": norms, **options})


def same(one: Trained, other: Trained) -> bool:
    """Bit by bit, but for the time that it took."""
    assert one.losses.tolist() == other.losses.tolist()
    assert one.manifest == other.manifest
    return one.result.drop_vars("seconds").identical(other.result.drop_vars("seconds"))


def stored(folder: Path) -> Checkpoint:
    found = read(folder)
    assert found is not None
    return found


class StopError(Exception):
    """Stands for what kills a process."""


def stop_at(step: int):
    def tell(done: int, total: int, label: str) -> None:
        if done == step:
            raise StopError

    return tell


# -- what a training is -----------------------------------------------------------------------------


@pytest.mark.parametrize("batch", ["fixed", "training", "different"])
def test_a_probed_training_is_the_plain_one(batch):
    probed = training("sgd", batch=batch)
    trained = probed.run()
    made = task()
    optimizer = make_optimizer("sgd", made)
    losses = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        states = random.getstate(), np.random.get_state()
        random.seed(0)
        np.random.seed(0)
        for k in range(12):
            optimizer.zero_grad()
            value = loss(made.model, made.batch(k))
            value.backward()
            optimizer.step()
            losses.append(float(value.detach()))
        random.setstate(states[0])
        np.random.set_state(states[1])
    assert trained.losses.tolist() == losses
    for name, value in made.model.state_dict().items():
        assert torch.equal(value, probed.task.model.state_dict()[name]), name
    assert trained.result["step"].values.tolist() == [0, 3, 6, 9]
    assert trained.result.attrs["batch"] == batch
    assert trained.manifest["evaluation"] == made.evaluate(made.model)


def test_generators_of_the_caller_stay():
    before = torch.get_rng_state(), random.getstate(), repr(np.random.get_state())
    training().run()
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert repr(np.random.get_state()) == before[2]


def test_the_folder_holds_what_is_returned(tmp_path):
    made = replace(task(), about={"width": 8, "path": Path("x/y"), "kind": object()})
    told = []
    trained = train_with_probe(
        made,
        make_optimizer("scion", made),
        steps=6,
        every=2,
        level="pair, lmo",
        out=tmp_path / "a" / "b",
        progress=lambda *said: told.append(said[:2]),
    )
    folder = tmp_path / "a" / "b"
    assert told == [(k, 6) for k in range(1, 7)]
    assert {path.name for path in folder.iterdir()} == FILES
    assert load(folder).identical(trained.result)
    assert (trained.result["lmo_a"] > 0).all()
    manifest = load_manifest(folder)
    assert {name: manifest[name] for name in trained.manifest} == trained.manifest
    assert manifest["about"] == {"width": 8, "path": "x/y", "kind": "object"}
    header, *lines = (folder / "training.csv").read_text().splitlines()
    assert header == "step,loss"
    assert [float(line.split(",")[1]) for line in lines] == trained.losses.tolist()
    assert (trained.manifest["loss_first"], trained.manifest["steps_taken"]) == (trained.losses[0].item(), 6)


# -- going on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("optimizer", "batch"),
    [("scion", "fixed"), ("drop-muon", "training"), ("adamw", "different"), ("sgd", "training")],
)
def test_a_stopped_training_goes_on_to_the_same_numbers(tmp_path, optimizer, batch):
    options = {"optimizer": optimizer, "batch": batch, "out": tmp_path, "save_every": 0.0}
    whole = training(optimizer, batch=batch).run()
    for step in (4, 8):  # after 7 steps the one with number 6 waits for the batch of the next, if that counts
        with pytest.raises(StopError):
            training(**options).run(stop_at(step))
        assert stored(tmp_path).step == step - 1
    rest = training(**options)
    assert rest.began == 7
    assert same(rest.run(), whole)
    assert load(tmp_path).drop_vars("seconds").identical(whole.result.drop_vars("seconds"))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_stopped_training_goes_on_a_gpu(tmp_path):
    def moved() -> Task:
        made = task()
        made.model.to("cuda")
        return replace(made, evaluate=lambda model: {})

    with pytest.raises(StopError):
        training(made=moved(), out=tmp_path, save_every=0.0).run(stop_at(8))
    rest = training(made=moved(), out=tmp_path)
    assert rest.began == 7
    whole = training(made=moved()).run()
    torch.testing.assert_close(rest.run().losses, whole.losses, rtol=1e-4, atol=1e-5)


def test_only_what_came_after_the_last_checkpoint_is_lost(tmp_path):
    with pytest.raises(StopError):
        training(out=tmp_path, save_every=1e9).run(stop_at(9))
    again = training(out=tmp_path)
    assert again.began == 0
    assert same(again.run(), training().run())


def test_more_steps_go_on(tmp_path):
    training(out=tmp_path).run()
    longer = training(out=tmp_path, steps=20)
    assert longer.began == 12
    assert same(longer.run(), training(steps=20).run())


def test_another_number_of_threads_is_said(tmp_path):
    training(out=tmp_path).run()
    said, threads = [], torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        assert len(training(out=tmp_path, announce=said.append).run().manifest["conditions"]) == 1
        assert not any("bit by bit" in text for text in said)
        longer = training(out=tmp_path, steps=15, announce=said.append).run()
    finally:
        torch.set_num_threads(threads)
    version = f"torch {torch.__version__} with"
    conditions = [f"{version} {threads} threads", f"{version} {threads + 1} threads"]
    assert longer.manifest["conditions"] == conditions
    assert said[-1] == f"going on with {conditions[1]}, after {conditions[0]}: not bit by bit the same run"


def test_a_finished_training_takes_no_step(tmp_path):
    first = training(out=tmp_path).run()
    asked = []
    made = task()
    listening = replace(made, batch=lambda step: asked.append(step) or made.batch(step))
    again = training(out=tmp_path, made=listening)
    assert again.began == again.steps
    assert same(again.run(), first)
    assert set(asked) == {0}  # to compare


@pytest.fixture
def ctrl_c():
    """As at a terminal: what is started in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("signals", [1, 2])
def test_ctrl_c_waits_for_the_end_of_a_step_and_a_second_one_does_not(tmp_path, signals, ctrl_c):
    def tell(done: int, total: int, label: str) -> None:
        if done == 5:
            for _ in range(signals):
                os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    if signals == 1:
        said = []
        with pytest.raises(InterruptedTrainingError, match=f"5 of 12 steps are saved in {tmp_path}"):
            training(out=tmp_path, announce=said.append).run(tell)
        assert said[-1] == "this step is finished and saved first; Ctrl-C again does not wait"
    else:
        with pytest.raises(KeyboardInterrupt) as caught:
            training(out=tmp_path).run(tell)
        assert not isinstance(caught.value, InterruptedTrainingError)
    assert signal.getsignal(signal.SIGINT) is before
    again = training(out=tmp_path)
    assert again.began == (5 if signals == 1 else 0)
    assert same(again.run(), training().run())


def test_ctrl_c_is_as_ever_where_nothing_is_saved_and_in_threads(ctrl_c):
    with pytest.raises(KeyboardInterrupt), patient(False):
        os.kill(os.getpid(), signal.SIGINT)
    told = []

    def listen() -> None:
        with patient() as interrupted:
            told.append(interrupted())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join()
    assert told == [False]


# -- folders that are refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lr": 0.5}, "lr is 0.02 there and 0.5 here"),
        ({"optimizer": "sgd"}, "optimizer is Scion there and SGD here"),
        ({"every": 4}, "every is 3 there and 4 here"),
        ({"level": "radii"}, r'level is \["pair"\] there and \["pair", "radii"\] here'),
        ({"batch": "training"}, "batch is fixed there and training here"),
        ({"norms": "scion"}, "norms is optimizer there and scion here"),
        ({"dtype": torch.float64}, "dtype is null there and torch.float64 here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"made": task(seed=1)}, "fixed set is 64 rows, sha256 .* there and 64 rows"),
        ({"made": task(width=9)}, "width of the network is 8 there and 9 here; parameters is"),
        ({"steps": 11}, "holds 12 steps, and steps is 11; ask for as many or more"),
    ],
    ids=["lr", "optimizer", "every", "level", "batch", "norms", "dtype", "seed", "data", "network", "steps"],
)
def test_a_folder_of_another_setting_is_refused(tmp_path, changed, message):
    training(out=tmp_path).run()
    content = (tmp_path / "checkpoint.pt").read_bytes()
    with pytest.raises(CheckpointError, match=message):
        training(out=tmp_path, **changed)
    assert (tmp_path / "checkpoint.pt").read_bytes() == content
    fresh = training(out=tmp_path, fresh=True, **changed)
    assert fresh.began == 0
    fresh.run()
    assert stored(tmp_path).setting == fresh.setting


def damage(path: Path, how: str) -> None:
    content = path.read_bytes()
    if how == "cut":
        path.write_bytes(content[: len(content) // 2])
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "other":
        torch.save({"weights": torch.zeros(2)}, path)
    elif how == "list":
        torch.save([1, 2], path)
    else:
        whole = torch.load(path, weights_only=True)
        torch.save({**whole, "losses": "none"} if how == "type" else {**whole, "model": {}}, path)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("cut", "checkpoint.pt cannot be read, it is damaged"),
        ("empty", "checkpoint.pt cannot be read, it is damaged"),
        ("other", "checkpoint.pt is no checkpoint of the format workbench-checkpoint-1"),
        ("list", "checkpoint.pt is no checkpoint"),
        ("type", "checkpoint.pt is damaged: losses is not as saved"),
        ("model", "does not fit"),
    ],
)
def test_a_damaged_checkpoint_is_named(tmp_path, how, message):
    training(out=tmp_path).run()
    damage(tmp_path / "checkpoint.pt", how)
    with pytest.raises(CheckpointError, match=message) as caught:
        training(out=tmp_path).run()
    assert "--fresh" in str(caught.value)


class Evil:
    """Unpickling it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_reading_a_checkpoint_runs_no_code(tmp_path):
    made = tmp_path / "made"
    torch.save({"format": Evil(made)}, tmp_path / "checkpoint.pt")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read(tmp_path)
    assert not made.exists()
    torch.load(tmp_path / "checkpoint.pt", weights_only=False)
    assert made.exists()


def test_folders_that_cannot_be_used(tmp_path):
    (tmp_path / "file").touch()
    for place in ("file", "file/below"):
        with pytest.raises(CheckpointError, match="is or lies in a file"):
            training(out=tmp_path / place)
    training(out=tmp_path / "a").run()
    (tmp_path / "a" / "checkpoint.pt").unlink()
    with pytest.raises(CheckpointError, match="holds a result without a checkpoint"):
        training(out=tmp_path / "a")
    busy = training(out=tmp_path / "b")
    with alone(tmp_path / "b"), pytest.raises(CheckpointError, match="written to by another process"):
        busy.run()
    assert not read(tmp_path / "b")


# -- what goes wrong in a training ------------------------------------------------------------------


class Edge(torch.autograd.Function):
    """0, with a gradient that is not finite."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.shape = x.shape
        return x.new_zeros(())

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        return torch.full(ctx.shape, torch.inf)


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [("sgd", "the loss was nan at step 5"), ("scion", "Scion refused step 5: .*'4.weight'.* is not finite")],
    ids=["loss", "gradient"],
)
def test_a_training_that_diverges_ends_and_is_kept(tmp_path, optimizer, message):
    made = task()

    def batch(step: int):
        x, y = made.batch(step)
        return (torch.full_like(x, torch.nan) if step == 5 else x), y

    def broken(model: nn.Module, rows: Any) -> torch.Tensor:
        x = rows[0]
        if bool(x.isnan().any()) and optimizer == "scion":
            return Edge.apply(model.get_parameter("4.weight"))
        return loss(model, rows)

    chosen = replace(made, batch=batch, loss=broken)
    trained = training(optimizer, made=chosen, out=tmp_path, every=2).run()
    assert re.search(message, trained.manifest["ended"]), trained.manifest["ended"]
    assert trained.manifest["steps_taken"] == 5
    assert trained.manifest["evaluation"] == {}
    assert len(trained.losses) == 6
    assert trained.result["step"].values.tolist() == [0, 2, 4]
    assert load(tmp_path).identical(trained.result)
    again = training(optimizer, made=replace(chosen, model=task().model), out=tmp_path, every=2, steps=20)
    assert again.run().manifest["ended"] == trained.manifest["ended"]


def test_a_probe_that_stops_lets_the_training_go_on(tmp_path):
    made = task()
    x, y = made.fixed
    chosen = replace(made, fixed=(torch.where(torch.arange(64)[:, None] == 3, torch.inf, x), y))
    with pytest.warns(ProbeStoppedWarning, match="the training goes on"):
        trained = training(made=chosen, out=tmp_path).run()
    assert trained.manifest["steps_taken"] == 12
    assert trained.manifest["stopped"].startswith("step 0: ")
    assert trained.manifest["ended"] == ""
    assert trained.result.sizes["probe"] == 0
    assert trained.losses.tolist() == training().run().losses.tolist()
    assert load(tmp_path).sizes["probe"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"steps": 0}, "steps must be an integer >= 1, got 0"),
        ({"every": 0}, "every must be an integer >= 1, got 0"),
        ({"every": 13}, "every must be at most steps, 12, .* got 13"),
        ({"batch": "mine"}, "batch must be one of fixed, training, different; got 'mine'"),
        ({"level": "radius"}, "level must be among pair, radii, .* got 'radius'"),
        ({"norms": "none"}, "norms must be one of"),
        ({"optimizer": "sgd", "norms": "optimizer"}, "needs an optimizer of workbench.optim"),
        ({"seed": 0.5}, "seed must be an integer"),
        ({"chunk": 0}, "chunk must be an integer >= 1"),
        ({"save_every": float("nan")}, "save_every must be finite and >= 0"),
        ({"save_every": -1.0}, "save_every must be finite and >= 0"),
    ],
)
def test_wrong_arguments(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        training(**options, out=tmp_path / "never")
    assert not (tmp_path / "never").exists()


def test_fields_of_a_checkpoint_are_all_checked():
    assert {field.name for field in fields(Checkpoint)} == set(KINDS)


def test_a_batch_is_known_by_its_numbers_types_and_nesting():
    x = torch.ones(2, 3)
    others = (x + 1, x.bfloat16(), x.reshape(3, 2), (x,), {"x": x}, {"y": x})
    assert fingerprint(x) == fingerprint(x.clone())
    assert len({fingerprint(batch) for batch in (x, *others)}) == 7
