"""A Dask cluster of real processes, and a user's file that ends or delays some of them, for the tests."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import workbench
from tests.workbench.jobs_file import MINE

ROOT = Path(workbench.__file__).parents[1]


class LocalCluster:
    """A scheduler, and workers in another folder than the tests, which share nothing with them but disks."""

    def __init__(self, folder: Path, allowed_failures: int) -> None:
        self.folder = folder
        self.file = folder / "scheduler.json"
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": str(allowed_failures),
        }
        self.workers: list[subprocess.Popen] = []
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", env=self.env)
        wait_until(self.file.exists)
        self.address: str = json.loads(self.file.read_text())["address"]

    def worker(self, threads: int = 1, root: Path = ROOT) -> subprocess.Popen:
        """One more process, which has not yet reached the scheduler."""
        env = {**self.env, "PYTHONPATH": str(root)}
        options = ("--nthreads", str(threads), "--no-nanny", "--local-directory", str(self.folder))
        self.workers.append(self._start("worker", *options, env=env))
        return self.workers[-1]

    def grow(self, count: int) -> None:
        """Until so many workers are alive."""
        while sum(worker.poll() is None for worker in self.workers) < count:
            self.worker()

    def end(self, *processes: subprocess.Popen) -> None:
        for process in processes:
            process.kill()
            process.wait()

    def dismiss(self, worker: subprocess.Popen) -> None:
        """End a worker that the scheduler knows, until it knows it no more."""
        before = self._removed()
        self.end(worker)
        wait_until(lambda: self._removed() > before)

    def _removed(self) -> int:
        return (self.folder / "log").read_text().count("Remove worker addr")

    def _start(self, kind: str, *options: str, env: dict[str, str]) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--scheduler-file", str(self.file)]
        with (self.folder / "log").open("a") as log:
            command += ["--no-dashboard", *options]
            return subprocess.Popen(command, env=env, cwd=self.folder, stdout=log, stderr=log)


@contextlib.contextmanager
def local_cluster(folder: Path, allowed_failures: int = 1) -> Iterator[LocalCluster]:
    cluster = LocalCluster(folder, allowed_failures)
    try:
        yield cluster
    finally:
        cluster.end(*cluster.workers, cluster.scheduler)


def wait_until(true, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true() and time.monotonic() < end:
        time.sleep(0.02)
    assert true()


def mine_with(folder: Path) -> str:
    """MINE whose flags lie in ``folder``: "once" ends a process, "poison" each; "slow", "bad"."""
    start = MINE.index("        if os.getpid() != HOME:\n")
    end = MINE.index("        return self.slope * x.norm(dim=-1)\n")
    flags = f"""
        flag = Path({str(folder)!r})
        if os.getpid() != HOME and self.slope == 3.0:
            if (flag / "poison").exists():
                os.kill(os.getpid(), {int(signal.SIGKILL)})
            try:
                (flag / "once").unlink()
            except FileNotFoundError:
                pass
            else:
                os.kill(os.getpid(), {int(signal.SIGKILL)})
            if (flag / "slow").exists():
                time.sleep(3600.0)
"""
    step = "        return State(shrink(state.x))"
    bad = f"Path({str(folder / 'bad')!r}).exists() and problem.slope == 3.0"
    raised = f'        if {bad}:\n            raise KeyError("mine")\n'
    return (MINE[:start] + flags.lstrip("\n") + MINE[end:]).replace(step, raised + step)
