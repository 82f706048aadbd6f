"""The server of EF21-Muon: it averages what workers tell and moves the model."""

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from assumptions.layers import Layers
from workbench.optim.feedback_layers import SERVER, SERVER_ESTIMATE, SERVER_MODEL, FeedbackLayer, decoded
from workbench.optim.members import Member, batches
from workbench.optim.presets import Layout
from workbench.orthogonal import inexact_direction

State = Mapping[Tensor, Mapping[str, Any]]


def serve(
    layers: list[FeedbackLayer], state: State, messages: list[Tensor], seed: int, step: int
) -> tuple[Tensor, dict[Tensor, dict[str, Tensor]]]:
    """The server's message, and what it will remember of each parameter. Changes nothing.

    messages: of the workers, in the order of their ranks. seed, step: what draws are functions of. ValueError
    for a step that is not finite, as gradients may be and their sum not, and for a message that is not.
    """
    total = [torch.zeros_like(layer.member.p) for layer in layers]
    for rank, message in enumerate(messages):
        changes = decoded(layers, message, rank + 1, seed, step)
        total = [t + change for t, change in zip(total, changes, strict=True)]
    estimates = {
        layer.member.p: kept(state, layer.member.p, SERVER_ESTIMATE) + t / len(messages)
        for layer, t in zip(layers, total, strict=True)
    }
    models: dict[Tensor, Tensor] = {}
    for group in {id(layer.group): layer.group for layer in layers}.values():
        members = [layer.member for layer in layers if layer.group is group]
        for read, batch in batches(group, members):
            models.update(_moved(group, read, batch, estimates, state))
    _require_finite(layers, [models[layer.member.p] for layer in layers])
    parts = []
    for layer in layers:
        change = layer.flat(models[layer.member.p] - layer.member.p)
        parts.append(layer.code(SERVER, seed, step).encode(change, layer.draw(SERVER, seed, step)).cpu())
    message = torch.cat(parts)
    changes = decoded(layers, message, SERVER, seed, step)  # a compressor may enlarge
    _require_finite(layers, [layer.member.p + c for layer, c in zip(layers, changes, strict=True)])
    return message, {p: {SERVER_ESTIMATE: estimates[p], SERVER_MODEL: models[p]} for p in models}


def kept(state: State, p: Tensor, name: str) -> Tensor:
    """What is remembered of a parameter; 0 at first."""
    found = state[p].get(name) if p in state else None
    return torch.zeros_like(p) if found is None else found


def _moved(
    group: dict[str, Any], read: Layout, batch: list[Member], estimates: dict[Tensor, Tensor], state: State
) -> Iterator[tuple[Tensor, Tensor]]:
    """The server's model after its step, of parameters of one shape."""
    flat = read.flat(torch.stack([estimates[member.p] for member in batch]))
    layer = Layers(((flat.shape[-1],),), (read.norm,))
    length = float(group["lr"]) * group["radius"]
    with torch.autocast(flat.device.type, enabled=False):
        steps = read.shaped(inexact_direction(layer, group["orthogonaliser"], flat, length))
    for member, step in zip(batch, steps, strict=True):
        old = state[member.p].get(SERVER_MODEL) if member.p in state else None
        yield member.p, (member.p if old is None else old) - step


def _require_finite(layers: list[FeedbackLayer], values: list[Tensor]) -> None:
    """ValueError naming the parameter."""
    finite = torch.stack([value.isfinite().all().cpu() for value in values]).tolist()
    for layer, fine in zip(layers, finite, strict=True):
        if not fine:
            raise ValueError(f"the server's step of {layer.member.who} is not finite; nothing was changed")
