"""A task of the user's own, made by a function in a file."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch.utils import _pytree as pytree

from assumptions.guards import require_seed
from workbench.probes.batches import Batch, count_rows, take
from workbench.probes.gradients.oracle import GradientOracle
from workbench.probes.networks import count_parameters, seeded
from workbench.probes.tasks.task import Task
from workbench.user_code import as_module, line_in

NEEDED = ("model", "loss", "batch", "fixed")
OPTIONAL: dict[str, Any] = {"name": None, "output": None, "rates": {}, "evaluate": None, "about": {}}


class TaskError(ValueError):
    """The user's task cannot be used; says where and why."""


def load_task(path_and_name: str, seed: int = 0) -> Task:
    """The task that a function makes, "path.py:make".

    The file is run with the generators of torch, numpy and Python at the seed, which are put back. The
    function is called as make(seed), or make() if it takes no argument, and returns a Task, a dict with
    model, loss, batch, fixed, and perhaps name, output, rates, evaluate, about, or the tuple (model, loss,
    batch, fixed). What is tried at once: the batch of step 0 is the same twice, and the loss of two rows of
    it and of the fixed set is a finite number with gradients. TaskError naming the file and what was
    expected.
    """
    require_seed(seed)
    place, colon, name = path_and_name.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise TaskError(f'task must be "path.py:function", got {path_and_name!r}')
    return seeded(seed, lambda: _loaded(Path(place), name, seed))


def _loaded(path: Path, name: str, seed: int) -> Task:
    """Loaded, made, tried."""
    where = f"{path}:{name}"
    make = getattr(_module(path), name, None)
    if not callable(make):
        raise TaskError(f"{path}: expected a function {name!r}, got {make!r}")
    made = _called(path, where, lambda: make(seed) if _takes_seed(make) else make())
    try:
        task = made if isinstance(made, Task) else Task(**_parts(path, name, made, seed))
    except (TypeError, ValueError) as error:
        raise TaskError(f"{where}: {error}") from error
    _tried(path, where, task)
    return task


def _parts(path: Path, name: str, made: Any, seed: int) -> dict[str, Any]:
    """The fields of a task. TypeError or ValueError."""
    if isinstance(made, tuple) and len(made) == len(NEEDED):
        made = dict(zip(NEEDED, made, strict=True))
    if not isinstance(made, Mapping):
        raise TypeError(
            f"must return a Task, a dict or the tuple ({', '.join(NEEDED)}), got {_short(repr(made))}"
        )
    lacking = [part for part in NEEDED if part not in made]
    unknown = [str(part) for part in made if part not in (*NEEDED, *OPTIONAL)]
    if lacking or unknown:
        known = ", ".join((*NEEDED, *OPTIONAL))
        raise ValueError(f"the dict lacks {lacking} and has unknown {unknown}; a task has {known}")
    parts = {**OPTIONAL, **made}
    parts["name"] = parts["name"] or name
    parts["evaluate"] = parts["evaluate"] or nothing
    if isinstance(parts["model"], torch.nn.Module) and isinstance(parts["about"], Mapping):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        said = {"task": f"{path.name}:{name}", "file_sha256": digest, "seed": seed}
        parts["about"] = {**said, "parameters": count_parameters(parts["model"]), **parts["about"]}
    return parts


def nothing(model: torch.nn.Module) -> dict[str, float]:
    """No numbers: the task has no data that are held out."""
    del model
    return {}


def _tried(path: Path, where: str, task: Task) -> None:
    """TaskError unless batches repeat and the loss can be differentiated."""
    first, again = (_called(path, where, lambda: task.batch(0)) for _ in range(2))
    if not _same(first, again):
        raise TaskError(f"{where}: batch must be a function of the step alone, and batch(0) differs twice")
    for part, batch in (("batch(0)", first), ("fixed", task.fixed)):
        try:
            rows = take(batch, 0, min(2, count_rows(batch)))
        except (TypeError, ValueError) as error:
            raise TaskError(f"{where}: {part}: {error}") from error
        found = _called(path, f"{where}: loss at {part}", lambda rows=rows: _evaluated(task, rows))
        if not bool(found.isfinite()):
            raise TaskError(f"{where}: loss must be finite, got {float(found)} at two rows of {part}")


def _evaluated(task: Task, rows: Batch) -> torch.Tensor:
    oracle = GradientOracle(task.model, task.loss)
    return oracle.evaluate(oracle.point(), rows).loss


def _same(first: Batch, again: Batch) -> bool:
    (leaves, shape), (others, other_shape) = pytree.tree_flatten(first), pytree.tree_flatten(again)
    return shape == other_shape and all(
        torch.equal(a, b) if isinstance(a, torch.Tensor) and isinstance(b, torch.Tensor) else a is b or a == b
        for a, b in zip(leaves, others, strict=True)
    )


def _takes_seed(make: Callable[..., Any]) -> bool:
    """Whether the function can be called with one argument."""
    try:
        inspect.signature(make).bind(0)
    except (TypeError, ValueError):
        return False
    return True


def _called(path: Path, what: str, call: Callable[[], Any]) -> Any:
    """TaskError with the line of the file for whatever it raises."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        line = line_in(error, path)
        at = f", line {line}" if line else ""
        raise TaskError(f"{what}{at}: {type(error).__name__}: {_short(str(error))}") from error


def _short(text: str) -> str:
    """In one line, of 200 characters at most."""
    line = " ".join(text.split())
    return line if len(line) <= 200 else f"{line[:197]}..."


def _module(path: Path) -> ModuleType:
    """The file as a module."""
    try:
        source = path.read_bytes()
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror}") from None
    place = path.resolve()
    with as_module(place, "workbench_task") as module:
        # from the source, not from a compiled file that may be of an older one
        _called(path, str(path), lambda: exec(compile(source, str(place), "exec"), module.__dict__))
    return module
