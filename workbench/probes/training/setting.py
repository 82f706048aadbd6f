"""What makes a training with a probe: names and texts, equal where the results are equal."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from assumptions.specification import Specified
from workbench.probes.batches import count_rows, fingerprint
from workbench.probes.tasks import Task

NAMES = ("params", "param_names")
"""Of groups: which parameters, not how they move."""
NOTE = "data_note"
"""Why data were taken, which does not change them."""


def setting_of(task: Task, optimizer: Optimizer, **options: Any) -> dict[str, str]:
    """Texts under names: the task, its parameters by shape and batches by content, the optimizer, options."""
    shapes = {name: list(p.shape) for name, p in task.model.named_parameters()}
    numbers = sum(p.numel() for p in task.model.parameters())
    batches = {"fixed set": task.fixed, "first batch": task.batch(0)}
    return {
        "network": task.name,
        "optimizer": type(optimizer).__name__,
        **_groups(optimizer),
        **{name: _text(value) for name, value in options.items()},
        **{f"{key} of the network": _text(value) for key, value in task.about.items() if key != NOTE},
        "parameters": f"{numbers} in {len(shapes)} tensors, names and shapes {digest(_text(shapes))}",
        **{name: f"{count_rows(b)} rows, sha256 {fingerprint(b)[:12]}" for name, b in batches.items()},
    }


def _groups(optimizer: Optimizer) -> dict[str, str]:
    """Options of the groups, those that all groups share once."""
    groups = optimizer.param_groups
    found: dict[str, str] = {}
    for key in dict.fromkeys(key for group in groups for key in group if key not in NAMES):
        values = [_text(group.get(key)) for group in groups]
        if len(set(values)) == 1:
            found[key] = values[0]
        else:
            found |= {f"{key} of group {i}": value for i, value in enumerate(values)}
    return found


def digest(text: str) -> str:
    """The first 12 digits of its sha256."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def conditions() -> str:
    """What numbers may depend on, to rounding, though it makes no other training."""
    return f"torch {torch.__version__} with {torch.get_num_threads()} threads"


def described(about: Mapping[str, Any]) -> dict[str, Any]:
    """What JSON can hold of it; unknown objects by their type."""
    return json.loads(_text(dict(about)))


def evaluated(found: Any) -> dict[str, float]:
    """What ``evaluate`` of a task returned. ValueError unless names with numbers."""
    try:
        return {str(name): float(value) for name, value in found.items()}
    except (AttributeError, TypeError, ValueError, RuntimeError):
        said = " ".join(repr(found).split())
        raise ValueError(f"evaluate of a task must return a dict of numbers, got {said:.100}") from None


def jsonable(numbers: Mapping[str, float]) -> dict[str, float | str]:
    """Numbers that are not finite as text, which JSON can hold."""
    return {name: value if abs(value) < float("inf") else str(value) for name, value in numbers.items()}


def _text(value: Any) -> str:
    """Text as it is, else JSON; objects as the calls that make them, of unknown ones the type alone."""
    plain = value if isinstance(value, dict | list | tuple | int | float | None) else _printed(value)
    return plain if isinstance(plain, str) else json.dumps(plain, default=_printed, ensure_ascii=False)


def _printed(value: Any) -> Any:
    if isinstance(value, str | Specified | torch.dtype | Path):
        return str(value)
    return value.tolist() if isinstance(value, Tensor) else type(value).__name__
