"""EF21-Muon over ``torch.distributed``: compressed messages both ways, with error feedback."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from assumptions.guards import require_seed
from assumptions.norms import Norm
from workbench.compressors import Compressor, Identity
from workbench.optim.base import BUFFER, LMOOptimizer
from workbench.optim.feedback_layers import (
    ESTIMATE,
    PAIR,
    SERVER,
    FeedbackLayer,
    decoded,
    layers_of,
    require_alike,
    require_own,
    restored_compressors,
    unfit,
)
from workbench.optim.feedback_server import kept, serve
from workbench.optim.members import require_finite
from workbench.optim.star import Star, Traffic
from workbench.orthogonal import NewtonSchulz, Orthogonaliser


class _Work(NamedTuple):
    """What a worker has made of its gradients: new momenta and estimates, layer by layer, and the message."""

    layers: list[FeedbackLayer]
    momenta: list[Tensor]
    estimates: list[Tensor]
    message: Tensor


class EF21Muon(LMOOptimizer):
    """Each process is a worker j with its own data; rank 0 is the server as well. W is the parameter.

    Worker: M_j <- beta M_j + (1 - beta) G_j(W), E_j <- E_j + C(M_j - E_j), from M_j = E_j = the first G_j.
    Server: X <- X - lr radius dir(mean_j E_j). Everywhere: W <- W + C'(X - W). Both C(.) and C'(.) travel
    compressed.

    All processes start with the same parameters and make the same calls. workers: how many there should be,
    None for any. worker_compressor: C, server_compressor: C', each a ``Compressor``, Identity() by default;
    groups may have their own. seed: of the draws, numbers of (seed, rank, layer, step): runs repeat, and
    nobody is told what is skipped. contracts_in: "layers" or "frobenius", norms in which compressors should
    shrink errors; a RuntimeWarning on rank 0 if one is not known to. lr and radius are those of rank 0. Other
    options: ``LMOOptimizer``. Parameters are float32 or float64 and have a gradient in every step.

    ``sent`` and ``received``: the ``Traffic`` of this process; ``whole_bytes``: one message that is not
    compressed. In float32 roundings part the server's mean of the E_j from theirs, by up to 1e-7 sqrt(steps).

    The constructor, ``step`` and ``load_state_dict`` are collective: what is wrong on one rank raises the
    same error on all of them, with its number, and changes nothing. RuntimeError without a process group;
    ``WorkerLost``, a RuntimeError, if a process dies or is silent for longer than the timeout of the group.
    Every rank saves its own ``state_dict``, with the parameters.

    Source: arXiv:2510.00643, whose beta is 1 minus ours. In one process: ``workbench.methods.ef21_muon``.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        beta: float = 0.9,
        *,
        workers: int | None = None,
        server_compressor: Compressor | None = None,
        worker_compressor: Compressor | None = None,
        contracts_in: str = "layers",
        seed: int = 0,
        radius: float = 1.0,
        norm: str | Norm = "hidden",
        transpose: bool | None = None,
        orthogonaliser: Orthogonaliser | None = None,
    ) -> None:
        self._star, self._seed, self._alike, self._complete = Star(), seed, True, False
        given = (server_compressor, worker_compressor)
        pair = {key: Identity() if c is None else c for key, c in zip(PAIR, given, strict=True)}
        read = {"radius": radius, "norm": norm, "transpose": transpose}
        said, failure = "", None
        try:
            self._star.require(workers)
            require_seed(seed)
            options = {"lr": lr, "beta": beta, **pair, **read}
            super().__init__(params, {**options, "orthogonaliser": orthogonaliser or NewtonSchulz(5)})
            said = unfit(layers_of(self.param_groups, self._who), contracts_in)
        except Exception as error:
            failure = error
        self._star.agree(failure)
        require_alike(layers_of(self.param_groups, self._who), seed, self._star.gather, with_options=True)
        self._complete = True
        if said and self._star.is_server:
            warnings.warn(f"{said}; no theorem covers this run", RuntimeWarning, stacklevel=2)

    @property
    def sent(self) -> Traffic:
        """Bytes that this process sent."""
        return self._star.sent

    @property
    def received(self) -> Traffic:
        """Bytes that this process received."""
        return self._star.received

    @property
    def whole_bytes(self) -> int:
        """Bytes of one message that is not compressed."""
        return sum(p.numel() * p.element_size() for group in self.param_groups for p in group["params"])

    def first_weight(self, group: dict[str, Any]) -> float:
        """M is the gradient itself."""
        del group
        return 1.0

    def check(self, group: dict[str, Any]) -> None:
        """Besides: the compressors; TypeError for what is none."""
        super().check(group)
        for key in PAIR:
            if not isinstance(group[key], Compressor):
                raise TypeError(f"{key} must be a Compressor such as TopK(2), got {group[key]!r}")

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """For the constructor. ValueError later, and for parameters that take no part."""
        if self._complete:
            raise ValueError("EF21Muon takes all groups when it is made, as all ranks must have the same")
        super().add_param_group(param_group)
        for j, p in enumerate(self.param_groups[-1]["params"]):
            who = self._who(len(self.param_groups) - 1, j)
            if p.dtype not in (torch.float32, torch.float64):
                raise ValueError(f"{who} must be float32 or float64, got {p.dtype}")
            if not p.requires_grad:
                raise ValueError(f"{who} does not require a gradient: leave it out of the groups")

    # -- a step ---------------------------------------------------------------------------------------

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """One step of all processes. closure: as in torch; its value on this rank is returned."""
        star, loss, work, failure = self._star, None, None, None
        if not self._alike:
            require_alike(
                layers_of(self.param_groups, self._who), self._seed, star.gather, with_options=False
            )
            self._alike = True
        try:
            if closure is not None:
                with torch.enable_grad():
                    loss = closure()
            work = self._work()
        except Exception as error:
            failure = error
        sizes = self._lengths(work.layers) if work else {}
        messages = star.up(work.message if work else None, sizes)
        message, server = None, {}
        try:
            if messages and work:
                message, server = serve(work.layers, self.state, messages, *self._when)
        except Exception as error:
            failure = error
        message = star.down(message, sizes.get(SERVER))
        if message is None or work is None:
            star.agree(failure)
            raise RuntimeError("a rank reported an error, and none told which")
        self._commit(work, message, server)
        return loss

    def _work(self) -> _Work:
        """The worker's part, after all checks. Changes nothing."""
        for group in self.param_groups:
            self.check(group)
        layers, sender = layers_of(self.param_groups, self._who), self._star.rank + 1
        for layer in layers:
            if layer.member.p.grad is None:
                raise ValueError(f"{layer.member.who} has no gradient; nothing was changed")
        require_finite([layer.member for layer in layers])
        momenta, estimates, parts = [], [], []
        for layer in layers:
            p = layer.member.p
            m, old = torch.empty_like(p), kept(self.state, p, ESTIMATE)
            self._asked(layer.group, layer.member, m)
            code = layer.code(sender, *self._when)
            parts.append(code.encode(layer.flat(m - old), layer.draw(sender, *self._when)))
            momenta.append(m)
            estimates.append(old + layer.shaped(code.decode(parts[-1])))
        return _Work(layers, momenta, estimates, torch.cat([part.cpu() for part in parts]))

    def _commit(self, work: _Work, message: Tensor, server: dict[Tensor, dict[str, Tensor]]) -> None:
        """Keep everything."""
        changes = decoded(work.layers, message, SERVER, *self._when)
        for layer, m, e, change in zip(work.layers, work.momenta, work.estimates, changes, strict=True):
            p = layer.member.p
            self.state[p].update({ESTIMATE: e, **server.get(p, {})})
            if layer.group["beta"] > 0:
                self.state[p][BUFFER] = m
            p.add_(change)
        self._star.steps += 1

    @property
    def _when(self) -> tuple[int, int]:
        """Seed and step, of which draws are functions."""
        return self._seed, self._star.steps

    def _lengths(self, layers: list[FeedbackLayer]) -> dict[int, int]:
        """Bytes of the messages that this rank may receive, by sender."""
        senders = range(2, self._star.workers + 1) if self._star.is_server else (SERVER,)
        return {sender: sum(layer.code(sender, *self._when).length for layer in layers) for sender in senders}

    # -- saving ---------------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """What a copy needs besides torch's own."""
        own = ("_star", "_seed", "_alike", "_complete")
        return {**super().__getstate__(), **{key: self.__dict__[key] for key in own}}

    def state_dict(self) -> dict[str, Any]:
        """Besides: whose state it is, and of which step."""
        star = self._star
        whose = {"rank": star.rank, "workers": star.workers, "steps": star.steps, "seed": self._seed}
        return {**super().state_dict(), "worker": whose}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """What this rank saved; all ranks together. ValueError on all, and no change, if one cannot."""
        star, before, failure = self._star, (self.state, self.param_groups), None
        try:
            require_own(
                state_dict,
                self._star.rank,
                self._star.workers,
                [tuple(p.shape) for group in self.param_groups for p in group["params"]],
            )
            groups = restored_compressors(state_dict["param_groups"], self.param_groups)
            plain = {key: value for key, value in state_dict.items() if key != "worker"}
            super().load_state_dict({**plain, "param_groups": groups})
        except Exception as error:
            failure = error
        try:
            star.agree(failure)
            found = star.gather((state_dict["worker"]["steps"], state_dict["worker"]["seed"]))
            if len(set(found)) > 1:
                raise ValueError(f"ranks have states of different (steps, seed), rank by rank: {found}")
        except Exception:
            self.state, self.param_groups = before
            raise
        star.steps, self._seed, self._alike = *found[0], False
