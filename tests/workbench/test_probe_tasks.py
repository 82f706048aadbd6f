"""Tasks: batches are a function of (seed, step), held-out data are held out."""

import json
import math
import pickle
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch.utils import _pytree as pytree

from problems.data.libsvm import DataError
from workbench.probes.data import load_images
from workbench.probes.networks import GPTSize, count_parameters
from workbench.probes.tasks import TASKS, Task
from workbench.probes.training.optimizers import OPTIMIZERS

SMALL = {
    "gpt": {"size": GPTSize(2, 2, 16, 16), "data": "pydoc", "rows": 4, "fixed_rows": 6, "held_out_rows": 5},
    "cnn": {"size": (4, 6), "data": "digits", "rows": 16, "fixed_rows": 20, "smoothing": 0.1},
    "mlp": {"size": (16,), "rows": 16, "fixed_rows": 20},
}


def made(kind: str, seed: int = 0, **changed) -> Task:
    return TASKS[kind](seed, **(SMALL[kind] | changed))


def same(first, second) -> bool:
    pairs = zip(pytree.tree_leaves(first), pytree.tree_leaves(second), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_batches_are_a_function_of_seed_and_step(kind: str):
    first, again, other = made(kind), made(kind), made(kind, seed=1)
    forwards = [first.batch(step) for step in range(4)]
    assert all(same(again.batch(step), forwards[step]) for step in reversed(range(4)))
    assert not same(forwards[0], forwards[1])
    assert not same(other.batch(0), forwards[0])
    assert same(first.fixed, again.fixed)
    assert not same(first.fixed, other.fixed)
    assert same(first.model.state_dict(), again.model.state_dict())
    assert not same(list(first.model.parameters()), list(other.model.parameters()))


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_probe_rows_are_those_of_no_batch(kind: str):
    """Drawn from a stream of their own, so they are not the first rows of training."""
    task = made(kind, rows=6, fixed_rows=6)
    assert not any(same(task.batch(step), task.fixed) for step in range(20))
    assert not same(task.batch(0), made(kind, rows=6, fixed_rows=6, seed=1).fixed)


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_a_task_says_what_it_is(kind: str):
    task = made(kind)
    about = json.loads(json.dumps(task.about))
    assert about["parameters"] == count_parameters(task.model)
    assert (about["task"], about["seed"], about["size"]) == (kind, 0, "own")
    assert len(about["sha256"]) == 64
    assert about["data"] == {"gpt": "pydoc", "cnn": "digits", "mlp": "digits"}[kind]
    assert (about["rows"], about["fixed_rows"]) == (SMALL[kind]["rows"], SMALL[kind]["fixed_rows"])
    assert about["data_note"] == ("the default" if kind == "mlp" else "")
    assert set(task.rates) == set(OPTIMIZERS)
    start = math.log(about["vocabulary"] if kind == "gpt" else 10)
    assert float(task.loss(task.model, task.fixed).detach()) == pytest.approx(start, rel=0.1)


@pytest.mark.parametrize("kind", sorted(TASKS))
def test_evaluation_leaves_the_model_as_it_was(kind: str):
    task = made(kind, **({"dropout": 0.5} if kind == "gpt" else {}))
    task.model.train()
    part = next(module for module in task.model.modules() if not list(module.children()))
    part.eval()
    modes = [module.training for module in task.model.modules()]
    before = {key: value.clone() for key, value in task.model.state_dict().items()}
    state = torch.get_rng_state()
    numbers = task.evaluate(task.model)
    assert numbers == task.evaluate(task.model)
    assert [module.training for module in task.model.modules()] == modes
    assert same(before, task.model.state_dict())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(p.grad is None for p in task.model.parameters())
    assert all(math.isfinite(number) for number in numbers.values())
    doubled = task.evaluate(task.model.double())
    assert doubled == pytest.approx(numbers, rel=1e-4)


def test_evaluation_is_over_the_rows_held_out():
    task, data = made("mlp"), load_images("digits")
    pixels, labels = data.rows(data.held_out, torch.arange(179))
    with torch.no_grad():
        logits = task.model(pixels)
    right = float((logits.argmax(1) == labels).double().mean())
    expected = {"loss": float(F.cross_entropy(logits.double(), labels)), "accuracy": right}
    assert task.evaluate(task.model) == pytest.approx(expected, rel=1e-6)
    assert made("mlp", held_out_rows=7).about["held_out"] == "7 rows of one row in 10"


def test_tasks_can_be_pickled():
    task = made("gpt")
    copy = pickle.loads(pickle.dumps(task))
    assert same(copy.batch(3), task.batch(3))
    assert copy.evaluate(copy.model) == task.evaluate(task.model)


def test_smoothed_labels_are_in_the_loss_alone():
    plain, smoothed = made("cnn", smoothing=0.0), made("cnn", smoothing=0.3)
    pixels, labels = plain.fixed
    logits = plain.model(pixels)
    spread = -logits.log_softmax(1).mean(1).mean()
    expected = 0.7 * F.cross_entropy(logits, labels) + 0.3 * spread
    torch.testing.assert_close(smoothed.loss(plain.model, plain.fixed), expected)
    assert plain.evaluate(plain.model) == smoothed.evaluate(plain.model)


# -- texts ------------------------------------------------------------------------------------------


def written(root: Path, text: str) -> Path:
    path = root / "text.txt"
    path.write_text(text)
    return path


def test_windows_come_from_the_first_tokens_and_evaluation_from_the_last(tmp_path: Path):
    train, last = "ab" * 900, "cd" * 100
    task = made("gpt", data=written(tmp_path, train + last), rows=400)
    inputs, targets = task.batch(0)
    assert inputs.shape == targets.shape == (400, 16)
    assert inputs.dtype == torch.int64
    assert torch.equal(inputs[:, 1:], targets[:, :-1])
    assert torch.equal(inputs + targets, torch.ones_like(inputs))  # a and b take turns
    assert int(task.fixed[0].max()) <= 1
    held_out = task.evaluate.batch[0]
    assert set(held_out.flatten().tolist()) == {2, 3}


def test_every_window_can_be_drawn(tmp_path: Path):
    """Six tokens are trained on: windows of three and a target begin at 0, 1 and 2."""
    task = made("gpt", data=written(tmp_path, "abcdef" + "abcd"), size=GPTSize(1, 1, 4, 3), rows=60)
    assert sorted(set(map(tuple, task.batch(0)[0].tolist()))) == [(0, 1, 2), (1, 2, 3), (2, 3, 4)]


def test_a_vocabulary_may_be_larger_than_that_of_the_text():
    task = made("gpt", vocabulary=300)
    assert task.model.get_parameter("wte.weight").shape == (300, 16)
    assert task.about["vocabulary"] == 300
    assert made("gpt", tokens="bytes").about["vocabulary"] == 256
    assert made("gpt", context=5).batch(0)[0].shape == (4, 5)


@pytest.mark.parametrize(
    ("kind", "changed", "message"),
    [
        ("gpt", {"rows": 0}, "rows must be an integer >= 1, got 0"),
        ("gpt", {"fixed_rows": 0}, "fixed_rows must be an integer >= 1"),
        ("gpt", {"held_out_rows": 0}, "held_out_rows must be an integer >= 1"),
        ("gpt", {"size": "1T"}, "size of a gpt must be one of 0.1M, 0.8M, .* got '1T'"),
        ("gpt", {"context": 0}, "context must be an integer >= 1"),
        ("gpt", {"vocabulary": 10}, r"vocabulary must be at least \d+, that of pydoc, got 10"),
        ("gpt", {"seed": 1.5}, "seed must be an integer"),
        ("gpt", {"tokens": "words"}, "tokens must be one of chars, bytes"),
        ("cnn", {"size": "9k"}, "size of a cnn must be one of 20k, 200k, 2M or a tuple, got '9k'"),
        ("cnn", {"rows": 1619}, "rows must be at most 1618, the rows to train on, got 1619"),
        ("cnn", {"fixed_rows": 1619}, "fixed_rows must be at most 1618, the rows to train on, got 1619"),
        ("cnn", {"smoothing": 1.0}, r"smoothing must be in \[0, 1\), got 1.0"),
        ("cnn", {"side": 9}, "side must be left out for 'digits'"),
        ("mlp", {"size": 9}, "size of a mlp must be one of 3k, 9k, 50k or a tuple, got 9"),
        ("mlp", {"held_out_rows": -1}, "held_out_rows must be an integer >= 1, got -1"),
        ("mlp", {"data": "no/such/folder"}, "or a folder with a folder for each class, got 'no/such/folder'"),
    ],
)
def test_tasks_that_do_not_fit_are_refused(kind: str, changed: dict, message: str):
    seed = changed.pop("seed", 0)
    with pytest.raises(ValueError, match=message):
        made(kind, seed, **changed)


def test_a_text_shorter_than_two_windows_is_refused(tmp_path: Path):
    path = written(tmp_path, "ab" * 16)
    with pytest.raises(DataError, match="a context of 16 needs a text of 34 tokens or more, got 32"):
        made("gpt", data=path)
    task = made("gpt", data=written(tmp_path, "ab" * 17))
    assert task.about["held_out"] == "1 windows of the last 17 tokens"
