"""The workers of a Dask cluster: reached, and proved to give the results that this process would give."""

import contextlib
import importlib
import logging
import platform
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np
import torch

CONNECT_SECONDS = 5.0
"""Until an address that does not answer is given up."""

START_SECONDS = 10.0
"""Until a cluster without workers is given up at the start."""


class ClusterError(ValueError):
    """A cluster cannot do the work; says why and what would help. Nothing was begun."""


@dataclass(frozen=True)
class Cluster:
    """The workers of the Dask scheduler at an address, as ``tcp://HOST:PORT`` (or ``tls://``).

    sources: what gives the same text here and on every worker whose results would be the same; sent by
    reference. ClusterError for an address of another form.
    """

    address: str
    sources: Callable[[], str]

    def __post_init__(self) -> None:
        form = re.fullmatch(r"(?:tcp|tls)://(?:[^\s/:]+|\[[0-9a-fA-F:]+\]):(\d{1,5})", self.address)
        if form is None or not 0 < int(form[1]) < 65536:
            raise ClusterError(f"a scheduler is named as tcp://HOST:PORT, got {self.address!r}")

    def require_ready(self) -> None:
        """ClusterError if Dask is missing, nobody answers, or the workers are none or not as they must be."""
        with self.connected():
            pass

    @contextlib.contextmanager
    def connected(self) -> Iterator[Any]:
        """A client of the scheduler whose workers can do the work. ClusterError as ``require_ready``."""
        distributed = _distributed()
        try:
            self._require_greeting()
            client = distributed.Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError, RuntimeError) as error:
            raise ClusterError(
                f"no Dask scheduler answers at {self.address} ({first_line(error)}); "
                "start one with `dask scheduler`, which prints its address"
            ) from error
        log = logging.getLogger("distributed.client")
        level = log.level
        log.setLevel(logging.CRITICAL)  # it logs a lost connection with a traceback; that is said here
        try:
            self._require_workers(client)
            yield client
        finally:
            client.close(timeout=CONNECT_SECONDS)
            log.setLevel(level)

    def _require_greeting(self) -> None:
        """OSError if nothing speaks here: a client would wait for ever for a server that keeps silent."""
        scheme, host, port = re.split("://|:(?=[0-9]+$)", self.address)
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS) as server:
            if scheme == "tcp" and not server.recv(1):
                raise OSError("it hung up")

    def _require_workers(self, client: Any) -> None:
        threads = threads_of(client)
        end = time.monotonic() + START_SECONDS
        while not threads and time.monotonic() < end:
            time.sleep(0.1)
            threads = threads_of(client)
        if not threads:
            raise ClusterError(
                f"the scheduler at {self.address} has no workers; start some with "
                f"`dask worker {self.address} --nthreads 1 --nworkers N`"
            )
        several = [worker for worker, count in threads.items() if count != 1]
        if several:
            raise ClusterError(
                f"{several[0]} has {threads[several[0]]} threads, and a piece of work needs a process of its "
                "own; start workers with `--nthreads 1`, and more of them with `--nworkers N`"
            )
        here = facts_of(self.sources)
        for worker, there in client.run(facts_of, self.sources, on_error="return").items():
            lost = isinstance(there, OSError)  # just now: others do its work
            other = "" if lost else difference(here, there)
            if other:
                raise ClusterError(f"{worker} would give other results: {other}")


def _distributed() -> ModuleType:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise ClusterError("a cluster needs Dask: pip install 'workbench[cluster]'") from error


def threads_of(client: Any) -> dict[str, int]:
    """Number of threads of each worker that is there now."""
    return dict(client.nthreads())


def first_line(error: BaseException) -> str:
    """Of its message, or its name where it has none."""
    return next(iter(str(error).splitlines()), "") or type(error).__name__


@lru_cache(maxsize=1)
def facts_of(sources: Callable[[], str]) -> dict[str, str]:
    """What must be the same here and there, as it was when the process was first asked.

    Kept, for a process that goes on while its sources are edited has still the old ones loaded.
    """
    python = ".".join(platform.python_version_tuple()[:2])  # what is sent by value is its bytecode
    return {"python": python, "torch": str(torch.__version__), "numpy": np.__version__, "sources": sources()}


def difference(here: Mapping[str, str], there: "Mapping[str, str] | BaseException") -> str:
    """In words, what differs; empty if nothing does."""
    if isinstance(there, BaseException):
        return f"it cannot load this library ({type(there).__name__}: {first_line(there)})"
    names = [name for name in here if here[name] != there[name]]
    if names == ["sources"]:
        return "its sources are others; bring it to those of this process, and start it again"
    return ", ".join(f"{name} {there[name]} there, {here[name]} here" for name in names if name != "sources")
