"""Pieces of work in processes: results as they come, the same whatever the number of processes."""

import contextlib
import importlib.machinery
import itertools
import os
import pickle
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from multiprocessing import resource_tracker
from types import ModuleType
from typing import Any

import cloudpickle
import torch
from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

PARENT_CHECK = 0.5
"""Seconds after which a worker notices that the process that started it is gone, and ends."""


class WorkerLostError(RuntimeError):
    """A worker process ended in the middle of its work."""


class UnsendableError(ValueError):
    """A piece of work cannot be sent to another process."""


def require_jobs(jobs: int) -> int:
    """The number of processes: ``jobs`` if >= 1, all cores of this process for -1. ValueError otherwise."""
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
    function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int
) -> Generator[tuple[int, Any], None, None]:
    """Pairs of index and ``function(tasks[index])``, as they are done; in this process if jobs = 1.

    Workers get everything by value that an import there would not find (``__main__``, a user's file).
    What their code prints goes to stderr. They end with this iterator, and with this process.

    An exception of ``function`` is raised again here, where its traceback is whole. WorkerLostError if
    a worker ends, UnsendableError for what cannot be pickled. Everything done before is yielded first.
    """
    if jobs == 1 or len(tasks) < 2:
        for index, task in enumerate(tasks):
            yield index, function(task)
        return
    try:
        yield from _from_workers(function, tasks, jobs)
        return
    except _FailedError as error:
        failed = error.answer
    function(tasks[failed.index])
    raise RuntimeError(f"an error in a worker that does not come again here:\n{failed.text}")


@dataclass(frozen=True)
class _Answer:
    """What a worker sends back: the result, or the text of an error."""

    index: int
    result: Any = None
    text: str = ""


class _FailedError(Exception):
    def __init__(self, answer: _Answer) -> None:
        self.answer = answer


def _from_workers(
    function: Callable[[Any], Any], tasks: Sequence[Any], jobs: int
) -> Iterator[tuple[int, Any]]:
    jobs = min(jobs, len(tasks))
    arguments = (_packed(function, tasks), os.getpid())
    resource_tracker.ensure_running()  # it lets interrupts in again: not between holding them and a worker
    pool = ProcessPoolExecutor(jobs, initializer=_start, initargs=arguments)
    waiting = iter(range(len(tasks)))
    pending: set[Future[_Answer]] = set()
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
                raise _FailedError(failed)
        if lost is not None:
            raise WorkerLostError(_lost(lost)) from lost
        whole = True
    finally:
        pool.shutdown(wait=True, kill_workers=not whole)


def _submit(
    pool: ProcessPoolExecutor, pending: set[Future[_Answer]], indices: Iterable[int]
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


# -- what is sent -----------------------------------------------------------------------------------


def _packed(function: Callable[[Any], Any], tasks: Sequence[Any]) -> bytes:
    by_value = _not_importable()
    for module in by_value:
        cloudpickle.register_pickle_by_value(module)
    try:
        return cloudpickle.dumps((function, list(tasks)))
    except Exception as error:  # __reduce__ of a user's object may raise anything
        raise UnsendableError(
            f"the work cannot be sent to other processes: {type(error).__name__}: {error}; "
            "with jobs = 1 it need not be"
        ) from error
    finally:
        for module in by_value:
            cloudpickle.unregister_pickle_by_value(module)


def _not_importable() -> list[ModuleType]:
    """Loaded top-level modules that no finder would find: a user's file, and what lies beside it."""
    loaded = [(n, m) for n, m in list(sys.modules.items()) if "." not in n and n != "__mp_main__"]
    files = [(n, m) for n, m in loaded if n != "__main__" and getattr(m, "__file__", None)]
    return [m for n, m in files if m.__name__ == n and not _found(n)]


def _found(name: str) -> bool:
    finders: list[Any] = [*sys.meta_path, importlib.machinery.PathFinder]
    for finder in finders:
        with contextlib.suppress(Exception):  # a finder that cannot say has not found it
            if finder.find_spec(name, None) is not None:
                return True
    return False


# -- in the worker ----------------------------------------------------------------------------------


class _Work:
    """What this worker was given."""

    function: Callable[[Any], Any]
    tasks: Sequence[Any] = ()
    error: str = ""


def _start(packed: bytes, parent: int) -> None:
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


def _do(index: int) -> _Answer:
    if _Work.error:
        return _Answer(index, text=_Work.error)
    try:
        return _Answer(index, _Work.function(_Work.tasks[index]))
    except BaseException:
        return _Answer(index, text=traceback.format_exc())
