"""Pieces of work in processes: results as they come, the same whatever the number of processes."""

import contextlib
import itertools
import os
import pickle
import re
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from multiprocessing import resource_tracker
from typing import Any, overload

import torch
from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor, process_executor
from joblib.externals.loky.process_executor import BrokenProcessPool

from workbench.heap import keep_freed_memory
from workbench.verify.cluster import Cluster
from workbench.verify.cluster_share import from_cluster
from workbench.verify.sending import Answer, FailedError, UnsendableError, WorkerLostError, answer, packed

__all__ = ["UnsendableError", "WorkerLostError", "one_thread", "require_jobs", "share"]

PARENT_CHECK = 0.5
"""Seconds after which a worker notices that the process that started it is gone, and ends."""

GROWTH = 2**32
"""Bytes that a worker may grow by before loky takes it for leaking and starts another. Loky's 300 MB are less
than the walks and certificates that it keeps on purpose, and a new one begins without them."""


@overload
def require_jobs(jobs: int) -> int: ...
@overload
def require_jobs(jobs: Cluster) -> Cluster: ...
def require_jobs(jobs: int | Cluster) -> int | Cluster:
    """The number of processes: ``jobs`` if >= 1, all cores of this process for -1. Or the cluster itself.

    ValueError for a number that is none, ClusterError for a cluster that cannot do the work now.
    """
    if isinstance(jobs, Cluster):
        jobs.require_ready()
        return jobs
    if isinstance(jobs, bool) or not isinstance(jobs, int) or (jobs < 1 and jobs != -1):
        raise ValueError(f"jobs must be a number of processes >= 1, or -1 for all cores, got {jobs!r}")
    return cpu_count() if jobs == -1 else jobs


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Inside, torch uses one thread, as in a worker: the last digits of a sum depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def share(
    function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int | Cluster
) -> Generator[tuple[int, Any], None, None]:
    """Pairs of index and ``function(tasks[index])``, as they are done; in this process if jobs = 1.

    Workers get everything by value that an import there would not find (``__main__``, a user's file).
    What their code prints goes to stderr, on a cluster to the worker's log. Processes end with this
    iterator, and with this process; workers of a cluster stay.

    An exception of ``function`` is raised again here, where its traceback is whole; a RuntimeError with its
    text, if it does not come again. WorkerLostError if
    a worker ends (on a cluster: if several do with the same piece of work, or all, or the scheduler),
    UnsendableError for what cannot be pickled. Everything done before is yielded first.
    """
    if not isinstance(jobs, Cluster) and (jobs == 1 or len(tasks) < 2):
        for index, task in enumerate(tasks):
            yield index, function(task)
        return
    workers = from_cluster if isinstance(jobs, Cluster) else _from_workers
    try:
        yield from workers(function, tasks, jobs)  # pyright: ignore[reportArgumentType]
        return
    except FailedError as error:
        failed = error.answer
    function(tasks[failed.index])
    raise RuntimeError(f"an error in a worker that does not come again here:\n{failed.text}")


def _from_workers(
    function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int
) -> Iterator[tuple[int, Any]]:
    jobs = min(jobs, len(tasks))
    arguments = (packed(function, tasks), os.getpid())
    resource_tracker.ensure_running()  # it lets interrupts in again: not between holding them and a worker
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=arguments)
    waiting = iter(range(len(tasks)))
    pending: set[Future[Answer]] = set()
    lost: BaseException | None = None
    whole = False
    try:
        while True:
            if lost is None:
                lost = _submit(pool, pending, itertools.islice(waiting, 2 * jobs - len(pending)))
            if not pending:
                break
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            lost = lost or next((f.exception() for f in done if f.exception()), None)
            answers = sorted((f.result() for f in done if not f.exception()), key=lambda a: a.index)
            yield from ((answer.index, answer.result) for answer in answers if not answer.text)
            failed = next((answer for answer in answers if answer.text), None)
            if failed is not None:
                raise FailedError(failed)
        if lost is not None:
            raise WorkerLostError(_lost(lost)) from lost
        whole = True
    finally:
        pool.shutdown(wait=True, kill_workers=not whole)


def _submit(
    pool: ProcessPoolExecutor, pending: set[Future[Answer]], indices: Iterable[int]
) -> BrokenProcessPool | None:
    """Hand out pieces of work, adding to ``pending``; the error if the pool is broken.

    Returns when the pool has passed all of them on: one that is ended before that fails in a thread.
    """
    with _interrupts_held():  # workers inherit that: Ctrl-C reaches this process alone, which ends them
        try:
            for index in indices:
                pending.add(pool.submit(_do, index))
        except BrokenProcessPool as error:
            return error
        while not all(future.running() or future.done() for future in pending):
            time.sleep(0.001)
    return None


def _lost(error: BaseException) -> str:
    codes = re.search(r"exit codes of the workers are \{(.*?)\}", str(error))
    ended = f" ({codes[1]})" if codes else ""
    return f"a worker process ended{ended}, perhaps for lack of memory; fewer jobs need less"


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """SIGINT waits until the end of the block; processes started inside never see it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- in the worker ----------------------------------------------------------------------------------


class _Work:
    """What this worker was given."""

    function: Callable[[Any], Any]
    tasks: Sequence[Any] = ()
    error: str = ""


def _start(packed: bytes, parent: int) -> None:
    keep_freed_memory()
    process_executor._MAX_MEMORY_LEAK_SIZE = GROWTH
    torch.set_num_threads(1)
    os.dup2(2, 1)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        _Work.function, _Work.tasks = pickle.loads(packed)
    except Exception:
        _Work.error = traceback.format_exc()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK)
    os._exit(1)


def _do(index: int) -> Answer:
    if _Work.error:
        return Answer(index, text=_Work.error)
    return answer(_Work.function, _Work.tasks, index, index)
