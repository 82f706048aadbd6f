"""Which models, losses and settings a probe takes, and the model inside its wrappers."""

from typing import Any

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DataParallel, DistributedDataParallel
from torch.nn.parameter import is_lazy

from assumptions.guards import require_dimension, require_seed

MODES = ("train", "eval")

WRAPPERS = ("module.", "_orig_mod.")
"""What wrappers put before the names of parameters."""

SHARDED = ("FullyShardedDataParallel", "FSDPModule", "DTensor")
"""Types whose objects hold a part of a parameter."""


def unwrapped(model: nn.Module) -> tuple[nn.Module, Any]:
    """The model inside DistributedDataParallel and torch.compile, in any order, and the process group.

    The group is None without DistributedDataParallel. TypeError unless it is a module.
    """
    group: Any = None
    while True:
        if isinstance(model, DistributedDataParallel):
            model, group = model.module, model.process_group
        elif _is(model, "OptimizedModule"):
            model = model.get_submodule("_orig_mod")
        elif isinstance(model, nn.Module):
            return model, group
        else:
            raise TypeError(f"model must be a torch.nn.Module, got {model!r}")


def bare_name(name: str) -> str:
    """The name of a parameter without the prefixes of wrappers, at its beginning."""
    while name.startswith(WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def require_model(model: nn.Module) -> None:
    """ValueError, TypeError unless gradients at any point can be computed: the model inside its wrappers."""
    for path, part in model.named_modules():
        where = f"{type(part).__name__} at {path!r}" if path else type(part).__name__
        if _is(part, *SHARDED):
            raise TypeError(_sharded(f"model has {where}"))
        if isinstance(part, DistributedDataParallel):
            raise TypeError(f"model has {where}; wrap the whole model in it, or give group=, not a part")
        if isinstance(part, DataParallel):
            raise TypeError(f"model has {where}, whose copies torch cannot evaluate elsewhere: give .module")
    _require_parameters(model)


def _require_parameters(model: nn.Module) -> None:
    named = dict(model.named_parameters())
    for name, value in [*named.items(), *model.named_buffers()]:
        if is_lazy(value):
            raise ValueError(f"{name!r} has no shape yet: call the model once before it is probed")
    for name, p in named.items():
        if _is(p, *SHARDED):
            raise TypeError(_sharded(f"parameter {name!r} is a {type(p).__name__}"))
        if not p.is_floating_point():
            raise TypeError(f"parameters must be real floating point numbers; {name!r} is {p.dtype}")
    if not any(p.requires_grad for p in named.values()):
        raise ValueError("model must have parameters that need a gradient, and has none")
    devices = {p.device: name for name, p in named.items()}
    if len(devices) > 1:
        found = ", ".join(f"{name!r} on {device}" for device, name in devices.items())
        raise ValueError(f"parameters must be on one device, got {found}")
    (device,) = devices
    if device.type not in ("cpu", "cuda"):
        raise ValueError(f"parameters must be on the CPU or a CUDA device, got {device}")


def require_group(group: Any, wrapped: Any) -> Any:
    """The process group that gradients are averaged over; None for none. ValueError, TypeError if unfit."""
    if group is None:
        return wrapped
    if not dist.is_available() or not isinstance(group, dist.ProcessGroup):
        raise TypeError(f"group must be a process group that this process is in, or None, got {group!r}")
    if wrapped is not None and wrapped is not group:
        raise ValueError("group must be that of the model's DistributedDataParallel, or None, got another")
    return group


def require_settings(loss: Any, dtype: Any, chunk: Any, mode: Any, seed: Any) -> None:
    """TypeError, ValueError for a setting of the oracle that is none."""
    if not callable(loss):
        raise TypeError(f"loss must be a function of (model, batch), got {loss!r}")
    if dtype not in (None, torch.float32, torch.float64):
        raise ValueError(f"dtype must be torch.float32, torch.float64 or None, got {dtype!r}")
    if chunk is not None:
        require_dimension(chunk=chunk)
    if mode is not None and mode not in MODES:
        raise ValueError(f'mode must be "train", "eval" or None, got {mode!r}')
    require_seed(seed)


def _is(value: Any, *names: str) -> bool:
    """Whether a class of that name is among its own; the class itself need not be imported."""
    return any(kind.__name__ in names for kind in type(value).__mro__)


def _sharded(what: str) -> str:
    return (
        f"{what}, sharded over processes: a probe needs whole parameters in each process; use "
        f"DistributedDataParallel, or probe one process with the full state"
    )
