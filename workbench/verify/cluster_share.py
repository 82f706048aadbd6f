"""Pieces of work on a Dask cluster: results as they come, those of a lost worker done again by another."""

import contextlib
import pickle
import queue
import threading
import time
import traceback
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import torch

from workbench.verify.cluster import Cluster, ClusterError, difference, facts_of, first_line, threads_of
from workbench.verify.sending import Answer, FailedError, WorkerLostError, answer, packed

WORKERLESS_SECONDS = 600.0
"""Until a cluster that lost all its workers is given up: a queue may have others to start."""

BLOCK = 256
"""Pieces of work that are sent together: they share what is pickled."""

AHEAD = 4
"""Pieces of work that wait or run, per worker."""

FETCH_SECONDS = 5.0
"""Until a result that does not come is waited for aside from the others."""

LOOK_SECONDS = 1.0
"""Between looks at what the cluster is."""


def from_cluster(
    function: Callable[[Any], Any], tasks: Sequence[Any], cluster: Cluster
) -> Iterator[tuple[int, Any]]:
    """Pairs of index and result, as they are done. The work of a lost worker is done again.

    Not joblib's Dask backend, which waits for ever where Dask gives up a task that ended its workers: it
    passes no error on to one who takes results as they come. FailedError, WorkerLostError,
    UnsendableError, ClusterError.
    """
    blocks = [packed(function, tasks[i : i + BLOCK], elsewhere=True) for i in range(0, len(tasks), BLOCK)]
    if not blocks:
        return
    with cluster.connected() as client:
        run = _Run(client, cluster, blocks, len(tasks))
        try:
            yield from run.answers()
        except (OSError, CancelledError) as error:
            raise WorkerLostError(
                f"the scheduler at {cluster.address} is gone ({first_line(error)})"
            ) from error


@dataclass
class _Run:
    """What is handed out, and what comes back."""

    client: Any
    cluster: Cluster
    blocks: Sequence[bytes]
    count: int
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    handed: int = 0
    pending: dict[Any, int] = field(default_factory=dict)
    sent: dict[int, Any] = field(default_factory=dict)
    done: "queue.SimpleQueue[Any]" = field(default_factory=queue.SimpleQueue)

    def answers(self) -> Iterator[tuple[int, Any]]:
        """Until all are there; the first error after what is done with it."""
        facts = facts_of(self.cluster.sources)
        workers, looked, seen = 1, -float("inf"), time.monotonic()
        while self.handed < self.count or self.pending:
            if time.monotonic() - looked > LOOK_SECONDS:
                self._require_running()
                workers, looked = len(threads_of(self.client)), time.monotonic()
                seen = looked if workers else seen
                if looked - seen > WORKERLESS_SECONDS:
                    raise WorkerLostError(
                        f"{self.cluster.address} has had no worker for {looked - seen:.0f} s"
                    )
            while self.handed < self.count and len(self.pending) < AHEAD * max(workers, 1):
                self._hand_out(facts)
            answers, error = self._arrived()
            yield from ((a.index, a.result) for a in answers if not a.text)
            failed = next((a for a in answers if a.text), None)
            if failed is not None:
                raise FailedError(failed)
            if error is not None:
                raise error

    def _require_running(self) -> None:
        if self.client.status != "running":
            raise CancelledError(f"the connection is {self.client.status}")

    def _hand_out(self, facts: Mapping[str, str]) -> None:
        index = self.handed
        number, place = divmod(index, BLOCK)
        if number not in self.sent:  # a task, not scattered: what is lost with a worker can be made again
            self.sent = {n: f for n, f in self.sent.items() if n == number - 1}
            name = f"workbench-{self.name}-block-{number}"
            self.sent[number] = self.client.submit(_keep, self.blocks[number], key=name, priority=-index)
        future = self.client.submit(
            _do,
            self.sent[number],
            place,
            index,
            self.cluster.sources,
            facts,
            key=f"workbench-{self.name}-{index}",
            priority=-index,  # in this order: Dask takes what comes within 0.1 s in any
        )
        self._expect(future, index)
        self.handed += 1

    def _expect(self, future: Any, index: int) -> None:
        self.pending[future] = index
        future.add_done_callback(self.done.put)

    def _arrived(self) -> tuple[list[Answer], Exception | None]:
        """Answers in the order of their indices, after some time none; and what else came."""
        futures = []
        with contextlib.suppress(queue.Empty):
            futures.append(self.done.get(timeout=LOOK_SECONDS))
            while True:
                futures.append(self.done.get_nowait())
        answers, error = [], None
        for future in sorted(futures, key=self.pending.__getitem__):
            index = self.pending.pop(future)
            if future.status == "error":
                error = error or WorkerLostError(_lost(future.exception(), index))
                continue
            try:
                answers.append(future.result(timeout=FETCH_SECONDS))
            except TimeoutError:  # lost with its worker after it was done: it is done again
                self._expect(future, index)
            except (OSError, CancelledError) as lost:
                error = error or lost
        return answers, error


def _lost(error: Exception, index: int) -> str:
    if type(error).__name__ == "KilledWorker":
        return f"piece of work {index} ended each worker that began it, perhaps for lack of memory"
    return (
        f"piece of work {index} could not be begun by a worker: {type(error).__name__}: {first_line(error)}"
    )


# -- in the worker ----------------------------------------------------------------------------------

_ALONE = threading.Lock()
_loaded = lru_cache(maxsize=2)(pickle.loads)


def _keep(block: bytes) -> bytes:
    return block


def _do(
    block: bytes, place: int, index: int, sources: Callable[[], str], expected: Mapping[str, str]
) -> Answer:
    """The answer of one piece of work. ClusterError in a worker that came later and is another."""
    other = difference(expected, facts_of(sources))
    if other:
        raise ClusterError(f"this worker would give other results: {other}")
    with _ALONE:
        torch.set_num_threads(1)  # holds for this thread alone
        try:
            function, tasks = _loaded(block)
        except Exception:
            return Answer(index, text=traceback.format_exc())
        return answer(function, tasks, place, index)
