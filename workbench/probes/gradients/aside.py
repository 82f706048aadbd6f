"""Evaluations beside a training run: what they draw, set and write, and how it is all put back."""

import functools
import inspect
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_pre_hook

GENERATORS = (torch.Generator, np.random.Generator, random.Random)
"""Types of objects that numbers are drawn from, besides the generators that torch, numpy and Python share."""

OFF = "ieee"
"""float32 products in float32; torch's word."""


@contextmanager
def aside(
    module: nn.Module, device: torch.device, dtype: torch.dtype, *, seed: int, mode: str | None
) -> Iterator[None]:
    """Gradients on, random numbers from the seed, full precision, nothing compiled; undone at the end."""
    with (
        torch.inference_mode(False),
        torch.enable_grad(),
        seeded(seed, device),
        full_precision(device, dtype),
        uncompiled(),
        kept(module),
    ):
        if mode is not None:
            for part in module.modules():
                part.training = mode == "train"
        yield


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Generators of torch for the CPU and for the device, numpy's and Python's: seeded, and put back.

    seed: in [-2^63, 2^63); numpy takes it modulo 2^32. Those of other devices are not touched.
    """
    devices = [device] if device.type == "cuda" else []
    python, arrays = random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=devices, device_type="cuda"):
        try:
            torch.default_generator.manual_seed(seed)
            for each in devices:
                with torch.cuda.device(each):
                    torch.cuda.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed % 2**32)
            yield
        finally:
            random.setstate(python)
            np.random.set_state(arrays)


@contextmanager
def full_precision(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Autocast off, and refused inside unless the type is float64, which it leaves alone; no TF32.

    RuntimeError when a module is called under autocast.
    """
    kinds = sorted({device.type, "cpu"})

    def refuse(module: nn.Module, _: Any) -> None:
        for kind in kinds:
            if torch.is_autocast_enabled(kind):
                raise RuntimeError(
                    f"the loss enters autocast ({torch.get_autocast_dtype(kind)} on {kind}) before "
                    f"{type(module).__name__} is called, and the probe computes in {dtype}: put autocast "
                    f"around the loss, in the training loop, not in it or in the model; or give "
                    f"dtype=torch.float64, which autocast leaves alone"
                )

    with ExitStack() as stack:
        for kind in kinds:
            stack.enter_context(torch.autocast(kind, enabled=False))
        stack.enter_context(_exact_float32())
        if dtype != torch.float64:
            handle = register_module_forward_pre_hook(refuse)
            stack.callback(handle.remove)
        yield


@contextmanager
def _exact_float32() -> Iterator[None]:
    """No TF32 and no bfloat16 inside products and convolutions of float32."""
    matmul, cudnn = _read_matmul(), _read_cudnn()
    owners = _owners()
    saved = [owner.fp32_precision for owner in owners]
    try:
        if matmul is not None:
            torch.set_float32_matmul_precision("highest")
        if cudnn is not None:
            torch.backends.cudnn.allow_tf32 = False
        for owner in owners:
            owner.fp32_precision = OFF
        yield
    finally:
        if matmul is not None:
            torch.set_float32_matmul_precision(matmul)
        if cudnn is not None:
            torch.backends.cudnn.allow_tf32 = cudnn
        for owner, value in zip(owners, saved, strict=True):
            owner.fp32_precision = "none"  # then it follows the settings above it, as it does by default
            if owner.fp32_precision != value:
                owner.fp32_precision = value


def _owners() -> list[Any]:
    """Holders of ``fp32_precision``, which torch has from 2.9 on, beside the two older switches."""
    backends: Any = torch.backends
    if not hasattr(backends.cuda.matmul, "fp32_precision"):
        return []
    cudnn, mkldnn = backends.cudnn, backends.mkldnn
    return [backends.cuda.matmul, cudnn.conv, cudnn.rnn, mkldnn.matmul, mkldnn.conv, mkldnn.rnn]


def _read_matmul() -> str | None:
    """None where torch refuses to tell, because new and old settings differ; then the new ones count."""
    try:
        return torch.get_float32_matmul_precision()
    except RuntimeError:
        return None


def _read_cudnn() -> bool | None:
    """As ``_read_matmul``."""
    try:
        return torch.backends.cudnn.allow_tf32
    except RuntimeError:
        return None


def uncompiled() -> Any:
    """What torch.compile made runs as it was written: compiled gradients have no second derivatives."""
    if "torch._dynamo" not in sys.modules or not hasattr(torch.compiler, "set_stance"):
        return nullcontext()
    return torch.compiler.set_stance("force_eager")


@contextmanager
def kept(module: nn.Module) -> Iterator[None]:
    """Attributes, modes and generators of every submodule, put back if the forward pass changes them.

    Attributes that are tensors, without being buffers, too; and the generators that a function among the
    attributes of ``module`` itself draws from, see ``held_by``. Not what lists and other objects hold.
    """
    parts = list(module.modules())
    modes = [part.training for part in parts]
    plain = [part for part in parts if not isinstance(part, torch.jit.ScriptModule)]
    stores: list[dict[str, Any]] = [store for part in plain for store in _stores(part)]
    saved = [(store, dict(store)) for store in stores]
    values = [value for part in plain for value in vars(part).values()]
    held = [each for value in vars(module).values() if callable(value) for each in held_by(value)]
    undo = [_undo(generator) for generator in (*values, *held) if isinstance(generator, GENERATORS)]
    written = [(t, t._version, t.clone()) for t in values if isinstance(t, Tensor) and not t.is_inference()]
    try:
        yield
    finally:
        for store, before in saved:
            if store.keys() != before.keys() or any(store[key] is not before[key] for key in before):
                store.clear()
                store.update(before)
        for part, training in zip(parts, modes, strict=True):
            if part.training is not training:
                part.training = training
        for put_back in undo:
            put_back()
        for tensor, version, before in written:
            if tensor._version != version:
                with torch.no_grad():
                    tensor.copy_(before)


def held_by(function: Any) -> Iterator[Any]:
    """What a function names: in its closure, among globals, as defaults, in a partial, on its object."""
    if isinstance(function, functools.partial):
        yield from (*function.args, *function.keywords.values(), *held_by(function.func))
    elif inspect.ismethod(function):
        yield from (*getattr(function.__self__, "__dict__", {}).values(), *held_by(function.__func__))
    elif inspect.isfunction(function):
        with suppress(ValueError):  # a variable of the closure without a value
            named = inspect.getclosurevars(function)
            yield from (*named.nonlocals.values(), *named.globals.values())
        yield from (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values())
    else:
        yield from getattr(function, "__dict__", {}).values()


def _undo(generator: Any) -> Callable[[], Any]:
    """Puts a generator back to where it is now."""
    if isinstance(generator, torch.Generator):
        return functools.partial(generator.set_state, generator.get_state())
    if isinstance(generator, np.random.Generator):
        bits, state = generator.bit_generator, generator.bit_generator.state
        return lambda: setattr(bits, "state", state)
    return functools.partial(generator.setstate, generator.getstate())


def _stores(part: nn.Module) -> tuple[Any, ...]:
    return vars(part), part._parameters, part._buffers
