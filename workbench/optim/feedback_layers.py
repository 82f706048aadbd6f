"""The parameters of EF21-Muon: how each is read and compressed, what is drawn for it, whether ranks agree."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from assumptions.specification import parse_specification
from workbench.compressors import COMPRESSORS
from workbench.compressors.geometries import require_geometry, shrinks_layer
from workbench.optim.members import Member
from workbench.optim.messages import Code, code_of, whole
from workbench.optim.presets import Layout, layout
from workbench.optim.saved import BESIDES, packed, require_state

ESTIMATE, SERVER_ESTIMATE, SERVER_MODEL = "estimate", "server_estimate", "server_model"
"""What is remembered of a parameter besides momentum: by each worker; by the server."""

SERVER = 0
"""Who sends and draws: the server, or worker j as j + 1."""

PAIR = ("server_compressor", "worker_compressor")


@dataclass(frozen=True)
class FeedbackLayer:
    """A parameter, its number among all of them, and how it is read."""

    group: dict[str, Any]
    member: Member
    number: int
    read: Layout

    @property
    def shape(self) -> tuple[int, ...]:
        """As read, outputs first; a number has one entry."""
        return self.read.outputs_first or (1,)

    def flat(self, x: Tensor) -> Tensor:
        """(*shape,) to (d,)."""
        return self.read.flat(x.unsqueeze(0)).squeeze(0) if x.dim() else x.reshape(1)

    def shaped(self, x: Tensor) -> Tensor:
        """Undo ``flat``."""
        return self.read.shaped(x.to(self.member.p.device).unsqueeze(0)).squeeze(0)

    def draw(self, sender: int, seed: int, step: int) -> Tensor:
        """What the compressor of the sender draws: numbers of (seed, sender, layer, step) only."""
        space = self.group[PAIR[sender != SERVER]].space(self.shape)
        u = torch.empty(0, dtype=torch.float64)
        if space.width:
            philox = np.random.Philox(key=[seed % 2**64, sender], counter=[0, 0, self.number, step])
            raw = philox.random_raw(space.width) >> np.uint64(11)
            u = torch.from_numpy(raw.astype(np.float64) * 2.0**-53)
        return space.value(u).to(self.member.p.device)

    def code(self, sender: int, seed: int, step: int) -> Code:
        """How the sender's message is packed; the first of a worker is not compressed."""
        given = self.shape, self.member.dtype
        if sender != SERVER and step == 0:
            return whole(*given)
        compressor = self.group[PAIR[sender != SERVER]]
        return code_of(compressor, *given, lambda: self.draw(sender, seed, step))


def layers_of(groups: list[dict[str, Any]], name: Callable[[int, int], str]) -> list[FeedbackLayer]:
    """All parameters in order, with their gradients; in place of none stands the parameter itself.

    name: of parameter j of a group. ValueError for a sparse gradient.
    """
    found: list[FeedbackLayer] = []
    for index, group in enumerate(groups):
        for j, p in enumerate(group["params"]):
            who = name(index, j)
            if p.grad is not None and p.grad.is_sparse:
                raise ValueError(f"EF21Muon takes dense gradients, and that of {who} is sparse")
            member = Member(p, p if p.grad is None else p.grad.to(p.dtype), who)
            read = layout(group["norm"], tuple(p.shape), group["transpose"], who)
            found.append(FeedbackLayer(group, member, len(found), read))
    return found


def decoded(layers: list[FeedbackLayer], message: Tensor, sender: int, seed: int, step: int) -> list[Tensor]:
    """What a message says of every layer, in the shapes of the parameters."""
    codes = [layer.code(sender, seed, step) for layer in layers]
    parts = message.split([code.length for code in codes])
    return [
        layer.shaped(code.decode(part.to(layer.member.p.device)))
        for layer, code, part in zip(layers, codes, parts, strict=True)
    ]


