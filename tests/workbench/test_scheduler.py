"""Work shared on a Dask cluster: the same records, whatever workers end, and errors that have names."""

import json
import pickle
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.workbench.cluster_processes import ROOT, LocalCluster, local_cluster, mine_with, wait_until
from tests.workbench.jobs_file import NEIGHBOUR
from workbench.cli.app import app
from workbench.records import ROOMS, source_hash
from workbench.verify import cluster as cluster_module
from workbench.verify.cluster import Cluster, ClusterError
from workbench.verify.pool import UnsendableError, share
from workbench.verify.sending import packed

CLAIM = ("verify", "--file", "mine.py", "mine/shrinks")


@pytest.fixture
def here(tmp_path, monkeypatch) -> Iterator[Path]:
    """The folder of a user, from which their file imports what lies beside it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)  # as `python -m workbench` does
    sys.modules.pop("neighbour_for_jobs", None)
    (tmp_path / "neighbour_for_jobs.py").write_text(NEIGHBOUR)
    (tmp_path / "mine.py").write_text(mine_with(tmp_path))
    yield tmp_path
    sys.modules.pop("neighbour_for_jobs", None)


def cli(*arguments: str, status: int = 0):
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == status, result.output
    return result


def timeless(file: str) -> list[dict]:
    records = json.loads(Path(file).read_text())["records"]
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


def lines() -> int:
    file = Path("results/records-0.jsonl")
    return len(file.read_bytes().splitlines()) if file.exists() else 0


# -- errors before any work -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "localhost:8786",
        "http://localhost:8786",
        "tcp://localhost",
        "tcp://:8786",
        "tcp://h:0",
        "tcp://h:65536",
    ],
)
def test_an_address_of_another_form(here, address):
    with pytest.raises(ClusterError, match=r"named as tcp://HOST:PORT, got "):
        Cluster(address, source_hash)
    assert f"got {address!r}" in cli(*CLAIM, "--scheduler", address, status=2).stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("address", ["tcp://node-1.site:8786", "tls://10.0.0.1:1", "tcp://[fe80::1]:65535"])
def test_addresses(address):
    assert Cluster(address, source_hash).address == address


@pytest.mark.parametrize("jobs", ["1", "-1"])
def test_jobs_and_scheduler_exclude_each_other(here, jobs):
    result = cli(*CLAIM, "--jobs", jobs, "--scheduler", "tcp://h:1", status=2)
    assert f"--jobs and --scheduler exclude each other: --jobs {jobs} " in result.stderr


def test_without_dask(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = cli(*CLAIM, "--scheduler", "tcp://localhost:8786", status=2)
    assert "a cluster needs Dask: pip install 'workbench[cluster]'" in result.stderr
    assert not Path("results").exists()


@pytest.mark.parametrize("listens", [False, True], ids=["closed port", "silent port"])
def test_an_address_where_no_scheduler_answers(here, monkeypatch, listens):
    pytest.importorskip("distributed")
    monkeypatch.setattr(cluster_module, "CONNECT_SECONDS", 0.3)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if listens:
            other.listen()
        address = f"tcp://127.0.0.1:{other.getsockname()[1]}"
        result = cli(*CLAIM, "--scheduler", address, status=2)
    assert f"no Dask scheduler answers at {address} " in result.stderr
    assert not Path("results").exists()


def test_what_cannot_be_sent_is_said_before_the_cluster_is_reached():
    lock = (n for n in range(3))
    with pytest.raises(UnsendableError, match="generator"):
        list(share(lambda n: (n, lock), [1], Cluster("tcp://localhost:1", source_hash)))


def test_modules_of_the_current_folder_go_by_value(here, monkeypatch):
    import neighbour_for_jobs  # pyright: ignore[reportMissingImports]

    by_name, by_value = (packed(neighbour_for_jobs.shrink, [3.0], elsewhere) for elsewhere in (False, True))
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "path", [p for p in sys.path if Path(p) != here])
    monkeypatch.delitem(sys.modules, "neighbour_for_jobs")
    with pytest.raises(ModuleNotFoundError):
        pickle.loads(by_name)
    function, (task,) = pickle.loads(by_value)
    assert function(task) == 2.0


# -- a real cluster ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    pytest.importorskip("distributed")
    with local_cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


def scheduled(cluster: LocalCluster, *more: str, status: int = 0):
    return cli(*CLAIM, "--scheduler", cluster.address, *more, status=status)


@pytest.mark.slow
def test_workers_that_cannot_do_it(here, cluster, monkeypatch, tmp_path_factory):
    for worker in cluster.workers:
        cluster.dismiss(worker)
    monkeypatch.setattr(cluster_module, "START_SECONDS", 0.2)
    assert f"{cluster.address} has no workers; start some with" in scheduled(cluster, status=2).stderr
    monkeypatch.setattr(cluster_module, "START_SECONDS", 60.0)
    two = cluster.worker(threads=2)
    assert (
        "has 2 threads, and a piece of work needs a process of its own" in scheduled(cluster, status=2).stderr
    )
    cluster.dismiss(two)
    edited = tmp_path_factory.mktemp("edited")
    for room in ROOMS:
        shutil.copytree(ROOT / room, edited / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (edited / "problems/base.py").open("a") as file:
        file.write("# edited\n")
    other = cluster.worker(root=edited)
    assert "would give other results: its sources are others; " in scheduled(cluster, status=2).stderr
    cluster.dismiss(other)
    (edited / "workbench/__init__.py").write_text("raise ImportError('torn')")
    torn = cluster.worker(root=edited)
    refused = scheduled(cluster, status=2).stderr
    assert "it cannot load this library (" in refused
    assert "torn" in refused
    cluster.dismiss(torn)
    assert not Path("results").exists()


@pytest.mark.slow
def test_a_worker_that_is_killed_changes_nothing(here, cluster):
    cluster.grow(3)
    Path("once").touch()
    before = [worker.poll() for worker in cluster.workers].count(None)
    scheduled(cluster, "--json", "shared.json")
    assert not Path("once").exists()
    assert [worker.poll() for worker in cluster.workers].count(None) == before - 1
    cli(*CLAIM, "--json", "alone.json", "--out", "alone")
    assert timeless("shared.json") == timeless("alone.json")
    written = Path("results/records-0.jsonl").read_bytes()
    scheduled(cluster, "--json", "again.json")
    assert Path("results/records-0.jsonl").read_bytes() == written
    assert timeless("again.json") == timeless("alone.json")


@pytest.mark.slow
def test_an_error_in_my_code_is_said_with_its_line_and_the_rest_is_kept(here, cluster):
    cluster.grow(1)
    Path("bad").touch()
    number = Path("mine.py").read_text().splitlines().index('            raise KeyError("mine")') + 1
    result = scheduled(cluster, status=2)
    assert f"line {number}: KeyError: 'mine'; {lines()} of " in result.stderr


@pytest.mark.slow
def test_work_that_ends_each_worker_is_given_up_and_the_rest_is_kept(here, cluster):
    cluster.grow(2)
    Path("poison").touch()
    result = scheduled(cluster, status=2)
    assert "ended each worker that began it, perhaps for lack of memory" in result.stderr
    assert f"{lines()} of " in result.stderr
    assert "the same command goes on from there" in result.stderr
    Path("poison").unlink()
    before = Path("results/records-0.jsonl").read_bytes()
    cluster.grow(1)
    scheduled(cluster, "--json", "rest.json")
    assert Path("results/records-0.jsonl").read_bytes().startswith(before)


@pytest.mark.slow
def test_a_scheduler_that_is_killed_loses_nothing_that_is_done(here, tmp_path_factory):
    pytest.importorskip("distributed")
    Path("slow").touch()
    with local_cluster(tmp_path_factory.mktemp("cluster")) as doomed:
        doomed.grow(1)
        command = [sys.executable, "-m", "workbench", *CLAIM, "--scheduler", doomed.address]
        env = {**doomed.env, "PYTHONPATH": str(ROOT)}
        run = subprocess.Popen(command, env=env, stdout=-1, stderr=-1, text=True)
        wait_until(lambda: lines() >= 1 or run.poll() is not None)
        doomed.end(doomed.scheduler)
        _, err = run.communicate(timeout=60)
    assert run.returncode == 2, err
    assert f"the scheduler at {doomed.address} is gone" in err
    assert f"{lines()} of " in err
    assert "Traceback" not in err
    before = Path("results/records-0.jsonl").read_bytes()
    cli(*CLAIM, "--json", "rest.json")
    assert Path("results/records-0.jsonl").read_bytes().startswith(before)
