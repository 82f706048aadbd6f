"""One step of every optimizer of the family: momentum, linear minimisation, a step of given length."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from assumptions.guards import as_float, require_positive
from assumptions.matrix_norms import Spectral
from assumptions.norms import Norm
from workbench.optim.given import checked
from workbench.optim.members import Member, batches, number, require_finite
from workbench.optim.moves import Move, require_finite_moves
from workbench.optim.presets import Layout, layout
from workbench.optim.saved import packed, require_state, restored
from workbench.orthogonal import Orthogonaliser, nuclear_norm
from workbench.orthogonal.direction import unit_direction

BUFFER = "momentum_buffer"


class LMOOptimizer(Optimizer, ABC):
    """X <- shrink X - length dir(M), dir(M) = argmax {<M, Z> : |Z| <= 1} in the norm of the group.

    params: parameters, pairs (name, parameter), or groups of them, as any optimizer of torch takes them.
    Groups hold ``lr`` (> 0; a scheduler may reach 0) and ``radius`` (> 0), whose product is the length of a
    step, ``beta`` in [0, 1): the weight of the OLD momentum, M <- beta M + (1 - beta) gradient, ``norm``: a
    preset of ``PRESETS`` or a Norm, ``transpose``: whether the parameter holds its inputs first (None: as the
    preset says), and ``orthogonaliser``: what spectral norms use for U V'. Buffers and arithmetic have the
    type of the parameter, float32 at least; a parameter is rounded once a step. Parameters without a gradient
    stay as they are, with their momentum. Matrices of one shape in a group are one batch, up to ``AT_ONCE``
    entries. The dicts of groups are copied.

    ValueError, before anything changes, for options out of their domain, a norm that does not fit, a
    parameter that is given twice, sparse gradients, gradients with nan or inf, and steps that leave a
    parameter not finite; it names the parameter, by its name if parameters came as ``named_parameters()``.
    """

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)

    # -- what the methods of the family differ in ---------------------------------------------------

    @abstractmethod
    def first_weight(self, group: dict[str, Any]) -> float:
        """M after the first gradient, over that gradient."""

    def looks_ahead(self, group: dict[str, Any]) -> bool:
        """Whether the oracle is asked at beta M + (1 - beta) gradient, not at the new momentum M."""
        del group
        return False

    def shrink(self, group: dict[str, Any]) -> float:
        """The factor of the old parameter: decoupled weight decay."""
        return 1 - float(group["lr"]) * group["weight_decay"]

    def length(self, group: dict[str, Any], norm_dual: Callable[[], Tensor]) -> float | Tensor:
        """The length of the step: a float, or (batch, 1) from the dual norms, (batch, 1), of what is read."""
        del norm_dual
        return float(group["lr"]) * group["radius"]

    def check(self, group: dict[str, Any]) -> None:
        """ValueError for options out of their domain, TypeError for another type. Before every step."""
        if not 0 <= number("lr", group["lr"]) < math.inf:
            raise ValueError(f"lr must be finite and > 0 (a scheduler may reach 0), got {group['lr']!r}")
        require_positive(radius=number("radius", group["radius"]))
        if not 0 <= as_float("beta", group["beta"]) < 1:
            raise ValueError(f"beta must be in [0, 1), the weight of the old momentum, got {group['beta']!r}")
        if not isinstance(group["orthogonaliser"], Orthogonaliser):
            raise TypeError(
                f"orthogonaliser must be an Orthogonaliser such as Exact(), got {group['orthogonaliser']!r}"
            )
        if not any(group["transpose"] is value for value in (None, True, False)):
            raise TypeError(f"transpose must be None, True or False, got {group['transpose']!r}")
        decay = as_float("weight_decay", group.get("weight_decay", 0.0))
        if not (0 <= decay < math.inf and float(group["lr"]) * decay <= 1):
            raise ValueError(f"weight_decay must be >= 0, and lr weight_decay at most 1, got {decay!r}")

    def check_together(self, groups: list[dict[str, Any]]) -> None:
        """ValueError if the groups do not fit each other. Whenever groups are added or loaded."""
        del groups

    def chosen(self) -> Callable[[Tensor], bool]:
        """Which parameters this step moves. Called once a step, after the checks of its input."""
        return lambda _: True

    def moved(self) -> None:
        """Called once a step, after all have moved."""

    # -- what they share ------------------------------------------------------------------------------

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """As in torch, of a copy of the dict; a group that does not fit is not added."""
        if isinstance(param_group, dict):
            param_group = checked(param_group, self.defaults, self._title)
        super().add_param_group(param_group)
        try:
            self._check_group(self.param_groups[-1], len(self.param_groups) - 1)
            self.check_together(self.param_groups)
        except Exception:
            self.param_groups.pop()
            raise

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step. closure: computes the loss again and its gradients; its value is returned."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            self.check(group)
        groups = [(group, list(self._members(index))) for index, group in enumerate(self.param_groups)]
        require_finite([member for _, members in groups for member in members])
        jobs = [(group, read, batch) for group, members in groups for read, batch in batches(group, members)]
        chosen = self.chosen()
        moves: list[Move] = []
        for group, read, batch in jobs:
            if active := [member for member in batch if chosen(member.p)]:
                moves += self._moves(group, read, active)
        require_finite_moves(moves)
        for move in moves:
            self._remember(move.group, move.member)
            move.take()
        self.moved()
        return loss

    def _moves(self, group: dict[str, Any], read: Layout, batch: list[Member]) -> Iterator[Move]:
        """The steps of parameters of one shape, type and device. Changes nothing."""
        first = batch[0]
        asked = torch.empty((len(batch), *first.p.shape), dtype=first.dtype, device=first.p.device)
        for row, member in zip(asked, batch, strict=True):
            self._asked(group, member, row)
        flat = read.flat(asked)
        with torch.autocast(flat.device.type, enabled=False):
            length = self.length(group, lambda: _dual(read.norm, flat))
            directions, scale = unit_direction(read.norm, group["orthogonaliser"], flat)
        if isinstance(length, Tensor):  # of each row
            directions, length = directions * (length / scale).to(directions), scale
        shrink = self.shrink(group)
        for member, direction in zip(batch, read.shaped(directions), strict=True):
            yield Move(group, member, direction, length / scale, shrink)

    def _weights(self, group: dict[str, Any], old: Tensor | None) -> tuple[float, float]:
        """(a, b): the new momentum is a old + b gradient."""
        beta = group["beta"]
        if beta == 0:
            return 0.0, 1.0
        return (0.0, self.first_weight(group)) if old is None else (beta, 1 - beta)

    def _old(self, p: Tensor) -> Tensor | None:
        return self.state[p].get(BUFFER) if p in self.state else None

    def _asked(self, group: dict[str, Any], member: Member, into: Tensor) -> None:
        """What the oracle is asked at."""
        old, beta = self._old(member.p), group["beta"]
        a, b = self._weights(group, old)
        if self.looks_ahead(group):
            a, b = beta * a, beta * b + 1 - beta
        into.copy_(member.grad)
        if b != 1:
            into.mul_(b)
        if old is not None and a != 0:
            into.add_(old, alpha=a)

    def _remember(self, group: dict[str, Any], member: Member) -> None:
        """The new momentum, in place, so that there is one at any time."""
        if group["beta"] == 0:
            return
        old, grad = self._old(member.p), member.grad.to(member.dtype)
        a, b = self._weights(group, old)
        if old is None:
            self.state[member.p][BUFFER] = b * grad
        else:
            old.mul_(a).add_(grad, alpha=b)

    def _members(self, index: int) -> Iterator[Member]:
        """The parameters of a group that have a gradient. ValueError for a sparse one."""
        for j, p in enumerate(self.param_groups[index]["params"]):
            if p.grad is None:
                continue
            who = self._who(index, j)
            if p.grad.is_sparse:
                raise ValueError(f"{self._title} takes dense gradients, and that of {who} is sparse")
            yield Member(p, p.grad, who)

    def _check_group(self, group: dict[str, Any], index: int) -> None:
        """Options and shapes."""
        require_positive(lr=number("lr", group["lr"]))
        self.check(group)
        for j, p in enumerate(group["params"]):
            who = self._who(index, j)
            if not p.is_floating_point():
                raise ValueError(f"{who} must be real and floating point, got {p.dtype}")
            layout(group["norm"], tuple(p.shape), group["transpose"], who)

    def _who(self, index: int, j: int) -> str:
        group = self.param_groups[index]
        names = group.get("param_names")
        return f"parameter {names[j]!r}" if names else f"parameter {j} of group {index}"

    @property
    def _title(self) -> str:
        return type(self).__name__

    # -- saving -------------------------------------------------------------------------------------

    def state_dict(self) -> dict[str, Any]:
        """As in torch; objects among the options are saved as the text that makes them."""
        saved = super().state_dict()
        return {**saved, "param_groups": [packed(group) for group in saved["param_groups"]]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As in torch, but buffers are not cast down. ValueError before anything changes.

        What schedulers write into groups may be missing there.
        """
        require_state(state_dict)
        groups = restored(self.param_groups, state_dict["param_groups"], self._title)
        for index, (group, own) in enumerate(zip(groups, self.param_groups, strict=True)):
            self.check({**group, "params": own["params"]})
            for j, (key, p) in enumerate(zip(group["params"], own["params"], strict=True)):
                who = self._who(index, j)
                layout(group["norm"], tuple(p.shape), group["transpose"], who)
                saved = state_dict["state"].get(key, {}).get(BUFFER)
                if saved is not None and getattr(saved, "shape", None) != p.shape:
                    shape = tuple(saved.shape) if isinstance(saved, Tensor) else saved
                    raise ValueError(f"the saved momentum of {who} has shape {shape}, not {tuple(p.shape)}")
        pairs = zip(groups, self.param_groups, strict=True)
        self.check_together([{**group, "params": own["params"]} for group, own in pairs])
        super().load_state_dict({**state_dict, "param_groups": groups})
        for group, own in zip(groups, self.param_groups, strict=True):
            for key, p in zip(group["params"], own["params"], strict=True):
                saved = state_dict["state"].get(key, {}).get(BUFFER)
                if saved is not None:  # torch has cast it to the type of the parameter
                    dtype = torch.promote_types(p.dtype, torch.float32)
                    self.state[p][BUFFER] = saved.detach().to(p.device, dtype, copy=True)


def _dual(norm: Norm, flat: Tensor) -> Tensor:
    """Dual norms, float64, (batch, 1); nuclear norms of types below float64 by ``nuclear_norm``."""
    if isinstance(norm, Spectral) and flat.dtype != torch.float64:
        return (nuclear_norm(norm.matrix(flat)) / norm.scale).unsqueeze(-1)
    return norm.dual(flat.double()).unsqueeze(-1)
