"""Messages between rank 0, the server, and all others over ``torch.distributed``, counted in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import torch
import torch.distributed as dist
from torch import Tensor

HEADER = 8
"""Bytes before each message: its length as int64, or what went wrong."""

FAILED, LOST = -1, -2
"""Headers below 0: the sender has an error; the server lost rank r: LOST - r."""


class WorkerLost(RuntimeError):
    """Another process died, or did not answer in time."""


@dataclass(frozen=True)
class Traffic:
    """Bytes of one process, headers included: those of the last step, and since the optimizer was made.

    up: to the server; down: from the server, whose copies for n - 1 workers all count. total_up, total_down:
    the same since the optimizer was made.
    """

    up: int = 0
    down: int = 0
    total_up: int = 0
    total_down: int = 0

    def next_step(self) -> "Traffic":
        """The last step begins again."""
        return replace(self, up=0, down=0)

    def plus(self, up: int = 0, down: int = 0) -> "Traffic":
        """Bytes of a message."""
        totals = self.total_up + up, self.total_down + down
        return Traffic(self.up + up, self.down + down, *totals)


class Star:
    """All processes of the default process group.

    RuntimeError if there is no process group. What goes wrong in a message raises ``WorkerLost``.
    """

    def __init__(self) -> None:
        if not dist.is_available() or not dist.is_initialized():
            raise RuntimeError(
                "there is no process group: call torch.distributed.init_process_group('gloo', "
                "init_method=..., rank=..., world_size=...) in every process first"
            )
        self.rank, self.workers = dist.get_rank(), dist.get_world_size()
        self.device = torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
        self.steps = 0
        self.sent = self.received = Traffic()

    @property
    def is_server(self) -> bool:
        """Rank 0 is server and worker."""
        return self.rank == 0

    def require(self, workers: int | None) -> None:
        """ValueError unless there are as many; None for any."""
        if workers is not None and workers != self.workers:
            raise ValueError(
                f"workers must be {self.workers}, the number of processes in the group, got {workers!r}"
            )

    # -- a step ---------------------------------------------------------------------------------------

    def up(self, message: Tensor | None, lengths: Mapping[int, int]) -> list[Tensor] | None:
        """Each worker's message to the server. None stands for an error of this worker.

        lengths: what the server expects of rank j, under j + 1; anything if it is empty. Returns the messages
        there, its own first, or None if there was an error; an empty list elsewhere.
        """
        self.sent, self.received = self.sent.next_step(), self.received.next_step()
        if not self.is_server:
            self._send(message, 0)
            self.sent = self.sent.plus(up=HEADER + _size(message))
            return []
        messages: list[Tensor] = [] if message is None else [message]
        failed = message is None
        for source in range(1, self.workers):
            try:
                got = self._receive(source, lengths.get(source + 1))
            except WorkerLost:
                self._tell_lost(source)
                raise
            self.received = self.received.plus(up=HEADER + _size(got))
            failed = failed or got is None
            messages += [] if got is None else [got]
        return None if failed else messages

    def down(self, message: Tensor | None, length: int | None) -> Tensor | None:
        """The server's message to each worker, returned everywhere; None for an error of anyone.

        length: what a worker expects; None for any.
        """
        if self.is_server:
            for target in range(1, self.workers):
                self._send(message, target)
                self.sent = self.sent.plus(down=HEADER + _size(message))
            return message
        got = self._receive(0, length)
        self.received = self.received.plus(down=HEADER + _size(got))
        return got

    # -- besides steps, not counted -------------------------------------------------------------------

    def gather(self, mine: Any) -> list[Any]:
        """What every rank has, rank by rank, everywhere."""
        found: list[Any] = [None] * self.workers
        try:
            dist.all_gather_object(found, mine)
        except RuntimeError as error:
            self._lost("another rank", error)
        return found

    def agree(self, failure: Exception | None) -> None:
        """Raise what went wrong on any rank, the same everywhere, with the ranks named."""
        told = None if failure is None else (_kind(failure), _text(failure))
        ranks: dict[tuple[str, str], list[int]] = {}
        for rank, found in enumerate(self.gather(told)):
            if found is not None:
                ranks.setdefault(found, []).append(rank)
        if not ranks:
            return
        said = "; ".join(
            f"rank{'s' * (len(who) > 1)} {', '.join(map(str, who))}: {text}"
            for (_, text), who in ranks.items()
        )
        kinds = {kind for kind, _ in ranks}
        raised = {"ValueError": ValueError, "TypeError": TypeError}.get(min(kinds), RuntimeError)
        raise (raised if len(kinds) == 1 else RuntimeError)(said) from failure

    # -- messages -------------------------------------------------------------------------------------

    def _send(self, message: Tensor | None, target: int) -> None:
        header = torch.tensor([FAILED if message is None else message.numel()], device=self.device)
        try:
            dist.send(header, target)
            if message is not None and message.numel():
                dist.send(message.to(self.device), target)
        except RuntimeError as error:
            self._lost(f"rank {target}", error)

    def _receive(self, source: int, length: int | None) -> Tensor | None:
        """The message of another rank; None if it has an error. length: None for any."""
        header = torch.zeros(1, dtype=torch.int64, device=self.device)
        try:
            dist.recv(header, source)
            size = int(header)
            if size <= LOST:
                raise RuntimeError(f"the server lost rank {LOST - size}")
            if size == FAILED:
                return None
            if length is not None and size != length:
                raise RuntimeError(f"its message has {size} bytes, and {length} were expected")
            message = torch.empty(size, dtype=torch.uint8, device=self.device)
            if size:
                dist.recv(message, source)
        except RuntimeError as error:
            self._lost(f"rank {source}", error)
        return message

    def _tell_lost(self, lost: int) -> None:
        """Free the other workers from waiting, as far as they can be reached."""
        header = torch.tensor([LOST - lost], device=self.device)
        for target in range(1, self.workers):
            if target != lost:
                try:
                    dist.send(header, target)
                except RuntimeError:
                    continue

    def _lost(self, who: str, error: RuntimeError) -> NoReturn:
        raise WorkerLost(
            f"rank {self.rank} of {self.workers} lost {who} after {self.steps} steps: {error}. A process "
            f"died, or took longer than the timeout given to init_process_group. Nothing was changed here, "
            f"but other ranks may be a step ahead: start all processes again, each from its last saved state"
        ) from error


def _size(message: Tensor | None) -> int:
    return 0 if message is None else message.numel()


def _kind(error: Exception) -> str:
    return next((kind.__name__ for kind in (ValueError, TypeError) if isinstance(error, kind)), "")


def _text(error: Exception) -> str:
    return str(error) if _kind(error) else f"{type(error).__name__}: {error}"