def unfit(layers: Iterable[FeedbackLayer], contracts_in: str) -> str:
    """Why a compressor is not known to shrink errors; "" if all do. ValueError for another geometry.

    "layers": the server's in the norm of the layer, the workers' in its dual. "frobenius": Euclidean norms.
    """
    require_geometry(contracts_in)
    for layer in layers:
        for name, dual in zip(PAIR, (False, True), strict=True):
            compressor, norm = layer.group[name], layer.read.norm
            if contracts_in == "frobenius":
                shrinks, where = compressor.contraction(layer.shape) is not None, "the Euclidean norm"
            else:
                q, where, _ = shrinks_layer(compressor, norm, dual, layer.shape)
                shrinks = q is not None and q < 1
            if not shrinks:
                return f"{name} {compressor!r} is not known to shrink {layer.member.who} in {where}"
    return ""


def require_alike(
    layers: list[FeedbackLayer], seed: int, gather: Callable[[Any], list[Any]], with_options: bool
) -> None:
    """ValueError, the same on all ranks, for the first thing that differs from rank 0; it names it."""
    mine: list[tuple[str, Any]] = []
    if with_options:
        mine.append(("seed", seed))
        groups = {id(layer.group): layer.group for layer in layers}
        for index, group in enumerate(groups.values()):
            plain = packed({key: value for key, value in group.items() if key not in BESIDES})
            mine += [(f"{key} of group {index}", str(value)) for key, value in plain.items()]
    for layer in layers:
        p, who = layer.member.p, layer.member.who
        mine += [(f"the shape and type of {who}", f"{tuple(p.shape)}, {p.dtype}"), (who, _checksum(p))]
    first, *others = gather(mine)
    for rank, theirs in enumerate(others, start=1):
        if len(theirs) != len(first):
            raise ValueError(f"rank {rank} has another number of parameters or options than rank 0")
        for (what, value), (_, expected) in zip(theirs, first, strict=True):
            if value != expected:
                say = f": {expected} and {value}; all ranks must have the same"
                if isinstance(value, bytes):
                    say = ": call torch.distributed.broadcast(p.data, 0) first, or torch.manual_seed before"
                raise ValueError(f"{what} differs between rank 0 and rank {rank}{say}")


def require_own(state_dict: dict[str, Any], rank: int, workers: int, shapes: list[tuple[int, ...]]) -> None:
    """ValueError unless this rank of as many saved it, with all that it remembers."""
    require_state(state_dict)
    whose = state_dict.get("worker", {})
    if set(whose) != {"rank", "workers", "steps", "seed"}:
        raise ValueError("the saved state is not one of EF21Muon: it lacks worker")
    if (whose["rank"], whose["workers"]) != (rank, workers):
        raise ValueError(
            f"the saved state is that of rank {whose['rank']} of {whose['workers']}; this is rank {rank} of "
            f"{workers}"
        )
    names = [ESTIMATE, *([] if rank else [SERVER_ESTIMATE, SERVER_MODEL])]
    for key, shape in enumerate(shapes if whose["steps"] else []):
        for name in names:
            saved = state_dict["state"].get(key, {}).get(name)
            if saved is None or tuple(saved.shape) != shape:
                raise ValueError(f"the saved state lacks {name} of shape {shape} for parameter {key}")


def _checksum(p: Tensor) -> bytes:
    """Of all bytes."""
    numbers = p.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    return hashlib.sha256(numbers.tobytes()).digest()


def restored_compressors(groups: list[dict[str, Any]], own: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Saved groups with compressors for the texts that make them; one of one's own that prints so is kept."""
    names = {made.__name__: made for made in COMPRESSORS}
    made = []
    for group, mine in zip(groups, own, strict=False):
        found = {
            key: mine[key] if repr(mine[key]) == group[key] else parse_specification(group[key], names)
            for key in PAIR
            if isinstance(group.get(key), str)
        }
        made.append({**group, **found})
    return made + groups[len(own) :]
