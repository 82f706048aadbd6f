"""Where the generators are that a training draws from: as tensors, numbers and text, and back."""

import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


def random_state(device: torch.device) -> dict[str, Any]:
    """States of torch's generators, for the CPU and for the device, of numpy's and of Python's own."""
    version, numbers, gauss = random.getstate()
    name, key, *rest = np.random.get_state()
    cuda = {"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {}
    return {
        "torch": torch.get_rng_state(),
        **cuda,
        "python": (version, torch.tensor(numbers), gauss),
        "numpy": (name, torch.from_numpy(np.asarray(key).astype(np.int64)), *rest),
    }


def set_random_state(device: torch.device, state: Mapping[str, Any]) -> None:
    """What ``random_state`` gave. KeyError, TypeError, ValueError or RuntimeError for anything else."""
    version, numbers, gauss = state["python"]
    name, key, *rest = state["numpy"]
    torch.set_rng_state(state["torch"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(state["cuda"], device)
    random.setstate((version, tuple(numbers.tolist()), gauss))
    np.random.set_state((name, key.numpy().astype(np.uint32), *rest))
