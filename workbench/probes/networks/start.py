"""Weights from a seed, and how many there are."""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from assumptions.guards import require_seed
from workbench.probes.gradients.aside import seeded as seeded_inside

Made = TypeVar("Made")


def seeded(seed: int, make: Callable[[], Made]) -> Made:
    """``make()`` with torch's CPU generator, numpy's and Python's at ``seed``; all stay as they were.

    The weights are those of the CPU, whatever the device that they move to later.
    """
    require_seed(seed)
    with seeded_inside(seed, torch.device("cpu")):
        return make()


def count_parameters(model: nn.Module) -> int:
    """Entries of the parameters that need a gradient; a tensor that two layers share counts once."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
