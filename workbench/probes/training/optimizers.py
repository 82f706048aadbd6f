"""Optimizers of a task, by name."""

from collections.abc import Callable
from typing import Any

import torch
from torch.optim import Optimizer

from assumptions.guards import require_positive, require_seed
from workbench.layer_laws import RPT
from workbench.optim import DropMuon, Gluon, Muon, Scion, groups_for
from workbench.probes.levels import default_groups
from workbench.probes.tasks.task import Task

RADII = {"hidden": 1.0, "conv": 8.0, "output": 16.0, "embedding": 16.0, "bias": 0.25}
"""Of the norms of ``groups_for``, by preset: lr times these is the length of a step."""

VECTORS = 0.1
"""Of the norm "max" beside Muon: such a step moves every entry by this times lr."""


def make_optimizer(name: str, task: Task, lr: float | None = None, seed: int = 0) -> Optimizer:
    """An optimizer of ``OPTIMIZERS`` for the model of a task, over the parameters that need a gradient.

    lr: > 0; None for the rate that the task has for the name. seed: of the draws of Drop-Muon, whose layers
    are the blocks of the network. ValueError for an unknown name, and for a task without a rate.
    """
    if name not in OPTIMIZERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMIZERS)}, got {name!r}")
    if lr is None and name not in task.rates:
        raise ValueError(
            f"lr must be given: task {task.name!r} has no rate for {name!r}, only for {list(task.rates)}"
        )
    rate = task.rates[name] if lr is None else lr
    require_positive(lr=rate)
    require_seed(seed)
    return OPTIMIZERS[name](task, rate, seed)


def blocks(names: list[str]) -> dict[str, int]:
    """Parameter -> number of its block: what comes before the number of a list, and that number.

    "h.0.attn.c_q.weight" and "h.0.mlp.c_fc.weight" are in one block, "wte.weight" and "head.weight" in one
    each; numbered from 0 in the order of the names.
    """
    groups = default_groups(names).values()
    return {names[i]: number for number, members in enumerate(groups) for i in members}


def _scion_groups(task: Task) -> list[dict[str, Any]]:
    """Groups with the presets of Scion and ``RADII``."""
    groups = groups_for(task.model, task.output)
    return [{**group, "radius": RADII[group["norm"]]} for group in groups]


def _muon_groups(task: Task) -> list[dict[str, Any]]:
    """Matrices and convolutions under "muon", the rest under "max": the norm of sign descent."""
    groups = []
    for group in groups_for(task.model, task.output):
        matrix = group["norm"] in ("hidden", "conv")
        norm, radius = ("muon", 1.0) if matrix else ("max", VECTORS)
        groups.append({**group, "norm": norm, "radius": radius})
    return groups


def _block_groups(task: Task) -> list[dict[str, Any]]:
    """The groups of Scion, split by block."""
    number = blocks([name for name, p in task.model.named_parameters() if p.requires_grad])
    split = []
    for group in _scion_groups(task):
        for layer in sorted({number[name] for name, _ in group["params"]}):
            inside = [pair for pair in group["params"] if number[pair[0]] == layer]
            split.append({**group, "params": inside, "layer": layer})
    return split


def _trained(task: Task) -> list[torch.nn.Parameter]:
    return [p for p in task.model.parameters() if p.requires_grad]


OPTIMIZERS: dict[str, Callable[[Task, float, int], Optimizer]] = {
    "scion": lambda task, lr, _: Scion(_scion_groups(task), lr),
    "muon": lambda task, lr, _: Muon(_muon_groups(task), lr),
    "gluon": lambda task, lr, _: Gluon(_scion_groups(task), lr),
    "drop-muon": lambda task, lr, seed: DropMuon(_block_groups(task), RPT(), lr, seed=seed),
    "adamw": lambda task, lr, _: torch.optim.AdamW(_trained(task), lr, betas=(0.9, 0.95), weight_decay=0.0),
    "sgd": lambda task, lr, _: torch.optim.SGD(_trained(task), lr, momentum=0.9),
}
"""By name: (task, lr, seed) -> optimizer.

scion and gluon   presets of ``groups_for`` with ``RADII``
muon              "muon" for matrices and convolutions, sign steps of 0.1 lr for the rest
drop-muon         the groups of scion; a random block and all after it move (RPT, each block drawn alike)
adamw             betas 0.9 and 0.95, no weight decay
sgd               momentum 0.9
"""
