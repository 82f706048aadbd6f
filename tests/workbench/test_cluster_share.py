"""What is compared with a worker, and what comes back from a scheduler that is played."""

from concurrent.futures import CancelledError
from typing import ClassVar

import pytest

from workbench.verify import cluster_share
from workbench.verify.cluster import Cluster, difference
from workbench.verify.cluster_share import BLOCK, _Run
from workbench.verify.pool import WorkerLostError
from workbench.verify.sending import packed

HERE = {"python": "3.11", "torch": "2.5", "numpy": "2.0", "sources": "aa"}


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ({}, ""),
        ({"torch": "2.4", "sources": "bb"}, "torch 2.4 there, 2.5 here"),
        ({"python": "3.12", "numpy": "1.9"}, "python 3.12 there, 3.11 here, numpy 1.9 there, 2.0 here"),
        ({"sources": "bb"}, "its sources are others; "),
        (ModuleNotFoundError("No module named 'workbench'"), "it cannot load this library (ModuleNotFound"),
    ],
    ids=["nothing", "torch", "two", "sources", "no library"],
)
def test_what_differs_is_said(there, said):
    found = difference(HERE, there if isinstance(there, Exception) else {**HERE, **there})
    assert found.startswith(said)
    assert bool(found) is bool(said)


# -- what comes back, from a scheduler that is played ------------------------------------------------


class Played:
    """A client and its futures: work is done at once, and of some the first fetch finds nothing."""

    status = "running"
    workers: ClassVar[dict[str, int]] = {"a": 1}

    def __init__(self, lost: set[int]) -> None:
        self.lost = lost

    def nthreads(self) -> dict[str, int]:
        return self.workers

    def submit(self, function, *arguments, key: str, priority: int):
        done = function(*(a.done if isinstance(a, PlayedFuture) else a for a in arguments))
        return PlayedFuture(done, self.lost)


class PlayedFuture:
    status = "finished"

    def __init__(self, done, lost: set[int]) -> None:
        self.done, self.lost = done, lost

    def add_done_callback(self, callback) -> None:
        callback(self)

    def result(self, timeout: float):
        if self.done.index in self.lost:
            self.lost.remove(self.done.index)
            raise TimeoutError
        return self.done


def played(client, tasks: list[int]) -> _Run:
    blocks = [packed(lambda n: n * n, tasks[i : i + BLOCK]) for i in range(0, len(tasks), BLOCK)]
    return _Run(client, Cluster("tcp://h:1", lambda: "the same"), blocks, len(tasks))


def test_a_result_that_is_lost_is_waited_for_and_holds_up_no_other():
    tasks = list(range(BLOCK + 7))
    found = list(played(Played({0, BLOCK + 1}), tasks).answers())
    assert sorted(found) == [(n, n * n) for n in tasks]
    assert found[0] != (0, 0)


def test_a_cluster_that_stays_without_workers_is_given_up(monkeypatch):
    client = Played(set())
    monkeypatch.setattr(client, "workers", {})
    monkeypatch.setattr(cluster_share, "WORKERLESS_SECONDS", -1.0)
    with pytest.raises(WorkerLostError, match=r"tcp://h:1 has had no worker for 0 s"):
        list(played(client, [1]).answers())


def test_a_connection_that_is_lost_is_an_error():
    client = Played(set())
    client.status = "closed"
    with pytest.raises(CancelledError, match="the connection is closed"):
        list(played(client, [1]).answers())
