"""Tasks of the user's own: what a file may return, and what is said of one that cannot be used."""

import re
from pathlib import Path

import pytest
import torch

from workbench.probes.tasks import Task, TaskError, load_task
from workbench.probes.training.optimizers import make_optimizer

START = """
import torch
from torch import nn
from workbench.probes.tasks import Task

model = nn.Linear(3, 2)

def loss(model, rows):
    return model(rows).square().mean()

def batch(step):
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(step))

fixed = torch.ones(5, 3)
parts = {"model": model, "loss": loss, "batch": batch, "fixed": fixed}
"""


def written(root: Path, body: str, start: str = START) -> str:
    path = root / "mine.py"
    path.write_text(f"{start}\n{body}\n")
    return f"{path}:make"


WHOLE = "return Task('mine', model, loss, batch, fixed, None, {'sgd': 0.1}, lambda model: {}, {})"


@pytest.mark.parametrize("returned", [WHOLE, "return parts", "return model, loss, batch, fixed"])
def test_a_task_a_dict_or_a_tuple(tmp_path: Path, returned: str):
    task = load_task(written(tmp_path, f"def make():\n    {returned}"))
    assert isinstance(task, Task)
    assert task.name == ("mine" if "Task" in returned else "make")
    assert task.evaluate(task.model) == {}
    optimizer = make_optimizer("sgd", task, lr=0.1)
    before = float(task.loss(task.model, task.batch(0)).detach())
    task.loss(task.model, task.batch(0)).backward()
    optimizer.step()
    assert float(task.loss(task.model, task.batch(0)).detach()) < before


def test_optional_parts_and_what_is_said(tmp_path: Path):
    more = (
        "output='1', rates={'adamw': 0.5}, name='net', about={'data': 'ones'}, evaluate=lambda m: {'x': 1.0}"
    )
    net = "nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))"
    body = f"def make(seed):\n    return dict(parts, model={net}, {more})"
    task = load_task(written(tmp_path, body), seed=7)
    assert (task.name, task.output, task.rates) == ("net", "1", {"adamw": 0.5})
    assert task.evaluate(task.model) == {"x": 1.0}
    digest = task.about["file_sha256"]
    assert task.about == {
        "task": "mine.py:make",
        "file_sha256": digest,
        "seed": 7,
        "parameters": 26,
        "data": "ones",
    }
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text() + "# more\n")
    assert load_task(f"{tmp_path / 'mine.py'}:make", seed=7).about["file_sha256"] != digest


def test_weights_follow_the_seed_and_the_generator_stays(tmp_path: Path):
    name = written(tmp_path, "def make():\n    return dict(parts, model=nn.Linear(3, 2))")
    state = torch.get_rng_state()
    first, again, other = (load_task(name, seed).model.get_parameter("weight") for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


def test_trying_a_task_changes_nothing_in_it(tmp_path: Path):
    net = "nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))"
    task = load_task(written(tmp_path, f"def make():\n    return dict(parts, model={net})"))
    assert int(task.model.get_buffer("1.num_batches_tracked")) == 0
    assert all(p.grad is None for p in task.model.parameters())


def test_a_file_may_import_what_lies_beside_it(tmp_path: Path):
    (tmp_path / "beside_task.py").write_text("width = 2\n")
    body = "from beside_task import width\ndef make():\n    return dict(parts, model=nn.Linear(3, width))"
    assert load_task(written(tmp_path, body)).model.get_parameter("weight").shape == (2, 3)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def other():\n    pass", "expected a function 'make', got None"),
        ("make = 3", "expected a function 'make', got 3"),
        ("def make(:", "SyntaxError"),
        ("import no_such_module_at_all", "mine.py, line 17: ModuleNotFoundError: No module named 'no_such"),
        ("def make():\n    return 1 / 0", "mine.py:make, line 18: ZeroDivisionError"),
        ("def make(a, b):\n    return parts", "TypeError: make() missing 2 required positional arguments"),
        (
            "def make():\n    return None",
            "must return a Task, a dict or the tuple (model, loss, batch, fixed), got",
        ),
        ("def make():\n    return model, loss", "must return a Task, a dict or the tuple"),
        ("def make():\n    return {'model': model}", "the dict lacks ['loss', 'batch', 'fixed']"),
        (
            "def make():\n    return dict(parts, lr=1)",
            "has unknown ['lr']; a task has model, loss, batch, fixed",
        ),
        ("def make():\n    return dict(parts, model=3)", "model of a task must be a Module, got 3"),
        ("def make():\n    return dict(parts, model=nn.ReLU())", "must have parameters that need a gradient"),
        ("def make():\n    return dict(parts, loss=3)", "loss of a task must be a function, got 3"),
        (
            "def make():\n    return dict(parts, batch=fixed)",
            "batch of a task must be a function, got tensor",
        ),
        ("def make():\n    return dict(parts, fixed=3)", "batch must be a tensor, or a tuple"),
        ("def make():\n    return dict(parts, output='last')", "output of a task must name a module"),
        ("def make():\n    return dict(parts, rates={'sgd': -1})", "rates['sgd'] must be finite and > 0"),
        ("def make():\n    return dict(parts, rates=0.1)", "rates of a task must be a Mapping, got 0.1"),
        (
            "def make():\n    return dict(parts, about='ones')",
            "about of a task must be a Mapping, got 'ones'",
        ),
        (
            "def make():\n    return dict(parts, batch=lambda step: torch.randn(4, 3))",
            "batch must be a function of the step alone, and batch(0) differs twice",
        ),
        ("def make():\n    return dict(parts, batch=lambda step: step)", "batch(0): batch must be a tensor"),
        ("def make():\n    return dict(parts, batch=lambda: fixed)", "TypeError"),
        (
            "def make():\n    return dict(parts, fixed=torch.ones(5, 4))",
            "loss at fixed, line 9: RuntimeError",
        ),
        ("def make():\n    return dict(parts, loss=lambda m, b: m(b))", "mine.py:make: loss at batch(0)"),
        (
            "def make():\n    return dict(parts, fixed=torch.full((5, 3), float('nan')))",
            "loss must be finite, got nan at two rows of fixed",
        ),
    ],
)
def test_files_that_cannot_be_used_are_named(tmp_path: Path, body: str, message: str):
    with pytest.raises(TaskError, match=re.escape(message)) as caught:
        load_task(written(tmp_path, body))
    assert "mine.py" in str(caught.value)


@pytest.mark.parametrize("name", ["mine.py", ":make", "mine.py:", "mine.py:make it"])
def test_names_that_are_no_function_of_a_file(name: str):
    with pytest.raises(TaskError, match=f'task must be "path.py:function", got {name!r}'):
        load_task(name)


def test_files_that_are_not_there(tmp_path: Path):
    with pytest.raises(TaskError, match=r"none\.py cannot be read: No such file or directory"):
        load_task(f"{tmp_path / 'none.py'}:make")
    with pytest.raises(TaskError, match="cannot be read: Is a directory"):
        load_task(f"{tmp_path}:make")
    with pytest.raises(ValueError, match="seed must be an integer"):
        load_task(written(tmp_path, "def make():\n    return parts"), seed=0.5)
